import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.core.estimate import NATS, POINTS, Estimate, number
from fairlab.figures.tables import Change, changes, comparison, group_counts
from fairlab.metrics.spec import METRICS

from ..lab.examples import CLEAR, tidy

fractions = st.floats(-1, 1, allow_nan=False)


def change(metric: str, before: float, after: float, low: float, high: float) -> Change:
    ends = ((value - 0.001, value + 0.001) for value in (before, after))
    first, second = (Estimate(v, *e) for v, e in zip((before, after), ends, strict=True))
    return Change(metric, "Smiling", first, second, Estimate(after - before, low, high), 100, 50)


def test_numbers_print_in_their_units_with_a_true_minus_and_no_negative_zero():
    assert number(-0.1013, POINTS) == "\N{MINUS SIGN}10.1"
    assert number(0.07, POINTS) == "+7.0"
    assert number(-0.0001, POINTS) == "0.0"
    assert number(1.316, NATS) == "1.32"
    assert number(math.nan, NATS) == "n/a"


@pytest.mark.parametrize(
    ("metric", "numbers", "verdict"),
    [
        ("AP", (0.90, 0.92, 0.01, 0.03), "better"),
        ("AP", (0.92, 0.90, -0.03, -0.01), "worse"),
        ("AP", (0.92, 0.90, -0.03, 0.01), "no clear change"),
        ("DEO", (0.2, 0.1, -0.15, -0.05), "better"),
        ("DEO", (0.1, 0.2, 0.05, 0.15), "worse"),
        ("DEO", (0.2, 0.1, -0.25, 0.0), "no clear change"),
        ("BA", (-0.01, -0.03, -0.03, -0.01), "worse"),
        ("BA", (0.02, -0.02, -0.05, -0.03), "sign changed"),
        ("DEO", (0.2, math.nan, -0.15, -0.05), "undefined"),
        ("DEO", (0.2, 0.1, math.nan, math.nan), "no clear change"),
    ],
)
def test_verdicts(metric: str, numbers: tuple[float, float, float, float], verdict: str):
    assert change(metric, *numbers).verdict == verdict


@given(
    before=fractions, after=fractions, low=fractions, high=fractions, metric=st.sampled_from(list(METRICS))
)
def test_nothing_is_called_a_change_when_the_interval_holds_zero(before, after, low, high, metric):
    low, high = min(low, 0.0), max(high, 0.0)
    assert change(metric, before, after, low, high).verdict == "no clear change"


def test_undefined_estimates_say_why():
    assert str(Estimate(math.nan, note="0 positives in Male")) == "n/a (0 positives in Male)"
    assert str(Estimate(math.nan)) == "n/a"


def test_comparison_reads_like_the_issue_asks():
    rows = comparison(tidy()).set_index("metric")
    deo = rows.loc[METRICS["DEO"].label]
    assert deo["baseline"] == "21.3 [17.1, 25.5]"
    assert deo["paired difference"] == "\N{MINUS SIGN}10.1 [\N{MINUS SIGN}13.9, \N{MINUS SIGN}6.2]"
    assert (deo["verdict"], deo["images"], deo["positives"]) == ("better", 2000, 968)


def test_notes_on_defined_numbers_reach_the_reader():
    table = tidy().assign(note="37 of 1000 resamples undefined")
    assert set(comparison(table)["notes"]) == {"37 of 1000 resamples undefined"}


def test_rows_of_other_models_or_metrics_do_not_disturb_the_comparison():
    other = tidy().assign(model="ablation")
    unknown = tidy().assign(metric="ECE")
    pd.testing.assert_frame_equal(comparison(pd.concat([tidy(), other, unknown])), comparison(tidy()))


def test_a_missing_difference_is_undefined_rather_than_zero():
    table = tidy()
    (first, *_) = changes(table[table["model"] != "debiased - baseline"], "Smiling")
    assert first.verdict == "undefined"
    assert first.difference.note == "not measured"


def test_a_misspelt_attribute_and_a_table_without_the_whole_set_are_user_errors():
    with pytest.raises(UserError, match="did you mean 'Smiling'"):
        changes(tidy(), "Smilling")
    with pytest.raises(UserError, match="no rows of Smiling"):
        changes(tidy().assign(group="Male"), "Smiling")


def test_group_counts_count_each_group():
    counted = group_counts(np.array([1, 0, 1, 1]), np.array([0, 0, 1, 1]), "Wearing_Hat")
    assert counted == {"not Wearing Hat": (2, 1), "Wearing Hat": (2, 2)}


def test_the_example_is_complete():
    assert set(CLEAR) == set(METRICS)
