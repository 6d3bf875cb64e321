"""One number with its interval, as text."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from fairlab.core.estimate import NATS, PERCENT, PLAIN, POINTS, Estimate, Unit, number
from fairlab.metrics.intervals.bootstrap import estimate_of


@pytest.mark.parametrize(
    ("found", "spec", "text"),
    [
        (Estimate(0.213, 0.171, 0.255, unit=PERCENT), "", "21.3% [17.1, 25.5]"),
        (Estimate(0.213, 0.171, 0.255, 1200, PERCENT), "", "21.3% [17.1, 25.5] (n = 1,200)"),
        (Estimate(0.213, 0.171, 0.255, 1200, PERCENT), "#", "21.3 [17.1, 25.5]"),
        (Estimate(-0.101, -0.139, 0.012, unit=POINTS), "", "−10.1 points [−13.9, +1.2]"),
        (Estimate(-0.101, -0.139, 0.012, unit=POINTS), "#", "−10.1 [−13.9, +1.2]"),
        (Estimate(1.734, 1.2, 2.2, unit=NATS), "", "1.73 nats [1.20, 2.20]"),
        (Estimate(0.5, 0.25, 0.75), "+", "+0.50 [+0.25, +0.75]"),
        (Estimate(0.5, 0.25, 0.75, 9), "+#", "+0.50 [+0.25, +0.75]"),
        (Estimate(0.5, 0.25, 0.75, unit=Unit(digits=3)), "", "0.500 [0.250, 0.750]"),
        (Estimate(0.213, unit=PERCENT), "", "21.3% [no interval]"),
        (Estimate(math.nan, note="0 positives in Male"), "#", "n/a (0 positives in Male)"),
        (Estimate(math.nan), "", "n/a"),
    ],
)
def test_an_estimate_reads(found, spec, text):
    assert format(found, spec) == text


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match=r"not '\.2f'"):
        format(Estimate(0.5), ".2f")


def test_a_difference_in_per_cent_is_in_points_and_one_in_nats_keeps_its_unit():
    assert PERCENT.difference == POINTS
    assert NATS.difference.name == " nats"
    assert PLAIN.difference == PLAIN._replace(signed=True)


def test_numbers_have_a_true_minus_and_no_negative_zero():
    assert number(-0.0001, POINTS) == "0.0"
    assert number(-3.14159) == "−3.14"
    assert number(math.nan, PERCENT) == "n/a"


def test_a_row_of_a_table_is_an_estimate_whatever_its_note():
    table = pd.DataFrame({"value": [0.5], "low": [0.4], "high": [0.6], "note": [np.nan]})
    (row,) = table.itertuples()
    assert Estimate.of(row) == Estimate.of(table.iloc[0]) == Estimate(0.5, 0.4, 0.6)


@pytest.mark.parametrize(
    ("low", "high", "certain"), [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False)]
)
def test_what_leaves_out_zero_is_certain(low, high, certain):
    assert Estimate(0.0, low, high).certain is certain
    assert not Estimate(0.5).certain


def test_resamples_make_an_estimate():
    draws = np.append(np.linspace(0, 1, 201), np.nan)
    found = estimate_of(0.5, draws, (0.1, 0.9), n=7)
    assert found == Estimate(0.5, 0.1, 0.9, 7, PLAIN, "1 of 202 resamples undefined")
    lost = estimate_of(0.5, np.full(5, np.nan))
    assert lost.defined
    assert not lost.bounded
    assert not estimate_of(np.nan, draws).bounded
