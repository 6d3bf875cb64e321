"""Methods against the baseline: a table, their effects, and the trade-off of AP and DEO."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from fairlab.core.errors import UserError
from fairlab.core.estimate import markdown_table
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import (
    FAINT,
    MODEL_LOOKS,
    MODEL_NAMES,
    mark_intervals,
    model_name,
    panels,
    readable,
    styled,
)
from fairlab.figures.tables import WHOLE, differences, estimate
from fairlab.metrics.spec import METRICS, reported
from fairlab.metrics.two_groups.compare_attributes import MEAN

#: Of the models of a trade-off; the first are those of `MODEL_LOOKS`.
_MARKERS = (*(look.marker for look in MODEL_LOOKS), "P", "X", "<", ">", "*")


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


@styled
def trade_off(table: pd.DataFrame, *, attribute: str = "", group: str = "all") -> Captioned:
    """Show average precision against the difference in equality of opportunity, a point for each model.

    Parameters
    ----------
    table : DataFrame
        As `compare`, with rows of the metrics AP and DEO; rows of differences are left out.
    attribute, group : str
        Which rows to show.

    Raises
    ------
    UserError
        If there are no such rows, or more than 10 models.
    """
    points = _trade_off_points(table, attribute, group)
    usual = MODEL_NAMES if set(MODEL_NAMES) & set(points.index) else {}
    order = list(dict.fromkeys([*usual, *points.index]))
    looks = {model: MODEL_LOOKS[place % len(MODEL_LOOKS)] for place, model in enumerate(order)}
    markers = dict(zip(map(model_name, order), _MARKERS, strict=False))
    names = [model_name(str(model)) for model in points.index]
    colours = [looks[model].colour for model in points.index]
    figure, (axis,) = panels(1, 1, (6.4, 4.4))
    for model, row in points.iterrows():
        ends: dict[str, Any] = {"color": looks[model].colour, "linewidth": 1.1}
        axis.hlines(row["AP"], row["DEO low"], row["DEO high"], **ends)
        axis.vlines(row["DEO"], row["AP low"], row["AP high"], **ends)
    style: dict[str, Any] = {"hue": names, "palette": colours, "style": names, "markers": markers, "s": 75}
    sns.scatterplot(points, x="DEO", y="AP", ax=axis, **style)
    axis.set(xlabel="gap in missed faces (DEO), points: left is fairer", ylabel="AP, %: up is better")
    axis.set_xlim(left=min(0.0, axis.get_xlim()[0]))
    axis.grid()
    sns.move_legend(axis, "upper left", bbox_to_anchor=(1, 1))
    return Captioned(figure, _unbeaten(points), "Average precision against DEO, a point for each model")


def _unbeaten(points: pd.DataFrame) -> str:
    """Say which models no other beats in both AP and DEO."""
    names = [model_name(str(model)) for model in points.index]
    precision, gap = (points[metric].to_numpy(dtype=float) for metric in ("AP", "DEO"))
    best, fairest = int(precision.argmax()), int(gap.argmin())
    unbeaten = [
        name for i, name in enumerate(names) if not ((precision > precision[i]) & (gap < gap[i])).any()
    ]
    return (
        f"Lines: 95% intervals. {names[best]} has the highest AP ({precision[best]:.1f}%), {names[fairest]} "
        f"the smallest DEO ({gap[fairest]:.1f} points). Not beaten in both at once, leaving the intervals "
        f"aside: {', '.join(unbeaten)}."
    )


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


def _trade_off_points(table: pd.DataFrame, attribute: str, group: str) -> pd.DataFrame:
    """Return AP and DEO of each model with their ends, in per cent and points."""
    keep = (table["attribute"] == attribute) & (table["group"] == group) & ~differences(table)
    columns: dict[str, pd.Series] = {}
    for metric in ("AP", "DEO"):
        rows = table[keep & (table["metric"] == metric)].set_index("model")
        columns |= {metric: rows["value"], f"{metric} low": rows["low"], f"{metric} high": rows["high"]}
    points = (100 * pd.DataFrame(columns)).dropna(subset=["AP", "DEO"])
    order: Sequence[str] = [model for model in dict.fromkeys(table["model"]) if model in points.index]
    if not 0 < len(order) <= 2 * len(MODEL_LOOKS):
        raise UserError(
            f"A figure of AP against DEO shows 1 to {2 * len(MODEL_LOOKS)} models that have both, not "
            f"{len(order)} (attribute '{attribute}', group '{group}')."
        )
    return points.loc[list(order)]
