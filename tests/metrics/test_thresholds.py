"""Thresholds: the published ones, and what they are meant to achieve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import f1_score

from fairlab.core.errors import UserError
from fairlab.metrics import best_f1_threshold, calibrated_threshold

from .examples import predictions


def test_published_numbers(reference):
    (y, s, _), expected = reference
    assert calibrated_threshold(y, s) == pytest.approx(expected["calibrated_threshold"], rel=0, abs=1e-9)
    assert best_f1_threshold(y, s) == pytest.approx(expected["f1_threshold"], rel=0, abs=1e-9)
    assert f1_score(y, s > best_f1_threshold(y, s)) == pytest.approx(expected["best_f1"], rel=0, abs=1e-9)


@given(predictions())
def test_calibrated_threshold_is_the_score_at_which_the_numbers_meet(example):
    y, s, _ = example
    threshold = calibrated_threshold(y, s)
    assert threshold in s
    assert (s > threshold).sum() < y.sum() <= (s >= threshold).sum()


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
