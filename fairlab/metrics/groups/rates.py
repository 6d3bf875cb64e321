"""Rates and disparities of named groups on counts of images, with notes on what is undefined."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.formulas import ClassCounts
from fairlab.metrics.groups.cells import N_BINS, Cells, encode
from fairlab.metrics.groups.clusters import check_clusters
from fairlab.metrics.groups.named_groups import GroupNames, Groups, Protected
from fairlab.metrics.spec import DISPARITIES, RATES
from fairlab.metrics.validation import UndefinedMetricWarning, check_scores, check_shape, check_weights

#: A metric and the group, or family of groups, it belongs to.
Key = tuple[str, str]

_SHOWN = 3  # reasons that a note lists


@dataclass(frozen=True)
class Labels:
    """True labels of n images, and what each model gets right."""

    y: np.ndarray  #: (n,) true class: the label itself if labels are 0/1, else its rank
    classes: list[Any]  #: of K classes
    binary: bool  #: whether labels are 0 and 1
    models: tuple[str, ...]
    right: tuple[np.ndarray, ...]  #: (n,) bool of each model

    @property
    def k(self) -> int:
        """Number of classes."""
        return len(self.classes)


def check_group_labels(y_true: ArrayLike, predictions: Mapping[str, ArrayLike]) -> Labels:
    """Return checked labels, or raise UserError saying what is wrong with them."""
    if not predictions:
        raise UserError("There are no predictions to measure; give those of at least one model.")
    truth = _labels(y_true, "y_true")
    y, classes = encode(truth, "y_true")
    right, binary = [], _zero_one(classes)
    for name, values in predictions.items():
        what = f"predictions of '{name}'"
        predicted = _labels(values, what, len(truth))
        _, found = encode(predicted, what)
        if isinstance(found[0], str) != isinstance(classes[0], str):
            raise UserError(
                f"y_true holds {classes[0]!r} but {what} {found[0]!r}; use the same labels in both."
            )
        binary = binary and _zero_one(found)
        right.append(predicted == truth)
    if binary:
        return Labels(truth.astype(np.uint8), [0, 1], True, tuple(predictions), tuple(right))
    return Labels(y, classes, False, tuple(predictions), tuple(right))


def scored_bins(
    labels: Labels, scores: Mapping[str, ArrayLike] | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (bin, outcome - score) of each model's scores, both (n,); nothing without scores.

    The outcome is the label if labels are 0/1, else whether the prediction is right.
    """
    if scores is None:
        return []
    missing = [name for name in labels.models if name not in scores]
    if missing:
        raise UserError(f"There are no scores of '{missing[0]}'; give those of every model or of none.")
    return [
        bins_and_gaps(labels.y if labels.binary else right, scores[name], N_BINS, f"scores of '{name}'")
        for name, right in zip(labels.models, labels.right, strict=True)
    ]


def bins_and_gaps(
    outcome: np.ndarray, scores: ArrayLike, n_bins: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the equal bin of each score, the last with 1, and outcome - score, both (n,)."""
    s = check_scores(scores, name, len(outcome))
    bins = np.minimum((s * n_bins).astype(np.int16), n_bins - 1)
    return bins, outcome - s


def _labels(values: ArrayLike, name: str, n: int | None = None) -> np.ndarray:
    labels = check_shape(np.asarray(values), name, n)
    if labels.dtype.kind == "f":
        wrong = ~(np.isfinite(labels) & (labels == np.floor(labels)))
        if wrong.any():
            raise UserError(
                f"{name} must hold labels, but holds {labels[wrong][0]} in row {wrong.argmax()}; compare "
                "scores with a threshold first."
            )
    return labels


def _zero_one(values: list[Any]) -> bool:
    return all(not isinstance(value, str) and value in (0, 1) for value in values)


@dataclass(frozen=True)
class GroupedModels:
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
        clusters: ArrayLike | None = None,
        names: GroupNames | None = None,
    ) -> GroupedModels:
        """Check the arrays, (n,), and count images by cell."""
        labels = check_group_labels(y_true, predictions)
        groups = Groups.of(protected, names=names)
        n = len(labels.y)
        if len(groups.codes) != n:
            raise UserError(f"y_true has {n} labels, but there are {len(groups.codes)} protected values.")
        scored, weights = scored_bins(labels, y_scores), check_weights(sample_weight, n)
        drawn = check_clusters(clusters, n)
        return cls(labels, groups, Cells.count(groups.codes, labels.y, labels.right, weights, scored, drawn))

    def measure(self, draws: np.ndarray) -> dict[str, dict[Key, np.ndarray]]:
        """Return every metric of every model for counts (rows, cells): each (rows,), by metric and group."""
        counts = self._counted(draws)
        return {model: self._metrics(one) for model, one in zip(self.labels.models, counts, strict=True)}

    def bases(self) -> dict[str, dict[Key, float]]:
        """Return how many images each share of every model is a share of; fewer where images count in part.

        An image counts in part if it has a weight, or others of its cluster.
        """
        groups, n = ("all", *self.groups.names), np.array([n.sum() for n in self.class_counts().values()])
        found: dict[str, dict[Key, float]] = {}
        for model, counts in zip(self.labels.models, self._counted(self.cells.counts[None]), strict=True):
            scale = n / counts.mass[0].sum(axis=-1) / self.cells.design_effect  # (groups,)
            found[model] = {
                (name, group): float(base)
                for name, spec in RATES.items()
                if spec.base is not None and spec.applies(counts)
                for group, base in zip(groups, scale * spec.base(counts)[0], strict=True)
            }
        return found

    def _counted(self, draws: np.ndarray) -> list[ClassCounts]:
        """Return the images of each class, of all and of each group, for counts (rows, cells)."""
        members = np.hstack([np.ones((len(self.groups.members), 1), bool), self.groups.members])
        return self.cells.by_class(draws, members, self.labels.k, binary=self.labels.binary)

    def _metrics(self, counts: ClassCounts) -> dict[Key, np.ndarray]:
        """Return rates of all images and of each group, and disparities of each family of groups."""
        groups = ("all", *self.groups.names)
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = {name: spec.function(counts) for name, spec in RATES.items() if spec.applies(counts)}
            found = {(name, one): rates[name][:, i] for i, one in enumerate(groups) for name in rates}
            for family, place in self.groups.families.items():
                inside = {name: values[:, 1:][:, place] for name, values in rates.items()}
                for name, spec in DISPARITIES.items():
                    if set(spec.compares) <= set(inside):
                        found[name, family] = spec.function(*(inside[rate] for rate in spec.compares))
        return found

    def class_counts(self) -> dict[str, np.ndarray]:
        """Return the number of images of each class, (K,), among all images and in each group."""
        members = self.groups.members
        counts = np.zeros((len(members), self.labels.k), dtype=np.int64)
        np.add.at(counts, (self.cells.combination, self.cells.y), self.cells.counts)
        by_group = members.T.astype(np.int64) @ counts
        return {"all": counts.sum(axis=0)} | dict(zip(self.groups.names, by_group, strict=True))

    def notes(self, values: Mapping[Key, float]) -> dict[Key, str]:
        """Return a note on each value of one model, empty where there is nothing to say."""
        counts, named = self.class_counts(), self.groups
        found = {
            key: _rate_note(key, value, counts[key[1]], self.labels.binary)
            for key, value in values.items()
            if key[0] in RATES
        }
        apart = {
            (metric, family): _disparity_note(metric, values, found, named.names[named.families[family]])
            for metric, family in values
            if metric in DISPARITIES
        }
        return found | apart


def warn_of_undefined(model: str, values: Mapping[Key, float], found: Mapping[Key, str]) -> None:
    """Warn once for each reason why metrics of a model are NaN."""
    by_reason: dict[str, list[str]] = {}
    for key, value in values.items():
        if np.isnan(value):
            by_reason.setdefault(found[key], []).append(key[0])
    for reason, metrics in by_reason.items():
        message = f"{', '.join(dict.fromkeys(metrics))} of '{model}' undefined: {reason}."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=4)


def _rate_note(key: Key, value: float, counts: np.ndarray, binary: bool) -> str:
    """Say which images a rate lacks; `counts` (K,) are the images of each class in its group."""
    metric, group = key
    absent = int((counts == 0).sum())
    if metric == "balanced_accuracy" and not binary:
        return f"mean without {absent} of {len(counts)} classes: 0 images in {group}" if absent else ""
    if not np.isnan(value):
        return ""
    have = {"images": counts.sum(), "negatives": counts[0], "positives": counts[-1]}
    needs = RATES[metric].needs
    missing = [need for need in needs if have.get(need) == 0] or needs
    where = "among all images" if group == "all" else f"in {group}"
    return " and ".join(f"0 {need} {where}" for need in missing)


def _disparity_note(
    metric: str, values: Mapping[Key, float], found: Mapping[Key, str], groups: Sequence[str]
) -> str:
    """Say how many groups a disparity skips and why, or why it is undefined."""
    compared = [(rate, group) for group in groups for rate in DISPARITIES[metric].compares]
    reasons = {key[1]: found[key] for key in compared if np.isnan(values[key])}
    if not reasons:
        if len(groups) < 2 and metric != "worst_group_accuracy":
            return f"only one group, {groups[0]}"
        flagged = any(values[key] for key in compared)
        return "0 images predicted positive" if metric.endswith("ratio") and not flagged else ""
    listed = "; ".join(list(dict.fromkeys(reasons.values()))[:_SHOWN])
    more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return f"skips {len(reasons)} of {len(groups)} groups: {listed}{more}"
