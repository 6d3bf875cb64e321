"""Which of two labels scores follow: the same numbers as a plain loop, and signs that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from fairlab.core.errors import UserError
from fairlab.metrics import group_balanced_average_precision, holm
from fairlab.metrics.intervals.bootstrap import resample_counts
from fairlab.metrics.two_groups.discriminability import (
    discriminability_table,
    mean_differences,
    pair_discriminability,
)

from .examples import predictions


def plain(a: np.ndarray, b: np.ndarray, s: np.ndarray) -> tuple[float, float]:
    """Average precision for a and for b with equally heavy cells, by scikit-learn."""
    cell = 2 * a.astype(int) + b
    weight = 1 / np.bincount(cell, minlength=4)[cell]
    return tuple(average_precision_score(y, s, sample_weight=weight) for y in (a, b))


def scored(
    n: int, lean: float, seed: int = 0, trainings: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, the first rare, and scores that follow the first by `lean`, the second by 1 - lean."""
    rng = np.random.default_rng(seed)
    a = (rng.random(n) < 0.1).astype(np.uint8)
    b = (rng.random(n) < 0.3 + 0.3 * a).astype(np.uint8)
    logits = 4 * (lean * a + (1 - lean) * b - 0.5) + rng.normal(size=(trainings, n))
    return a, b, 1 / (1 + np.exp(-logits))


@given(predictions())
def test_values_are_average_precisions_with_equally_heavy_cells(example):
    a, s, b = example
    found = pair_discriminability(a, b, s, n_resamples=1)
    first, second = plain(a, b, s)
    assert found.first.value == pytest.approx(first, rel=0, abs=1e-9)
    assert found.second.value == pytest.approx(second, rel=0, abs=1e-9)
    assert found.difference.value == pytest.approx(first - second, rel=0, abs=1e-9)
    half = np.where(a == 1, np.sum(a == 0), np.sum(a == 1))  # makes the classes equally heavy
    balanced = group_balanced_average_precision(a, s, b, sample_weight=half)
    assert found.first.value == pytest.approx(balanced, rel=0, abs=1e-9)


@settings(max_examples=20)
@given(predictions(max_n=40), st.integers(0, 100))
def test_draws_equal_a_plain_loop_over_images_and_trainings(example, seed):
    a, s, b = example
    scores = np.stack([s, s[::-1], 1 - s])
    found = pair_discriminability(a, b, scores, n_resamples=10, seed=seed)
    counts = np.concatenate(list(resample_counts([np.arange(len(a))], 10, np.random.default_rng(seed))))
    for drawn, repeats in zip(found.by_seed.resampled.T, counts, strict=True):  # drawn: (3,)
        i = np.repeat(np.arange(len(a)), repeats)
        if len(np.unique(2 * a[i] + b[i])) < 4:
            assert np.isnan(drawn).all()
        else:
            differences = -np.diff([plain(a[i], b[i], run[i]) for run in scores]).ravel()
            assert drawn == pytest.approx(differences, rel=0, abs=1e-9)


@given(predictions(), st.integers(0, 50))
def test_exchanging_the_labels_turns_the_sign(example, seed):
    a, s, b = example
    one, other = (pair_discriminability(*pair, s, n_resamples=20, seed=seed) for pair in ((a, b), (b, a)))
    np.testing.assert_allclose(one.by_seed.resampled, -other.by_seed.resampled, rtol=0, atol=1e-12)
    assert one.difference.value == pytest.approx(-other.difference.value, abs=1e-12)
    np.testing.assert_allclose(
        one.difference[1:3], [-other.difference.high, -other.difference.low], atol=1e-12
    )
    assert one.p_value == pytest.approx(other.p_value, abs=0, nan_ok=True)
    np.testing.assert_array_equal(one.cells, other.cells.T)


@pytest.mark.parametrize(("lean", "sign"), [(0.9, 1), (0.1, -1)])
def test_the_label_that_scores_follow_is_the_easier_one_however_rare(lean, sign):
    found = pair_discriminability(*scored(3000, lean), n_resamples=200)
    assert sign * found.difference.value > 0.2
    assert np.sign(found.difference[:3]).tolist() == [sign] * 3
    assert found.p_value < 0.05
    assert found.seeds == 1


def test_scores_that_follow_both_alike_are_not_told_apart():
    covered = [
        found.difference.low <= 0 <= found.difference.high
        for seed in range(40)
        for found in [pair_discriminability(*scored(1500, 0.5, seed), n_resamples=200)]
    ]
    # 38 of 40 are expected; fewer than 34 come in less than one of a hundred such tests.
    assert sum(covered) >= 34


def test_trainings_that_disagree_widen_the_interval():
    a, b, firm = scored(2000, 0.7, trainings=4)
    _, _, first = scored(2000, 0.95, trainings=2)
    _, _, second = scored(2000, 0.45, trainings=2)
    alike, apart = (
        pair_discriminability(a, b, scores, n_resamples=300).difference
        for scores in (firm, np.concatenate([first, second]))
    )
    assert apart.high - apart.low > 2 * (alike.high - alike.low)


@pytest.fixture(scope="module")
def found():
    """Three labels, of which the first is the easiest and the third the hardest."""
    rng = np.random.default_rng(0)
    labels = dict(zip("ABC", rng.integers(0, 2, (3, 1500)), strict=True))
    strength = {"A": 3.0, "B": 1.5, "C": 1.3}
    return {
        (x, y): pair_discriminability(
            labels[x],
            labels[y],
            1 / (1 + np.exp(-strength[x] * labels[x] - strength[y] * labels[y] - rng.normal(size=1500))),
            n_resamples=200,
        )
        for x, y in (("A", "B"), ("C", "A"), ("B", "C"))
    }


def test_the_table_has_each_pair_with_counts_and_adjusted_p_values(found):
    table = discriminability_table(found)
    assert list(zip(table["first"], table["second"], strict=True)) == list(found)
    for row, pair in zip(table.to_dict("records"), found.values(), strict=True):
        assert (row["ap_first"], row["ap_first_low"], row["ap_first_high"]) == pair.first[:3]
        assert (row["ap_second"], row["ap_second_low"], row["ap_second_high"]) == pair.second[:3]
        assert (row["difference"], row["low"], row["high"]) == pair.difference[:3]
        assert row["n"] == 1500
        assert (row["n_positive_first"], row["n_positive_second"]) == (
            pair.cells[1].sum(),
            pair.cells[:, 1].sum(),
        )
        assert row["n_smallest_cell"] == pair.cells.min()
    np.testing.assert_array_equal(table["p_holm"], holm([pair.p_value for pair in found.values()]))
    assert list(table["note"] == "") == list(table["p_holm"] < 0.05)
    assert table["note"].iloc[0] == ""


def test_the_note_says_what_is_not_told_apart_and_how_many_resamples_are_undefined():
    a, b = np.array([0, 0, 1, 1] * 2), np.array([0, 1, 0, 1] * 2)
    pair = pair_discriminability(a, b, np.linspace(0, 1, 8), n_resamples=50)
    undefined = int(np.isnan(pair.by_seed.resampled[0]).sum())
    assert undefined > 0
    (note,) = discriminability_table({("A", "B"): pair})["note"]
    assert note == f"not told apart; {undefined} of 50 resamples undefined"


def test_mean_differences_sum_to_zero_and_put_the_easiest_first(found):
    ranking = mean_differences(found)
    assert ranking.index[0] == "A"
    assert ranking["value"].is_monotonic_decreasing
    assert ranking["value"].sum() == pytest.approx(0, abs=1e-12)
    assert (ranking["n_pairs"] == 2).all()
    above, below = found["A", "B"], found["C", "A"]
    value, low, high = ranking.loc["A", ["value", "low", "high"]]
    assert value == pytest.approx((above.difference.value - below.difference.value) / 2)
    assert [low, high] == pytest.approx(
        np.quantile((above.by_seed - below.by_seed).draws() / 2, (0.025, 0.975))
    )


@pytest.mark.parametrize(
    ("a", "b", "scores", "sentence"),
    [
        ([0, 1, 0, 1], [0, 0, 1, 1], [[[0.5] * 4]], r"shape \(4,\) or \(seeds, 4\), not \(1, 1, 4\)"),
        ([0, 1, 0, 1], [0, 0, 1, 1], [0.1, 0.2, 0.3, 2.0], "between 0 and 1"),
        ([0, 1, 0, 1], [0, 0, 1], [0.5] * 4, r"labels_b must have shape \(4,\)"),
        ([0, 1, 0, 1], [0, 1, 1, 1], [0.5] * 4, "none has labels_a = 1 and labels_b = 0"),
    ],
)
def test_what_cannot_be_measured_ends_in_a_sentence(a, b, scores, sentence):
    with pytest.raises(UserError, match=sentence):
        pair_discriminability(a, b, scores)


def test_no_resamples_end_in_a_sentence():
    with pytest.raises(UserError, match="n_resamples must be at least 1, not 0"):
        pair_discriminability([0, 0, 1, 1], [0, 1, 0, 1], [0.5] * 4, n_resamples=0)
