"""What each row of a file weighs, checked value by value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairlab.core.errors import UserError
from fairlab.data.tables import Column, Table


@dataclass(frozen=True)
class Weights:
    """The weights of n rows, and the column that holds them."""

    name: str
    numbers: np.ndarray  #: (n,) float64, finite, none below 0

    @property
    def design_effect(self) -> float:
        """How many rows are worth one without weights (Kish, 1965)."""
        return float(len(self.numbers) * (self.numbers @ self.numbers) / self.numbers.sum() ** 2)

    @property
    def sentence(self) -> str:
        """What a reader must know of numbers that are weighted."""
        worth = len(self.numbers) / self.design_effect
        return (
            f"Rates, gaps, ratios and AUC are weighted by the column '{self.name}' (worth {worth:,.0f} equal "
            f"rows of {len(self.numbers):,}); numbers of rows and positives, the threshold's calibration and "
            "the pictures of scores and calibration are not. AP, BA and KL take no weights and are left out."
        )


def read_weights(path: Path, name: str) -> Weights:
    """Read the weights of all rows.

    Raises
    ------
    UserError
        If the column is missing, a value is missing, infinite, no number or below 0, or all are 0.
    """
    parts = [_checked(batch[name]) for batch in Table(path).batches([name])]
    values = np.concatenate(parts)
    if not values.any():
        raise UserError(f"The column '{name}' of {path} holds only 0, so no row counts; name another column.")
    return Weights(name, values)


def _checked(column: Column) -> np.ndarray:
    numbers = column.numbers()
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        what = "is empty" if np.isnan(numbers[row]) else f"holds {numbers[row]:g}"
        raise column.fault(what, row, "every row needs a finite weight of at least 0")
    return numbers
