"""Dots with their 95% intervals, for whatever is one number per name."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, Estimate, Unit
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import FAINT, MODEL_LOOKS, mark_intervals, panels, readable, styled


@styled
def dots(
    series: Mapping[str, pd.DataFrame],
    label: str,
    *,
    scale: float = 100.0,
    reference: float | None = None,
    marked: str | None = None,
) -> Captioned:
    """Show one or several series of numbers with their intervals, a row for each name.

    Parameters
    ----------
    series : dict of str to DataFrame
        Index: the names, the same in all, from top to bottom. Columns value, low, high.
    label : str
        What the horizontal axis shows, with its unit.
    scale : float
        Factor from values to that unit; 100 turns fractions into per cent. The caption has one digit then,
        else two.
    reference : float, optional
        Where to draw an upright line, in the values' own unit.
    marked : str, optional
        A name to print in bold.

    Raises
    ------
    UserError
        If there is no series, or the series have different names.
    """
    names = _common_names(series)
    figure, (axis,) = panels(1, 1, (7.6, 0.9 + (0.16 + 0.09 * len(series)) * len(names)))
    if reference is not None:
        axis.axvline(scale * reference, color=FAINT, linewidth=1)
    rows = np.arange(len(names), dtype=float)
    for place, ((name, table), look) in enumerate(zip(series.items(), MODEL_LOOKS, strict=False)):
        at = rows + 0.6 * ((place + 0.5) / len(series) - 0.5)
        mark_intervals(axis, at, scale * table[["value", "low", "high"]], look, label=name)
    ticks = axis.set_yticks(rows, [readable(name) for name in names], fontsize=9)
    for tick, name in zip(ticks, names, strict=True):
        tick.label1.set_fontweight("bold" if name == marked else "normal")
    axis.set(xlabel=label, ylim=(len(names) - 0.4, -0.6))
    axis.grid(axis="x")
    if len(series) > 1:
        figure.legend(loc="outside upper left", ncols=2)
    unit = PERCENT if scale == 100 else Unit(scale)
    caption = " ".join(_largest(name, table, unit) for name, table in series.items())
    return Captioned(figure, caption, f"{label}, a dot with its 95% interval for each of {len(names)} names")


def series_of(table: pd.DataFrame, by: str, index: str) -> dict[str, pd.DataFrame]:
    """Return the rows of each value of one column, indexed by another, as `dots` wants."""
    return {str(name): rows.set_index(index) for name, rows in table.groupby(by, sort=False)}


def _largest(name: str, table: pd.DataFrame, unit: Unit, most: int = 3) -> str:
    """Say the largest numbers, by size, with their 95% intervals."""
    order = table["value"].abs().dropna().sort_values(ascending=False, kind="stable").index[:most]
    parts = [f"{readable(str(label))} {Estimate.of(table.loc[label], unit):#}" for label in order]
    return f"{name}: {', '.join(parts) or 'n/a'}."


def _common_names(series: Mapping[str, pd.DataFrame]) -> list[str]:
    names = [list(map(str, table.index)) for table in series.values()]
    if not names or not names[0] or any(others != names[0] for others in names):
        raise UserError("A figure of dots needs at least one series, and the same names in every series.")
    if len(series) > len(MODEL_LOOKS):
        raise UserError(f"At most {len(MODEL_LOOKS)} series can be distinguished; draw several figures.")
    return names[0]
