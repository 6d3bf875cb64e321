"""The interval over training seeds: the formula by hand, and how often it holds the truth."""

import numpy as np
import pytest
from scipy import stats

from fairlab.metrics.intervals.bootstrap import percentile_interval
from fairlab.metrics.intervals.seeds import BySeed

from .coverage import seeds as simulated


def measured(seeds: int, between: float, common: float, own: float, n_resamples: int = 4000) -> BySeed:
    """Return normal values and resamples with these standard deviations."""
    rng = np.random.default_rng(seeds)
    values = between * rng.standard_normal(seeds)
    images = common * rng.standard_normal(n_resamples) + own * rng.standard_normal((seeds, n_resamples))
    return BySeed(values, values[:, None] + images)


def test_draws_of_one_seed_are_the_resamples():
    one = measured(1, 1.0, 0.3, 0.2)
    np.testing.assert_array_equal(one.draws(), one.resampled[0])


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize(("between", "common", "own"), [(1, 0.5, 0.5), (0.2, 0.5, 0.0), (0.01, 1.0, 3.0)])
def test_the_interval_is_that_of_the_formula(seeds, between, common, own):
    found = measured(seeds, between, common, own)
    variance = found.whole.var(ddof=1) / seeds
    kept = np.cov(found.resampled)[~np.eye(seeds, dtype=bool)].mean()  # what all seeds have in common
    caution = min(1.0, 0.1 * (seeds - 1) ** 1.5)
    degrees = (seeds - 1) * (1 + caution * kept / variance) ** 2
    half = stats.t.ppf(0.975, degrees) * np.sqrt(variance + kept)
    expected = found.value - half, found.value + half
    assert percentile_interval(found.draws()) == pytest.approx(expected, abs=0.08 * half)


def test_a_quantity_without_any_spread_has_none():
    same = BySeed(np.ones(3), np.ones((3, 50)))
    assert (same.draws() == 1).all()


def test_undefined_resamples_stay_undefined_and_change_nothing_else():
    whole = measured(3, 1.0, 0.5, 0.1, n_resamples=500)
    holed = BySeed(whole.whole, whole.resampled.copy())
    holed.resampled[:, :20] = np.nan
    assert np.isnan(holed.draws()[:20]).all()
    less = BySeed(whole.whole, whole.resampled[:, 20:])
    assert percentile_interval(holed.draws()) == pytest.approx(percentile_interval(less.draws()), rel=0.1)


def test_differences_and_functions_are_taken_seed_by_seed():
    one, other = measured(3, 1.0, 0.5, 0.1), measured(3, 0.5, 0.5, 0.1)
    np.testing.assert_allclose((one - other).whole, one.whole - other.whole)
    np.testing.assert_allclose(one.map(np.abs).resampled, np.abs(one.resampled))


@pytest.mark.parametrize("cell", [(0.5, 0.1, 3), (0.8, 0.3, 5), (0.0, 0.0, 10), (0.5, 0.1, 2)])
def test_intervals_hold_the_truth_in_93_to_97_of_100_cases(cell):
    found = simulated.coverage(*cell, repetitions=600, n_resamples=300)
    assert 0.93 - 0.02 < found["coverage"] < 0.97 + 0.02  # two standard errors of 600 cases
    assert found["width_to_ideal"] < (1.25 if cell[2] > 2 else 2.5)
