"""Claims about pairs against counting by hand, and their intervals against those of other formulas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, POINTS, Estimate
from fairlab.metrics.intervals.proportion import proportion
from fairlab.metrics.two_groups.pairs import EVERYTHING, as_claimed, mean_shares, paired_difference

BEFORE = pd.DataFrame({"Eyeglasses": [0, 1, 0, 1], "Male": [0, 0, 1, 1]})
AFTER = pd.DataFrame({"Eyeglasses": [0, 1, 1, 0], "Male": [1, 0, 0, 1]})


def test_claims_hold_where_flipped_labels_changed_and_the_others_stayed():
    flags = as_claimed(BEFORE, AFTER, {"Male"})
    assert flags["Eyeglasses"].tolist() == [True, True, False, False]
    assert flags["Male"].tolist() == [True, False, True, False]
    assert flags[EVERYTHING].tolist() == [True, False, False, False]
    nothing = as_claimed(BEFORE, BEFORE, ())
    assert nothing.to_numpy().all()


def test_claims_go_by_the_rows_place_not_by_its_index():
    shifted = AFTER.set_index(pd.Index([7, 8, 9, 10]))
    pd.testing.assert_frame_equal(as_claimed(BEFORE, shifted, {"Male"}), as_claimed(BEFORE, AFTER, {"Male"}))


def test_shares_of_one_training_have_nearly_the_interval_of_counts():
    flags = pd.DataFrame({"kept": np.arange(500) < 400, "all": True})
    found = mean_shares([flags])
    for name, count in (("kept", 400), ("all", 500)):
        assert found[name][:3] == pytest.approx((count / 500, *proportion(count, 500)[1:3]), abs=0.005)
        assert found[name].n == 500


def test_trainings_that_differ_are_averaged_and_widen_the_interval():
    flags = [pd.DataFrame({"kept": np.arange(500) < count}) for count in (250, 350, 450)]
    found, single = mean_shares(flags)["kept"], mean_shares(flags[1:2])["kept"]
    assert (found.value, found.n) == (pytest.approx(0.7), 500)
    assert found.high - found.low > 2 * (single.high - single.low)


def test_a_share_reads_with_interval_and_number():
    assert str(Estimate(0.848, 0.8301, 0.866, 6000, PERCENT)) == "84.8% [83.0, 86.6] (n = 6,000)"


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_a_paired_difference_is_that_of_the_shares_and_changes_sign_with_the_order(pairs):
    first, second = np.array(pairs).T
    found, turned = paired_difference(first, second), paired_difference(second, first)
    assert found.value == pytest.approx(first.mean() - second.mean())
    assert found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12
    np.testing.assert_allclose(turned[:3], [-found.value, -found.high, -found.low], atol=1e-12)
    assert found.n == len(pairs)


def test_a_paired_interval_is_narrower_than_pairs_that_agree_by_chance_would_allow():
    rng = np.random.default_rng(0)
    first = rng.random(400) < 0.5
    second = np.where(rng.random(400) < 0.05, ~first, first)  # differs in few places
    found = paired_difference(first, second)
    n_better, n_worse = (first & ~second).sum(), (second & ~first).sum()
    error = np.sqrt(n_better + n_worse - (n_better - n_worse) ** 2 / 400) / 400  # McNemar's
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert found.unit == POINTS


def test_pairs_of_different_lengths_are_refused():
    with pytest.raises(UserError, match="have 4 and 3"):
        as_claimed(BEFORE, AFTER[:3], ())
    with pytest.raises(UserError, match="have 0 and 0"):
        paired_difference(np.zeros(0, bool), np.zeros(0, bool))
