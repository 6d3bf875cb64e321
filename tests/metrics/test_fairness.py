"""AP, DEO and BA: the published numbers, other libraries as oracles, undefined values, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from fairlab.core.errors import UserError
from fairlab.metrics import (
    UndefinedMetricWarning,
    average_precision,
    bias_amplification,
    calibrated_threshold,
    equal_opportunity_difference,
    group_balanced_average_precision,
    score_kl,
)

from .examples import predictions

RANKING = (average_precision, group_balanced_average_precision)
THRESHOLDED = (equal_opportunity_difference, bias_amplification)
CLOSE = {"rel": 0, "abs": 1e-9}


def every_metric(y, s, a, **options):
    """All four metrics and KL by name, predictions being scores above 0.5."""
    values = {
        metric.__name__: metric(y, s, a, **options) for metric in RANKING if metric is not average_precision
    }
    options_without_names = {k: v for k, v in options.items() if k != "groups"}
    values["average_precision"] = average_precision(y, s, a, **options_without_names)
    values |= {metric.__name__: metric(y, s > 0.5, a, **options) for metric in THRESHOLDED}
    return values | score_kl(y, s, a, **options)._asdict()


def test_published_numbers(reference):
    (y, s, a), expected = reference
    point = expected["point"]
    y_pred = s > calibrated_threshold(y, s, published=True)
    assert average_precision(y, s, a) == pytest.approx(point["ap"], **CLOSE)
    assert group_balanced_average_precision(y, s, a) == pytest.approx(point["ap_balanced"], **CLOSE)
    assert equal_opportunity_difference(y, y_pred, a) == pytest.approx(point["deo"], **CLOSE)
    assert bias_amplification(y, y_pred, a) == pytest.approx(point["ba"], **CLOSE)


@given(predictions())
def test_average_precision_is_scikit_learns(example):
    y, s, a = example
    assert average_precision(y, s, a) == pytest.approx(average_precision_score(y, s), **CLOSE)
    weights = np.array(
        [
            (y == label).sum() / (2 * ((y == label) & (a == group)).sum())
            for label, group in zip(y, a, strict=True)
        ]
    )
    expected = average_precision_score(y, s, sample_weight=weights)
    assert group_balanced_average_precision(y, s, a) == pytest.approx(expected, **CLOSE)
    for label in (0, 1):
        cells = [weights[(y == label) & (a == group)].sum() for group in (0, 1)]
        assert cells[0] == pytest.approx(cells[1])


@settings(max_examples=30)
@given(predictions())
def test_equal_opportunity_difference_is_fairlearns(example):
    y, s, a = example
    frame = MetricFrame(metrics=false_negative_rate, y_true=y, y_pred=s > 0.5, sensitive_features=a)
    difference = frame.difference(method="between_groups")
    assert equal_opportunity_difference(y, s > 0.5, a) == pytest.approx(difference, **CLOSE)


@given(predictions())
def test_bias_amplification_is_its_definition_cell_by_cell(example):
    y, s, a = example
    y_pred = s > 0.5
    terms = []
    for t in (0, 1):
        for g in (0, 1):
            joint, independent = np.mean((y == t) & (a == g)), np.mean(y == t) * np.mean(a == g)
            sign = 0.0 if np.isclose(joint, independent, rtol=0, atol=1e-12) else np.sign(joint - independent)
            terms.append(sign * (np.mean(y_pred[a == g] == t) - np.mean(y[a == g] == t)))
    assert bias_amplification(y, y_pred, a) == pytest.approx(np.mean(terms), **CLOSE)


def test_bias_amplification_has_the_right_sign():
    a = np.repeat([0, 1], 100)
    y = np.concatenate([np.arange(100) < 30, np.arange(100) < 60]).astype(int)
    stronger = np.concatenate([np.arange(100) < 10, np.arange(100) < 80])
    assert bias_amplification(y, stronger, a) == pytest.approx(0.2)
    assert bias_amplification(y, y, a) == 0.0
    assert bias_amplification(y, np.zeros_like(y), a) == pytest.approx(-0.15)


@given(predictions(), st.integers(0, 2**32 - 1))
def test_order_of_rows_does_not_matter(example, seed):
    y, s, a = example
    order = np.random.default_rng(seed).permutation(len(y))
    assert every_metric(y[order], s[order], a[order]) == pytest.approx(every_metric(y, s, a), **CLOSE)


@given(predictions())
def test_swapping_the_groups_keeps_all_but_the_direction_of_kl(example):
    y, s, a = example
    values, swapped = every_metric(y, s, a), every_metric(y, s, 1 - a)
    for sort in ("pos", "neg"):
        assert swapped.pop(f"kl_{sort}_ab") == pytest.approx(values.pop(f"kl_{sort}_ba"), **CLOSE)
        assert swapped.pop(f"kl_{sort}_ba") == pytest.approx(values.pop(f"kl_{sort}_ab"), **CLOSE)
    assert swapped == pytest.approx(values, **CLOSE)


@given(predictions(), st.integers(0, 2**32 - 1))
def test_a_weight_is_a_number_of_repetitions(example, seed):
    y, s, a = example
    counts = np.random.default_rng(seed).integers(1, 4, len(y))
    repeated = (np.repeat(values, counts) for values in example)
    weighted = every_metric(y, s, a, sample_weight=counts)
    assert weighted == pytest.approx(every_metric(*repeated), **CLOSE)
    tenth = every_metric(y, s, a, sample_weight=0.1 * counts)
    assert tenth == pytest.approx(weighted, **CLOSE)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("group", [0, 1])
def test_a_missing_cell_is_nan_and_named(reference, label, group):
    (y, s, a), _ = reference
    kept = (y != label) | (a != group)
    y, s, a = y[kept], s[kept], a[kept]
    names = ("not Male", "Male")
    missing = f"0 {('negatives', 'positives')[label]} in {names[group]}"
    with pytest.warns(UndefinedMetricWarning, match=missing):
        assert np.isnan(group_balanced_average_precision(y, s, a, groups=names))
    with pytest.warns(UndefinedMetricWarning, match=missing):
        kl = score_kl(y, s, a, groups=names)
    undefined, defined = (kl[:2], kl[2:]) if label else (kl[2:], kl[:2])
    assert np.isnan(undefined).all()
    assert np.isfinite(defined).all()
    if label:
        with pytest.warns(UndefinedMetricWarning, match=missing):
            assert np.isnan(equal_opportunity_difference(y, s > 0.5, a, groups=names))
    else:
        assert np.isfinite(equal_opportunity_difference(y, s > 0.5, a, groups=names))
    assert np.isfinite(average_precision(y, s, a))
    assert np.isfinite(bias_amplification(y, s > 0.5, a))


@pytest.mark.parametrize(("y", "missing"), [(np.zeros(6), "0 positives"), (np.ones(6), "0 negatives")])
def test_one_class_has_no_average_precision_and_no_amplification(y, missing):
    s, a = np.linspace(0, 1, 6), np.array([0, 1] * 3)
    for metric, prediction in ((average_precision, s), (bias_amplification, s > 0.5)):
        with pytest.warns(UndefinedMetricWarning, match=missing):
            assert np.isnan(metric(y, prediction, a))


def test_one_group_has_no_difference():
    y, s, a = np.array([0, 1, 1]), np.array([0.1, 0.9, 0.4]), np.zeros(3)
    for metric, missing in zip(THRESHOLDED, ("0 positives in Male", "0 images in Male"), strict=True):
        with pytest.warns(UndefinedMetricWarning, match=missing):
            assert np.isnan(metric(y, s > 0.5, a, groups=("not Male", "Male")))


BAD = [
    ({"y": [0, 1, 2]}, r"y_true must hold only 0 and 1, but 1 of 3 values do not \(first: 2 in row 2\)"),
    ({"y": [0, 1, np.nan]}, "y_true must hold only 0 and 1"),
    ({"y": [-1, 1, 1]}, "first: -1 in row 0"),
    ({"y": ["0", "1", "1"]}, "y_true must hold the numbers 0 and 1, but holds"),
    ({"y": [[0, 1, 1]]}, r"y_true must have shape \(n,\)"),
    ({"y": []}, "y_true is empty"),
    ({"a": [0, 1]}, r"protected must have shape \(3,\), one value per image, but has \(2,\)"),
    ({"a": [0, 1, 5]}, "protected must hold only 0 and 1"),
]


@pytest.mark.parametrize("metric", [*RANKING[1:], *THRESHOLDED, score_kl])
@pytest.mark.parametrize(("change", "sentence"), BAD)
def test_bad_labels_are_one_sentence(metric, change, sentence):
    arguments = {"y": [0, 1, 1], "s": [0, 1, 0], "a": [0, 1, 0]} | change
    with pytest.raises(UserError, match=sentence):
        metric(*arguments.values())


@pytest.mark.parametrize("metric", [*RANKING, score_kl])
@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ([0.1, np.nan, 0.2], r"1 of 3 values do not \(first: nan in row 1\)"),
        ([0.1, 0.3, 1.5], r"first: 1.5 in row 2\); pass probabilities, not logits"),
        ([0.1, -0.3, 0.5], "y_score must lie between 0 and 1"),
        ([0.1, 0.5], r"y_score must have shape \(3,\)"),
        (["a", "b", "c"], "y_score must be numbers"),
    ],
)
def test_bad_scores_are_one_sentence(metric, scores, sentence):
    with pytest.raises(UserError, match=sentence):
        metric([0, 1, 1], scores, [0, 1, 0])


@pytest.mark.parametrize("weights", [[1, 1], [1, -1, 1], [1, np.nan, 1], [1, np.inf, 1]])
def test_bad_weights_are_one_sentence(weights):
    with pytest.raises(UserError, match="sample_weight must"):
        average_precision([0, 1, 1], [0.1, 0.2, 0.3], sample_weight=weights)
