"""KL between the groups' scores: the published numbers, and the properties of a divergence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from scipy.ndimage import gaussian_filter1d
from scipy.special import rel_entr

from fairlab.core.errors import UserError
from fairlab.metrics import ScoreKL, UndefinedMetricWarning, score_kl

from .examples import predictions, simulate


def test_published_numbers(reference):
    (y, s, a), expected = reference
    kl = score_kl(y, s, a, published=True)
    for name, value in kl._asdict().items():
        assert value == pytest.approx(expected["point"][name], rel=0, abs=1e-9)


@pytest.mark.slow
def test_published_error_bar_pools_the_four_numbers(reference):
    (y, s, a), expected = reference
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(y), len(y)) for _ in range(500)]
    pooled = np.array([score_kl(y[i], s[i], a[i], published=True) for i in draws])
    assert np.median(pooled) == pytest.approx(expected["bootstrap"]["KL"]["median"], rel=0.1)
    assert pooled.std() == pytest.approx(expected["bootstrap"]["KL"]["std"], rel=0.1)


@given(predictions())
def test_default_is_the_definition_with_shared_bins(example):
    y, s, a = example

    def share(label, group):
        counts = np.histogram(s[(y == label) & (a == group)], bins=50, range=(0, 1))[0]
        smoothed = gaussian_filter1d(counts.astype(float), 1.0)
        return smoothed / smoothed.sum() + 1e-6

    expected = [
        rel_entr(share(label, one), share(label, other)).sum()
        for label in (1, 0)
        for one, other in ((0, 1), (1, 0))
    ]
    np.testing.assert_allclose(score_kl(y, s, a), expected, rtol=0, atol=1e-9)


@given(predictions())
def test_divergence_is_not_negative_and_adds_up(example):
    kl = score_kl(*example)
    assert min(kl) >= -1e-12
    assert kl.symmetric_sum == pytest.approx(sum(kl._asdict().values()))


def test_equal_distributions_do_not_diverge():
    y, s = np.repeat([0, 1], 50), np.linspace(0, 1, 100)
    kl = score_kl(np.tile(y, 2), np.tile(s, 2), np.repeat([0, 1], 100))
    assert kl == pytest.approx(ScoreKL(0, 0, 0, 0), abs=1e-15)


def test_published_variant_does_not_see_a_shift_that_the_default_sees():
    """Scores of group 1 are those of group 0, moved up by 0.3."""
    s = np.tile(np.linspace(0.05, 0.55, 500), 2)
    y, a = np.tile([0, 1], 500), np.repeat([0, 1], 500)
    s = s + 0.3 * a
    assert score_kl(y, s, a, published=True).symmetric_sum < 0.2
    assert score_kl(y, s, a).symmetric_sum > 10


def test_published_variant_cannot_measure_a_handful():
    y, s, a = simulate(300, np.random.default_rng(0))
    kept = (y == 0) | (a == 0)
    kept[np.flatnonzero(~kept)[0]] = True
    with pytest.warns(UndefinedMetricWarning, match="published smoothing leaves none"):
        kl = score_kl(y[kept], s[kept], a[kept], published=True)
    assert np.isnan(kl[:2]).all()
    assert np.isfinite(kl[2:]).all()


def test_published_variant_has_no_weights():
    with pytest.raises(UserError, match="no weighted form"):
        score_kl([0, 1], [0.1, 0.2], [0, 1], published=True, sample_weight=[1, 1])
