"""The bootstrap over bins against the bootstrap over rows, and against plain formulas."""

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.metrics import UndefinedMetricWarning, compare
from fairlab.metrics.two_groups.compare_binned import Bins, compare_binned, exactly_counted
from fairlab.metrics.two_groups.ranked_cells import measured

from .examples import plain_metrics, unsigned


def made_up(n, seed=0, digits=None):
    """Return target, two models' correlated scores and protected label."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, n)
    y = (rng.random(n) < 0.2 + 0.3 * a).astype(int)
    shared = rng.normal(size=n) + 2 * y - 1 + 0.5 * a
    first = 1 / (1 + np.exp(-shared))
    second = 1 / (1 + np.exp(-(shared + 0.4 * rng.normal(size=n) - 0.3 * a)))
    if digits is not None:
        first, second = first.round(digits), second.round(digits)
    return y, first, second, a


@pytest.mark.parametrize("digits", [None, 5, 2])
def test_exact_values_are_those_of_plain_formulas(digits):
    y, s, _, a = made_up(5000, digits=digits)
    found = unsigned(measured(exactly_counted(y, s, a, 0.5))[0])
    np.testing.assert_allclose(found, plain_metrics(y, s, a, 0.5), rtol=0, atol=1e-9)


@pytest.mark.parametrize("digits", [None, 2])
def test_bins_lose_nothing_at_threshold_and_histogram_edges(digits):
    y, s, _, a = made_up(5000, digits=digits)
    threshold = float(s[7])
    bins = Bins.of(s, threshold, 100)
    cell = (2 * y + a) * len(bins) + bins.number(s)
    table = np.bincount(cell, minlength=4 * len(bins)).reshape(1, 2, 2, -1).astype(float)
    found, expected = unsigned(bins.measured(table)[0]), plain_metrics(y, s, a, threshold)
    np.testing.assert_allclose(found[2:], expected[2:], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found[:2], expected[:2], rtol=0, atol=0.005)


@pytest.mark.slow
def test_intervals_agree_with_the_bootstrap_over_rows():
    y, first, second, a = made_up(20_000)
    scores, thresholds = {"first": first, "second": second}, {"first": 0.5, "second": 0.4}
    options = {"thresholds": thresholds, "baseline": "first", "n_resamples": 2000}
    rows, bins = compare(y, scores, a, **options), compare_binned(y, scores, a, **options, seed=1)
    keys = ["model", "metric", "n", "n_positive", "seeds", "group", "attribute"]
    assert bins[keys].equals(rows[keys])
    np.testing.assert_allclose(bins["value"], rows["value"], rtol=0, atol=1e-9)
    width = (rows["high"] - rows["low"]).to_numpy()
    for end in ("low", "high"):
        assert (np.abs(bins[end] - rows[end]) / width < 0.1).all()


def test_a_paired_interval_is_that_of_the_change():
    y, first, _, a = made_up(3000)
    table = compare_binned(y, {"one": first, "same": first}, a, n_resamples=50)
    changes = table[table["model"] == "same - one"]
    assert (changes[["value", "low", "high"]].abs() < 1e-12).all(axis=None)


def test_undefined_metrics_say_why():
    y, s, _, a = made_up(500)
    y[a == 1] = 0
    with pytest.warns(UndefinedMetricWarning):
        table = compare_binned(y, {"m": s}, a, groups=("old", "young"), n_resamples=20).set_index("metric")
    assert np.isnan(table.loc["DEO", "value"])
    assert table.loc["DEO", "note"] == "0 positives in young"
    assert table.loc["AP", "low"] < table.loc["AP", "value"] < table.loc["AP", "high"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scores": {}}, "no scores"),
        ({"baseline": "twin"}, "baseline 'twin'"),
        ({"thresholds": {"other": 0.5}}, "no threshold for 'm'"),
        ({"n_resamples": 0}, "at least 1"),
    ],
)
def test_what_is_wrong_is_said(change, sentence):
    y, s, _, a = made_up(100)
    arguments = {"scores": {"m": s}, "n_resamples": 5} | change
    with pytest.raises(UserError, match=sentence):
        compare_binned(y, arguments.pop("scores"), a, **arguments)
