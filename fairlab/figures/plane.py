"""Latents in the plane that two hyperplanes' normals span.

Partner points move inside this plane only, so it shows all that de-biasing does to a latent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.axes import Axes

from fairlab.core.estimate import percent
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import (
    INK,
    PROTECTED_LOOKS,
    TARGET_LOOKS,
    check_lengths,
    panels,
    readable,
    styled,
    with_or_without,
)

if TYPE_CHECKING:
    from fairlab.latent import Hyperplane

POINTS_SHOWN = 2000  # more would hide each other


@dataclass(frozen=True)
class Line:
    """A hyperplane where it cuts the plane of the page: points x with ``normal·x + intercept = 0``.

    Attributes
    ----------
    name : str
        The attribute that the hyperplane separates; it is present on the side the normal points to.
    normal : (float, float)
        Unit normal in the coordinates of the page.
    intercept : float
    """

    name: str
    normal: tuple[float, float]
    intercept: float

    @classmethod
    def of(cls, plane: Hyperplane, basis: np.ndarray, name: str) -> Line:
        """Return where `plane` cuts the page spanned by `basis`, (2, d), as from `latent.plane_basis`."""
        across, along = basis @ plane.normal
        return cls(name, (float(across), float(along)), plane.intercept)


@styled
def latent_plane(
    coordinates: np.ndarray,
    target_labels: np.ndarray,
    protected_labels: np.ndarray,
    lines: tuple[Line, Line],
    arrows: tuple[np.ndarray, np.ndarray] | None = None,
) -> Captioned:
    """Show latents in the plane spanned by the two normals, with both hyperplanes as lines.

    Parameters
    ----------
    coordinates : (n, 2) array
        Latents in orthonormal coordinates of that plane, as from `latent.plane_coordinates`.
    target_labels, protected_labels : (n,) arrays of 0 and 1
    lines : (Line, Line)
        The target's hyperplane and the protected attribute's.
    arrows : ((m, 2) array, (m, 2) array), optional
        Where a few z start and where their z' end.
    """
    check_lengths(coordinates=coordinates, target_labels=target_labels, protected_labels=protected_labels)
    figure, (axis,) = panels(1, 1, (6.4, 6.9))
    shown = slice(None, POINTS_SHOWN)  # latents are drawn independently: the first are as good as any
    points, target, protected = coordinates[shown], target_labels[shown], protected_labels[shown]
    for t, target_name in enumerate(with_or_without(lines[0].name)):
        for a, protected_name in enumerate(with_or_without(lines[1].name)):
            group = points[(target == t) & (protected == a)]
            colour, marker = TARGET_LOOKS[t].colour, PROTECTED_LOOKS[a].marker
            axis.scatter(
                group[:, 0],
                group[:, 1],
                s=16,
                marker=marker,
                facecolors=colour if a else "none",
                edgecolors=colour,
                linewidths=0.8,
                alpha=0.65,
                label=f"{target_name}, {protected_name}",
            )
    _frame_points(axis, np.concatenate([points, *(arrows or ())]))
    crossing = _crossing(*lines)
    for line, dashes in zip(lines, ("-", "--"), strict=True):
        _draw_line(axis, line, dashes, crossing)
    if arrows is not None:
        _draw_arrows(axis, *arrows)
    axis.set_xlabel(f"along the normal of {readable(lines[0].name)}")
    axis.set_ylabel(f"along {readable(lines[1].name)}, the part that leaves {readable(lines[0].name)} alone")
    figure.legend(loc="outside lower center", ncols=2, markerscale=1.4)
    caption = _sides_and_angle(coordinates, (target_labels, protected_labels), lines)
    names = [readable(line.name) for line in lines]
    return Captioned(figure, caption, f"Latents as points between the hyperplanes of {' and '.join(names)}")


def _sides_and_angle(
    coordinates: np.ndarray, labels: tuple[np.ndarray, np.ndarray], lines: tuple[Line, Line]
) -> str:
    """Say how well each line separates its labels, and the angle between the lines."""
    sides = []
    for line, its in zip(lines, labels, strict=True):
        positive = coordinates @ np.asarray(line.normal) + line.intercept > 0
        sides.append(f"{percent(float(np.mean(positive == (its == 1))))} for {readable(line.name)}")
    cosine = float(np.dot(lines[0].normal, lines[1].normal))
    angle = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    return (
        f"Share of {len(coordinates):,} latents on the side of their label: {sides[0]}, {sides[1]}. "
        f"The normals are {angle:.0f}° apart (cosine {cosine:.2f}); at 90° neither direction changes the "
        "other attribute. Arrows lead from z to z'."
    )


def _frame_points(axis: Axes, points: np.ndarray) -> None:
    low, high = np.quantile(points, [0.002, 0.998], axis=0)
    margin = 0.06 * (high - low)
    axis.set_aspect("equal", adjustable="box")
    axis.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))


def _crossing(first: Line, second: Line) -> np.ndarray:
    """Return where two lines cross, (2,)."""
    return np.linalg.solve([first.normal, second.normal], [-first.intercept, -second.intercept])


def _draw_line(axis: Axes, line: Line, dashes: str, crossing: np.ndarray) -> None:
    normal = np.asarray(line.normal, dtype=float)
    foot = -line.intercept * normal / (normal @ normal)
    along = np.array([-normal[1], normal[0]])
    axis.axline(tuple(foot), tuple(foot + along), color=INK, linewidth=1.6, linestyle=dashes)
    spot, angle, align = _label_spot(axis, foot, along, crossing)
    axis.text(
        spot[0],
        spot[1],
        f"boundary of {readable(line.name)}",
        rotation=angle,
        rotation_mode="anchor",
        ha=align,
        va="center",
        weight="bold",
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )


def _label_spot(
    axis: Axes, foot: np.ndarray, along: np.ndarray, crossing: np.ndarray
) -> tuple[np.ndarray, float, Literal["left", "right"]]:
    """Return where on a line its name has room, far from the crossing, its angle and alignment."""
    if along[0] < 0 or (along[0] == 0 and along[1] < 0):
        along = -along
    box = np.array([axis.get_xlim(), axis.get_ylim()])  # (2 axes, low and high)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (box - foot[:, None]) / along[:, None]  # (2 axes, low and high), in lengths of `along`
    reach = np.sort(reach[np.abs(along) > 1e-9], axis=1)
    margin = 0.03 * (box[:, 1] - box[:, 0]).max()
    ends = reach[:, 0].max() + margin, reach[:, 1].min() - margin
    at = max(ends, key=lambda end: abs(end - along @ (crossing - foot)))
    angle = math.degrees(math.atan2(along[1], along[0]))
    return foot + at * along, angle, "left" if at == ends[0] else "right"


def _draw_arrows(axis: Axes, starts: np.ndarray, ends: np.ndarray) -> None:
    for start, end in zip(starts, ends, strict=True):
        axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.3})
    axis.scatter(starts[:, 0], starts[:, 1], s=26, color=INK, zorder=4)
