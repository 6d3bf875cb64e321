"""Methods against the baseline: a table, and their effects."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fairlab.core.estimate import markdown_table
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import FAINT, MODEL_LOOKS, mark_intervals, panels, readable, styled
from fairlab.figures.tables import WHOLE, estimate
from fairlab.metrics.spec import METRICS, reported
from fairlab.metrics.two_groups.compare_attributes import MEAN


def effect_table(table: pd.DataFrame, methods: Sequence[str]) -> str:
    """Return the paired differences from the baseline as Markdown: a line for each mean and method.

    Parameters
    ----------
    table : DataFrame
        Tidy, of a finished grid. Means over groups of attributes are shown; of a single attribute,
        its own rows.
    methods : sequence of str
        Models of the table beside "baseline". Where there are several, the last column is the DEO of each
        minus that of the first, which is the paired answer to "does this do better?".
    """
    against = [methods[0]] if len(methods) > 1 else []
    header = ["mean over", "method", *_shown(), *(f"DEO, less {name}'s" for name in against)]
    lines = []
    for attribute, group in _subjects(table):
        lines.append(
            [_title(table, attribute, group), "baseline", *_cells(table, attribute, group, "baseline")]
        )
        for method in methods:
            cells = _cells(table, attribute, group, f"{method} - baseline")
            for first in against:
                cells += (
                    [_cell(table, attribute, group, f"{method} - {first}", "DEO")]
                    if method != first
                    else [""]
                )
            lines.append(["", method, *cells])
        lines[-len(methods) - 1] += [""] * len(against)
    return markdown_table(header, lines)


@styled
def effects(table: pd.DataFrame, methods: Sequence[str]) -> Captioned:
    """Show what each method changes in four metrics; arguments as for `effect_table`.

    A row for each method, a mark with its 95% interval for each mean over attributes.
    """
    subjects = _subjects(table)[: len(MODEL_LOOKS)]
    series = {
        _title(table, *subject): [(f"{method} - baseline", *subject) for method in methods]
        for subject in subjects
    }
    figure = _marks(table, _shown(), methods, series, width=11.0)
    caption = _changes(table, methods, *subjects[0])
    return Captioned(figure, caption, "Changes of four metrics against the baseline, a row for each method")


@styled
def effects_by_target(table: pd.DataFrame, methods: Sequence[str]) -> Captioned:
    """Show what up to five methods change for every target; arguments as for `effect_table`."""
    targets = list(dict.fromkeys(table.loc[table["group"] == WHOLE, "attribute"]))
    shown = methods[: len(MODEL_LOOKS)]
    series = {
        readable(method): [(f"{method} - baseline", target, WHOLE) for target in targets] for method in shown
    }
    figure = _marks(table, ("DEO", "AP"), targets, series, width=9.0)
    caption = _changes(table, shown, *_subjects(table)[0])
    return Captioned(figure, caption, "Changes of DEO and AP against the baseline, a row for each target")


def _marks(
    table: pd.DataFrame,
    metrics: Sequence[str],
    names: Sequence[str],
    series: Mapping[str, Sequence[tuple[str, str, str]]],
    width: float,
) -> Figure:
    """Draw a panel for each metric, with a row for each name, and in it a mark for each series.

    Parameters
    ----------
    series : dict of label to (model, attribute, group) for each name
        What to look up in the table.
    """
    size = width, 1.4 + len(names) * (0.22 + 0.12 * len(series))
    figure, axes = panels(1, len(metrics), size, sharey=True)
    for axis, metric in zip(axes, metrics, strict=True):
        unit = METRICS[metric].unit
        for place, (label, rows) in enumerate(series.items()):
            at = np.arange(len(names)) + 0.7 * ((place + 0.5) / len(series) - 0.5)
            found = [estimate(table, model, attribute, metric, group) for model, attribute, group in rows]
            numbers = unit.scale * np.array([one[:3] for one in found])
            mark_intervals(axis, at, numbers, MODEL_LOOKS[place], label=label)
        axis.axvline(0, color=FAINT, linewidth=1)
        axis.set_yticks(range(len(names)), [readable(name) for name in names], fontsize=9)
        axis.set(xlabel=f"change of {metric} ({unit.difference.name.strip()})")
        axis.set_ylim(len(names) - 0.4, -0.6)
        axis.grid(axis="x")
    if len(series) > 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(series))
    return figure


def _changes(
    table: pd.DataFrame, methods: Sequence[str], attribute: str, group: str, metric: str = "DEO"
) -> str:
    """Say what each method changes in one metric, over one mean or attribute."""
    parts = [
        f"{readable(method)} {_cell(table, attribute, group, f'{method} - baseline', metric)}"
        for method in methods
    ]
    return f"Change of {metric} against the baseline, {_title(table, attribute, group)}: {'; '.join(parts)}."


def _shown() -> list[str]:
    return [name for name, spec in reported().items() if spec.headline]


def _subjects(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return (attribute, group) of the rows to show: the means, the widest first, or else the attributes."""
    means = list(dict.fromkeys(table.loc[table["group"] == MEAN, "attribute"]))
    if len(set(table.loc[table["group"] == WHOLE, "attribute"])) > 1 and means:
        return [(name, MEAN) for name in reversed(means)]
    return [(name, WHOLE) for name in dict.fromkeys(table.loc[table["group"] == WHOLE, "attribute"])]


def _title(table: pd.DataFrame, attribute: str, group: str) -> str:
    if group == WHOLE:
        return readable(attribute)
    note = estimate(table, "baseline", attribute, "AP", group).note
    return f"{attribute} ({note.removeprefix('mean of ').split()[0]})"


def _cells(table: pd.DataFrame, attribute: str, group: str, model: str) -> list[str]:
    return [_cell(table, attribute, group, model, metric) for metric in _shown()]


def _cell(table: pd.DataFrame, attribute: str, group: str, model: str, metric: str) -> str:
    return f"{estimate(table, model, attribute, metric, group):#}"
