"""`compare` for millions of rows: scores are counted in bins, and resamples draw counts of bins.

Drawing rows with replacement is drawing the counts of cells (bin of each model's score, y, a) from a
multinomial distribution. Thresholds and the histogram edges of KL lie between bins, so that DEO, BA and KL
lose nothing. AP takes the rows of one bin for ties; its draws are therefore used only for how far they lie
from the AP of the bins, around the exact value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from fairlab.metrics.formulas import EDGES, Counted
from fairlab.metrics.intervals.seeds import BySeed
from fairlab.metrics.thresholds import threshold_note, thresholds_of
from fairlab.metrics.tidy import Resampled, tidy_table, with_differences
from fairlab.metrics.two_groups.compare import check_models
from fairlab.metrics.two_groups.ranked_cells import RankedCells, allow_for_few, measured
from fairlab.metrics.validation import GROUPS, check_labels, check_scores

#: Bins of each model's scores, which hold about as many rows each.
N_BINS = 2000
#: With more occupied cells than this, bins are made coarser. Models that agree need fewer cells, so that the
#: small differences between them are told by finer bins.
MOST_CELLS = 100_000
_CHUNK_VALUES = 2**22  # counts drawn at a time
_SAMPLE = 100_000  # scores that bins are chosen by


def compare_binned(
    y_true: ArrayLike,
    scores: Mapping[str, ArrayLike],
    protected: ArrayLike,
    *,
    thresholds: Mapping[str, float] | None = None,
    baseline: str | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    attribute: str = "",
    groups: tuple[str, str] = GROUPS,
) -> pd.DataFrame:
    """Return the table of `compare`, in a time that hardly grows with the number of rows.

    Parameters, result and errors as `compare`, of one training seed: scores (n,), a threshold for each model.
    The baseline is the first model when None. Values are exact; intervals are those of `compare` but for the
    chance in drawing.
    """
    y = check_labels(y_true, "y_true").astype(np.uint8)
    a = check_labels(protected, "protected", len(y)).astype(np.uint8)
    baseline = next(iter(scores), "") if baseline is None else baseline
    check_models(scores, baseline, n_resamples)
    named = {name: check_scores(values, f"scores of '{name}'", len(y)) for name, values in scores.items()}
    at = {name: float(thresholds_of(name, s[None], y, thresholds)[0]) for name, s in named.items()}
    counted = [exactly_counted(y, s, a, at[name]) for name, s in named.items()]
    exact = np.concatenate([measured(one) for one in counted])  # (models, metrics)
    drawn = _draws(y, named, a, at, n_resamples, seed)  # (models, 1 + resamples, metrics)
    drawn += np.nan_to_num(exact - drawn[:, 0])[:, None]
    resampled = {
        name: Resampled.of(
            BySeed(value[None], allow_for_few(one, draws[1:])[None]),
            threshold=threshold_note(y, named[name][None], thresholds),
        )
        for name, one, value, draws in zip(named, counted, exact, drawn, strict=True)
    }
    return tidy_table(with_differences(resampled, baseline), y, a, attribute, groups)


def exactly_counted(y: np.ndarray, s: np.ndarray, a: np.ndarray, threshold: float) -> Counted:
    """Count checked arrays of shape (n,) without resampling, as one row.

    Rows with the same score are counted together, so a file's rounded scores cost as little as few rows do.
    """
    cell = 2 * y + a
    values = [np.unique(s[cell == k], return_counts=True) for k in range(4)]
    ranked_y, ranked_a, counts = (
        np.repeat([0, 0, 1, 1], [len(found) for found, _ in values]),
        np.repeat([0, 1, 0, 1], [len(found) for found, _ in values]),
        np.concatenate([count for _, count in values]),
    )
    ranked = RankedCells.build(ranked_y, np.concatenate([found for found, _ in values]), ranked_a, threshold)
    return ranked.counted(counts[None])


@dataclass(frozen=True)
class Bins:
    """Bins of one model's scores, and which of them a threshold and KL's histogram are read at."""

    starts: np.ndarray  #: (bins - 1,) lowest score of each bin but the first
    flagged: int  #: the first bin above the threshold
    edges: np.ndarray  #: (histogram bins,) the first bin of each bin of the histogram

    @classmethod
    def of(cls, s: np.ndarray, threshold: float, n_bins: int) -> Bins:
        """Choose about `n_bins` bins that hold about as many of the scores each."""
        above = np.nextafter(threshold, np.inf)
        quantiles = np.quantile(s[:: len(s) // _SAMPLE + 1], np.linspace(0, 1, n_bins + 1)[1:-1])
        starts = np.unique(np.concatenate([quantiles, EDGES[1:-1], [above]]))
        places = np.searchsorted(starts, [above, *EDGES[1:-1]]) + 1
        return cls(starts, int(places[0]), np.concatenate([[0], places[1:]]))

    def __len__(self) -> int:
        return len(self.starts) + 1

    def number(self, s: np.ndarray) -> np.ndarray:
        """Return the bin of each score, (n,)."""
        return np.searchsorted(self.starts, s, side="right").astype(np.int32)

    def measured(self, tables: np.ndarray) -> np.ndarray:
        """Return what is measured of counts (rows, 2, 2, bins), indexed [y, a]: (rows, metrics)."""
        curve = np.zeros((*tables.shape[:-1], len(self) + 1))
        np.cumsum(tables[..., ::-1], axis=-1, out=curve[..., 1:])
        counted = Counted(
            mass=tables.sum(axis=-1),
            flagged=tables[..., self.flagged :].sum(axis=-1),
            histograms=np.add.reduceat(tables, self.edges, axis=-1),
            curve=curve,
        )
        return measured(counted)


def _draws(
    y: np.ndarray,
    scores: Mapping[str, np.ndarray],
    a: np.ndarray,
    thresholds: Mapping[str, float],
    n_resamples: int,
    seed: int,
) -> np.ndarray:
    """Return metrics of the bins, and of resamples that all models share, (models, 1 + resamples, m)."""
    bins, cells, counts = _occupied(y, scores, a, thresholds)
    spread = [_spread(column, 4 * len(each)) for each, column in zip(bins, cells, strict=True)]
    chunks = []
    for drawn in _resampled(counts, n_resamples, seed):
        tables = [(drawn @ each).reshape(len(drawn), 2, 2, -1).astype(np.float64) for each in spread]
        chunks.append([each.measured(table) for each, table in zip(bins, tables, strict=True)])
    return np.concatenate([np.stack(chunk) for chunk in chunks], axis=1)


def _occupied(
    y: np.ndarray, scores: Mapping[str, np.ndarray], a: np.ndarray, thresholds: Mapping[str, float]
) -> tuple[list[Bins], np.ndarray, np.ndarray]:
    """Return bins, the place (y, a, bin) of each occupied joint cell in each model's table, and its count."""
    n_bins = N_BINS
    while True:
        bins = [Bins.of(s, thresholds[name], n_bins) for name, s in scores.items()]
        cell = (2 * y + a).astype(np.int64)
        for each, s in zip(bins, scores.values(), strict=True):
            cell *= len(each)
            cell += each.number(s)
        occupied, counts = np.unique(cell, return_counts=True)
        if len(occupied) <= MOST_CELLS or n_bins < 50:
            break
        n_bins //= 2
    columns = []
    for each in reversed(bins):
        occupied, column = np.divmod(occupied, len(each))
        columns.append(column)
    places = [occupied * len(each) + column for each, column in zip(bins, reversed(columns), strict=True)]
    return bins, np.stack(places), counts


def _spread(places: np.ndarray, size: int) -> scipy.sparse.csr_matrix:
    """Return the matrix that adds the counts of joint cells up to one model's cells, (cells, size)."""
    ones = np.ones(len(places), dtype=np.int64)
    return scipy.sparse.csr_matrix((ones, (np.arange(len(places)), places)), shape=(len(places), size))


def _resampled(counts: np.ndarray, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the counts, (1, cells), and then resamples of them in chunks, (rows, cells)."""
    yield counts[None]
    rng, n = np.random.default_rng(seed), int(counts.sum())
    rows = max(1, _CHUNK_VALUES // max(len(counts), 4 * N_BINS))
    for start in range(0, n_resamples, rows):
        yield rng.multinomial(n, counts / n, size=min(rows, n_resamples - start))
