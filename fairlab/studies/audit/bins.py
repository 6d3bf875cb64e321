"""Protected columns of numbers, put into bins: ages into ranges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.tables import Column, Table
from fairlab.studies.audit.categories import MOST_GROUPS, Categories


@dataclass(frozen=True)
class Bins:
    """Edges of bins, rising; a bin holds its lower edge and not its upper one."""

    column: str
    edges: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """``"[18, 30)"``, ``"under 18"`` and ``"65 or more"`` of each bin."""
        return tuple(map(_name, self.edges[:-1], self.edges[1:]))


def parse_bins(texts: Sequence[str], protected: Sequence[str]) -> dict[str, Bins]:
    """Return the bins in texts such as ``"age=0,18,30,inf"``, by the name of their column.

    Raises
    ------
    UserError
        If a text has another form, its edges do not rise, or the column is not protected.
    """
    found: dict[str, Bins] = {}
    for text in texts:
        column, sign, edges = (part.strip() for part in text.rpartition("="))
        if not (column and sign):
            raise UserError(f"--bins is '{text}'; write COLUMN=EDGES, such as age=0,18,30,inf.")
        if column not in protected:
            raise UserError(
                f"--bins names the column '{column}', which is not --protected; "
                f"{nearest_names(column, protected)}"
            )
        if column in found:
            raise UserError(f"--bins names the column '{column}' twice; give all its edges at once.")
        found[column] = Bins(column, _edges(text, edges))
    return found


def read_binned(path: Path, bins: Mapping[str, Bins]) -> dict[str, Categories]:
    """Read columns of numbers as bins; those without rows are left out.

    Raises
    ------
    UserError
        If a value is missing, no number, or in no bin, or all are in one bin.
    """
    parts: dict[str, list[np.ndarray]] = {name: [] for name in bins}
    for batch in Table(path).batches(list(bins)):
        for name, each in bins.items():
            parts[name].append(_codes(batch[name], each))
    return {name: _categories(path, bins[name], np.concatenate(found)) for name, found in parts.items()}


def _edges(text: str, edges: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(edge) for edge in edges.split(","))
    except ValueError as error:
        raise UserError(f"--bins '{text}' has an edge that is no number; write age=0,18,30,inf.") from error
    rising = all(low < high for low, high in itertools.pairwise(numbers))  # NaN never is
    if len(numbers) < 3 or not rising:
        raise UserError(f"--bins '{text}' needs at least three edges that rise, such as age=0,18,30,inf.")
    if len(numbers) > MOST_GROUPS:
        raise UserError(f"--bins '{text}' has {len(numbers)} edges; at most {MOST_GROUPS} groups are formed.")
    return numbers


def _codes(column: Column, bins: Bins) -> np.ndarray:
    """Return the bin of each value."""
    numbers = column.numbers()
    codes = np.searchsorted(bins.edges, numbers, side="right") - 1
    codes[numbers == math.inf] = len(bins.names) - 1  # what is open has no upper edge
    wrong = np.isnan(numbers) | (numbers < bins.edges[0]) | (codes >= len(bins.names))
    if bins.edges[-1] != math.inf:
        wrong |= numbers == math.inf
    if wrong.any():
        row = int(wrong.argmax())
        if np.isnan(numbers[row]):
            raise column.fault("is empty", row, "every row needs a number to be in a bin")
        ends = f"{bins.edges[0]:g} to below {bins.edges[-1]:g}"
        remedy = f"the --bins reach from {ends}, so add edges, or open them with -inf and inf"
        raise column.fault(f"holds {numbers[row]:g}", row, remedy)
    return codes.astype(np.uint8)


def _categories(path: Path, bins: Bins, codes: np.ndarray) -> Categories:
    occur = np.flatnonzero(np.bincount(codes, minlength=len(bins.names)))
    if len(occur) == 1:
        raise UserError(
            f"All rows of the column '{bins.column}' of {path} are in the bin {bins.names[occur[0]]}; with "
            "one group there is nothing to compare, so choose other --bins."
        )
    return Categories(tuple(bins.names[i] for i in occur), np.searchsorted(occur, codes).astype(np.uint8))


def _name(low: float, high: float) -> str:
    if low == -math.inf:
        return "any" if high == math.inf else f"under {high:g}"
    return f"{low:g} or more" if high == math.inf else f"[{low:g}, {high:g})"
