"""Group-balanced samples of labels or scores, for attackers to learn from and be counted on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from fairlab.core.errors import MOST_CLASSES, UserError
from fairlab.metrics.leakage.attackers import Features
from fairlab.metrics.validation import as_numbers, check_labels

#: Images of each group that a balanced split in three needs at the very least.
LEAST = 10

#: Labels or scores of a data set, and its protected labels.
Sample = tuple[ArrayLike, ArrayLike]
#: The same, checked: what an attacker sees, and (n,) 0/1.
Pool = tuple[Features, np.ndarray]


def balanced_sample(protected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw as many rows of one group as of the other, shuffled: all of the smaller, a sample of the larger.

    `protected` is (n,), 0 or 1; the rows are (2 * smaller group,).
    """
    size = min(np.bincount(protected, minlength=2))
    rows = [rng.choice(np.flatnonzero(protected == group), size, replace=False) for group in (0, 1)]
    return rng.permutation(np.concatenate(rows))


def even_sample(protected: np.ndarray, label_rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a balanced sample that keeps each label row's share of both groups, sorted by label row.

    Where label rows are spread evenly over groups of unequal size, a plain sample of the larger group would
    unbalance them by chance, and a split by label row would keep that chance alike in all parts.
    """
    size = min(np.bincount(protected, minlength=2))
    drawn = []
    for group in (0, 1):
        places = rng.permutation(np.flatnonzero(protected == group))
        places = places[np.argsort(label_rows[places], kind="stable")]
        step = len(places) / size  # a systematic sample takes every step-th
        drawn.append(places[np.floor((rng.random() + np.arange(size)) * step).astype(np.intp)])
    rows = np.concatenate(drawn)
    return rows[np.argsort(label_rows[rows], kind="stable")]


class Strata(NamedTuple):
    """What a split must keep together: the label row of each image, if labels are balanced by design."""

    rows: np.ndarray  #: (n,) number of each image's label row among those that differ
    by_design: bool  #: whether label rows are spread over the groups more evenly than chance does it
    note: str = ""  #: why a split must unbalance labels that are balanced

    @classmethod
    def of(cls, features: Features, protected: np.ndarray) -> Strata:
        """Look how evenly labels, but no scores, are spread over the groups.

        Where every label row is as frequent in one group as in the other, what one part of a random split has
        too much of the other lacks, and an attacker is right less often than by guessing. Such labels are
        split row by row. All others are split at random: to keep their chance associations alike in both
        parts would make an attacker right too often.
        """
        if features.are_scores:
            return cls(np.zeros(len(features), dtype=np.intp), by_design=False)
        _, rows = features.distinct()
        if _more_even_than_chance(rows, protected):
            return cls(rows, by_design=True)
        columns = [] if features.are_classes else list(features.values.T)
        even = [_more_even_than_chance(column, protected) for column in columns]
        single = (
            "The labels are balanced over the groups one by one, but not their combinations, so a split "
            "unbalances them: an attacker may be right in less than 50%."
        )
        return cls(rows, by_design=False, note=single if even and np.mean(even) > 0.5 else "")


def _more_even_than_chance(rows: np.ndarray, protected: np.ndarray) -> bool:
    """Whether chi-square of independence is smaller than in one of a thousand random tables."""
    table = np.zeros((int(rows.max()) + 1, 2))
    np.add.at(table, (rows, protected), 1)
    table = table[table.sum(axis=1) > 1]  # a row that occurs once is never even
    if len(table) < 2:
        return False
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return bool(scipy.stats.chi2.cdf(statistic, len(table) - 1) < 0.001)


def draw(
    pools: list[Pool | None], strata: Strata, rng: np.random.Generator
) -> tuple[Pool, Pool, Pool, np.ndarray]:
    """Return balanced train, test and valid, and the rows of the test pool that test was drawn from.

    `strata` are those of the train pool, which is split where test or valid are missing.
    """
    train, test, valid = pools
    assert train is not None
    share = np.array([0.0 if test else 0.1, 0.0 if valid else 0.1])
    # Label row by label row, so that the parts are as balanced as the whole, or at random.
    a = train[1]
    rows = even_sample(a, strata.rows, rng) if strata.by_design else balanced_sample(a, rng)
    offset = rng.random() if strata.by_design else None
    cut_test, cut_valid = _cut(train[1], rows, share, offset)
    own = np.setdiff1d(np.arange(len(rows)), np.concatenate([cut_test, cut_valid]))
    test_rows = balanced_sample(test[1], rng) if test else rows[cut_test]
    valid_rows = balanced_sample(valid[1], rng) if valid else rows[cut_valid]
    return (
        _take(train, rng.permutation(rows[own])),
        _take(test or train, test_rows),
        _take(valid or train, valid_rows),
        test_rows,
    )


def _cut(
    protected: np.ndarray, rows: np.ndarray, share: np.ndarray, offset: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return places in `rows` for test and valid: the given share of each group's.

    With an offset they are spread evenly over the rows, at the same places of both groups.
    """
    ends = np.ceil(np.cumsum(share) * len(rows) / 2).astype(int)
    groups = [np.flatnonzero(protected[rows] == group) for group in (0, 1)]
    if offset is not None:
        golden = (math.sqrt(5) - 1) / 2  # multiples of it leave no gaps, however many there are
        spread = np.argsort((offset + np.arange(len(groups[0])) * golden) % 1, kind="stable")
        groups = [places[spread] for places in groups]
    test = np.concatenate([places[: ends[0]] for places in groups])
    return test, np.concatenate([places[ends[0] : ends[1]] for places in groups])


def _take(pool: Pool, rows: np.ndarray) -> Pool:
    return pool[0][rows], pool[1][rows]


def read_pools(read: Callable[[ArrayLike, str], np.ndarray], *samples: Sample | None) -> list[Pool | None]:
    """Check samples of train, evaluation and valid, in this order; None stays None.

    `read` is `label_features` or `score_features`. Classes are counted over all samples, and a UserError says
    what is wrong with one.
    """
    named = list(zip(("", " of evaluation", " of valid"), samples, strict=False))
    values = {name: read(sample[0], name) for name, sample in named if sample is not None}
    known = list(values.values())
    if len({array.shape[1:] for array in known}) > 1:
        shapes = ", ".join(str(array.shape) for array in known)
        raise UserError(f"Train, evaluation and valid must have the same labels, but have shapes {shapes}.")
    width = known[0].shape[1] if known[0].ndim == 2 else int(max(array.max() for array in known)) + 1
    return [
        sample and (Features(values[name], width), _protected(sample[1], name, len(values[name])))
        for name, sample in named
    ]


def _protected(values: ArrayLike, name: str, n: int) -> np.ndarray:
    a = check_labels(values, f"protected{name}", n)
    counts = np.bincount(a, minlength=2)
    if min(counts) < LEAST:
        raise UserError(
            f"protected{name} has {counts[0]} images of group 0 and {counts[1]} of group 1; leakage needs at "
            f"least {LEAST} of each."
        )
    return a


def label_features(values: ArrayLike, name: str) -> np.ndarray:
    """Return labels as (n, k) uint8 or classes as (n,) intp, or say what is wrong with them."""
    labels = np.asarray(values)
    if labels.ndim not in (1, 2) or labels.size == 0 or labels.dtype.kind not in "biuf":
        raise UserError(
            f"labels{name} must be numbers of shape (n, k) or classes of shape (n,), but are of shape "
            f"{labels.shape} and type {labels.dtype}."
        )
    if labels.ndim == 2:
        return check_labels(labels.ravel(), f"labels{name}").reshape(labels.shape).astype(np.uint8)
    whole = np.isfinite(labels).all() and (labels == np.floor(labels)).all()
    if not (whole and (labels >= 0).all() and (labels < MOST_CLASSES).all()):
        raise UserError(f"labels{name} in one dimension must be classes, numbered 0, 1, 2, ....")
    return labels.astype(np.intp)


def score_features(values: ArrayLike, name: str) -> np.ndarray:
    scores = as_numbers(values, f"scores{name}")
    if scores.ndim != 2 or scores.size == 0 or not np.isfinite(scores).all():
        raise UserError(
            f"scores{name} must be finite numbers of shape (n, k), but have shape {scores.shape} and "
            f"{int((~np.isfinite(scores)).sum())} values that are not finite."
        )
    return scores.astype(np.float32)
