"""Directions from data: the jackknife against textbook formulas, random halves and simulated truth."""

import numpy as np
import pytest
from scipy import stats

from fairlab.core.errors import UserError
from fairlab.metrics import direction_agreement
from fairlab.metrics.intervals.jackknife import jackknife_interval


def without_each(x):
    return (x.sum(axis=0) - x) / (len(x) - 1)


def simulated(seed, cosine=0.6, n=40, d=200, noise=0.6):
    """Return a normal, and n noisy observations of a direction with this cosine to it."""
    rng = np.random.default_rng(seed)
    normal, other = np.linalg.qr(rng.normal(size=(d, 2)))[0].T
    truth = cosine * normal + np.sqrt(1 - cosine**2) * other
    return normal, truth + noise * rng.normal(size=(n, d))


def agreement(normal, x):
    return direction_agreement(normal, x.mean(axis=0), without_each(x)).set_index("metric")


def test_the_interval_of_a_mean_is_students():
    x = np.random.default_rng(0).normal(3, 2, size=25)
    assert jackknife_interval(x.mean(), without_each(x)) == pytest.approx(
        stats.t.interval(0.95, 24, loc=x.mean(), scale=stats.sem(x))
    )


def test_without_noise_everything_is_exact():
    normal, x = simulated(1, noise=0.0)
    table = agreement(normal, x)
    assert table["value"].tolist() == pytest.approx([0.6, 1, 0.6])
    assert (table["high"] - table["low"]).max() < 1e-6


def test_split_half_cosine_is_that_of_random_halves():
    normal, x = simulated(2)
    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        order = rng.permutation(len(x))
        first, second = x[order[:20]].mean(axis=0), x[order[20:]].mean(axis=0)
        found.append(first @ second / np.linalg.norm(first) / np.linalg.norm(second))
    assert agreement(normal, x).loc["split-half cosine", "value"] == pytest.approx(np.mean(found), abs=0.01)


def test_noise_lowers_the_cosine_and_its_correction_covers_the_truth():
    tables = [agreement(*simulated(seed)) for seed in range(200)]
    plain, corrected = (np.array([t.loc[name, ["value", "low", "high"]].astype(float) for t in tables])
                        for name in ("cosine", "corrected cosine"))  # fmt: skip
    assert plain[:, 0].mean() < 0.5
    assert corrected[:, 0].mean() == pytest.approx(0.6, abs=0.02)
    covered = ((corrected[:, 1] < 0.6) & (corrected[:, 2] > 0.6)).mean()
    assert 0.88 < covered <= 1


def test_mere_noise_is_no_direction():
    x = np.random.default_rng(0).normal(size=(10, 500))
    table = agreement(np.eye(500)[0], x)
    assert abs(table.loc["split-half cosine", "value"]) < 0.15
    assert "noise" in table.loc["corrected cosine", "note"]
    assert table.loc["corrected cosine", ["value", "low", "high"]].astype(float).isna().all()


def test_length_does_not_matter_and_sign_does():
    normal, x = simulated(3)
    for factor in (7.0, -1.0):
        table, wanted = agreement(normal, factor * x), agreement(normal, x)["value"].to_numpy()
        signs = np.sign([factor, 1, factor])
        np.testing.assert_allclose(table["value"], signs * wanted)


@pytest.mark.parametrize("parts", [np.ones((1, 3)), np.ones((5, 4))])
def test_too_few_parts_or_other_shapes_are_refused(parts):
    with pytest.raises(UserError, match="at least 2 parts"):
        direction_agreement(np.eye(3)[0], np.ones(3), parts)


def test_no_difference_has_no_direction():
    with pytest.raises(UserError, match="length 0"):
        direction_agreement(np.eye(3)[0], np.zeros(3), np.zeros((5, 3)))
