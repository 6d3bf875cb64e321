"""What is measured of groups: every metric of every model, for any number of resamples at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.cells import Cells
from fairlab.metrics.groups.labels import Labels, check_group_labels, scored_bins
from fairlab.metrics.groups.named_groups import GroupNames, Groups, Protected
from fairlab.metrics.groups.notes import Key
from fairlab.metrics.groups.rates import calibration_errors, class_tables, disparities, rates
from fairlab.metrics.validation import check_weights


@dataclass(frozen=True)
class Study:
    """Models that label the same images, and the groups of these images."""

    labels: Labels
    groups: Groups
    cells: Cells

    @classmethod
    def of(
        cls,
        y_true: ArrayLike,
        predictions: Mapping[str, ArrayLike],
        protected: Protected,
        *,
        y_scores: Mapping[str, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        names: GroupNames | None = None,
    ) -> Study:
        """Check the arrays, (n,), and count images by cell."""
        labels = check_group_labels(y_true, predictions)
        groups = Groups.of(protected, names=names)
        n = len(labels.y)
        if len(groups.codes) != n:
            raise UserError(f"y_true has {n} labels, but there are {len(groups.codes)} protected values.")
        scored, weights = scored_bins(labels, y_scores), check_weights(sample_weight, n)
        return cls(labels, groups, Cells.count(groups.codes, labels.y, labels.right, weights, scored))

    def measure(self, draws: np.ndarray) -> dict[str, dict[Key, np.ndarray]]:
        """Return every metric of every model for counts (rows, cells): each (rows,), by metric and group."""
        members = np.hstack([np.ones((len(self.groups.members), 1), bool), self.groups.members])
        mass, *rights = class_tables(self.cells, draws, members, self.labels.k)
        found = [rates(mass, right, self.labels.binary) for right in rights]
        if len(self.cells.gap):
            errors = calibration_errors(self.cells, draws, members, mass.sum(axis=-1))
            found = [one | {"ECE": error} for one, error in zip(found, errors, strict=True)]
        return {
            model: self._by_group(one) | self._by_family(one)
            for model, one in zip(self.labels.models, found, strict=True)
        }

    def _by_group(self, found: Mapping[str, np.ndarray]) -> dict[Key, np.ndarray]:
        return {
            (metric, group): values[:, place]
            for place, group in enumerate(("all", *self.groups.names))
            for metric, values in found.items()
        }

    def _by_family(self, found: Mapping[str, np.ndarray]) -> dict[Key, np.ndarray]:
        return {
            (metric, family): values
            for family, place in self.groups.families.items()
            for metric, values in disparities({k: v[:, 1:][:, place] for k, v in found.items()}).items()
        }

    def class_counts(self) -> dict[str, np.ndarray]:
        """Return the number of images of each class, (K,), among all images and in each group."""
        members = self.groups.members
        counts = np.zeros((len(members), self.labels.k), dtype=np.int64)
        np.add.at(counts, (self.cells.combination, self.cells.y), self.cells.counts)
        by_group = members.T.astype(np.int64) @ counts
        return {"all": counts.sum(axis=0)} | dict(zip(self.groups.names, by_group, strict=True))
