"""The figure of the threshold explorer: what every threshold would give, and where the thresholds stand."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from fairlab.figures.style import FAINT, Look, model_look, model_name, panels, styled
from fairlab.figures.tables import WHOLE
from fairlab.lab.overlay import Overlay
from fairlab.metrics import UndefinedMetricWarning, threshold_curves
from fairlab.metrics.spec import METRICS, RATES, unit_of

GRID = np.linspace(0, 1, 201)  # thresholds of the curves
WIDTH, DPI = 940, 150  # of the picture as shown, and of its pixels: sharp on fine screens too


class Quantity(NamedTuple):
    """What one panel of the figure and one row of the table show."""

    metric: str
    group: str  # as in the table of `at_threshold`
    column: str  # of `threshold_curves`
    label: str


def quantities_of(groups: tuple[str, str]) -> list[Quantity]:
    """Return what is shown, from accuracy to bias, for groups of these names."""
    missed = [Quantity("FNR", name, f"FNR_{a}", f"Missed, {name} (FNR)") for a, name in enumerate(groups)]
    whole = {name: Quantity(name, WHOLE, name, spec.label) for name, spec in (RATES | METRICS).items()}
    return [whole["accuracy"], *missed, whole["DEO"], whole["BA"]]


class ThresholdCurves:
    """The figure: every quantity over all thresholds, and markers at the present ones."""

    @styled
    def __init__(
        self,
        y_true: ArrayLike,
        scores: Mapping[str, ArrayLike],
        protected: ArrayLike,
        quantities: Sequence[Quantity],
    ) -> None:
        figure, axes = panels(2, 3, (WIDTH / 100, 5.2), sharex=True)
        self._markers: dict[str, list[tuple[Line2D, Line2D]]] = {}
        for model, values in scores.items():
            with warnings.catch_warnings():  # panels without curves say so
                warnings.simplefilter("ignore", UndefinedMetricWarning)
                curves = threshold_curves(y_true, values, protected, GRID)
            look = model_look(list(scores), model)
            self._markers[model] = [
                _curve(axis, curves[what.column], look, model_name(model))
                for axis, what in zip(axes, quantities, strict=False)
            ]
        for axis, what in zip(axes, quantities, strict=False):
            _finish(axis, what)
        about = "Upright lines stand at the\nthresholds; marks show the\nvalues in the table."
        axes[-1].set_axis_off()
        axes[-1].legend(*axes[0].get_legend_handles_labels(), loc="upper left", fontsize=10.5, handlelength=3)
        axes[-1].text(0.04, 0.1, about, transform=axes[-1].transAxes, linespacing=1.5)
        moving = [part for pairs in self._markers.values() for pair in pairs for part in pair]
        self._overlay = Overlay(figure, moving, dpi=DPI)

    def jpeg(self, thresholds: Mapping[str, float], values: Mapping[str, Sequence[float]]) -> bytes:
        """Return the picture with each model's markers at its threshold and its `values` there."""
        for model, pairs in self._markers.items():
            for (upright, dot), value in zip(pairs, values[model], strict=True):
                upright.set_xdata([thresholds[model]] * 2)
                dot.set_data([thresholds[model]], [100 * value])
        return self._overlay.jpeg()


def _curve(axis: Axes, values: pd.Series, look: Look, name: str) -> tuple[Line2D, Line2D]:
    """Draw one model's curve; return its markers, an upright line and a dot, for later."""
    line: dict[str, Any] = {"color": look.colour, "linestyle": look.line}
    dot: dict[str, Any] = {"marker": look.marker, "markersize": 9, "markeredgecolor": "white"}
    axis.plot(GRID, 100 * values, linewidth=2, label=name, markevery=[], **line, **dot)
    upright = axis.axvline(0, linewidth=1.1, alpha=0.8, **line)
    return upright, axis.plot([], [], color=look.colour, clip_on=False, **dot)[0]


def _finish(axis: Axes, what: Quantity) -> None:
    axis.set(title=what.label, xlim=(0, 1), xlabel="threshold", ylabel=unit_of(what.metric).name.strip())
    axis.tick_params(labelbottom=True)
    axis.grid(axis="y")
    if what.metric in ("accuracy", "FNR"):
        axis.set_ylim(0, 100)
    axis.axhline(0, color=FAINT, linewidth=0.8)
    if np.isnan(np.asarray(axis.lines[0].get_ydata(), dtype=float)).all():
        axis.text(0.5, 0.5, "undefined: see the table", transform=axis.transAxes, ha="center", color=FAINT)
