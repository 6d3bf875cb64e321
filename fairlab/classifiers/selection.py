"""Which epoch is kept: a named rule, applied to the records of a training curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairlab.classifiers.images import ImageArray
from fairlab.classifiers.scoring import Classifier
from fairlab.core.errors import UserError
from fairlab.metrics import average_precision, group_balanced_average_precision


def best_epoch(curve: Sequence[dict[str, Any]], rule: str) -> int:
    """Return the number of the epoch whose record has the highest `rule`; of equals, the first.

    Parameters
    ----------
    curve : sequence of dict
        One record per epoch with at least ``epoch`` and the figure named by `rule`.
    rule : {"average_precision", "group_balanced_average_precision"}
        The paper uses the first in step 1 and the second in step 6.
    """
    return int(max(curve, key=lambda record: record[rule])["epoch"])


@dataclass(frozen=True)
class Validation:
    """Validation images and labels, and the figures a classifier reaches on them.

    Attributes
    ----------
    images : image array
        Shape (n, h, w, 3), uint8.
    labels : (n, k) array of 0 and 1
        One column per attribute.
    protected : (n,) array of 0 and 1, or None
        Needed for the group-balanced figure.
    """

    images: ImageArray
    labels: np.ndarray
    protected: np.ndarray | None = None

    def require(self, rule: str) -> None:
        """Refuse a rule that cannot be computed here, before anything is trained.

        Raises
        ------
        UserError
            If it needs protected labels that were not given, or is undefined for every attribute.
        """
        if rule == "group_balanced_average_precision" and self.protected is None:
            raise UserError("To select by group-balanced AP, give the validation images' protected labels.")
        if not self._defined(rule).any():
            groups = " in both protected groups" if rule.startswith("group") else ""
            raise UserError(
                f"No epoch can be selected by {rule}: the validation images need positives and negatives"
                f"{groups}; use more of them or another attribute."
            )

    def figures(self, classifier: Classifier) -> dict[str, float]:
        """Return each figure that can be computed, in [0, 1], as a mean over the attributes it exists for."""
        scores = classifier.score(self.images, progress=False, groups=self.protected)  # (n, k)
        rules = ("average_precision", "group_balanced_average_precision")
        return {
            rule: float(np.mean([self._figure(rule, scores, int(k)) for k in np.flatnonzero(defined)]))
            for rule in rules
            if (defined := self._defined(rule)).any()
        }

    def _figure(self, rule: str, scores: np.ndarray, k: int) -> float:
        if rule == "average_precision":
            return float(average_precision(self.labels[:, k], scores[:, k]))
        assert self.protected is not None  # by `_defined`
        return float(group_balanced_average_precision(self.labels[:, k], scores[:, k], self.protected))

    def _defined(self, rule: str) -> np.ndarray:
        """Return, shape (k,), for which attributes the figure exists: no class or group is empty."""
        if rule == "average_precision":
            groups = [np.ones(len(self.labels), bool)]
        elif self.protected is None:
            return np.zeros(self.labels.shape[1], bool)
        else:
            groups = [self.protected == 0, self.protected == 1]
        present = [(self.labels[group] == value).any(axis=0) for group in groups for value in (0, 1)]
        return np.all(present, axis=0)
