"""Every metric of many bootstrap resamples at once.

A resample is a vector of counts: how often each image was drawn. Once the images are sorted by score
within each of the four (y, a) cells, all metrics follow from cumulative counts read at fixed places:
the cell tables at the threshold (DEO, BA), the histograms at the bin edges (KL), the precision-recall
curve at the positives' scores (AP). Sorting happens once, not once a resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairlab.metrics.formulas import EDGES, Counted
from fairlab.metrics.intervals.bootstrap import resample_counts
from fairlab.metrics.intervals.gaps import stretched
from fairlab.metrics.intervals.proportion import newcombe, wilson
from fairlab.metrics.spec import METRICS, MetricSpec

FEW = 10

#: What is measured; None: all `METRICS`.
Specs = tuple[MetricSpec, ...] | None


@dataclass(frozen=True)
class RankedCells:
    """Images of one classifier sorted by falling score within each (y, a) cell, and where to read.

    Places index a cumulative count with a leading 0; cells come in the order 2y + a.
    """

    order: np.ndarray  #: (n,) image indices: cell after cell, each by falling score
    starts: np.ndarray  #: (4, 1) place where each cell starts
    ends: np.ndarray  #: (4, 1) place where each cell ends
    above_threshold: np.ndarray  #: (4, 1) place after each cell's last image above the threshold
    at_positives: np.ndarray  #: (4, m) place after its last image at or above ∞, each positive's score, 0
    at_edges: np.ndarray  #: (4, bins + 1) the same for each bin edge; at the top edge, the start

    @classmethod
    def build(cls, y: np.ndarray, s: np.ndarray, a: np.ndarray, threshold: float) -> RankedCells:
        """Sort checked labels, scores and protected labels, each (n,)."""
        cell = 2 * y + a
        order = np.lexsort((-s, cell))
        ends = np.cumsum(np.bincount(cell, minlength=4))
        starts = np.concatenate([[0], ends[:-1]])
        rising = [s[order[start:end]][::-1] for start, end in zip(starts, ends, strict=True)]

        def places(at: np.ndarray, side: str) -> np.ndarray:
            below = [np.searchsorted(scores, at, side=side) for scores in rising]  # type: ignore[call-overload]
            return ends[:, None] - np.stack(below)  # (4, len(at))

        at_edges = places(EDGES, "left")
        at_edges[:, -1] = starts  # the last bin holds a score of exactly 1
        # The curve starts above all scores, where it counts none, and ends at 0, where it counts all.
        falling = np.unique(np.concatenate([[0.0], s[y == 1], [np.inf]]))[::-1]
        return cls(
            order=order,
            starts=starts[:, None],
            ends=ends[:, None],
            above_threshold=places(np.array([threshold]), "right"),
            at_positives=places(falling, "left"),
            at_edges=at_edges,
        )

    def counted(self, counts: np.ndarray) -> Counted:
        """Return what metrics read of resamples given as counts in the order of the images, (rows, n)."""
        rows = len(counts)
        cumulative = np.zeros((rows, counts.shape[1] + 1), dtype=counts.dtype)
        np.cumsum(np.take(counts, self.order, axis=1), axis=1, dtype=counts.dtype, out=cumulative[:, 1:])
        base = cumulative[:, self.starts]  # (rows, 4, 1)

        def read(places: np.ndarray) -> np.ndarray:
            count = np.take(cumulative, places, axis=1) - base
            return count.reshape(rows, 2, 2, places.shape[1])  # (rows, y, a, places)

        return Counted(
            mass=read(self.ends)[..., 0],
            flagged=read(self.above_threshold)[..., 0],
            histograms=-np.diff(read(self.at_edges)),
            curve=read(self.at_positives),
        )

    def measured(self, counts: np.ndarray, specs: Specs) -> np.ndarray:
        """Return what is measured of resamples given as counts of the images, (rows, n) → (rows, m)."""
        return measured(self.counted(counts), specs)


def measured(counted: Counted, specs: Specs = None) -> np.ndarray:
    """Return `MetricSpec.measured` of metrics, (rows, m)."""
    return np.stack([spec.measured(counted) for spec in specs or METRICS.values()], axis=1)


def allow_for_few(counted: Counted, draws: np.ndarray, specs: Specs = None) -> np.ndarray:
    """Return draws (resamples, m) whose spread allows for groups that show hardly a miss, or hardly a hit.

    Of a group without a miss no resample has one, so it would count as known exactly. Where a difference of
    shares, or a share, rests on fewer than `FEW` images of either kind, its draws are stretched to Newcombe's
    interval, or Wilson's.
    """
    draws = draws.copy()
    for place, spec in enumerate(specs or METRICS.values()):
        if spec.shares is None:
            continue
        (rates,), (n,) = spec.shares(counted)  # (1, 2) or (1, 1) each
        if (n > 0).all() and (n * np.minimum(rates, 1 - rates) < FEW).any():
            two = len(rates) > 1
            low, high = newcombe(rates[0], n[0], rates[1], n[1]) if two else wilson(rates[0], n[0])
            value = rates[1] - rates[0] if two else rates[0]
            draws[:, place] = stretched(float(value), draws[:, place], float(low), float(high))
    return draws


def resampled_metrics(
    ranked: Sequence[RankedCells],
    n_resamples: int,
    seed: int,
    *,
    stratified: bool = False,
    clusters: np.ndarray | None = None,
    specs: Specs = None,
) -> np.ndarray:
    """Return what is measured of several classifiers on common resamples, (classifiers, resamples, metrics).

    Stratified resamples keep the number of images in each (y, a) cell; with `clusters`, (n,) integers from 0,
    all images of a cluster are drawn together.
    """
    rng = np.random.default_rng(seed)
    first = ranked[0]
    strata = np.split(first.order, first.ends[:-1, 0]) if stratified else [np.arange(len(first.order))]
    strata = [images for images in strata if len(images)]
    chunks = [
        np.stack([cells.measured(counts, specs) for cells in ranked])
        for counts in resample_counts(strata, n_resamples, rng, clusters=clusters)
    ]
    return np.concatenate(chunks, axis=1)
