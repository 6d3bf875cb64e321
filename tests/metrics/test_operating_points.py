"""Operating points: the numbers of other libraries and plain loops, and the bootstrap of `compare`."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from fairlab.core.errors import UserError
from fairlab.metrics import (
    UndefinedMetricWarning,
    at_threshold,
    calibrated_threshold,
    compare,
    threshold_curves,
)
from fairlab.metrics.spec import METRICS
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.two_groups.operating_points import _values
from fairlab.metrics.two_groups.ranked_cells import RankedCells, resampled_metrics

from .examples import plain_metrics, predictions, simulate

NAMES = ("not Male", "Male")


def value(table, metric, model="m", group="all", column="value"):
    rows = table[(table["metric"] == metric) & (table["model"] == model) & (table["group"] == group)]
    assert len(rows) == 1
    return rows.iloc[0][column]


def five(table, model="m", groups=NAMES):
    return [
        value(table, "accuracy", model),
        *(value(table, "FNR", model, group) for group in groups),
        value(table, "DEO", model),
        value(table, "BA", model),
    ]


def plain(y, s, a, threshold):
    """The same five from scikit-learn, fairlearn and the plain definitions."""
    flagged = (s > threshold).astype(int)
    frame = MetricFrame(metrics=false_negative_rate, y_true=y, y_pred=flagged, sensitive_features=a)
    gap, amplified = plain_metrics(y, s, a, threshold)[2:4]
    return [accuracy_score(y, flagged), *frame.by_group.sort_index(), gap, amplified]


def two_models(n, seed):
    y, s, a = simulate(n, np.random.default_rng(seed))
    noise = np.random.default_rng(seed + 1).normal(scale=0.8, size=n)
    other = 1 / (1 + np.exp(-(np.log(s / (1 - s)) - 0.5 * a + noise)))
    return y, {"baseline": s, "debiased": other}, a


@settings(max_examples=60)
@given(predictions(), st.floats(0, 1))
def test_values_are_those_of_other_libraries(example, threshold):
    y, s, a = example
    table = at_threshold(y, {"m": s}, a, {"m": threshold}, n_resamples=2, groups=NAMES)
    assert five(table) == pytest.approx(plain(y, s, a, threshold), abs=1e-12)


@settings(max_examples=40)
@given(predictions())
def test_curves_are_the_values_at_every_threshold(example):
    y, s, a = example
    grid = np.concatenate([[0.0, 0.5, 1.0], s[:5]])  # at a score itself, that score is not above
    curves = threshold_curves(y, s, a, grid)
    assert list(curves) == ["threshold", "accuracy", "FNR_0", "FNR_1", "DEO", "BA"]
    for row in curves.itertuples(index=False):
        assert list(row)[1:] == pytest.approx(plain(y, s, a, row.threshold), abs=1e-12)


@given(predictions(), st.integers(0, 1000))
def test_the_order_of_the_images_does_not_matter(example, seed):
    order = np.random.default_rng(seed).permutation(len(example.y))
    y, s, a = (part[order] for part in example)
    one = at_threshold(example.y, {"m": example.s}, example.a, {"m": 0.5}, n_resamples=20)
    pd.testing.assert_frame_equal(one, at_threshold(y, {"m": s}, a, {"m": 0.5}, n_resamples=20))
    grid = np.linspace(0, 1, 11)
    pd.testing.assert_frame_equal(
        threshold_curves(example.y, example.s, example.a, grid), threshold_curves(y, s, a, grid)
    )


@given(predictions(), st.floats(0, 1))
def test_swapping_the_groups_swaps_their_rows_only(example, threshold):
    y, s, a = example
    one = five(at_threshold(y, {"m": s}, a, {"m": threshold}, n_resamples=2, groups=NAMES))
    other = five(at_threshold(y, {"m": s}, 1 - a, {"m": threshold}, n_resamples=2, groups=NAMES))
    assert one == pytest.approx([other[index] for index in (0, 2, 1, 3, 4)], abs=1e-12)


@given(predictions())
def test_a_higher_threshold_misses_no_fewer(example):
    y, s, a = example
    curves = threshold_curves(y, s, a, np.linspace(0, 1, 31))
    assert (curves[["FNR_0", "FNR_1"]].diff().iloc[1:] >= -1e-12).all(axis=None)
    assert (curves[["FNR_0", "FNR_1"]].iloc[-1] == 1).all()


def test_a_difference_is_that_of_the_values_and_zero_between_equal_models():
    y, scores, a = two_models(400, 0)
    table = at_threshold(y, {**scores, "same": scores["baseline"]}, a, dict.fromkeys([*scores, "same"], 0.4))
    groups = ("group 0", "group 1")
    expected = np.subtract(five(table, "debiased", groups), five(table, "baseline", groups))
    assert five(table, "debiased - baseline", groups) == pytest.approx(list(expected))
    nothing = table[table["model"] == "same - baseline"]
    assert (nothing[["value", "low", "high"]] == 0).all(axis=None)


def test_table_has_the_columns_of_compare_and_counts_what_a_row_is_measured_on():
    y, scores, a = two_models(400, 1)
    table = at_threshold(
        y, scores, a, dict.fromkeys(scores, 0.5), n_resamples=50, attribute="Smiling", groups=NAMES
    )
    assert tuple(table) == COLUMNS
    assert list(dict.fromkeys(table["model"])) == ["baseline", "debiased", "debiased - baseline"]
    assert set(table["attribute"]) == {"Smiling"}
    assert value(table, "accuracy", "baseline", column="n") == 400
    assert value(table, "FNR", "baseline", "Male", "n") == (a == 1).sum()
    assert value(table, "FNR", "baseline", "Male", "n_positive") == ((a == 1) & (y == 1)).sum()
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


@pytest.mark.parametrize("n", [300, 3000])
def test_the_multinomial_bootstrap_is_the_bootstrap_of_images(n):
    """Same mean, spread and quantiles as drawing image after image, for each model and their difference."""
    y, scores, a = two_models(n, 2)
    thresholds = {name: calibrated_threshold(y, s) for name, s in scores.items()}
    flagged = np.stack([scores[name] > thresholds[name] for name in scores])
    cells = _values(y.astype(int), a.astype(int), flagged, 4000, 5)[:, 1:, 3:]  # DEO and BA
    ranked = [
        RankedCells.build(y.astype(int), scores[name], a.astype(int), thresholds[name]) for name in scores
    ]
    images = resampled_metrics(ranked, 4000, 6)[..., [list(METRICS).index(name) for name in ("DEO", "BA")]]
    for one, other in ((cells, images), (np.diff(cells, axis=0), np.diff(images, axis=0))):
        spread = other.std(axis=1)
        assert one.std(axis=1) == pytest.approx(spread, rel=0.06)
        for q in (0.025, 0.5, 0.975):
            apart = np.quantile(one, q, axis=1) - np.quantile(other, q, axis=1)
            assert (np.abs(apart) < 0.15 * spread).all()


def test_intervals_are_those_of_compare():
    y, scores, a = two_models(2000, 3)
    thresholds = {"baseline": 0.4, "debiased": 0.45}
    ours = at_threshold(y, scores, a, thresholds, n_resamples=4000, seed=1)
    theirs = compare(y, scores, a, thresholds=thresholds, n_resamples=4000, seed=2)
    for model in ("baseline", "debiased", "debiased - baseline"):
        for metric in ("DEO", "BA"):
            expected = [value(theirs, metric, model, column=c) for c in ("value", "low", "high")]
            width = expected[2] - expected[1]
            found = [value(ours, metric, model, column=c) for c in ("value", "low", "high")]
            assert found == pytest.approx(expected, abs=0.06 * width)


def test_a_group_without_positives_is_named_and_leaves_the_other_alone():
    y, a = np.array([1, 1, 0, 0, 0, 0]), np.array([0, 0, 0, 1, 1, 1])
    scores = {"m": np.array([0.9, 0.2, 0.1, 0.1, 0.8, 0.3])}
    with pytest.warns(UndefinedMetricWarning) as given_warnings:
        table = at_threshold(y, scores, a, {"m": 0.5}, groups=NAMES)
    assert sorted(str(warning.message) for warning in given_warnings) == [
        "DEO is undefined: 0 positives in Male.",
        "FNR of Male is undefined: 0 positives in Male.",
    ]
    assert all(warning.filename == __file__ for warning in given_warnings)
    assert np.isnan(value(table, "FNR", group="Male"))
    assert np.isnan(value(table, "DEO"))
    assert value(table, "DEO", column="note") == "0 positives in Male"
    assert value(table, "FNR", group="not Male") == 0.5
    assert value(table, "FNR", group="not Male", column="low") <= 0.5
    with pytest.warns(UndefinedMetricWarning):
        curves = threshold_curves(y, scores["m"], a, [0.5])
    assert curves[["FNR_1", "DEO"]].isna().all(axis=None)
    assert curves["FNR_0"].tolist() == [0.5]


def test_resamples_without_positives_are_skipped_and_counted():
    y, a = np.array([1, 1, 0, 0, 1, 0]), np.array([0, 0, 0, 1, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = at_threshold(y, {"m": np.linspace(0, 1, 6)}, a, {"m": 0.5}, groups=NAMES)
    assert "of 1000 resamples undefined" in value(table, "FNR", group="Male", column="note")
    skipped = int(value(table, "FNR", group="Male", column="note").split()[0])
    assert skipped == pytest.approx(1000 * (5 / 6) ** 6, abs=60)
    assert value(table, "accuracy", column="note") == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {}}, "no scores"),
        ({"thresholds": {}}, "no threshold for 'm'"),
        ({"thresholds": {"m": np.nan}}, "must be one finite number"),
        ({"thresholds": {"m": [0.1, 0.2]}}, "must be one finite number"),
        ({"scores": {"m": [0.1, 0.2]}}, r"scores of 'm' must have shape \(4,\)"),
        ({"scores": {"m": [0.1, 0.2, 3.0, 0.4]}}, "between 0 and 1"),
        ({"protected": [0, 1, 2, 0]}, "protected must hold only 0 and 1"),
        ({"n_resamples": 0}, "n_resamples must be at least 1"),
    ],
)
def test_mistakes_are_named(change, message):
    given_arguments = {
        "y_true": [0, 1, 0, 1],
        "scores": {"m": [0.1, 0.2, 0.3, 0.4]},
        "protected": [0, 0, 1, 1],
        "thresholds": {"m": 0.5},
    }
    with pytest.raises(UserError, match=message):
        at_threshold(**(given_arguments | change))


def test_a_grid_of_another_shape_is_refused():
    with pytest.raises(UserError, match="grid must hold finite thresholds"):
        threshold_curves([0, 1], [0.1, 0.2], [0, 1], [[0.1]])
