"""Figures of the ground truth of drawn faces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fairlab.core.estimate import PERCENT, Estimate, Unit
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import FAINT, MODEL_LOOKS, Look, panels, readable, styled


def series_of(table: pd.DataFrame, by: str, index: str) -> dict[str, pd.DataFrame]:
    """Return the rows of each value of one column, indexed by another, as `plots.dots` wants."""
    return {str(name): rows.set_index(index) for name, rows in table.groupby(by, sort=False)}


@styled
def changed_counts(table: pd.DataFrame) -> Captioned:
    """Show how many other attributes change within a pair, a curve for each kind of pairs.

    Parameters
    ----------
    table : DataFrame
        As `fairlab.studies.ground_truth.changed_counts`.
    """
    figure, (axis,) = panels(1, 1, (7.6, 3.2))
    for look, (kind, rows) in zip(MODEL_LOOKS, table.groupby("pairs", sort=False), strict=False):
        _curve(axis, rows["changed"], rows, look, str(kind), scale=100)
    axis.set(xlabel="other attributes changed", ylabel="% of the pairs", ylim=(0, None))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(axis="y")
    axis.legend(loc="upper right")
    unchanged = table[table["changed"] == 0]
    parts = [f"{row.pairs} {Estimate.of(row, PERCENT)} (n = {row.n:,})" for row in unchanged.itertuples()]
    caption = f"Pairs in which no other attribute changes: {', '.join(parts)}. Whiskers are 95% intervals."
    return Captioned(figure, caption, "Distribution of the number of other attributes that change in a pair")


@styled
def direction_effects(table: pd.DataFrame, *, protected: str) -> Captioned:
    """Show what moves along several directions change, a panel for each metric.

    Parameters
    ----------
    table : DataFrame
        As `fairlab.studies.ground_truth.effects`.
    protected : str
        The attribute that the directions are of.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    figure, axes = panels(1, len(metrics), (3.6 * len(metrics), 3.5))
    for axis, metric in zip(axes, metrics, strict=True):
        is_share = metric != "other attributes changed"
        rows = table[table["metric"] == metric]
        for look, (name, line) in zip(MODEL_LOOKS, rows.groupby("direction", sort=False), strict=False):
            _curve(axis, line["step"], line, look, str(name), scale=100 if is_share else 1)
        axis.axvline(0, color=FAINT, linewidth=0.8)
        axis.set(title=metric, xlabel="standard deviations", ylabel="% of the faces" if is_share else "mean")
        axis.grid(axis="y")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(MODEL_LOOKS))
    return Captioned(figure, _longest(table, protected), "What moves along several directions change")


def _longest(table: pd.DataFrame, protected: str) -> str:
    """Say what the longest move towards the protected attribute does along each direction."""
    longest = table[table["step"] == table["step"].max()]
    parts = []
    for name, rows in longest.groupby("direction", sort=False):
        found = {row.metric: row for row in rows.itertuples()}
        shown, others = found["protected present"], found["other attributes changed"]
        parts.append(
            f"{name}: {readable(protected)} in {Estimate.of(shown, PERCENT)}, "
            f"{Estimate.of(others, Unit(digits=1))} other attributes changed"
        )
    return (
        f"{longest['step'].iloc[0]:g} standard deviations along each direction, {longest['n'].iloc[0]:,} "
        f"faces. {'; '.join(parts)}."
    )


def _curve(axis: Axes, x: pd.Series, rows: pd.DataFrame, look: Look, name: str, *, scale: float) -> None:
    """Draw values with their intervals against x."""
    value, low, high = (scale * rows[column].to_numpy(dtype=float) for column in ("value", "low", "high"))
    errors = np.maximum(0, [value - low, high - value])  # (2, n)
    line: dict[str, Any] = {"color": look.colour, "marker": look.marker, "linestyle": look.line}
    axis.errorbar(x, value, yerr=errors, label=name, markersize=4, linewidth=1.4, elinewidth=0.9, **line)
