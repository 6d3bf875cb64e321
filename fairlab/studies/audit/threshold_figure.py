"""Picture of an audit: who is missed and who gets false alarms at every threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fairlab.core.estimate import percent
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import INK, MODEL_LOOKS, panels, readable, styled
from fairlab.metrics.groups.threshold_scan import group_threshold_curves
from fairlab.studies.audit.categories import Categories
from fairlab.studies.audit.measure import Measured, groups_of

GAP = "equalized_odds_difference"
_GRID = np.linspace(0, 1, 201)
_TITLES = {"FNR": "positives missed", "FPR": "false alarms", GAP: readable(GAP)}


@styled
def threshold_scan(measured: Measured, name: str) -> Captioned:
    """Show each group's FNR and FPR, and the gap between groups, at every threshold of the first model.

    Parameters
    ----------
    measured : Measured
        Of a binary label.
    name : str
        A protected column; curves are of its five largest groups, the gap is of all.
    """
    model, column = next(iter(measured.models)), measured.first.protected[name]
    used = measured.thresholds[model]
    curves = _curves(measured, model, name, np.append(_GRID, used))
    figure, axes = panels(1, 3, (9.2, 3.4), sharex=True)
    for axis, (metric, title) in zip(axes, _TITLES.items(), strict=True):
        rows = curves[(curves["metric"] == metric) & (curves["threshold"] != used)]
        lines = [f"{name} = {value}" for value in _largest(column)] if metric != GAP else [name]
        for group, look in zip(lines, MODEL_LOOKS, strict=False):
            found = rows[rows["group"] == group]
            line: dict[str, Any] = (
                {"color": look.colour, "linestyle": look.line} if metric != GAP else {"color": INK}
            )
            axis.plot(found["threshold"], 100 * found["value"], label=readable(group), linewidth=1.6, **line)
        axis.axvline(used, color=INK, linewidth=1.2, linestyle=":")
        axis.set(title=title, xlabel="threshold", ylim=(0, None))
        axis.grid(axis="y")
    axes[0].set_ylabel("%")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    caption = _caption(model, curves, name, used, len(column.names) > len(MODEL_LOOKS))
    alt = f"Curves over thresholds of FNR, FPR and {readable(GAP)}, a line for each group of {readable(name)}"
    return Captioned(figure, caption, alt)


def _curves(measured: Measured, model: str, name: str, grid: np.ndarray) -> pd.DataFrame:
    weights = None if measured.weights is None else measured.weights.numbers
    return group_threshold_curves(
        measured.first.label.codes,
        measured.scores(model),
        groups_of({name: measured.first.protected[name]}),
        grid,
        metrics=tuple(_TITLES),
        sample_weight=weights,
    )


def _largest(column: Categories) -> list[str]:
    """Return the values of most rows, in the column's order."""
    counts = np.bincount(column.codes, minlength=len(column.names))
    return [column.names[i] for i in np.sort(np.argsort(-counts, kind="stable")[: len(MODEL_LOOKS)])]


def _caption(model: str, curves: pd.DataFrame, name: str, used: float, cut: bool) -> str:
    """Say what the gap is at the threshold used, and that the least gap is not the best threshold."""
    gap = curves[(curves["metric"] == GAP) & (curves["group"] == name)].set_index("threshold")["value"]
    now = float(gap[used].iloc[0] if isinstance(gap[used], pd.Series) else gap[used])
    shown = f" The {len(MODEL_LOOKS)} largest groups are shown." if cut else ""
    return (
        f"{model}. Dotted: the threshold used, {used:.4g}, with {readable(GAP)} {percent(now)}. Near 0 and 1 "
        f"all groups are treated alike, for nobody is told apart: a small gap alone is worth little.{shown}"
    )
