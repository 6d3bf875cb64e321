"""Hyperplanes: fitted as published, unit normals, one sentence for each misuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.latent import Hyperplane

REFERENCE = Path(__file__).parents[1] / "reference" / "pairs_a.npz"


@pytest.fixture(scope="module")
def pairs():
    return dict(np.load(REFERENCE))


def noisy_halves(n=400, d=6, seed=0):
    """Latents with labels by a known plane, a tenth of them wrong."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, d))
    normal = np.eye(d)[0]
    labels = (z @ normal + 0.3 > 0) ^ (rng.random(n) < 0.1)
    return z, labels.astype(np.uint8), normal


@pytest.mark.parametrize("name", ["target", "protected"])
def test_fit_gives_the_published_plane(pairs, name):
    plane = Hyperplane.fit(pairs["z_fit"], pairs[f"{name}_fit"])
    assert plane.normal @ pairs[f"w_{name}"] >= 0.999
    assert plane.intercept == pytest.approx(float(pairs[f"b_{name}"]), abs=1e-6)


def test_fit_recovers_a_known_direction_with_its_sign():
    z, labels, normal = noisy_halves(n=4000)
    plane = Hyperplane.fit(z, labels)
    assert plane.normal @ normal > 0.99
    assert np.mean((plane.distance(z) > 0) == labels) > 0.85
    assert Hyperplane.fit(z, 1 - labels).normal @ normal < -0.99


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_normal_is_unit_and_distance_does_not_depend_on_its_length(seed, length):
    rng = np.random.default_rng(seed)
    normal, z, intercept = rng.normal(size=5), rng.normal(size=(7, 5)), rng.normal()
    plane, longer = Hyperplane(normal, intercept), Hyperplane(length * normal, length * intercept)
    assert np.linalg.norm(plane.normal) == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(longer.distance(z), plane.distance(z), rtol=0, atol=1e-12)


def test_distance_is_the_length_of_the_way_to_the_plane():
    plane = Hyperplane(np.array([3.0, 4.0]), 10.0)
    np.testing.assert_allclose(plane.distance([[0.0, 0.0], [-1.2, -1.6]]), [2.0, 0.0], atol=1e-15)


def test_normal_cannot_be_changed():
    plane = Hyperplane(np.array([1.0, 0.0]), 0.0)
    with pytest.raises(ValueError, match="read-only"):
        plane.normal[0] = 2.0


def test_held_out_pair_and_fraction_agree():
    z, labels, _ = noisy_halves()
    by_fraction = Hyperplane.fit(z, labels, held_out=0.25)
    by_pair = Hyperplane.fit(z[:300], labels[:300], held_out=(z[300:], labels[300:]))
    np.testing.assert_array_equal(by_fraction.normal, by_pair.normal)
    expected = np.mean((by_pair.distance(z[300:]) > 0) == labels[300:])
    assert by_fraction.held_out_accuracy == by_pair.held_out_accuracy == expected
    assert by_pair.held_out_majority == max(labels[300:].mean(), 1 - labels[300:].mean())
    assert by_pair.n_positive == labels[:300].sum()
    assert by_pair.n_negative == 300 - labels[:300].sum()


def test_cosine_and_angle():
    first = Hyperplane(np.array([1.0, 0.0]), 0.0)
    second = Hyperplane(np.array([1.0, 1.0]), 0.5)
    assert first.cosine(second) == pytest.approx(np.sqrt(0.5))
    assert first.angle(second) == pytest.approx(45.0)
    assert first.angle(first) == 0.0


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_saved_plane_is_loaded_to_the_last_bit(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    path = tmp_path_factory.mktemp("plane") / "target.json"
    plane = Hyperplane(rng.normal(size=64), rng.normal(), held_out_accuracy=0.75, n_positive=3)
    plane.save(path)
    loaded = Hyperplane.load(path)
    np.testing.assert_array_equal(loaded.normal, plane.normal)
    assert loaded.intercept == plane.intercept
    assert (loaded.held_out_accuracy, loaded.n_positive, loaded.n_negative) == (0.75, 3, None)


def test_unconverged_fit_warns():
    z, labels, _ = noisy_halves()
    with pytest.warns(UserWarning, match="not converged after 1 iterations"):
        Hyperplane.fit(z, labels, max_iterations=1)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.zeros(400), "of 400 labels 0 are 1 and 400 are 0"),
        (np.ones(400), "of 400 labels 400 are 1 and 0 are 0"),
        (np.ones(399), r"400 latents but labels of shape \(399,\)"),
        (np.full(400, 2), "must be 0 or 1, but 400 of 400 are not .first: 2"),
        (np.full(400, np.nan), "must be 0 or 1, but 400 of 400 are not .first: nan"),
        (np.full(400, "yes"), "must be 0 or 1, but 400 of 400 are not .first: yes"),
    ],
)
def test_bad_labels_are_one_sentence(labels, sentence):
    with pytest.raises(UserError, match=sentence):
        Hyperplane.fit(noisy_halves()[0], labels)


def test_bad_latents_are_one_sentence():
    z, labels, _ = noisy_halves()
    z[3, 2] = np.nan
    with pytest.raises(UserError, match="1 of 400 latents hold NaN"):
        Hyperplane.fit(z, labels)
    with pytest.raises(UserError, match=r"shape \(n, d\); these have shape \(6,\)"):
        Hyperplane.fit(z[0], labels)
    with pytest.raises(UserError, match=r"must be an \(n, d\) array of numbers"):
        Hyperplane.fit([["a", "b"]], [1])
    for bad in (np.nan, np.inf):
        with pytest.raises(UserError, match="1 of 2 latents hold NaN or infinity"):
            Hyperplane(np.array([1.0, 0.0]), 0.0).distance([[0.0, bad], [1.0, 2.0]])
    with pytest.raises(UserError, match="latents have 5 dimensions but the hyperplane has 2"):
        Hyperplane(np.ones(2), 0.0).distance(np.ones((3, 5)))


@pytest.mark.parametrize(
    ("normal", "intercept"),
    [([0.0, 0.0], 0.0), ([np.nan, 1.0], 0.0), ([1.0], np.inf), ([[1.0]], 0.0), ([], 0.0)],
)
def test_impossible_planes_are_refused(normal, intercept):
    with pytest.raises(UserError, match="hyperplane"):
        Hyperplane(np.array(normal), intercept)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 0.0001, 1])
def test_bad_held_out_fraction(fraction):
    z, labels, _ = noisy_halves()
    with pytest.raises(UserError, match=r"[Hh]eld-out|Holding out"):
        Hyperplane.fit(z, labels, held_out=fraction)


@pytest.mark.parametrize("text", ["{", "[]", '{"normal": [1.0]}', '{"normal": "x", "intercept": 0.0}'])
def test_damaged_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "plane.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"plane\.json"):
        Hyperplane.load(path)


def test_planes_of_different_generators_have_no_cosine():
    with pytest.raises(UserError, match="2 and 3 dimensions"):
        Hyperplane(np.ones(2), 0.0).cosine(Hyperplane(np.ones(3), 0.0))
