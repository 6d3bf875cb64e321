"""Means with intervals over images and seeds: the same numbers as a plain loop."""

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.metrics.intervals.bootstrap import resample_counts
from fairlab.metrics.intervals.bootstrap_means import bootstrap_means
from fairlab.metrics.intervals.proportion import proportion


def test_draws_equal_a_plain_loop_over_images_and_seeds():
    rng = np.random.default_rng(0)
    values, members = rng.normal(size=(3, 30, 2)), np.stack([np.ones(30, bool), rng.random(30) < 0.4])
    means = bootstrap_means(values, members, n_resamples=15, seed=4)

    counts = np.concatenate(list(resample_counts([np.arange(30)], 15, np.random.default_rng(4))))
    for resample in range(15):
        rows = np.repeat(np.arange(30), counts[resample])
        for group in (0, 1):
            kept = rows[members[group][rows]]
            wanted = np.stack([values[seed][kept].mean(axis=0) for seed in range(3)])  # (3, 2)
            np.testing.assert_allclose(means.by_seed.resampled[:, resample, :, group], wanted, atol=1e-12)
    np.testing.assert_allclose(means.value[:, 1], values[:, members[1]].mean(axis=(0, 1)))
    assert means.counts.tolist() == [30, members[1].sum()]


def test_intervals_cover_the_mean_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    tables = [bootstrap_means(rng.normal(size=(1, 80, 1)), n_resamples=300).table(["x"]) for _ in range(200)]
    covered = np.mean([(table["low"] < 0).item() and (table["high"] > 0).item() for table in tables])
    assert 0.89 < covered < 0.99


def test_seeds_that_differ_widen_the_interval():
    values = np.random.default_rng(2).normal(size=(1, 400, 1))
    apart = np.concatenate([values - 1, values, values + 1])
    narrow, wide = (bootstrap_means(v).table(["x"]).iloc[0] for v in (values, apart))
    assert wide["value"] == pytest.approx(narrow["value"])
    assert wide["high"] - wide["low"] > 3 * (narrow["high"] - narrow["low"])
    assert (narrow["seeds"], wide["seeds"]) == (1, 3)


def test_a_share_without_spread_has_wilsons_interval_and_a_mean_has_none():
    row = bootstrap_means(np.zeros((1, 50, 1))).table(["x"], shares=["x"]).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(proportion(0, 50)[1:3])
    assert "Wilson" in row["note"]
    plain = bootstrap_means(np.zeros((1, 50, 1))).table(["x"]).iloc[0]
    assert (plain["low"], plain["high"], plain["note"]) == (0, 0, "")


def test_small_and_empty_groups_say_so():
    members = np.zeros((2, 20), dtype=bool)
    members[0, :1] = True
    table = bootstrap_means(np.ones((1, 20, 1)), members, n_resamples=100).table(["x"], ["one", "none"])
    assert "of 100 resamples undefined" in table["note"][0]
    assert table["note"][1] == "no images"
    assert np.isnan(table.loc[1, ["value", "low", "high"]].astype(float)).all()


@pytest.mark.parametrize("shape", [(3,), (0, 5, 1), (1, 0, 1)])
def test_values_of_another_shape_are_refused(shape):
    with pytest.raises(UserError, match="shape"):
        bootstrap_means(np.zeros(shape))


def test_members_of_another_shape_are_refused():
    with pytest.raises(UserError, match=r"\(groups, 5\)"):
        bootstrap_means(np.zeros((1, 5, 1)), np.ones((2, 4), bool))
