"""The phi coefficient: equal to another's, symmetric, with an interval that covers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef

from fairlab.core.errors import UserError
from fairlab.metrics.two_groups.association import phi, phi_coefficients

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60)


def coefficient(y, a, **kwargs):
    return phi_coefficients(pd.DataFrame({"y": y}), a, **kwargs).loc["y"]


@given(PAIRS)
def test_it_is_what_scikit_learn_calls_matthews_correlation(pairs):
    y, a = np.array(pairs).T
    assume(0 < y.mean() < 1)
    assume(0 < a.mean() < 1)
    row = coefficient(y, a, n_resamples=20)
    assert row["value"] == pytest.approx(matthews_corrcoef(a, y), abs=1e-12)
    assert (row["n"], row["n_positive"]) == (len(y), y.sum())


@given(PAIRS)
def test_it_is_symmetric_and_changes_sign_with_either_label(pairs):
    y, a = np.array(pairs).T
    value = coefficient(y, a, n_resamples=20)["value"]
    options = {"n_resamples": 20}
    for other, sign in ((coefficient(a, y, **options), 1), (coefficient(1 - y, a, **options), -1),
                        (coefficient(y, 1 - a, **options), -1)):  # fmt: skip
        assert other["value"] == pytest.approx(sign * value, abs=1e-12, nan_ok=True)
        assert np.isnan(other["value"]) == np.isnan(value)


def test_every_column_gets_a_row_in_order():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, 300)
    labels = pd.DataFrame(
        {
            "same": a,
            "opposite": 1 - a,
            "independent": np.arange(300) % 2,
            "associated": a & rng.integers(0, 2, 300),
        }
    )
    table = phi_coefficients(labels, a)

    assert list(table.index) == list(labels.columns)
    assert list(table.columns) == ["value", "low", "high", "n", "n_positive"]
    assert table.loc["same", ["value", "low", "high"]].tolist() == [1, 1, 1]
    assert table.loc["opposite", ["value", "low", "high"]].tolist() == [-1, -1, -1]
    assert table.loc["independent", "low"] < 0 < table.loc["independent", "high"]
    assert 0.3 < table.loc["associated", "low"] < table.loc["associated", "value"]
    assert table.loc["associated", "value"] < table.loc["associated", "high"] < 0.8


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(1)
    y, a = rng.integers(0, 2, (2, 100))
    pd.testing.assert_series_equal(coefficient(y, a, seed=3), coefficient(y, a, seed=3))
    assert coefficient(y, a, seed=3)["low"] != coefficient(y, a, seed=4)["low"]


@pytest.mark.parametrize("constant", [0, 1])
def test_what_never_varies_has_no_coefficient_and_no_warning(constant):
    varying, same = np.array([0, 1, 1, 0]), np.full(4, constant)
    for row in (coefficient(same, varying), coefficient(varying, same)):  # warnings are errors here
        assert row[["value", "low", "high"]].isna().all()
        assert row["n"] == 4


def test_resamples_without_the_rare_label_are_left_out():
    y, a = np.zeros(40, int), np.arange(40) % 2
    y[1] = 1  # about a third of the resamples draw no positive
    row = coefficient(y, a)
    assert row["low"] <= row["value"] <= row["high"]
    assert np.isfinite([row["low"], row["high"]]).all()


def test_the_interval_covers():
    rng = np.random.default_rng(2)
    cells = np.array([0.4, 0.15, 0.15, 0.3])  # (y, a) = 00, 01, 10, 11
    truth = float(phi(1e6 * cells))
    assert truth == pytest.approx((0.3 * 0.4 - 0.15 * 0.15) / (0.55 * 0.45), abs=1e-9)
    covered = []
    for seed in range(300):
        drawn = rng.choice(4, size=300, p=cells)
        row = coefficient(drawn // 2, drawn % 2, n_resamples=300, seed=seed)
        covered.append(row["low"] <= truth <= row["high"])
    assert 0.91 < np.mean(covered) < 0.99  # 95% and four standard errors of 300 trials


def test_counts_of_large_data_do_not_overflow():
    assert phi(np.array([10**6, 10**6, 10**6, 3 * 10**6])) == pytest.approx(0.25, abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "protected", "message"),
    [
        ({"Smiling": [0, 1, 2]}, [0, 1, 0], "Smiling must hold only 0 and 1, but 1 of 3"),
        ({"Smiling": ["no", "yes", "no"]}, [0, 1, 0], "Smiling must hold the numbers 0 and 1"),
        ({"Smiling": [0, 1, 0]}, [0, 1], r"protected must have shape \(3,\)"),
        ({"Smiling": [0, 1, 0]}, [0, 1, -1], "protected must hold only 0 and 1"),
        ({"Smiling": [0, 1, np.nan]}, [0, 1, 0], "Smiling must hold only 0 and 1"),
        ({"Smiling": []}, [], "protected is empty"),
    ],
)
def test_bad_labels_are_named(labels, protected, message):
    with pytest.raises(UserError, match=message):
        phi_coefficients(pd.DataFrame(labels), protected)
