"""The bootstrap: the same numbers as a plain loop, and intervals that mean what they say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairlab.core.errors import UserError
from fairlab.metrics import (
    UndefinedMetricWarning,
    average_precision,
    bias_amplification,
    bootstrap,
    calibrated_threshold,
    compare,
    equal_opportunity_difference,
    group_balanced_average_precision,
    score_kl,
)
from fairlab.metrics.intervals.bootstrap import resample_counts
from fairlab.metrics.spec import METRICS
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.two_groups.ranked_cells import RankedCells, resampled_metrics

from .examples import plain_metrics, predictions, simulate, unsigned


def row(table, metric, model="model"):
    rows = table[(table["metric"] == metric) & (table["model"] == model)]
    assert len(rows) == 1
    return rows.iloc[0]


def shifted(s, by, seed):
    """Scores of another model: a little noise, and `by` added to the logits."""
    noise = np.random.default_rng(seed).normal(scale=0.3, size=s.shape)
    return 1 / (1 + np.exp(-(np.log(s / (1 - s)) + by + noise)))


@settings(max_examples=50)
@given(predictions(max_n=200), st.integers(0, 1000), st.floats(0, 1))
def test_resamples_equal_a_plain_loop_on_the_same_resamples(example, seed, threshold):
    y, s, a = example
    drawn = resampled_metrics([RankedCells.build(y.astype(int), s, a, threshold)], 20, seed)[0]
    counts = np.concatenate(list(resample_counts([np.arange(len(y))], 20, np.random.default_rng(seed))))
    for values, repeats in zip(drawn, counts, strict=True):
        i = np.repeat(np.arange(len(y)), repeats)
        if np.bincount(2 * y[i] + a[i], minlength=4).min() > 0:
            expected = plain_metrics(y[i], s[i], a[i], threshold)
            np.testing.assert_allclose(unsigned(values), expected, rtol=0, atol=1e-9)
        else:
            assert np.isnan(values[list(METRICS).index("KL")])


@given(predictions())
def test_values_are_those_of_the_single_metrics(example):
    y, s, a = example
    table = bootstrap(y, s, a, n_resamples=2, threshold=0.5)
    expected = {
        "AP": average_precision(y, s, a),
        "AP_balanced": group_balanced_average_precision(y, s, a),
        "DEO": equal_opportunity_difference(y, s > 0.5, a),
        "BA": bias_amplification(y, s > 0.5, a),
        "KL": score_kl(y, s, a).symmetric_sum,
    }
    assert dict(zip(table["metric"], table["value"], strict=True)) == pytest.approx(expected, rel=0, abs=1e-9)


def test_spread_is_that_of_the_published_bootstrap(reference):
    (y, s, a), expected = reference
    ranked = RankedCells.build(y.astype(int), s, a.astype(int), calibrated_threshold(y, s, published=True))
    drawn = dict(zip(METRICS, unsigned(resampled_metrics([ranked], 4000, 1)[0]).T, strict=True))
    for metric in ("AP", "DEO", "BA"):
        published = expected["bootstrap"][metric]
        # The published figures come from a few hundred resamples, so they scatter themselves.
        assert np.median(drawn[metric]) == pytest.approx(published["median"], abs=0.2 * published["std"])
        assert drawn[metric].std() == pytest.approx(published["std"], rel=0.15)


def test_resamples_do_not_depend_on_chunks(monkeypatch):
    whole = np.concatenate(list(resample_counts([np.arange(50)], 30, np.random.default_rng(4))))
    monkeypatch.setattr("fairlab.metrics.intervals.bootstrap._CHUNK_VALUES", 150)
    chunks = list(resample_counts([np.arange(50)], 30, np.random.default_rng(4)))
    assert len(chunks) == 10
    np.testing.assert_array_equal(np.concatenate(chunks), whole)
    assert (whole.sum(axis=1) == 50).all()


def test_table_is_tidy_and_reproducible():
    y, s, a = simulate(500, np.random.default_rng(0))
    table = bootstrap(y, s, a, n_resamples=100, attribute="Smiling", model="baseline")
    assert tuple(table.columns) == COLUMNS
    assert list(table["metric"]) == list(METRICS)
    assert (table["attribute"] == "Smiling").all()
    assert (table["model"] == "baseline").all()
    assert (table["n"] == 500).all()
    assert (table["n_positive"] == y.sum()).all()
    assert (table["seeds"] == 1).all()
    assert (table["low"] < table["high"]).all()
    noted = table["note"] == "threshold calibrated on these images"
    assert list(table["metric"][noted]) == ["DEO", "BA"]
    assert table.equals(bootstrap(y, s, a, n_resamples=100, attribute="Smiling", model="baseline"))
    assert not table.equals(
        bootstrap(y, s, a, n_resamples=100, attribute="Smiling", model="baseline", seed=1)
    )


def test_percentiles_and_mirrored_percentiles():
    y, s, a = simulate(800, np.random.default_rng(1))
    table = bootstrap(y, s, a, n_resamples=300, seed=3, threshold=0.5)
    drawn = resampled_metrics([RankedCells.build(y.astype(int), s, a, 0.5)], 300, 3)[0]
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    for place, metric in enumerate(("AP", "AP_balanced", "DEO", "BA")):
        expected = (max(0, -high[place], low[place]), max(high[place], -low[place]))  # DEO: folded
        expected = expected if metric == "DEO" else (low[place], high[place])
        assert row(table, metric)[["low", "high"]].astype(float).to_numpy() == pytest.approx(expected)
    kl = row(table, "KL")
    assert kl["low"] == pytest.approx(max(0, 2 * kl["value"] - high[4]))
    assert kl["high"] == pytest.approx(2 * kl["value"] - low[4])
    assert kl["corrected"] == pytest.approx(2 * kl["value"] - drawn[:, 4].mean())
    deo = row(table, "DEO")
    assert deo["corrected"] == pytest.approx(np.sqrt(max(0, deo["value"] ** 2 - drawn[:, 2].var())))


def test_intervals_shrink_with_the_root_of_n():
    rng = np.random.default_rng(2)
    few, many = (bootstrap(*simulate(n, rng), n_resamples=500) for n in (1000, 16000))
    ratio = (few["high"] - few["low"]) / (many["high"] - many["low"])
    assert (ratio[:4] > 3).all()
    assert (ratio[:4] < 5.3).all()


def test_difference_is_paired():
    y, s, a = simulate(2000, np.random.default_rng(3))
    other = shifted(s, 0.2, seed=0)
    table = compare(y, {"baseline": s, "debiased": other}, a, n_resamples=300)
    for metric in METRICS:
        base, new = row(table, metric, "baseline"), row(table, metric, "debiased")
        difference = row(table, metric, "debiased - baseline")
        assert difference["value"] == pytest.approx(new["value"] - base["value"])
        width = difference["high"] - difference["low"]
        unpaired = np.hypot(base["high"] - base["low"], new["high"] - new["low"])
        assert width < 0.8 * unpaired
    assert len(table) == 3 * len(METRICS)


def test_a_model_does_not_differ_from_itself_nor_depend_on_the_others():
    y, s, a = simulate(500, np.random.default_rng(4))
    table = compare(y, {"baseline": s, "same": s.copy(), "other": shifted(s, 1, 0)}, a, n_resamples=50)
    same = table[table["model"] == "same - baseline"]
    assert (same[["value", "low", "high"]] == 0).all(axis=None)
    alone = bootstrap(y, s, a, n_resamples=50, model="baseline")
    assert alone.equals(table[table["model"] == "baseline"].reset_index(drop=True))


def test_thresholds_belong_to_their_model():
    y, s, a = simulate(500, np.random.default_rng(5))
    table = compare(
        y, {"baseline": s, "debiased": s}, a, thresholds={"baseline": 0.5, "debiased": 0.7}, n_resamples=10
    )
    for model, threshold in (("baseline", 0.5), ("debiased", 0.7)):
        expected = equal_opportunity_difference(y, s > threshold, a)
        assert row(table, "DEO", model)["value"] == pytest.approx(expected)
    assert (table["note"] == "").all()


def test_several_seeds_give_the_mean():
    y, s, a = simulate(1000, np.random.default_rng(6))
    runs = np.stack([shifted(s, by, seed) for seed, by in enumerate((-0.5, 0.0, 0.5, 1.0))])
    thresholds = np.array([0.4, 0.5, 0.6, 0.7])
    table = bootstrap(y, runs, a, threshold=thresholds, n_resamples=400)
    singles = [
        bootstrap(y, run, a, threshold=t, n_resamples=2) for run, t in zip(runs, thresholds, strict=True)
    ]
    np.testing.assert_allclose(table["value"], np.mean([single["value"] for single in singles], axis=0))
    assert (table["seeds"] == 4).all()


def test_interval_covers_the_spread_over_seeds():
    """With many images only the seeds vary, and the interval is Student's t."""
    y, s, a = simulate(20_000, np.random.default_rng(6))
    rng = np.random.default_rng(0)
    runs = np.stack([np.clip(s + rng.normal(scale=noise, size=s.shape), 0, 1) for noise in (0, 0.1, 0.2)])
    ap = [average_precision(y, run) for run in runs]
    half = stats.t.ppf(0.975, 2) * np.std(ap, ddof=1) / np.sqrt(3)
    interval = row(bootstrap(y, runs, a, threshold=0.5, n_resamples=1000), "AP")[["low", "high"]]
    np.testing.assert_allclose(
        interval.astype(float), [np.mean(ap) - half, min(1, np.mean(ap) + half)], atol=0.01
    )


def test_no_interval_leaves_the_range_of_its_metric():
    y, s, a = simulate(200, np.random.default_rng(8))
    table = bootstrap(y, np.stack([s, 1 - s]), a, threshold=0.5, n_resamples=200).set_index("metric")
    assert (table.loc["AP", "low"], table.loc["AP", "high"]) == (0, 1)
    assert table.loc["BA", "low"] >= -1
    differing = compare(y, {"baseline": np.stack([s, s]), "other": np.stack([s, 1 - s])}, a, n_resamples=200)
    assert row(differing, "AP", "other - baseline")["low"] < -1


def test_seeds_are_paired_by_row():
    """Every run of the second model is its partner run exactly, so nothing differs on any resample."""
    y, s, a = simulate(400, np.random.default_rng(7))
    runs = np.stack([shifted(s, by, seed) for seed, by in enumerate((-1.0, 0.0, 1.0))])
    table = compare(y, {"baseline": runs, "debiased": runs}, a, n_resamples=50)
    assert (table[table["model"] == "debiased - baseline"][["low", "high"]] == 0).all(axis=None)
    crossed = compare(y, {"baseline": runs, "debiased": runs[::-1]}, a, n_resamples=50)
    differences = crossed[crossed["model"] == "debiased - baseline"]
    np.testing.assert_allclose(differences["value"], 0, atol=1e-12)
    assert (differences["high"] > 0).all()


def test_missing_group_is_nan_with_a_note_and_shifts_nothing_else():
    y, s, a = simulate(1000, np.random.default_rng(8))
    kept = (y == 0) | (a == 0)
    y, s, a = y[kept], s[kept], a[kept]
    with pytest.warns(UndefinedMetricWarning) as caught:
        table = bootstrap(y, s, a, n_resamples=100, threshold=0.5, groups=("not Male", "Male"))
    assert {str(warning.message) for warning in caught} == {
        f"{metric} is undefined: 0 positives in Male." for metric in ("AP_balanced", "DEO", "KL")
    }
    for metric in ("AP_balanced", "DEO", "KL"):
        assert np.isnan(row(table, metric)[["value", "low", "high"]].astype(float)).all()
        assert row(table, metric)["note"] == "0 positives in Male"
    for metric, value in (("AP", average_precision(y, s, a)), ("BA", bias_amplification(y, s > 0.5, a))):
        assert row(table, metric)["value"] == pytest.approx(value)
        assert row(table, metric)["low"] < value < row(table, metric)["high"]
        assert row(table, metric)["note"] == ""


def test_rare_group_is_missing_in_some_resamples_which_the_note_counts():
    y, s, a = simulate(300, np.random.default_rng(9))
    rare = np.flatnonzero((y == 1) & (a == 1))
    kept = np.setdiff1d(np.arange(300), rare[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = bootstrap(y[kept], s[kept], a[kept], n_resamples=1000, threshold=0.5)
    # One image of n is missing from a share (1 - 1/n)^n = 1/e of the resamples.
    undefined = int(row(table, "DEO")["note"].split()[0])
    assert row(table, "DEO")["note"] == f"{undefined} of 1000 resamples undefined"
    assert 300 < undefined < 440
    assert np.isfinite(row(table, "DEO")[["value", "low", "high"]].astype(float)).all()
    assert row(table, "AP")["note"] == ""


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_only_is_all_undefined_but_deo(label):
    s, a = np.linspace(0, 1, 40), np.tile([0, 1], 20)
    with pytest.warns(UndefinedMetricWarning):
        table = bootstrap(np.full(40, label), s, a, n_resamples=20)
    undefined = table["value"].isna()
    assert set(table["metric"][undefined]) == {"AP", "AP_balanced", "BA", "KL"} | (
        {"DEO"} if label == 0 else set()
    )
    assert (table["note"][undefined].str.startswith("0 ")).all()


def test_misuse_is_one_sentence():
    y, s, a = simulate(20, np.random.default_rng(10))
    with pytest.raises(UserError, match="no scores of the baseline 'baseline'; did you mean 'Baselin'"):
        compare(y, {"Baselin": s}, a)
    with pytest.raises(UserError, match=r"numbers of seeds differ: \{'baseline': 1, 'debiased': 2\}"):
        compare(y, {"baseline": s, "debiased": np.stack([s, s])}, a)
    with pytest.raises(UserError, match="no threshold for 'debiased'; thresholds are given for baseline"):
        compare(y, {"baseline": s, "debiased": s}, a, thresholds={"baseline": 0.5})
    with pytest.raises(UserError, match="one for each of 1 training seeds"):
        bootstrap(y, s, a, threshold=[0.5, 0.5])
    with pytest.raises(UserError, match="one finite number"):
        bootstrap(y, s, a, threshold=np.nan)
    with pytest.raises(UserError, match=r"scores of 'model' must have shape \(20,\) or \(seeds, 20\)"):
        bootstrap(y, np.zeros((2, 2, 20)), a)
    with pytest.raises(UserError, match=r"scores of 'model' must have shape \(20,\)"):
        bootstrap(y, s[:5], a)
    with pytest.raises(UserError, match="scores of 'model' must lie between 0 and 1"):
        bootstrap(y, 2 * s, a)
    with pytest.raises(UserError, match="scores of 'model' must be numbers"):
        bootstrap(y, [[0.1], [0.2, 0.3]], a)
    with pytest.raises(UserError, match="the threshold of 'model' must be numbers"):
        bootstrap(y, s, a, threshold="half")
    with pytest.raises(UserError, match="no scores to compare"):
        compare(y, {}, a)
    with pytest.raises(UserError, match="at least 1, not 0"):
        bootstrap(y, s, a, n_resamples=0)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Of 95% intervals from 400 samples of a known population, 92% to 97% contain its metrics."""
    rng = np.random.default_rng(11)
    n_samples, n = 400, 3000
    truth = bootstrap(*simulate(4_000_000, rng), threshold=0.5, n_resamples=1)["value"].to_numpy()
    covered = np.zeros(len(METRICS))
    for sample in range(n_samples):
        table = bootstrap(*simulate(n, rng), threshold=0.5, n_resamples=300, seed=sample)
        covered += (table["low"] <= truth) & (truth <= table["high"])
    share = dict(zip(METRICS, covered / n_samples, strict=True))
    print("coverage of 95% intervals:", share)
    for metric in ("AP", "AP_balanced", "DEO", "BA"):
        assert 0.92 <= share[metric] <= 0.975, (metric, share[metric])
    # Mirrored intervals of KL are too wide rather than too narrow in small samples.
    assert share["KL"] >= 0.92


def test_stratified_resamples_keep_the_counts_of_every_cell():
    rng = np.random.default_rng(0)
    y, s, a = simulate(300, rng)
    ranked = RankedCells.build(y, s, a, 0.5)
    strata = np.split(ranked.order, ranked.ends[:-1, 0])
    for counts in resample_counts(strata, 20, np.random.default_rng(1)):
        for images in strata:
            assert (counts[:, images].sum(axis=1) == len(images)).all()
            assert len({(y[i], a[i]) for i in images}) == 1


def test_stratified_intervals_leave_out_the_chance_in_the_counts():
    y, s, a = simulate(500, np.random.default_rng(0))
    free, fixed = (
        bootstrap(y, s, a, threshold=0.5, n_resamples=400, stratified=stratified).set_index("metric")
        for stratified in (False, True)
    )
    assert (free["value"] == fixed["value"]).all()
    width = {name: table["high"] - table["low"] for name, table in (("free", free), ("fixed", fixed))}
    assert width["fixed"]["AP"] < width["free"]["AP"]
