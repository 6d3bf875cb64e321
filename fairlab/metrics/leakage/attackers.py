"""Attackers: classifiers that guess the protected label from a table of labels or scores.

What they guess right is what leaks. Logistic regression takes a second; the perceptron of Wang et al.,
*Balanced Datasets Are Not Enough* (ICCV 2019), which takes minutes, is in `perceptron.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy

MOST_ITERATIONS = 1000

#: Answers 0 or 1, (n,), for rows of features.
Predictor = Callable[["Features"], np.ndarray]


@dataclass(frozen=True)
class Features:
    """What an attacker sees of n images."""

    #: (n, k) labels 0/1 (uint8) or scores (float32); or (n,) each image's class (integers).
    values: np.ndarray
    width: int  #: k, or the number of classes

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: np.ndarray) -> Features:
        return Features(self.values[rows], self.width)

    @property
    def are_classes(self) -> bool:
        """Whether each image has one class, of which no more than its number is kept."""
        return self.values.ndim == 1

    @property
    def are_scores(self) -> bool:
        """Whether the values are real numbers on any scale, not 0/1 labels or classes."""
        return self.values.dtype.kind == "f"

    def matrix(self) -> np.ndarray | scipy.sparse.csr_matrix:
        """Return (n, k) float64; classes one-hot and sparse, a single number per image."""
        if not self.are_classes:
            return self.values.astype(np.float64)
        ones, starts = np.ones(len(self)), np.arange(len(self) + 1)
        return scipy.sparse.csr_matrix((ones, self.values, starts), shape=(len(self), self.width))

    def distinct(self) -> tuple[Features, np.ndarray]:
        """Return the rows that differ, and where each image is among them, (n,); scores as they are."""
        if self.are_scores:
            return self, np.arange(len(self))
        values, places = np.unique(self.values, axis=0, return_inverse=True)
        return Features(values, self.width), places.reshape(-1)


class Attacker(Protocol):
    """Learns to guess the protected label."""

    def fit(
        self, train: Features, a: np.ndarray, valid: Features, a_valid: np.ndarray, seed: int
    ) -> Predictor:
        """Return what guesses after training on balanced samples; `valid` may choose when to stop."""
        ...


@dataclass(frozen=True)
class Logistic:
    """Logistic regression with scikit-learn's L2 penalty; scores are standardised, labels are left 0/1.

    It needs no validation images and has no chance in it, so `fit` leaves both alone.
    """

    c: float = 1.0

    def fit(
        self, train: Features, a: np.ndarray, valid: Features, a_valid: np.ndarray, seed: int
    ) -> Predictor:
        """Fit on (n, k) features and labels (n,)."""
        from sklearn.exceptions import ConvergenceWarning  # takes a second
        from sklearn.linear_model import LogisticRegression

        see, model = _standardised(train), LogisticRegression(C=self.c, max_iter=MOST_ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(see(train), a)
        if model.n_iter_.max() >= MOST_ITERATIONS:
            warnings.warn(
                f"The attacker had not converged after {MOST_ITERATIONS} iterations, so a better one may "
                "find more leakage; try the attacker mlp, or more images.",
                stacklevel=2,
            )
        return lambda features: np.asarray(model.predict(see(features)))


def _standardised(train: Features) -> Callable[[Features], np.ndarray | scipy.sparse.csr_matrix]:
    """Return what makes a matrix of features: scores standardised as in `train`, labels as they are."""
    if not train.are_scores:
        return Features.matrix
    shift, spread = train.values.mean(axis=0), train.values.std(axis=0)
    scale = np.where(spread > 0, spread, 1)
    return lambda features: (features.matrix() - shift) / scale
