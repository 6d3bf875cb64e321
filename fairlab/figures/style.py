"""Looks of figures: colour-blind-safe colours, each with a marker and a hatch.

Colours are those of Okabe and Ito, *Color Universal Design* (2008). No figure relies on colour alone: what
differs in colour also differs in marker, hatch or line.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE, BLACK = "#0072B2", "#D55E00", "#CC79A7", "#000000"
INK, FAINT = "#22262B", "#6B727B"


@dataclass(frozen=True)
class Look:
    """How one model or one group appears in every figure."""

    colour: str
    marker: str
    hatch: str
    line: str | tuple[int, tuple[int, ...]]


#: Looks in the order in which models appear; the first two are the baseline and the de-biased classifier.
MODEL_LOOKS: tuple[Look, ...] = (
    Look(ORANGE, "s", "///", "--"),
    Look(BLUE, "o", "", "-"),
    Look(GREEN, "^", "...", "-."),
    Look(PURPLE, "D", "xxx", ":"),
    Look(BLACK, "v", "\\\\\\", (0, (5, 1))),
)
#: Looks of the faces without [0] and with [1] the protected label.
PROTECTED_LOOKS: tuple[Look, Look] = (Look(SKY, "o", "", "-"), Look(VERMILION, "^", "////", "--"))
#: Looks of the faces without [0] and with [1] the target label.
TARGET_LOOKS: tuple[Look, Look] = (Look(PURPLE, "o", "", "-"), Look(GREEN, "^", "////", "--"))

MODEL_NAMES: dict[str, str] = {"baseline": "baseline", "debiased": "de-biased"}

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": "#E3E6EA",
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "hatch.linewidth": 0.7,
    "figure.facecolor": "white",
}

P = ParamSpec("P")
R = TypeVar("R")


def styled(plot: Callable[P, R]) -> Callable[P, R]:
    """Draw with the lab's typography, leaving the user's own matplotlib settings alone."""

    @functools.wraps(plot)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib as mpl  # takes a second, and names and colours are needed without it

        with mpl.rc_context(cast(Any, _RC)):
            return plot(*args, **kwargs)

    return wrapper


def panels(rows: int, columns: int, size: tuple[float, float], **kwargs: Any) -> tuple[Figure, list[Axes]]:
    """Return a Figure that pyplot does not know, so it is never left open, and its axes row by row.

    Parameters
    ----------
    rows, columns : int
        How many axes.
    size : (float, float)
        Width and height of the whole figure in inches.
    **kwargs
        For ``Figure.subplots``.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.07, w_pad=0.05))
    return figure, list(figure.subplots(rows, columns, squeeze=False, **kwargs).flat)


def readable(attribute: str) -> str:
    """``"Wearing_Hat"`` as a reader would write it: ``"Wearing Hat"``."""
    return attribute.replace("_", " ")


def with_or_without(attribute: str) -> tuple[str, str]:
    """Names of the faces without and with a label: ``("not Male", "Male")``."""
    return f"not {readable(attribute)}", readable(attribute)


def model_look(models: Sequence[str], model: str) -> Look:
    """Return the look of `model`; baseline and de-biased always look the same."""
    order = [*MODEL_NAMES, *(name for name in models if name not in MODEL_NAMES)]
    return MODEL_LOOKS[order.index(model) % len(MODEL_LOOKS)]


def model_name(model: str) -> str:
    """Return the name of `model` that readers see."""
    return MODEL_NAMES.get(model, readable(model))


def mark_intervals(
    axis: Axes, at: ArrayLike, numbers: ArrayLike, look: Look, *, upright: bool = False, **options: Any
) -> None:
    """Draw values with their 95% intervals.

    Parameters
    ----------
    axis : Axes
    at : (n,) array
        Where they stand: from top to bottom, or from left to right if `upright`.
    numbers : (n, 3) array
        Value, low and high. An interval may lie beside its value; then it is drawn to the value.
    look : Look
    upright : bool
    **options
        For ``Axes.errorbar``, such as the label.
    """
    value, low, high = np.asarray(numbers, dtype=float).T
    errors = np.maximum(0, [value - low, high - value])  # (2, n)
    style: dict[str, Any] = {"marker": look.marker, "color": look.colour, "markersize": 4.5, "linewidth": 1.4}
    style |= {"linestyle": "none"} | options
    if upright:
        axis.errorbar(at, value, yerr=errors, **style)
    else:
        axis.errorbar(value, at, xerr=errors, **style)


def share_of(flags: np.ndarray) -> float:
    """Return the share of true values, NaN of none."""
    return float(np.mean(flags)) if len(flags) else math.nan


def check_lengths(**arrays: Any) -> None:
    """Raise a UserError unless all arrays have one length, at least 1."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1 or not min(lengths.values()):
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UserError(f"A figure needs arrays of one length, at least 1, but got {found}.")
