"""Skewed subsets: the wanted share, as many rows as can be, drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.latent import Hyperplane, skewed_rows
from fairlab.latent.hyperplane import OneSidedLabels


@given(st.integers(1, 200), st.integers(1, 200), st.floats(0.02, 0.98), st.integers(0, 2**32 - 1))
def test_the_share_is_met_and_one_label_is_kept_whole(n_negative, n_positive, share, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat([0, 1], [n_negative, n_positive]))
    assume(n_positive * (1 - share) / share > 0.5)
    assume(n_negative * share / (1 - share) > 0.5)
    rows = skewed_rows(labels, share, seed=seed)
    positives = labels[rows].sum()
    # Half a row off at most; with one label used up, more rows would be further off.
    assert abs(positives - share * len(rows)) <= 0.5
    assert positives == n_positive or len(rows) - positives == n_negative
    assert (np.diff(rows) > 0).all()
    assert rows[0] >= 0
    assert rows[-1] < len(labels)


def test_known_shares():
    labels = np.repeat([0, 1], [900, 300])
    for share, size in ((0.25, 1200), (0.1, 1000), (0.5, 600), (0.75, 400), (0.01, 909)):
        rows = skewed_rows(labels, share)
        assert len(rows) == size
        assert labels[rows].mean() == pytest.approx(share, abs=0.5 / size)


def test_every_row_is_as_likely_as_another_and_the_seed_decides():
    labels = np.tile([0, 1], 10)
    drawn = np.concatenate([skewed_rows(labels, 0.2, seed=seed) for seed in range(2000)])
    counts = np.bincount(drawn, minlength=20)
    assert (counts[::2] == 2000).all()  # all ten negatives, each time, beside two of ten positives
    per_row = counts[1::2] / 2000
    assert np.ptp(per_row) < 0.07
    np.testing.assert_array_equal(skewed_rows(labels, 0.2, seed=5), skewed_rows(labels, 0.2, seed=5))
    assert any((skewed_rows(labels, 0.2, seed=5) != skewed_rows(labels, 0.2, seed=s)).any() for s in range(5))


def test_a_plane_is_fitted_on_a_skewed_subset():
    z = np.random.default_rng(0).normal(size=(2000, 4))
    labels = (z[:, 0] > 0).astype(int)
    rows = skewed_rows(labels, 0.05)
    plane = Hyperplane.fit(z[rows], labels[rows])
    assert plane.n_positive / len(rows) == pytest.approx(0.05, abs=0.001)
    assert plane.normal[0] > 0.9


@pytest.mark.parametrize("share", [0, 1, -0.2, 1.5, float("nan")])
def test_share_out_of_range(share):
    with pytest.raises(UserError, match="between 0 and 1"):
        skewed_rows([0, 1], share)


@pytest.mark.parametrize(
    ("labels", "share", "sentence"),
    [
        ([1, 1, 1, 1], 0.5, "4 positives and 0 negatives"),
        ([0, 0, 0], 0.9, "0 positives and 3 negatives"),
        ([], 0.5, "0 positives and 0 negatives"),
        ([0, 1] * 25, 0.001, "25 positives and 25 negatives"),
        ([0, 2, 1], 0.5, r"must be 0 or 1, but 1 of 3 are not \(first: 2\)"),
        ([[0, 1]], 0.5, r"shape \(1, 2\)"),
    ],
)
def test_impossible_subsets_are_one_sentence(labels, share, sentence):
    with pytest.raises(UserError, match=sentence):
        skewed_rows(labels, share)


@pytest.mark.parametrize(("labels", "share"), [([1, 1, 1, 1], 0.5), ([0, 1] * 25, 0.001)])
def test_a_missing_label_is_told_from_other_mistakes(labels, share):
    with pytest.raises(OneSidedLabels):  # a table leaves such a target out
        skewed_rows(labels, share)
