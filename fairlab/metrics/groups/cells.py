"""Images counted by cell: what a fixed threshold leaves to tell of them, and bootstrap draws of the counts.

Images that agree in group, true label, what each model gets right and weight are alike for every metric of
a fixed threshold. Drawing images with replacement is then drawing the counts of these cells from a
multinomial distribution, however many images there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from fairlab.core.errors import UserError
from fairlab.metrics.formulas import ClassCounts

N_BINS = 15  #: equal bins of the expected calibration error
_CHUNK_ROWS = 2**20  # images that are numbered at a time, so that millions need little memory
_DENSE = 2**22  # codes up to here are counted in an array, larger ones are sorted
_CHUNK_VALUES = 2**22  # numbers drawn at a time


def encode(values: np.ndarray, name: str) -> tuple[np.ndarray, list[Any]]:
    """Return the rank of each value among the distinct ones, (n,) of a small integer type, and these.

    Raises
    ------
    UserError
        If there is no value, or one is missing.
    """
    if len(values) == 0:
        raise UserError(f"{name} is empty; there are no images to measure.")
    chunks = [_factorize(values, start, name) for start in range(0, len(values), _CHUNK_ROWS)]
    distinct = {value for _, found in chunks for value in found}
    try:
        order = sorted(distinct)
    except TypeError:  # numbers among strings
        order = sorted(distinct, key=str)
    rank = {value: i for i, value in enumerate(order)}
    small = np.min_scalar_type(max(1, len(order) - 1))
    parts = [np.array([rank[value] for value in found], dtype=small)[codes] for codes, found in chunks]
    return np.concatenate(parts), order


def _factorize(values: np.ndarray, start: int, name: str) -> tuple[np.ndarray, list[Any]]:
    part = values[start : start + _CHUNK_ROWS]
    codes, found = pd.factorize(part.astype(object) if part.dtype.kind in "US" else part)
    if (codes < 0).any():
        raise UserError(
            f"{name} has missing values (first in row {start + int((codes < 0).argmax())}); give them a "
            "value of their own or leave those images out."
        )
    return codes.astype(np.int32), found.tolist()


def joint_cells(columns: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Number the combinations of codes that occur.

    Parameters
    ----------
    columns : c arrays of shape (n,)
        Integers from 0.

    Returns
    -------
    key : (n,) int32
        Which combination each row has, in the order of the table.
    table : (combinations, c)
        The codes of each combination, sorted.
    """
    key, table = np.zeros(len(columns[0]), dtype=np.int32), np.zeros((1, 0), dtype=np.int64)
    for column in columns:
        size = int(column.max()) + 1
        flat = key.astype(np.int64) * size + column
        found, key = _renumber(flat, len(table) * size)
        table = np.hstack([table[found // size], (found % size)[:, None]])
    return key, table


def _renumber(codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes that occur, and the place of each row's code among them."""
    if size > _DENSE:
        found, key = np.unique(codes, return_inverse=True)
        return found, key.astype(np.int32)
    occurs = np.bincount(codes, minlength=size) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs, dtype=np.int32) - 1)[codes]


@dataclass(frozen=True)
class Cells:
    """Counts of images by cell; c cells of `combinations` × K classes, for m models.

    `gap` and `bins` serve calibration: the cell's mean of outcome - score, and the bin of its scores.
    """

    counts: np.ndarray  #: (c,) number of images
    weight: np.ndarray  #: (c,) weight of one image
    combination: np.ndarray  #: (c,) combination of protected values
    y: np.ndarray  #: (c,) true class
    right: np.ndarray  #: (m, c) bool: whether each model predicts that class
    bins: np.ndarray  #: (m, c), or (0, c) without scores
    gap: np.ndarray  #: (m, c), or (0, c) without scores
    by_cluster: scipy.sparse.csr_array | None = (
        None  #: (clusters, c) counts, where clusters are drawn and not images
    )

    @classmethod
    def count(
        cls,
        combination: np.ndarray,
        y: np.ndarray,
        right: Sequence[np.ndarray],
        weights: np.ndarray | None,
        scored: Sequence[tuple[np.ndarray, np.ndarray]] = (),
        clusters: np.ndarray | None = None,
    ) -> Cells:
        """Count checked arrays of shape (n,); `scored` are (bin, outcome - score) of each model.

        `clusters` are integers from 0: what is drawn in resamples in place of single images.
        """
        weighing, values = (np.zeros_like(y), [1.0]) if weights is None else encode(weights, "sample_weight")
        key, table = joint_cells([combination, y, weighing, *right, *(bins for bins, _ in scored)])
        counts = np.bincount(key)
        m, (combination, y, weighing, *others) = len(right), table.T
        gaps = [np.bincount(key, weights=gap) / counts for _, gap in scored]
        return cls(
            counts=counts,
            weight=np.asarray(values)[weighing],
            combination=combination,
            y=y,
            right=np.stack(others[:m]).astype(bool),
            bins=np.reshape(others[m:], (-1, len(counts))).astype(np.int64),
            gap=np.reshape(gaps, (-1, len(counts))),
            by_cluster=None
            if clusters is None
            else scipy.sparse.csr_array((np.ones(len(key)), (clusters, key))),
        )

    @property
    def design_effect(self) -> float:
        """How many images are worth one: Kish's (1965) effect of weights, times the size of clusters."""
        weighting = self.counts.sum() * (self.counts @ self.weight**2) / (self.counts @ self.weight) ** 2
        size = 1.0 if self.by_cluster is None else self.counts.sum() / self.by_cluster.shape[0]
        return float(weighting * size)

    def by_class(
        self, draws: np.ndarray, members: np.ndarray, k: int, *, binary: bool = False
    ) -> list[ClassCounts]:
        """Return the images of each group and class, for each model.

        Parameters
        ----------
        draws : array of shape (rows, c)
            Counts of the cells in each resample.
        members : array of shape (combinations, groups)
            Which combinations of protected values make up which group.
        k : int
            Number of classes.
        binary : bool
            Whether they are labels 0 and 1.
        """

        def sums(values: np.ndarray, column: np.ndarray, n_columns: int) -> np.ndarray:
            """Return the sums of values by group and column, (rows, groups, n_columns)."""
            place = self.combination * n_columns + column
            shape = (len(values), len(members) * n_columns)
            spread = scipy.sparse.csr_array((values, (np.arange(len(values)), place)), shape=shape)
            by_combination = (draws @ spread).reshape(len(draws), -1, n_columns)
            return np.asarray(members.T.astype(np.float64) @ by_combination)

        mass = sums(self.weight, self.y, k)
        gaps: list[np.ndarray | None] = [None] * len(self.right)
        for model, (gap, bins) in enumerate(zip(self.gap, self.bins, strict=True)):
            gaps[model] = sums(self.weight * gap, bins, N_BINS)
        rights = [sums(self.weight * right, self.y, k) for right in self.right]
        return [ClassCounts(mass, right, binary, gap) for right, gap in zip(rights, gaps, strict=True)]

    def draws(self, n_resamples: int, seed: int, stratified: bool) -> Iterator[np.ndarray]:
        """Yield the counts, (1, c), and then resamples of them in chunks, (rows, c)."""
        yield self.counts[None]
        rng = np.random.default_rng(seed)
        if self.by_cluster is not None:
            yield from _drawn_clusters(self.by_cluster, n_resamples, rng)
            return
        strata = self._strata(stratified)
        rows = max(1, _CHUNK_VALUES // len(self.counts))
        for start in range(0, n_resamples, rows):
            drawn = np.empty((min(rows, n_resamples - start), len(self.counts)), dtype=np.int64)
            for cells in strata:
                counts = self.counts[cells]
                drawn[:, cells] = rng.multinomial(counts.sum(), counts / counts.sum(), size=len(drawn))
            yield drawn

    def _strata(self, stratified: bool) -> list[np.ndarray]:
        """Return the cells of each part whose size a resample keeps."""
        stratum = self.combination * (self.y.max() + 1) + self.y if stratified else np.zeros_like(self.y)
        return [np.flatnonzero(stratum == one) for one in np.unique(stratum)]


def _drawn_clusters(
    by_cluster: scipy.sparse.csr_array, n_resamples: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield the counts of cells when clusters are drawn with replacement, each with all of its images."""
    n = by_cluster.shape[0]
    rows = max(1, _CHUNK_VALUES // n)
    for start in range(0, n_resamples, rows):
        size = min(rows, n_resamples - start)
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)
        yield np.asarray(drawn @ by_cluster)
