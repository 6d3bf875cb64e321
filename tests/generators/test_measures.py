"""Fréchet distance, precision and recall, nearest neighbours: against closed forms and plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.neighbors import NearestNeighbors

from fairlab.core.errors import UserError
from fairlab.generators.measures import frechet_distance, nearest_neighbours, precision_and_recall


def features(seed, n=60, d=5, shift=0.0, scale=1.0):
    return shift + scale * np.random.default_rng(seed).standard_normal((n, d))


@given(st.integers(0, 1000), st.floats(-2, 2), st.floats(0.2, 3), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_frechet_equals_the_published_formula_with_scipys_matrix_root(seed, shift, scale, d):
    a, b = features(seed, d=d), features(seed + 1, n=80, d=d, shift=shift, scale=scale)
    covariances = [np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(sum(covariances) - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-6)
    assert frechet_distance(b, a) == pytest.approx(expected, abs=1e-6)


def test_frechet_of_a_shift_is_its_square_and_of_nothing_is_zero():
    a = features(0)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + np.array([3, 0, 0, 0, 4])) == pytest.approx(25)


def test_frechet_with_fewer_images_than_features():
    a, b = features(0, n=4, d=12), features(1, n=5, d=12)
    assert np.isfinite(frechet_distance(a, b))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 1000), st.integers(1, 4), st.floats(0, 2))
@settings(max_examples=20, deadline=None)
def test_precision_and_recall_equal_scikit_learns_neighbours(seed, k, shift):
    real, generated = features(seed, n=40), features(seed + 1, n=30, shift=shift)

    def count(queries, centres):
        radii = NearestNeighbors(n_neighbors=k + 1).fit(centres).kneighbors(centres)[0][:, -1]
        distances = np.linalg.norm(queries[:, None] - centres, axis=2)
        return int((distances <= radii).any(axis=1).sum())

    found = precision_and_recall(real, generated, k=k)
    assert (found.realistic, found.covered) == (count(generated, real), count(real, generated))
    assert (found.n_generated, found.n_real) == (30, 40)


def test_a_generator_of_one_cluster_is_precise_and_covers_half():
    real = np.concatenate([features(0, n=100), features(1, n=100, shift=50)])
    found = precision_and_recall(real, features(2, n=200))
    assert found.precision > 0.8
    assert 0.3 < found.recall <= 0.5


def test_nearest_neighbours_equal_scikit_learns():
    queries, references = features(0, n=50), features(1, n=70)
    rows, distances = nearest_neighbours(queries, references)
    expected_distances, expected_rows = NearestNeighbors(n_neighbors=1).fit(references).kneighbors(queries)
    np.testing.assert_array_equal(rows, expected_rows[:, 0])
    np.testing.assert_allclose(distances, expected_distances[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("second", "word"),
    [
        (features(0, d=4), "equal width"),
        (features(0)[:3], "At least 4"),
        (features(0) * np.nan, "not finite"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(second, word):
    with pytest.raises(UserError, match=word):
        precision_and_recall(features(1), second)
    with pytest.raises(UserError, match="k is 0"):
        precision_and_recall(features(1), features(2), k=0)
