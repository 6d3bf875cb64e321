"""Scores of a label and probabilities of classes, on one scale: 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from scipy.special import expit, softmax

from fairlab.core.errors import UserError
from fairlab.data.binary_columns import binary_pair
from fairlab.data.percentages import DIVIDE, ROUNDING, are_percentages, may_be_percentages
from fairlab.data.tables import Column

#: Probabilities may have been rounded before they were saved: so much, or what their decimals tell.
SUM_TOLERANCE = 1e-3
_PERCENT = "The column '{}' of {} lies between 0 and 100, so it holds percentages, which are divided by 100."
_PERCENTS = "The columns '{}…' of {} sum to 100, so they hold percentages, which are divided by 100."
_DECISIONS = (
    "The column '{}' of {} holds only 0 and 1, so these are taken as decisions: a threshold, AP, AUC, KL and "
    "calibration need scores and are left out."
)


@dataclass
class Scores:
    """Collects a column of scores of a binary label."""

    logits: bool = False
    parts: list[np.ndarray] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)  #: only the first, which says where all come from

    def add(self, column: Column) -> None:
        """Collect some rows."""
        self.columns = self.columns or [column]
        self.parts.append(_numbers(column, "scores"))

    def finish(self) -> tuple[np.ndarray, list[str]]:
        """Return scores in 0..1, (n,), and notes on what was done to them.

        Raises
        ------
        UserError
            If some lie elsewhere, or logits all lie in 0..1.
        """
        column, numbers = self.columns[0], np.concatenate(self.parts)
        if self.logits:
            return _sigmoid(column, numbers), []
        told = [] if not are_percentages(numbers) else [_PERCENT.format(column.name, column.path)]
        if told:
            numbers /= 100
        _check_range(column, numbers, 1.0, "scores")
        np.clip(numbers, 0, 1, out=numbers)
        if np.isin(numbers, (0.0, 1.0)).all():
            told.append(_DECISIONS.format(column.name, column.path))
        return numbers, told


@dataclass
class Chances:
    """Collects the likeliest class of each row and its probability."""

    prefix: str
    logits: bool = False
    total: float = 0.0  #: what the probabilities of a row sum to: 1, or 100
    likeliest: list[np.ndarray] = field(default_factory=list)
    best: list[np.ndarray] = field(default_factory=list)
    looked_like_chances: bool = True
    path: Path = Path()

    def add(self, columns: Sequence[Column]) -> None:
        """Collect some rows of the columns of all classes."""
        self.path = columns[0].path
        numbers = np.stack([_numbers(column, "probabilities") for column in columns], axis=1)
        chances = self._from_logits(columns, numbers) if self.logits else self._checked(columns, numbers)
        best = chances.argmax(axis=1)
        self.likeliest.append(best.astype(np.uint8))
        self.best.append(chances[np.arange(len(best)), best].astype(np.float32))

    def finish(self) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Return each row's likeliest class and its probability, (n,) each, and notes.

        Raises
        ------
        UserError
            If logits look like probabilities throughout.
        """
        if self.logits and self.looked_like_chances:
            raise UserError(
                f"The columns '{self.prefix}…' of {self.path} sum to 1 already, as probabilities do; leave "
                "--logits out, or give logits in every file."
            )
        told = [_PERCENTS.format(self.prefix, self.path)] if self.total == 100 else []
        return np.concatenate(self.likeliest), np.concatenate(self.best), told

    def _from_logits(self, columns: Sequence[Column], numbers: np.ndarray) -> np.ndarray:
        for column, values in zip(columns, numbers.T, strict=True):
            _check_finite(column, values)
        sums = numbers.sum(axis=1)
        self.looked_like_chances &= bool(numbers.min() >= 0 and np.allclose(sums, 1, atol=SUM_TOLERANCE))
        return np.asarray(softmax(numbers, axis=1))

    def _checked(self, columns: Sequence[Column], numbers: np.ndarray) -> np.ndarray:
        """Return probabilities, whose scale the first rows tell."""
        sums = numbers.sum(axis=1)
        if not self.total:
            self.total = 100.0 if np.median(sums) > 50 else 1.0
        for column, values in zip(columns, numbers.T, strict=True):
            _check_range(column, values, self.total, "probabilities")
        wrong = np.abs(sums - self.total) > self._tolerance(numbers)
        if wrong.any():
            row = int(wrong.argmax())
            raise UserError(
                f"The columns '{self.prefix}…' of {self.path} sum to {sums[row]:.4g} in row "
                f"{columns[0].start + row + 1:,}; class probabilities sum to {self.total:g}, so check that "
                "the prefix catches all of them."
            )
        return np.clip(numbers / self.total, 0, 1)

    def _tolerance(self, numbers: np.ndarray) -> float:
        """Return how far k numbers of d decimals may be from their sum: k · 0.5 · 10⁻ᵈ."""
        exact = SUM_TOLERANCE * self.total
        if (np.abs(numbers.sum(axis=1) - self.total) <= exact).all():
            return exact
        least = 0 if self.total == 100 else 1
        few = (d for d in range(least, 6) if np.abs(numbers * 10**d - np.rint(numbers * 10**d)).max() < 1e-6)
        return max(exact, numbers.shape[1] * 0.5 * 10.0 ** -next(few, 6)) + 1e-9


def _numbers(column: Column, what: str) -> np.ndarray:
    """Return the numbers of a column, which are all there."""
    try:
        numbers = column.numbers()
    except UserError:
        words = pc.unique(column.texts()).to_pylist()
        if len(words) > 2 or binary_pair(words) is None:
            raise
        raise UserError(
            f"The column '{column.name}' of {column.path} holds decisions ({', '.join(sorted(words))}), no "
            f"{what}; name it with --predicted."
        ) from None
    empty = np.isnan(numbers)
    if empty.any():
        remedy = f"all rows need {what}; fill in the value or remove the row"
        raise column.fault("is empty", int(empty.argmax()), remedy)
    return numbers


def _check_range(column: Column, numbers: np.ndarray, total: float, what: str) -> None:
    wrong = ~((numbers >= -ROUNDING * total) & (numbers <= total * (1 + ROUNDING)))
    if not wrong.any():
        return
    row = int(wrong.argmax())
    way_out = "logits need --logits"
    if np.isin(numbers, (-1.0, 1.0)).all():
        way_out = "name decisions with --predicted"
    elif may_be_percentages(numbers):
        way_out = DIVIDE
    between = f"{what} lie between 0 and {total:g}"
    raise column.fault(f"holds {float(numbers[row])!r}", row, f"{between}; correct it ({way_out})")


def _sigmoid(column: Column, numbers: np.ndarray) -> np.ndarray:
    _check_finite(column, numbers)
    if numbers.min() >= 0 and numbers.max() <= 1:
        raise UserError(
            f"The column '{column.name}' of {column.path} lies between 0 and 1 throughout, as probabilities "
            "do; leave --logits out, or give logits in every file."
        )
    return np.asarray(expit(numbers))


def _check_finite(column: Column, numbers: np.ndarray) -> None:
    infinite = ~np.isfinite(numbers)
    if infinite.any():
        row = int(infinite.argmax())
        raise column.fault(f"holds {numbers[row]:g}", row, "logits are finite numbers")
