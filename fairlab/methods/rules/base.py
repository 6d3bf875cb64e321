"""The contract of rules: fitted to scores of validation images, a rule decides about test images.

>>> y, s, a = [0, 1, 0, 1], [0.2, 0.4, 0.6, 0.9], [0, 0, 1, 1]
>>> decision = Calibrated().fit(y, s, a)
>>> decision.decide([0.3, 0.7], [0, 1])
array([False,  True])
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics import calibrated_threshold


@dataclass(frozen=True)
class Decision:
    """A fitted rule: a threshold for all images, or one for each group."""

    thresholds: tuple[float, ...]  # (1,), or one for each class number of the groups

    def margins(self, scores: ArrayLike, groups: ArrayLike | None = None) -> np.ndarray:
        """Return how far scores (n,) lie above their threshold, (n,) float64: positive images are above 0.

        Raises
        ------
        UserError
            If groups are needed and not given, or have a class number for which there is no threshold.
        """
        values = np.asarray(scores, np.float64)
        if len(self.thresholds) == 1:
            return values - self.thresholds[0]
        if groups is None:
            raise UserError("This rule has a threshold for each group; give the groups of the images.")
        numbers = np.asarray(groups, np.int64)  # (n,)
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < len(self.thresholds)):
            raise UserError(f"Groups go from 0 to {len(self.thresholds) - 1}, as in the images of the fit.")
        margins: np.ndarray = values - np.array(self.thresholds)[numbers]
        return margins

    def decide(self, scores: ArrayLike, groups: ArrayLike | None = None) -> np.ndarray:
        """Return which images are predicted positive, (n,) bool; arguments and errors as for `margins`."""
        decided: np.ndarray = self.margins(scores, groups) > 0
        return decided


class Rule(ABC):
    """A way from scores to decisions, whatever the method that trained the network."""

    name: ClassVar[str]
    paper: ClassVar[str] = ""
    protected_at: ClassVar[str] = "-"  # where the protected label must be known: "-" or "test"

    @abstractmethod
    def fit(self, labels: ArrayLike, scores: ArrayLike, groups: ArrayLike) -> Decision:
        """Fit the rule to validation images on which nothing else is chosen.

        Parameters
        ----------
        labels, scores, groups : arrays of shape (n,)
            Target labels, 0 or 1; scores in [0, 1]; class numbers of the protected label.

        Raises
        ------
        UserError
            If these images do not determine the rule.
        """


class Calibrated(Rule):
    """One threshold, at which as many validation images are predicted positive as are."""

    name = "calibrated"
    paper = "Ramaswamy et al., CVPR 2021, Section 4"

    def fit(self, labels: ArrayLike, scores: ArrayLike, groups: ArrayLike) -> Decision:
        """Return the calibrated threshold."""
        return Decision((calibrated_threshold(labels, scores),))


class OneHalf(Rule):
    """Decide at a score of one half: for networks that have their thresholds within, as two heads have."""

    name = "one_half"

    def fit(self, labels: ArrayLike, scores: ArrayLike, groups: ArrayLike) -> Decision:
        """Return one half, whatever the scores."""
        return Decision((0.5,))
