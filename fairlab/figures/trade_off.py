"""What fairness costs: a mark for each model, its intervals, and the models that no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fairlab.core.errors import UserError
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import BLUE, FAINT, INK, ORANGE, model_name, panels, styled
from fairlab.figures.tables import differences
from fairlab.metrics.spec import METRICS

MOST = 40  #: models that a figure can number


@styled
def trade_off(
    table: pd.DataFrame, *, attribute: str = "", group: str = "all", x: str = "DEO", y: str = "AP"
) -> Captioned:
    """Show a metric to be small against one to be large, a numbered mark for each model.

    Parameters
    ----------
    table : DataFrame
        As `compare`, with rows of both metrics; rows of differences are left out.
    attribute, group : str
        Which rows to show.
    x, y : str
        Names in `fairlab.metrics.spec.METRICS`: what is fairer the smaller it is, and what is better the
        larger it is.

    Returns
    -------
    Captioned
        Blue marks on the stepped line are the Pareto front: no other model is better in both. It goes by the
        values; lines through the marks are 95% intervals.

    Raises
    ------
    UserError
        If there are no such rows, or more than `MOST` models.
    """
    points = _points(table, attribute, group, (x, y))
    front = pareto_front(points["x"].to_numpy(), points["y"].to_numpy())
    figure, (axis, names) = panels(1, 2, (8.6, 4.9), width_ratios=[2.4, 1])
    for place, (row, best) in enumerate(zip(points.to_numpy(), front, strict=True), start=1):
        at, left, right, level, low, high = row
        look: dict[str, Any] = {
            "color": BLUE if best else FAINT,
            "linewidth": 1.0,
            "alpha": 0.9 if best else 0.55,
        }
        axis.hlines(level, left, right, **look)
        axis.vlines(at, low, high, **look)
        _numbered(axis, at, level, place, best)
    _step(axis, points[front])
    axis.set(
        xlabel=f"{METRICS[x].label}, points: left is fairer", ylabel=f"{METRICS[y].label}, %: up is better"
    )
    axis.set_xlim(left=min(0.0, axis.get_xlim()[0]))
    axis.grid()
    _key(names, list(points.index), front)
    return Captioned(figure, _said(points, front, x, y), f"{y} against {x}, a numbered mark for each model")


def pareto_front(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which points (n,) no other beats: with x as small and y as large, and one of them better."""
    at_least = (x <= x[:, None]) & (y >= y[:, None])  # [i, j]: j is as good as i
    better = (x < x[:, None]) | (y > y[:, None])
    return np.asarray(~(at_least & better).any(axis=1))


def _numbered(axis: Axes, x: float, y: float, number: int, best: bool) -> None:
    colour, shape = (BLUE, "o") if best else ("white", "s")
    axis.plot(x, y, shape, color=colour, markeredgecolor=INK, markersize=12, markeredgewidth=0.8)
    ink = "white" if best else INK
    axis.annotate(str(number), (x, y), ha="center", va="center_baseline", fontsize=7, color=ink)


def _step(axis: Axes, front: pd.DataFrame) -> None:
    """Draw the front as a step: between two of its points nothing is known to be reached."""
    best = front.sort_values("x")
    axis.step(best["x"], best["y"], where="post", color=ORANGE, linewidth=1.2, zorder=0)


def _key(axis: Axes, models: Sequence[str], front: np.ndarray) -> None:
    """List the models by number; those of the front first in bold."""
    axis.axis("off")
    shapes = [("o", BLUE, "Pareto front"), ("s", "white", "beaten in both")]
    handles = [
        Line2D([], [], marker=m, color=c, markeredgecolor=INK, linestyle="none", label=label)
        for m, c, label in shapes
    ]
    axis.legend(handles=handles, loc="upper left", ncols=1, borderaxespad=0)
    height = min(0.045, 0.84 / len(models))  # of a line
    style: dict[str, Any] = {"fontsize": min(8.0, 180 * height), "va": "top", "transform": axis.transAxes}
    for place, (model, best) in enumerate(zip(models, front, strict=True)):
        text, weight = f"{place + 1}  {model_name(str(model))}", "bold" if best else "normal"
        axis.text(0, 0.84 - place * height, text, weight=weight, **style)


def _said(points: pd.DataFrame, front: np.ndarray, x: str, y: str) -> str:
    """Say which models lie on the front, with their numbers."""
    best = points[front].sort_values("x")
    parts = [
        f"{model_name(str(model))} ({y} {row['y']:.1f} [{row['y_low']:.1f}, {row['y_high']:.1f}], "
        f"{x} {row['x']:.1f} [{row['x_low']:.1f}, {row['x_high']:.1f}])"
        for model, row in best.iterrows()
    ]
    return (
        f"Lines: 95% intervals. No other model is better in both {y} and {x}, by their values, than "
        f"{'; '.join(parts)}. Whether two models differ, the paired differences tell."
    )


def _points(table: pd.DataFrame, attribute: str, group: str, metrics: tuple[str, str]) -> pd.DataFrame:
    """Return both metrics of each model with their ends, in per cent and points: x, x_low, x_high, y, ..."""
    keep = (table["attribute"] == attribute) & (table["group"] == group) & ~differences(table)
    columns: dict[str, pd.Series] = {}
    for name, metric in zip("xy", metrics, strict=True):
        rows = table[keep & (table["metric"] == metric)].set_index("model")
        columns |= {name: rows["value"], f"{name}_low": rows["low"], f"{name}_high": rows["high"]}
    points = (100 * pd.DataFrame(columns)).dropna(subset=["x", "y"])
    order = [model for model in dict.fromkeys(table["model"]) if model in points.index]
    if not 0 < len(order) <= MOST:
        raise UserError(
            f"A figure of {metrics[1]} against {metrics[0]} shows 1 to {MOST} models that have both, not "
            f"{len(order)} (attribute '{attribute}', group '{group}')."
        )
    return points.loc[order]
