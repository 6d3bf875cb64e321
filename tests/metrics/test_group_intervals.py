"""Intervals of group metrics: bootstraps of rows, coverage in simulation, paired differences and speed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from fairlab import metrics
from fairlab.metrics import at_threshold, group_differences, group_metrics
from fairlab.metrics.intervals.extremes import Shares, largest_gap, lowest_share
from fairlab.metrics.spec import DISPARITIES

from .examples import simulate
from .test_compare_groups import population, value


@pytest.mark.parametrize("stratified", [False, True])
def test_what_is_no_share_has_percentiles_of_a_bootstrap_of_rows(stratified):
    y, p, a = population(600, 2)
    q = np.where(np.arange(600) % 3 == 0, 1 - p, p)
    rng = np.random.default_rng(0)
    draws = []
    strata = (
        [np.flatnonzero((a == g) & (y == t)) for g in range(3) for t in (0, 1)]
        if stratified
        else [np.arange(600)]
    )
    for _ in range(1500):
        rows = np.concatenate([rng.choice(part, len(part)) for part in strata])
        recall = [(p == y)[rows][(y == t)[rows]].mean() for t in (0, 1)]
        changed = ((q == y).astype(int) - (p == y))[rows][a[rows] == 2]
        draws.append([np.mean(recall), changed.mean()])
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    table = group_differences(y, {"p": p, "q": q}, a, n_resamples=3000, stratified=stratified)
    for i, key in enumerate((("balanced_accuracy", "all", "p"), ("accuracy", "group 2", "q - p"))):
        tolerance = 0.12 * (high[i] - low[i])  # about four Monte Carlo errors
        assert value(table, *key, column="low") == pytest.approx(low[i], abs=tolerance)
        assert value(table, *key, column="high") == pytest.approx(high[i], abs=tolerance)


def test_shares_have_wilsons_interval_and_signed_differences_newcombes():
    y, p, a = population(600, 2)
    table = group_metrics(y, p, a > 0, n_resamples=50, groups=["one", "other"])
    for metric, base, hit in (("TPR", y == 1, p == 1), ("PPV", p == 1, y == 1), ("accuracy", y >= 0, y == p)):
        counts = [(int(hit[base & g].sum()), int((base & g).sum())) for g in (a == 0, a > 0)]
        ends = [binomtest(*count).proportion_ci(method="wilson") for count in counts]
        found = [value(table, metric, "other", column=column) for column in ("low", "high")]
        assert found == pytest.approx([ends[1].low, ends[1].high], abs=1e-9)
        # Newcombe's method 10 by hand
        (one, low, high), (two, low2, high2) = (
            (c / n, *end) for (c, n), end in zip(counts, ends, strict=True)
        )
        wanted = two - one - np.hypot(two - low2, high - one), two - one + np.hypot(high2 - two, one - low)
        signed = table[(table["metric"] == f"{metric} difference") & (table["group"] == "other - one")]
        found = signed[["value", "low", "high"]].to_numpy().ravel()
        assert found == pytest.approx([two - one, *wanted], abs=1e-9)


def test_nothing_seen_is_not_certainty():
    y, p, a = np.ones(700, int), np.ones(700, int), np.repeat(["A", "B", "A", "B"], [600, 60, 20, 20])
    p[:12], p[660:], y[660:] = 0, 0, 0
    table = group_metrics(y, p, a, n_resamples=200)
    assert value(table, "FNR", "B", column="high") == pytest.approx(3.8415 / (60 + 3.8415), abs=1e-4)
    gap = table[(table["metric"] == "equal_opportunity_difference")].iloc[0]
    assert gap["low"] == 0 < gap["value"] < gap["high"]
    assert gap["p_value"] > 0.2
    both = group_differences(y, {"p": p, "same": p}, a, n_resamples=50)
    assert value(both, "FNR", "B", "same - p", column="high") == pytest.approx(3.8415 / 63.8415, abs=1e-4)


@pytest.mark.parametrize("k", [2, 3, 8])
def test_the_p_value_of_no_gap_is_5_percent_where_the_interval_ends(k):
    rng = np.random.default_rng(k)
    for _ in range(40):
        shares = Shares(rng.uniform(0.7, 1, k), rng.integers(20, 300, k).astype(float))
        gap = largest_gap((shares,))
        assert (gap.low > 0) == (gap.p_value < 0.05)
        assert gap.low <= np.ptp(shares.value) <= gap.high
        low, high = lowest_share(shares)[:2]
        assert low <= shares.value.min() <= high


def test_clusters_of_copies_are_worth_no_more_than_one_each():
    y, p, a = population(300, 4)
    alone = group_metrics(y, p, a, n_resamples=2000)
    fivefold = [np.repeat(x, 5) for x in (y, p, a)]
    copies = group_metrics(*fivefold, n_resamples=2000, clusters=np.repeat(np.arange(300), 5))
    naive = group_metrics(*fivefold, n_resamples=2000)
    for metric, group in (("accuracy", "all"), ("TPR", "group 1"), ("accuracy_difference", "all")):
        widths = [
            value(table, metric, group, column="high") - value(table, metric, group, column="low")
            for table in (alone, copies, naive)
        ]
        assert widths[1] == pytest.approx(widths[0], rel=0.15)
        assert widths[2] < 0.7 * widths[0]


def test_weighted_intervals_are_those_of_a_bootstrap_of_weighted_rows():
    y, p, a = population(500, 3)
    rng = np.random.default_rng(0)
    w = rng.exponential(size=500)
    draws = []
    for _ in range(1500):
        rows = rng.integers(0, 500, 500)
        draws.append(np.average((p == y)[rows], weights=w[rows]))
    low, high = np.quantile(draws, (0.025, 0.975))
    table = group_metrics(y, p, a, sample_weight=w, n_resamples=3000)
    assert value(table, "accuracy", column="low") == pytest.approx(low, abs=0.12 * (high - low))
    assert value(table, "accuracy", column="high") == pytest.approx(high, abs=0.12 * (high - low))


def test_two_groups_agree_with_operating_points():
    y, s, a = simulate(3000, np.random.default_rng(4))
    table = group_metrics(y, s > 0.5, a, n_resamples=3000)
    other = at_threshold(y, {"m": s}, a, {"m": 0.5}, n_resamples=3000)
    row = other[other["metric"] == "DEO"].iloc[0]
    for column, tolerance in (("value", 1e-12), ("low", 0.006), ("high", 0.006)):
        mine = value(table, "equal_opportunity_difference", column=column)
        assert mine == pytest.approx(row[column], abs=tolerance)


def test_differences_are_paired():
    y, p, a = population(2000, 5)
    q = np.where(np.arange(2000) % 50 == 0, 1 - p, p)
    table = group_differences(y, {"first": p, "second": q, "third": p}, a, n_resamples=400)
    for metric in DISPARITIES:
        change = value(table, metric, model="second") - value(table, metric, model="first")
        assert value(table, metric, model="second - first") == pytest.approx(change, abs=1e-12)
        assert value(table, metric, model="third - first", column="low") == 0
        assert value(table, metric, model="third - first", column="high") == 0
    widths = {
        model: value(table, "accuracy", model=model, column="high")
        - value(table, "accuracy", model=model, column="low")
        for model in ("first", "second - first")
    }
    assert widths["second - first"] < widths["first"]
    alone = group_metrics(y, p, a, n_resamples=0, model="first")
    together = table[table["model"] == "first"].reset_index(drop=True)
    pd.testing.assert_series_equal(alone["value"], together["value"])


def test_resampled_calibration_errors_are_close_to_those_of_rows_mirrored():
    y, s, a = simulate(1500, np.random.default_rng(7))
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(600):
        rows = rng.integers(0, 1500, 1500)
        draws.append(metrics.expected_calibration_error(y[rows], s[rows]))
    own = metrics.expected_calibration_error(y, s)
    low, high = np.maximum(0, 2 * own - np.quantile(draws, (0.975, 0.025)))
    table = group_metrics(y, s > 0.5, a, y_score=s, n_resamples=2000)
    assert value(table, "ECE", column="low") == pytest.approx(low, abs=0.2 * (high - low))
    assert value(table, "ECE", column="high") == pytest.approx(high, abs=0.2 * (high - low))


def test_many_models_have_many_cells_and_still_work():
    rng = np.random.default_rng(8)
    y, a = rng.integers(0, 2, 3000), rng.integers(0, 4, 3000)
    predictions = {f"m{i}": np.where(rng.random(3000) < 0.8, y, 1 - y) for i in range(12)}
    table = group_differences(y, predictions, a, n_resamples=50)
    found = value(table, "accuracy", "group 3", "m11")
    assert found == pytest.approx(np.mean((predictions["m11"] == y)[a == 3]))


@pytest.mark.slow
def test_95_percent_intervals_hold_the_truth_95_percent_of_the_time():
    y, p, a = population(2_000_000, 9)
    truth = group_metrics(y, p, a, n_resamples=0).set_index(["metric", "group"])["value"]
    keys = [("accuracy", "all"), ("accuracy", "group 2"), ("TPR", "group 1"), ("FPR", "group 0")]
    keys += [("PPV", "group 1"), ("balanced_accuracy", "group 2"), *((name, "all") for name in DISPARITIES)]
    covered = pd.Series(0, index=pd.MultiIndex.from_tuples(keys))
    rounds = 1000
    for seed in range(rounds):
        table = group_metrics(*population(2000, 100 + seed), n_resamples=400, seed=seed).set_index(
            ["metric", "group"]
        )
        for key in keys:
            covered[key] += table["low"][key] <= truth[key] <= table["high"][key]
    share = covered / rounds
    print(share)
    assert (share >= 0.92).all(), share
    picked = share.index.get_level_values(0).isin(DISPARITIES)  # all pairs at once: they cover more
    assert (share[~picked] <= 0.97).all(), share


@pytest.mark.slow
def test_ten_million_images_take_seconds():
    rng = np.random.default_rng(10)
    n = 10_000_000
    y, p = (rng.integers(0, 2, n, dtype=np.uint8) for _ in range(2))
    protected = {
        "gender": rng.integers(0, 2, n, dtype=np.uint8),
        "race": rng.integers(0, 7, n, dtype=np.uint8),
    }
    table = group_metrics(y, p, protected, n_resamples=200)
    assert value(table, "accuracy") == pytest.approx((y == p).mean())
