"""Metrics of groups: fairlearn and scikit-learn, bootstraps of rows, and what is undefined."""

from __future__ import annotations

import itertools
import math
import warnings

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score

from fairlab import metrics
from fairlab.core.errors import UserError
from fairlab.metrics import Groups, UndefinedMetricWarning, group_differences, group_metrics
from fairlab.metrics.spec import DISPARITIES, RATES
from fairlab.metrics.tidy import COLUMNS

RATE_ORACLES = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "selection_rate": fairlearn.selection_rate,
    "TPR": fairlearn.true_positive_rate,
    "FPR": fairlearn.false_positive_rate,
    "FNR": fairlearn.false_negative_rate,
    "PPV": precision_score,
    "FDR": lambda y, p, sample_weight: 1 - precision_score(y, p, sample_weight=sample_weight),
    "NPV": lambda y, p, sample_weight: precision_score(1 - y, 1 - p, sample_weight=sample_weight),
    "FOR": lambda y, p, sample_weight: 1 - precision_score(1 - y, 1 - p, sample_weight=sample_weight),
}
DISPARITY_ORACLES = {
    "demographic_parity_difference": fairlearn.demographic_parity_difference,
    "demographic_parity_ratio": fairlearn.demographic_parity_ratio,
    "equalized_odds_difference": fairlearn.equalized_odds_difference,
    "equal_opportunity_difference": fairlearn.equal_opportunity_difference,
}


def value(table, metric, group="all", model="model", column="value"):
    rows = table[(table["metric"] == metric) & (table["group"] == group) & (table["model"] == model)]
    assert len(rows) == 1, (metric, group, model)
    return rows.iloc[0][column]


@st.composite
def cases(draw, max_n=80):
    """Labels, predictions, weights and two protected columns; each group has both labels and predictions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    genders, races = 2, draw(st.integers(2, 4))
    every = np.array(
        [(g, r, y, p) for g in range(genders) for r in range(races) for y in (0, 1) for p in (0, 1)]
    )
    more = draw(st.integers(0, max_n))
    rows = rng.permutation(np.vstack([every, every[rng.integers(0, len(every), more)]]))
    protected = pd.DataFrame({"gender": np.array(["Female", "Male"])[rows[:, 0]], "race": rows[:, 1]})
    weights = rng.integers(1, 5, len(rows)) / 4 if draw(st.booleans()) else rng.random(len(rows)) + 0.1
    return rows[:, 2], rows[:, 3], protected, weights if draw(st.booleans()) else None


def population(n, seed):
    """Labels, predictions, and protected labels of three groups with different error rates."""
    rng = np.random.default_rng(seed)
    a = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    y = (rng.random(n) < np.array([0.3, 0.5, 0.6])[a]).astype(int)
    right = rng.random(n) < np.where(y == 1, np.array([0.9, 0.75, 0.5])[a], np.array([0.95, 0.8, 0.85])[a])
    return y, np.where(right, y, 1 - y), a


@given(cases())
@settings(max_examples=20)
def test_rates_and_disparities_are_those_of_fairlearn_and_scikit_learn(case):
    y, p, protected, weights = case
    table = group_metrics(y, p, protected, sample_weight=weights, n_resamples=0)
    both = protected["gender"] + " & race = " + protected["race"].astype(str)
    features = {"gender": protected["gender"], "race": protected["race"], "gender & race": "gender = " + both}
    for family, feature in features.items():
        for metric, oracle in DISPARITY_ORACLES.items():
            expected = oracle(y, p, sensitive_features=feature, sample_weight=weights)
            assert value(table, metric, family) == pytest.approx(expected, abs=1e-12)
        for one in feature.unique():
            group = str(one) if family == "gender & race" else f"{family} = {one}"
            mask = (feature == one).to_numpy()
            w = None if weights is None else weights[mask]
            for metric, rate in RATE_ORACLES.items():
                expected = rate(y[mask], p[mask], sample_weight=w)
                assert value(table, metric, group) == pytest.approx(expected, abs=1e-12)
            assert value(table, "accuracy", group, column="n") == mask.sum()
            assert value(table, "accuracy", group, column="n_positive") == y[mask].sum()
        frame = fairlearn.MetricFrame(
            metrics=accuracy_score,
            y_true=y,
            y_pred=p,
            sensitive_features=feature,
            sample_params=None if weights is None else {"sample_weight": weights},
        )
        assert value(table, "worst_group_accuracy", family) == pytest.approx(frame.group_min())


@given(cases())
@settings(max_examples=12)
def test_plain_functions_give_the_numbers_of_the_table(case):
    y, p, protected, weights = case
    table = group_metrics(y, p, protected, sample_weight=weights, n_resamples=0)
    for name in DISPARITIES:
        plain = getattr(metrics, name.replace("equal_opportunity", "true_positive_rate"))
        found = plain(y, p, protected, sample_weight=weights)
        assert found == pytest.approx(value(table, name, "gender & race"))
    found = metrics.balanced_accuracy(y, p, sample_weight=weights)
    assert found == pytest.approx(balanced_accuracy_score(y, p, sample_weight=weights))


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_the_order_of_rows_does_not_matter_not_even_to_intervals(case, random):
    y, p, protected, weights = case
    order = np.array(random.sample(range(len(y)), len(y)))
    shuffled = protected.iloc[order], None if weights is None else weights[order]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        table = group_metrics(y, p, protected, sample_weight=weights, n_resamples=20)
        other = group_metrics(y[order], p[order], shuffled[0], sample_weight=shuffled[1], n_resamples=20)
    pd.testing.assert_frame_equal(table, other)


def test_renaming_groups_changes_their_names_only():
    y, p, a = population(500, 0)
    plain = group_metrics(y, p, a, n_resamples=50)
    named = group_metrics(y, p, a, groups=("x", "y", "z"), n_resamples=50)
    renamed = plain.assign(group=plain["group"].replace({"group 0": "x", "group 1": "y", "group 2": "z"}))
    pd.testing.assert_frame_equal(renamed, named)
    by_value = group_metrics(y, p, a, groups={2: "z", 1: "y", 0: "x"}, n_resamples=50)
    pd.testing.assert_frame_equal(by_value, named)


def test_groups_have_readable_names():
    frame = pd.DataFrame({"gender": ["F", "M", "F"], "old": [True, False, False]})
    groups = Groups.of(frame)
    assert groups.names[:4] == ("gender = F", "gender = M", "old = False", "old = True")
    assert groups.names[4:] == (
        "gender = F & old = False",
        "gender = F & old = True",
        "gender = M & old = False",
    )
    assert list(groups.families) == ["gender", "old", "gender & old"]
    assert groups.codes.dtype.itemsize <= 4
    assert groups.mask("gender = F & old = True").tolist() == [True, False, False]
    assert Groups.of(frame, intersections=False).finest == "old"
    assert Groups.of(frame["gender"]).names == ("gender = F", "gender = M")
    assert Groups.of(np.array(["b", "a"])).names == ("a", "b")
    assert Groups.of([1.0, 0.0]).names == ("group 0", "group 1")
    assert Groups.of({"race": [3, 1]}).names == ("race = 1", "race = 3")
    assert Groups.of([1, 1], names=("not Male", "Male")).names == ("Male",)
    assert Groups.of(groups) is groups


def test_the_table_is_tidy_and_complete():
    y, p, a = population(400, 1)
    table = group_metrics(y, p, a, y_score=np.full(400, 0.5), n_resamples=10, model="m", attribute="Smiling")
    assert tuple(table.columns) == COLUMNS
    assert list(table["metric"][: len(RATES)]) == list(RATES)
    assert set(table["metric"]) == {*RATES, *DISPARITIES}
    assert (table["attribute"] == "Smiling").all()
    assert len(table) == 4 * len(RATES) + len(DISPARITIES)
    assert (table["low"] <= table["high"]).all()


@pytest.mark.parametrize("kind", ["integers", "strings"])
def test_several_classes_have_accuracy_only(kind):
    rng = np.random.default_rng(6)
    y, a = rng.integers(1, 5, 400), rng.integers(0, 3, 400)
    p = np.where(rng.random(400) < 0.6, y, rng.integers(1, 6, 400))  # class 5 is never true
    if kind == "strings":
        y, p = np.array(list("-abcde"))[y], np.array(list("-abcde"))[p]
    table = group_metrics(y, p, a, n_resamples=50, y_score=np.full(400, 0.7))
    assert set(table["metric"]) == {
        "accuracy", "balanced_accuracy", "ECE", "worst_group_accuracy", "accuracy_difference",
    }  # fmt: skip
    assert table["n_positive"].isna().all()
    by_group = [accuracy_score(y[a == g], p[a == g]) for g in range(3)]
    for g in range(3):
        recall = [np.mean(p[(a == g) & (y == c)] == c) for c in np.unique(y[a == g])]
        assert value(table, "balanced_accuracy", f"group {g}") == pytest.approx(np.mean(recall))
        assert value(table, "ECE", f"group {g}") == pytest.approx(abs(by_group[g] - 0.7))
    assert value(table, "worst_group_accuracy") == pytest.approx(min(by_group))
    assert value(table, "accuracy_difference") == pytest.approx(max(by_group) - min(by_group))
    with pytest.raises(UserError, match="needs labels 0 and 1"):
        metrics.demographic_parity_difference(y, p, a)


def test_a_class_without_images_in_a_group_is_left_out_of_the_mean_and_the_note_says_so():
    table = group_metrics(["a", "b", "c", "a"], ["a", "a", "c", "a"], [0, 0, 1, 1], n_resamples=0)
    assert value(table, "balanced_accuracy", "group 0") == 0.5
    note = value(table, "balanced_accuracy", "group 0", column="note")
    assert note == "mean without 1 of 3 classes: 0 images in group 0"


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 15, 30, 7]))
@settings(max_examples=30)
def test_calibration_error_is_the_mean_gap_of_bins(seed, steps):
    rng = np.random.default_rng(seed)
    s, a = rng.random(100), rng.integers(0, 2, 100)
    s = s if steps is None else np.round(s * steps) / steps
    y = (rng.random(100) < s**2).astype(int)
    found = {"all": np.full(100, True), "group 0": a == 0, "group 1": a == 1}
    table = group_metrics(y, s > 0.5, a, y_score=s, n_resamples=0)
    for group, mask in found.items():
        expected = 0.0
        for b in range(15):
            inside = mask & (np.minimum(np.floor(s * 15), 14) == b)
            if inside.any():
                expected += inside.sum() / mask.sum() * abs(y[inside].mean() - s[inside].mean())
        assert value(table, "ECE", group) == pytest.approx(expected, abs=1e-12)
    assert metrics.expected_calibration_error(y, s) == pytest.approx(value(table, "ECE"), abs=1e-12)


def test_undefined_rates_are_nan_with_the_group_and_its_count():
    y, p, a = [0, 0, 1, 0, 1, 0], [0, 1, 1, 0, 0, 0], ["A", "A", "B", "B", "C", "C"]
    with pytest.warns(UndefinedMetricWarning) as caught:
        table = group_metrics(y, p, a, n_resamples=0)
    said = [str(warning.message) for warning in caught]
    assert "balanced_accuracy, TPR, FNR of 'model' undefined: 0 positives in A." in said
    assert "PPV, FDR of 'model' undefined: 0 images predicted positive in C." in said
    assert math.isnan(value(table, "TPR", "A"))
    assert value(table, "FNR", "A", column="note") == "0 positives in A"
    assert value(table, "equal_opportunity_difference") == 1  # of B and C
    note = value(table, "equal_opportunity_difference", column="note")
    assert note == "skips 1 of 3 groups: 0 positives in A"
    with pytest.warns(UndefinedMetricWarning, match="skips 1 of 3 groups: 0 positives in A"):
        assert metrics.true_positive_rate_difference(y, p, a) == 1


def test_disparities_of_one_group_and_without_predictions_are_undefined():
    with pytest.warns(UndefinedMetricWarning, match="only one group, A"):
        assert math.isnan(metrics.demographic_parity_difference([0, 1], [0, 1], ["A", "A"]))
    with pytest.warns(UndefinedMetricWarning, match="0 images predicted positive"):
        assert math.isnan(metrics.demographic_parity_ratio([0, 1], [0, 0], ["A", "B"]))
    assert metrics.worst_group_accuracy([0, 1], [0, 0], ["A", "A"]) == 0.5
    with pytest.warns(UndefinedMetricWarning, match="0 positives among all images"):
        assert math.isnan(metrics.balanced_accuracy([0, 0], [0, 1]))


def test_resamples_that_leave_a_rate_undefined_are_counted():
    table = group_metrics([1, 0, 0, 1, 0], [1, 0, 1, 0, 1], [0, 0, 0, 1, 1], n_resamples=200)
    assert "of 200 resamples undefined" in value(table, "TPR", "group 0", column="note")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"y_pred": [0, 1]}, r"predictions of 'model' must have shape \(3,\)"),
        ({"y_pred": [0.2, 0.7, 1]}, "compare scores with a threshold"),
        ({"y_pred": ["a", "b", "a"]}, "use the same labels in both"),
        ({"y_true": [0, np.nan, 1]}, "must hold labels"),
        ({"y_true": []}, "empty"),
        ({"protected": [0, 1]}, "y_true has 3 labels, but there are 2 protected values"),
        ({"protected": ["a", None, "b"]}, r"protected has missing values \(first in row 1\)"),
        ({"protected": pd.DataFrame({"race": [1.0, 2.0, np.nan]})}, "'race' has missing values"),
        ({"protected": np.zeros((3, 2))}, "pass several columns as a DataFrame"),
        ({"protected": {}}, "no protected column"),
        ({"groups": ("a", "b", "c")}, "2 groups .* but 3 names"),
        ({"groups": {0: "a"}}, "no name for the group 1"),
        ({"groups": ("a", "a")}, "Two groups have the same name"),
        ({"protected": {"a": [0, 1, 1], "b": [0, 1, 1]}, "groups": ("x", "y")}, "for one protected column"),
        ({"y_score": [0.2, 3, 0.1]}, "must lie between 0 and 1"),
        ({"sample_weight": [1, -1, 1]}, "not negative"),
        ({"n_resamples": -1}, "at least 0, not -1"),
    ],
)
def test_bad_input_is_one_sentence(change, sentence):
    arguments = {"y_true": [0, 1, 1], "y_pred": [0, 1, 0], "protected": [0, 1, 1]} | change
    with pytest.raises(UserError, match=sentence):
        group_metrics(**arguments)


def test_other_mistakes_are_one_sentence():
    with pytest.raises(UserError, match="at most 256 groups"):
        Groups.of(np.arange(300))
    with pytest.raises(UserError, match="no predictions"):
        group_differences([0, 1], {}, [0, 1])
    with pytest.raises(UserError, match="no scores of 'b'"):
        group_differences([0, 1], {"a": [0, 1], "b": [0, 1]}, [0, 1], y_scores={"a": [0, 1]})
    with pytest.raises(UserError, match="n_bins must be at least 1"):
        metrics.expected_calibration_error([0, 1], [0, 1], n_bins=0)


@pytest.mark.parametrize("seed", range(5))
def test_aif360_names_the_same_things_with_a_sign(seed):
    """By the formulas of AIF360's ClassificationMetric, unprivileged group 0 against privileged group 1."""
    every_cell = np.array(list(itertools.product((0, 1), repeat=3)))
    y, predicted, a = np.concatenate([every_cell, np.random.default_rng(seed).integers(0, 2, (60, 3))]).T
    selected = [predicted[a == g].mean() for g in (0, 1)]
    hits = [predicted[(a == g) & (y == 1)].mean() for g in (0, 1)]
    false_alarms = [predicted[(a == g) & (y == 0)].mean() for g in (0, 1)]
    statistical_parity_difference = selected[0] - selected[1]
    disparate_impact = selected[0] / selected[1]
    expected = {
        "demographic_parity_difference": abs(statistical_parity_difference),
        "demographic_parity_ratio": min(disparate_impact, 1 / disparate_impact),
        "equal_opportunity_difference": abs(hits[0] - hits[1]),
        "equalized_odds_difference": max(abs(hits[0] - hits[1]), abs(false_alarms[0] - false_alarms[1])),
    }
    found = {name: getattr(metrics, name)(y, predicted, a) for name in expected}
    assert found == pytest.approx(expected)
