"""Adjusted p-values: by hand, by the definition, and in simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.metrics import holm, holm_column, paired_p_value


def rejected(p, alpha):
    """Holm's procedure step by step: which hypotheses are rejected at alpha."""
    found = np.zeros(len(p), dtype=bool)
    for step, i in enumerate(np.argsort(p, kind="stable")):
        if p[i] > alpha / (len(p) - step):
            break
        found[i] = True
    return found


def test_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.5, 0.9]), [1.0, 1.0])
    np.testing.assert_array_equal(holm([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert holm([]).shape == (0,)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12), st.integers(1, 50))
def test_adjusted_values_reject_what_the_step_down_procedure_rejects(percents, half_percents):
    p, alpha = np.array(percents) / 100, half_percents / 200 + 1e-9
    np.testing.assert_array_equal(holm(p) <= alpha + 1e-12, rejected(p, alpha))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_adjusting_only_raises(p, random):
    order = random.sample(range(len(p)), len(p))
    np.testing.assert_array_equal(holm(p)[order], holm(np.array(p)[order]))
    assert (holm(p) >= p).all()


def test_p_values_of_draws():
    assert paired_p_value(np.ones(99)) == 2 / 100
    assert paired_p_value([-1, 1] * 10) == 1
    assert paired_p_value(np.zeros(5)) == 1
    assert paired_p_value([1, np.nan, 1]) == pytest.approx(2 / 3)
    assert paired_p_value(np.arange(1, 100), null=2) == pytest.approx(2 * 3 / 100)
    assert np.isnan(paired_p_value([np.nan]))


def test_p_values_of_no_difference_are_uniform():
    rng = np.random.default_rng(0)
    p = [paired_p_value(rng.normal(size=400) + rng.normal()) for _ in range(2000)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.035)


def test_a_table_is_adjusted_within_model_and_metric():
    table = pd.DataFrame(
        {"model": ["a", "b", "a"], "metric": "AP", "p_value": [0.01, 0.02, 0.03]}, index=[5, 5, 7]
    )
    np.testing.assert_allclose(holm_column(table)["p_holm"], [0.02, 0.02, 0.03])
    np.testing.assert_allclose(holm_column(table, within=())["p_holm"], [0.03, 0.04, 0.04])
    assert list(table) == ["model", "metric", "p_value"]


def test_bad_input_is_one_sentence():
    with pytest.raises(UserError, match="between 0 and 1"):
        holm([0.5, 1.5])
    with pytest.raises(UserError, match="between 0 and 1"):
        holm([[0.5]])
    with pytest.raises(UserError, match=r"shape \(resamples,\)"):
        paired_p_value([[1.0]])
    with pytest.raises(UserError, match="no column 'p_value'; did you mean 'p_values'"):
        holm_column(pd.DataFrame({"model": [], "metric": [], "p_values": []}))
