"""Matrix of the discriminability of attribute pairs."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch, Rectangle

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, POINTS, Estimate
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import FAINT, INK, ORANGE, SKY, panels, readable, styled

_COLOURS = LinearSegmentedColormap.from_list("harder to easier", [ORANGE, "#FFFFFF", SKY])


@styled
def discriminability_matrix(table: pd.DataFrame) -> Captioned:
    """Show for each pair of attributes which one a classifier predicts better, and by how many points.

    Rows and columns run from the easiest attribute to the hardest, by mean difference. The matrix is
    antisymmetric: both halves show the same pairs.

    Parameters
    ----------
    table : DataFrame
        As `discriminability_table`, with every pair of its attributes.

    Raises
    ------
    UserError
        If a pair is missing or given twice.
    """
    cells = _cells(table)
    names = _ordered(cells)
    values = pd.DataFrame(0.0, index=names, columns=names)
    texts = pd.DataFrame("–", index=names, columns=names)
    for (row, column), cell in cells.items():
        values.loc[row, column], texts.loc[row, column] = cell.value, f"{cell:#}".replace(" [", "\n[")
    side, reach = 1.15 * len(names), max(0.01, values.abs().to_numpy().max())  # at least a point
    figure, (axis,) = panels(1, 1, (2.6 + side, 1.9 + 0.72 * side))
    options: dict[str, Any] = {"cmap": _COLOURS, "vmin": -reach, "vmax": reach, "cbar": False}
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "boxstyle": "round,pad=0.2"}
    words = {"color": INK, "fontsize": 9, "linespacing": 1.4, "bbox": box}
    sns.heatmap(values, annot=texts, fmt="", annot_kws=words, linewidths=2, ax=axis, **options)
    hatch: dict[str, Any] = {"fill": False, "hatch": "///", "edgecolor": FAINT, "linewidth": 0}
    for (row, column), cell in cells.items():
        if not cell.certain:
            axis.add_patch(Rectangle((names.index(column), names.index(row)), 1, 1, **hatch))
    _label_axes(axis, [readable(name) for name in names])
    mark = Patch(facecolor="white", edgecolor=FAINT, hatch="///", label="95% interval contains 0")
    ends = [Patch(facecolor=SKY, label="row is easier"), Patch(facecolor=ORANGE, label="row is harder")]
    figure.legend(handles=[*ends, mark], loc="outside lower center", ncols=3)
    return Captioned(figure, _order(cells, names), "Matrix of the differences between each two attributes")


def _order(cells: dict[tuple[str, str], Estimate], names: list[str]) -> str:
    """Say which attribute of each pair is easier, by how much, and for which pairs that is open."""
    upper = {pair: cell for pair, cell in cells.items() if cell.low > 0}
    clear = [
        f"{readable(a)} than {readable(b)} by {cell._replace(unit=PERCENT):#}"
        for (a, b), cell in sorted(upper.items(), key=lambda item: -item[1].value)
    ]
    undecided = [
        f"{readable(a)} and {readable(b)}"
        for (a, b), cell in cells.items()
        if not cell.certain and names.index(a) < names.index(b)
    ]
    return (
        "Average precision of the row's attribute minus that of the column's, in points with 95% intervals, "
        "of a classifier trained where the two agree. From easiest to hardest: "
        f"{', '.join(map(readable, names))}. Easier: {'; '.join(clear) or 'none'}. "
        f"Interval contains 0: {'; '.join(undecided) or 'none'}."
    )


def _cells(table: pd.DataFrame) -> dict[tuple[str, str], Estimate]:
    """Return both halves of the matrix, and check that it is whole."""
    cells = {}
    for first, second, *numbers in table[["first", "second", "difference", "low", "high"]].to_numpy():
        value, low, high = map(float, numbers)
        cells[str(first), str(second)] = Estimate(value, low, high, unit=POINTS)
        cells[str(second), str(first)] = Estimate(-value, -high, -low, unit=POINTS)
    n = len({name for pair in cells for name in pair})
    if not len(table) == len(cells) // 2 == n * (n - 1) // 2 > 0:
        raise UserError(
            f"A matrix shows every pair of its {n} attributes once, {n * (n - 1) // 2} in all, but the table "
            f"has {len(table)} rows; give every pair."
        )
    return cells


def _ordered(cells: dict[tuple[str, str], Estimate]) -> list[str]:
    """Return the attributes by falling mean difference."""
    sums: dict[str, float] = {}
    for (row, _), cell in cells.items():
        sums[row] = sums.get(row, 0.0) + cell.value
    return sorted(sums, key=lambda name: -sums[name])


def _label_axes(axis: Axes, names: list[str]) -> None:
    axis.set_xticklabels(names, rotation=30, ha="left", rotation_mode="anchor")
    axis.set_yticklabels(names, rotation=0)
    axis.tick_params(length=0, top=False, labeltop=True, labelbottom=False)
    axis.set_ylabel("AP of this attribute …")
    axis.set_xlabel("… minus AP of this one, points")
    axis.xaxis.set_label_position("top")
