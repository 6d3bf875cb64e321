"""AUC by group: scikit-learn's value, DeLong's variance by hand, coverage, and what is undefined."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from fairlab.core.errors import UserError
from fairlab.metrics import UndefinedMetricWarning, auc_by_group
from fairlab.metrics.groups.auc import _newcombe, _ranking


def made_up(n=400, seed=0, digits=2):
    rng = np.random.default_rng(seed)
    y, a = rng.integers(0, 2, n), rng.choice(["f", "m"], n)
    return y, np.clip(0.4 + 0.2 * y + 0.2 * rng.normal(size=n), 0, 1).round(digits), a, rng.random(n)


def row(table, group, model="m"):
    return table.set_index(["model", "group"]).loc[(model, group)]


@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_those_of_scikit_learn(weighted):
    y, s, a, weights = made_up()
    w = weights if weighted else None
    table = auc_by_group(y, {"m": s, "other": 1 - s}, pd.DataFrame({"gender": a}), sample_weight=w)
    for group, mask in {"all": a != "", "gender = f": a == "f", "gender = m": a == "m"}.items():
        expected = roc_auc_score(y[mask], s[mask], sample_weight=None if w is None else w[mask])
        found = row(table, group)
        assert found["value"] == pytest.approx(expected, abs=1e-12)
        assert found["low"] < expected < found["high"]
        assert (found["n"], found["n_positive"]) == (mask.sum(), y[mask].sum())
        assert row(table, group, "other - m")["value"] == pytest.approx(1 - 2 * expected, abs=1e-12)


def test_the_variance_is_that_of_delong():
    y, s, _, _ = made_up(60)
    up, down = s[y == 1], s[y == 0]
    wins = (up[:, None] > down) + 0.5 * (up[:, None] == down)  # every pair
    error = math.sqrt(wins.mean(axis=1).var(ddof=1) / len(up) + wins.mean(axis=0).var(ddof=1) / len(down))
    assert 1.96 < _ranking(y, s, None).half_width / error < 2.1  # Student's t of some fifty degrees


def test_a_weight_of_zero_is_no_row_and_equal_weights_are_none():
    y, s, a, _ = made_up()
    w = (np.arange(len(y)) % 3 > 0).astype(float)
    kept = w > 0
    weighted = auc_by_group(y, {"m": s}, a, sample_weight=7 * w)
    plain = auc_by_group(y[kept], {"m": s[kept]}, a[kept])
    pd.testing.assert_frame_equal(weighted[["value", "low", "high"]], plain[["value", "low", "high"]])


def test_intervals_of_few_good_scores_hold_the_truth():
    rng = np.random.default_rng(1)
    truth, shift, hits = 0.9, norm.ppf(0.9) * math.sqrt(2), 0
    y = np.repeat([1, 0], [15, 40])
    for _ in range(400):
        scores = norm.cdf(rng.normal(size=55) + shift * y)
        low, high = row(auc_by_group(y, {"m": scores}, np.zeros(55)), "all")[["low", "high"]]
        hits += low <= truth <= high
    assert 0.92 <= hits / 400 <= 0.99


def test_a_perfect_ranking_is_not_taken_for_certainty():
    table = auc_by_group([1, 1, 1, 0, 0, 0, 0], {"m": [0.9, 0.8, 0.7, 0.3, 0.2, 0.2, 0.1]}, ["f"] * 7)
    found = row(table, "all")
    assert (found["value"], found["high"]) == (1, 1)
    assert 0.4 < found["low"] < 0.9
    assert "Newcombe" in found["note"]
    low, high = _newcombe(0.0, 3.0, 4.0)
    assert (low, high) == (0, pytest.approx(1 - found["low"]))


def test_a_group_without_positives_is_undefined():
    with pytest.warns(UndefinedMetricWarning, match="0 positives in g"):
        table = auc_by_group([1, 0, 0, 0], {"m": [0.9, 0.1, 0.2, 0.3]}, ["f", "f", "g", "g"])
    assert math.isnan(row(table, "g")["value"])
    assert row(table, "g")["note"] == "0 positives in g"


def test_a_model_differs_from_itself_by_nothing():
    y, s, a, _ = made_up()
    table = auc_by_group(y, {"m": s, "again": s}, a)
    changes = table[table["model"] == "again - m"]
    assert (changes[["value", "low", "high"]] == 0).all(axis=None)


def test_arrays_of_different_length():
    with pytest.raises(UserError, match="2 labels, but there are 3 protected values"):
        auc_by_group([0, 1], {"m": [0.1, 0.2]}, ["a", "b", "a"])
