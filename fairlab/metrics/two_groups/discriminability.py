"""Full-skew discriminability of attribute pairs (CVPR 2021, supplement)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, POINTS, Estimate
from fairlab.metrics.formulas import weighted_average_precision
from fairlab.metrics.intervals.bootstrap import estimate_of, resample_counts
from fairlab.metrics.intervals.multiple_testing import holm_column, paired_p_value
from fairlab.metrics.intervals.seeds import BySeed
from fairlab.metrics.two_groups.ranked_cells import RankedCells
from fairlab.metrics.validation import cell_masses, check_labels, check_resamples, scores_by_seed


@dataclass(frozen=True, eq=False)
class PairDiscriminability:
    """How well one classifier, trained where two labels agree, predicts each of them where they do not."""

    #: Average precision for either label, 0..1, the four (a, b) cells weighing the same. Chance is 0.5.
    first: Estimate
    second: Estimate
    difference: Estimate  #: first minus second, -1..1, on the same resamples
    by_seed: BySeed  #: the difference, (seeds,) and (seeds, resamples); NaN where a cell was not drawn
    p_value: float  #: two-sided, of a difference of 0; see `fairlab.metrics.paired_p_value`
    cells: np.ndarray  #: (2, 2) number of images, indexed [a, b]
    seeds: int  #: number of trainings


def pair_discriminability(
    labels_a: ArrayLike, labels_b: ArrayLike, scores: ArrayLike, *, n_resamples: int = 1000, seed: int = 0
) -> PairDiscriminability:
    """Measure for which of two labels a classifier trained on images where they agree scores better.

    Parameters
    ----------
    labels_a, labels_b : arrays of shape (n,)
        Labels 0 or 1 of test images in which the two also differ.
    scores : array of shape (n,) or (seeds, n)
        In [0, 1]; one row for each training of the classifier.
    n_resamples, seed : int
        Of the bootstrap. The same seed and n draw the same images for every pair of labels, so `by_seed` of
        several pairs belong together.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, scores lie outside [0, 1], or one of the four (a, b) cells has
        no image.

    Notes
    -----
    Full-skew discriminability: Ramaswamy et al., *Fair Attribute Classification through Latent Space
    De-biasing*, CVPR 2021, supplement. The metric is the paper's, average precision. It depends on how
    frequent positives are; with equal weights for the four cells half of the images are positive for either
    label and neither goes with the other, so that the two figures can be compared.

    Intervals over images and trainings as in `fairlab.metrics.bootstrap`. With one training they say nothing
    of how trainings vary.
    """
    a = check_labels(labels_a, "labels_a")
    b = check_labels(labels_b, "labels_b", len(a))
    by_seed = scores_by_seed(scores, "scores", len(a))
    check_resamples(n_resamples)
    _require_cells(a, b)
    whole = _precisions(a, b, by_seed, iter([np.ones((1, len(a)), int)]))[..., 0]  # (2, seeds)
    counts = resample_counts([np.arange(len(a))], n_resamples, np.random.default_rng(seed))
    drawn = _precisions(a, b, by_seed, counts)  # (2, seeds, resamples)
    first, second = (BySeed(*one) for one in zip(whole, drawn, strict=True))
    difference = first - second
    return PairDiscriminability(
        first=estimate_of(float(first.value), first.draws(), (0.0, 1.0), unit=PERCENT),
        second=estimate_of(float(second.value), second.draws(), (0.0, 1.0), unit=PERCENT),
        difference=estimate_of(float(difference.value), difference.draws(), (-1.0, 1.0), unit=POINTS),
        by_seed=difference,
        p_value=paired_p_value(difference.draws()),
        cells=cell_masses(a, b),
        seeds=len(by_seed),
    )


def discriminability_table(pairs: Mapping[tuple[str, str], PairDiscriminability]) -> pd.DataFrame:
    """Return a row for each pair of attributes, p-values adjusted for the number of pairs.

    Parameters
    ----------
    pairs : dict of (first, second) to PairDiscriminability
        Each unordered pair once.

    Returns
    -------
    DataFrame
        Columns first, second; ap_first, ap_first_low, ap_first_high and the same for second; difference,
        low, high (fractions, 95% intervals); p_value; n (test images), n_positive_first, n_positive_second,
        n_smallest_cell (the rarest of the four kinds of test image, which bounds how exact a row can be),
        seeds; p_holm; note: "not told apart" unless p_holm is below 5%, and how many resamples are undefined.
    """
    rows = [_pair_row(first, second, found) for (first, second), found in pairs.items()]
    table = holm_column(pd.DataFrame(rows), within=())
    return table.assign(note=[_note(*row) for row in zip(pairs.values(), table["p_holm"], strict=True)])


def mean_differences(pairs: Mapping[tuple[str, str], PairDiscriminability]) -> pd.DataFrame:
    """Return how much easier each attribute is than the others, on average; the easiest first.

    Parameters
    ----------
    pairs : dict of (first, second) to PairDiscriminability
        Each unordered pair once, all measured on the same images with the same seed and n_resamples.

    Returns
    -------
    DataFrame
        Index: the attributes. Columns value, low, high (-1..1; 95% intervals on common resamples, so that
        what errors have in common counts) and n_pairs.
    """
    names = dict.fromkeys(name for pair in pairs for name in pair)
    rows = {}
    for name in names:
        signed = [
            (1 if name == first else -1, pairs[first, second])
            for first, second in pairs
            if name in (first, second)
        ]
        mean = BySeed(
            np.mean([sign * found.by_seed.whole for sign, found in signed], axis=0),
            np.mean([sign * found.by_seed.resampled for sign, found in signed], axis=0),
        )
        value, low, high, *_ = estimate_of(float(mean.value), mean.draws(), (-1.0, 1.0))
        rows[name] = {"value": value, "low": low, "high": high, "n_pairs": len(signed)}
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("value", ascending=False, kind="stable")


def _pair_row(first: str, second: str, found: PairDiscriminability) -> dict[str, object]:
    row: dict[str, object] = {"first": first, "second": second}
    for place, ap in (("first", found.first), ("second", found.second)):
        row |= {f"ap_{place}": ap.value, f"ap_{place}_low": ap.low, f"ap_{place}_high": ap.high}
    return row | {
        "difference": found.difference.value,
        "low": found.difference.low,
        "high": found.difference.high,
        "p_value": found.p_value,
        "n": int(found.cells.sum()),
        "n_positive_first": int(found.cells[1].sum()),
        "n_positive_second": int(found.cells[:, 1].sum()),
        "n_smallest_cell": int(found.cells.min()),
        "seeds": found.seeds,
    }


def _note(found: PairDiscriminability, p_holm: float) -> str:
    notes = [] if p_holm < 0.05 else ["not told apart"]
    return "; ".join(filter(None, [*notes, found.difference.note]))


def _require_cells(a: np.ndarray, b: np.ndarray) -> None:
    for (first, second), n in np.ndenumerate(cell_masses(a, b)):
        if n == 0:
            raise UserError(
                f"Of {len(a)} images none has labels_a = {first} and labels_b = {second}; to compare two "
                "labels, give images of all four kinds."
            )


def _precisions(a: np.ndarray, b: np.ndarray, scores: np.ndarray, counts: Iterator[np.ndarray]) -> np.ndarray:
    """Return the average precision for a and for b on resamples, (2, seeds, resamples)."""
    ranked = [[RankedCells.build(y, s, other, 0.5) for s in scores] for y, other in ((a, b), (b, a))]
    chunks = [
        [[_equal_cell_precision(cells, drawn) for cells in by_seed] for by_seed in ranked] for drawn in counts
    ]
    return np.concatenate(chunks, axis=-1)


def _equal_cell_precision(cells: RankedCells, counts: np.ndarray) -> np.ndarray:
    """Return average precision with each cell weighing the same, (rows, n) → (rows,); NaN without a cell.

    `AP_balanced` weighs the groups equally but leaves each class its frequency.
    """
    counted = cells.counted(counts)
    with np.errstate(divide="ignore"):
        weight = 1 / counted.mass  # (rows, y, other)
    return weighted_average_precision(counted.curve, weight)
