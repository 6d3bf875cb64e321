"""Rates against a reference group: pandas, Newcombe's example, coverage, and what is undefined."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.core.estimate import Estimate
from fairlab.metrics import Groups, UndefinedMetricWarning, against_reference, group_metrics
from fairlab.metrics.groups.reference import difference_interval, ratio_interval
from fairlab.metrics.intervals.proportion import proportion

shares = st.tuples(st.integers(1, 30), st.integers(0, 30)).map(lambda k: proportion(k[0], sum(k)))


@pytest.fixture(scope="module")
def measured():
    """Return a table of rates, the frame behind it, and its groups."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"gender": rng.choice(["f", "m"], 900), "race": rng.choice(list("abc"), 900)})
    frame["y"] = rng.integers(0, 2, 900)
    frame["p"] = (rng.random(900) < 0.3 + 0.3 * frame["y"] + 0.1 * (frame["gender"] == "m")).astype(int)
    groups = Groups.of(frame[["gender", "race"]])
    return group_metrics(frame["y"], frame["p"], groups, n_resamples=50), frame, groups


def test_values_are_quotients_and_differences_of_groups(measured):
    table, frame, groups = measured
    found = against_reference(table, groups, {"race": "race = b"}).set_index(["metric", "group"])
    missed = 1 - frame[frame["y"] == 1].groupby("race")["p"].mean()
    row = found.loc[("FNR ratio", "race = a / race = b")]
    assert row["value"] == pytest.approx(missed["a"] / missed["b"])
    assert row["low"] < row["value"] < row["high"]
    assert row["n"] == frame["race"].isin(["a", "b"]).sum()
    difference = found.loc[("FNR difference", "race = c - race = b"), "value"]
    assert difference == pytest.approx(missed["c"] - missed["b"])
    assert {group for _, group in found.index if "gender" in group} == set()
    assert not any("ECE" in metric for metric, _ in found.index)


def test_intersections_have_references_of_their_own(measured):
    table, _, groups = measured
    reference = "gender = m & race = a"
    found = against_reference(table, groups, {"gender & race": reference})
    assert found["group"].nunique() == 2 * 5  # five other groups, as quotient and as difference
    assert found["group"].str.endswith(reference).all()


def test_the_interval_of_a_difference_is_newcombes():
    low, high = difference_interval(proportion(56, 70), proportion(48, 80))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)  # Statistics in Medicine 1998, example (a)


@given(shares, shares)
def test_a_quotient_turned_round_has_the_interval_turned_round(one, two):
    (low, high), (turned_low, turned_high) = ratio_interval(one, two), ratio_interval(two, one)
    assert low <= one.value / two.value * (1 + 1e-9)
    assert turned_high == pytest.approx(1 / low if low else math.inf)
    assert turned_low == pytest.approx(1 / high)


def test_intervals_of_quotients_hold_the_truth():
    rng = np.random.default_rng(0)
    counts = rng.binomial((60, 150), (0.05, 0.1), size=(600, 2))
    hits = 0
    for few, more in counts:
        low, high = ratio_interval(proportion(int(few), 60), proportion(int(more), 150))
        hits += low <= 0.5 <= high
    assert 0.92 < hits / 600 < 0.985


def test_a_quotient_by_zero_is_undefined_and_says_why():
    groups = Groups.of({"g": ["a", "a", "b", "b", "c"]})
    with pytest.warns(UndefinedMetricWarning):
        table = group_metrics([1, 1, 1, 0, 0], [0, 1, 1, 0, 0], groups, n_resamples=20)
    found = against_reference(table, groups, {"g": "g = b"}).set_index(["metric", "group"])
    row = found.loc[("FNR ratio", "g = a / g = b")]
    assert math.isnan(row["value"])
    assert row["note"] == "FNR is 0 in g = b"
    assert found.loc[("FNR difference", "g = a - g = b"), "value"] == 0.5
    absent = found.loc[("TPR difference", "g = c - g = b")]
    assert math.isnan(absent["value"])
    assert absent["note"] == "0 positives in g = c"


def test_a_reference_that_may_be_zero_leaves_no_upper_end():
    low, high = ratio_interval(Estimate(0.5, 0.4, 0.6), Estimate(0.01, 0.0, 0.1))
    assert low > 0
    assert high == math.inf


@pytest.mark.parametrize(
    ("references", "sentence"),
    [
        ({"gende": "x"}, "no groups by 'gende'; did you mean 'gender'"),
        ({"race": "race = d"}, "is no group by race"),
    ],
)
def test_references_that_are_none(measured, references, sentence):
    table, _, groups = measured
    with pytest.raises(UserError, match=sentence):
        against_reference(table, groups, references)
