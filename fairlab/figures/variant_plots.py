"""Differences of several methods from the baseline: a table and two figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fairlab.core.estimate import Estimate
from fairlab.core.text import markdown_table
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import FAINT, MODEL_LOOKS, panels, readable, styled
from fairlab.figures.tables import WHOLE, estimate
from fairlab.metrics.spec import METRICS, reported
from fairlab.metrics.two_groups.compare_attributes import MEAN


def effect_table(table: pd.DataFrame, variants: Sequence[str]) -> str:
    """Return the paired differences from the baseline as Markdown: a line for each mean and variant.

    Parameters
    ----------
    table : DataFrame
        Tidy, of a finished grid. Means over groups of attributes are shown; of a single attribute,
        its own rows.
    variants : sequence of str
        Models of the table beside "baseline". Where there are several, the last column is the DEO of each
        minus that of the first, which is the paired answer to "does this do better?".
    """
    against = [variants[0]] if len(variants) > 1 else []
    header = ["mean over", "variant", *_shown(), *(f"DEO, less {name}'s" for name in against)]
    lines = []
    for attribute, group in _subjects(table):
        lines.append(
            [_title(table, attribute, group), "baseline", *_cells(table, attribute, group, "baseline")]
        )
        for variant in variants:
            cells = _cells(table, attribute, group, f"{variant} - baseline")
            for first in against:
                cells += (
                    [_cell(table, attribute, group, f"{variant} - {first}", "DEO")]
                    if variant != first
                    else [""]
                )
            lines.append(["", variant, *cells])
        lines[-len(variants) - 1] += [""] * len(against)
    return markdown_table(header, lines)


@styled
def effects(table: pd.DataFrame, variants: Sequence[str]) -> Captioned:
    """Show what each variant changes in four metrics; arguments as for `effect_table`.

    A row for each variant, a mark with its 95% interval for each mean over attributes.
    """
    subjects = _subjects(table)[: len(MODEL_LOOKS)]
    height = 1.4 + len(variants) * (0.22 + 0.13 * len(subjects))
    figure, axes = panels(1, len(_shown()), (11.0, height), sharey=True)
    for axis, metric in zip(axes, _shown(), strict=True):
        for place, (attribute, group) in enumerate(subjects):
            at = np.arange(len(variants)) + 0.7 * ((place + 0.5) / len(subjects) - 0.5)
            found = [estimate(table, f"{v} - baseline", attribute, metric, group) for v in variants]
            _marks(axis, found, at, metric, place, _title(table, attribute, group))
        _finish(axis, metric, list(variants))
    if len(subjects) > 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(subjects))
    caption = _changes(table, variants, *subjects[0])
    return Captioned(figure, caption, "Changes of four metrics against the baseline, a row for each variant")


@styled
def effects_by_target(table: pd.DataFrame, variants: Sequence[str]) -> Captioned:
    """Show what up to five variants change for every target; arguments as for `effect_table`."""
    targets = list(dict.fromkeys(table.loc[table["group"] == WHOLE, "attribute"]))
    shown, metrics = variants[: len(MODEL_LOOKS)], ("DEO", "AP")
    height = 1.4 + len(targets) * (0.2 + 0.1 * len(shown))
    figure, axes = panels(1, len(metrics), (9.0, height), sharey=True)
    for axis, metric in zip(axes, metrics, strict=True):
        for place, variant in enumerate(shown):
            at = np.arange(len(targets)) + 0.7 * ((place + 0.5) / len(shown) - 0.5)
            found = [estimate(table, f"{variant} - baseline", target, metric) for target in targets]
            _marks(axis, found, at, metric, place, readable(variant))
        _finish(axis, metric, targets)
    if len(shown) > 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(shown))
    caption = _changes(table, shown, *_subjects(table)[0])
    return Captioned(figure, caption, "Changes of DEO and AP against the baseline, a row for each target")


def _changes(
    table: pd.DataFrame, variants: Sequence[str], attribute: str, group: str, metric: str = "DEO"
) -> str:
    """Say what each variant changes in one metric, over one mean or attribute."""
    parts = [f"{readable(v)} {_cell(table, attribute, group, f'{v} - baseline', metric)}" for v in variants]
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


def _marks(axis: Axes, found: list[Estimate], at: np.ndarray, metric: str, place: int, label: str) -> None:
    scale, look = METRICS[metric].unit.scale, MODEL_LOOKS[place]
    value, low, high = scale * np.array([(one.value, one.low, one.high) for one in found]).T
    errors = np.maximum(0, [value - low, high - value])
    axis.errorbar(
        value, at, xerr=errors, fmt=look.marker, color=look.colour, markersize=4.5, linewidth=1.3, label=label
    )


def _finish(axis: Axes, metric: str, names: list[str]) -> None:
    axis.axvline(0, color=FAINT, linewidth=1)
    axis.set_yticks(range(len(names)), [readable(name) for name in names], fontsize=9)
    unit = METRICS[metric].unit.difference.name.strip()
    axis.set(xlabel=f"change of {metric} ({unit})", ylim=(len(names) - 0.4, -0.6))
    axis.grid(axis="x")
