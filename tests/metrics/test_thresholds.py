"""Thresholds: the published ones, and what they are meant to achieve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import f1_score

from fairlab.core.errors import UserError
from fairlab.metrics import best_f1_threshold, bootstrap, calibrate, calibrated_threshold

from .examples import predictions


def test_published_numbers(reference):
    (y, s, _), expected = reference
    published = calibrated_threshold(y, s, published=True)
    assert published == pytest.approx(expected["calibrated_threshold"], rel=0, abs=1e-9)
    assert best_f1_threshold(y, s) == pytest.approx(expected["f1_threshold"], rel=0, abs=1e-9)
    assert f1_score(y, s > best_f1_threshold(y, s)) == pytest.approx(expected["best_f1"], rel=0, abs=1e-9)


@given(predictions())
def test_calibrated_threshold_parts_distinct_scores_where_the_numbers_are_nearest(example):
    y, s, _ = example
    threshold, flagged, positives = calibrate(y, s)
    assert (flagged, positives) == ((s > threshold).sum(), y.sum())
    assert flagged == (s.astype(np.float32) > threshold).sum() or len(set(s.astype(np.float32))) < len(set(s))
    candidates = [(s > value).sum() for value in set(s) - {s.max()}] or [0, len(s)]
    assert abs(flagged - positives) == min(abs(count - positives) for count in candidates)
    assert 0 < flagged < len(s) or len(set(s)) == 1


@given(predictions())
def test_published_threshold_is_the_score_at_which_the_numbers_meet(example):
    y, s, _ = example
    threshold = calibrated_threshold(y, s, published=True)
    assert threshold in s
    assert (s > threshold).sum() < y.sum() <= (s >= threshold).sum()


def test_hard_predictions_keep_who_is_predicted_positive_and_say_that_the_numbers_differ():
    y, predicted = np.repeat([1, 0], [604, 1396]), np.zeros(2000)
    predicted[:500], predicted[604:975] = 1, 1
    found = calibrate(y, predicted)
    assert found == (0.5, 871, 604)
    assert found.shortfall == (
        "871 are predicted positive where 604 are positive: tied scores allow no nearer number"
    )


def test_tables_say_what_a_threshold_calibrated_on_hard_predictions_reaches():
    rng = np.random.default_rng(0)
    y, a = rng.integers(0, 2, (2, 400))
    predicted = np.where(rng.random(400) < 0.3, 1, y)
    table = bootstrap(y, predicted, a, n_resamples=50).set_index("metric")
    wanted = f"{predicted.sum()} are predicted positive where {y.sum()} are positive"
    assert wanted in table.loc["DEO", "note"]
    assert wanted not in table.loc["AP", "note"]
    missed = [np.mean(predicted[(y == 1) & (a == group)] == 0) for group in (0, 1)]
    assert table.loc["DEO", "value"] == pytest.approx(abs(missed[0] - missed[1]))


@pytest.mark.parametrize(("n_positive", "flagged"), [(1, 0), (4, 6)])
def test_scores_that_are_all_the_same_predict_all_or_none_and_say_so(n_positive, flagged):
    found = calibrate([1] * n_positive + [0] * (6 - n_positive), [0.0] * 6)
    assert found.flagged == flagged == (np.zeros(6) > found.threshold).sum()
    assert found.shortfall


def test_single_precision_scores_are_parted_in_single_precision():
    s = np.array([0.7, np.nextafter(np.float32(0.7), np.float32(1))], dtype=np.float32)
    found = calibrate([0, 1], s)
    assert (s > found.threshold).tolist() == [False, True]


@settings(max_examples=30)
@given(predictions())
def test_best_f1_threshold_beats_both_grids(example):
    y, s, _ = example
    best = f1_score(y, s > best_f1_threshold(y, s))
    assert best >= max(f1_score(y, s > step / 10) for step in range(1, 10)) - 1e-12


@pytest.mark.parametrize("choose", [calibrated_threshold, best_f1_threshold])
def test_bad_input_is_one_sentence(choose):
    with pytest.raises(UserError, match="None of 3 labels is positive"):
        choose([0, 0, 0], [0.1, 0.2, 0.3])
    with pytest.raises(UserError, match="1 of 2 values do not"):
        choose([0, 1], [0.1, np.nan])
    with pytest.raises(UserError, match=r"shape \(2,\)"):
        choose([0, 1], [0.1])
