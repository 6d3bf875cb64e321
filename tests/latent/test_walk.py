"""Walks: each signed distance changes by what was asked, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.latent import Hyperplane, walk


@st.composite
def problems(draw):
    """Latents, planes whose normals are independent, and steps, in 2 to 30 dimensions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d, n = draw(st.integers(2, 30)), draw(st.integers(1, 10))
    k = draw(st.integers(1, min(4, d)))
    planes = [Hyperplane(rng.normal(size=d), rng.normal()) for _ in range(k)]
    assume(np.linalg.svd(normals_of(planes), compute_uv=False)[-1] > 0.01)
    return rng.normal(size=(n, d)), planes, 4 * rng.normal(size=(n, k))


def normals_of(planes):
    return np.stack([plane.normal for plane in planes])


def distances(z, planes):
    return np.stack([plane.distance(z) for plane in planes], axis=1)


@given(problems())
def test_a_conditioned_walk_changes_each_distance_by_its_step(problem):
    z, planes, steps = problem
    moved = walk(z, planes, steps)
    np.testing.assert_allclose(distances(moved, planes), distances(z, planes) + steps, rtol=0, atol=1e-9)


@given(problems(), st.data())
def test_a_plane_with_step_0_keeps_its_distance(problem, data):
    z, planes, steps = problem
    kept = data.draw(st.integers(0, len(planes) - 1))
    steps[:, kept] = 0
    moved = walk(z, planes, steps)
    np.testing.assert_allclose(planes[kept].distance(moved), planes[kept].distance(z), rtol=0, atol=1e-9)


@given(problems(), st.booleans())
def test_a_walk_stays_within_the_span_of_the_normals(problem, conditioned):
    z, planes, steps = problem
    way = walk(z, planes, steps, conditioned=conditioned) - z
    basis = np.linalg.qr(normals_of(planes).T)[0]  # (d, k)
    np.testing.assert_allclose(way, way @ basis @ basis.T, rtol=0, atol=1e-9)


@given(problems(), st.booleans())
def test_no_step_is_no_move_and_walking_back_returns(problem, conditioned):
    z, planes, steps = problem
    np.testing.assert_allclose(walk(z, planes, 0 * steps, conditioned=conditioned), z, rtol=0, atol=1e-12)
    there = walk(z, planes, steps, conditioned=conditioned)
    np.testing.assert_allclose(walk(there, planes, -steps, conditioned=conditioned), z, rtol=0, atol=1e-9)


@given(problems())
def test_an_unconditioned_walk_adds_the_normals(problem):
    z, planes, steps = problem
    expected = z.copy()
    for column, plane in enumerate(planes):
        expected += steps[:, [column]] * plane.normal
    np.testing.assert_allclose(walk(z, planes, steps, conditioned=False), expected, rtol=0, atol=1e-12)


@given(problems())
def test_both_walks_are_one_where_normals_are_orthogonal(problem):
    z, planes, steps = problem
    orthogonal = [Hyperplane(column, 0.3) for column in np.linalg.qr(normals_of(planes).T)[0].T]
    both = [walk(z, orthogonal, steps, conditioned=conditioned) for conditioned in (True, False)]
    np.testing.assert_allclose(*both, rtol=0, atol=1e-9)


@pytest.mark.parametrize("conditioned", [True, False])
def test_steps_are_given_for_all_latents_or_for_each(conditioned):
    rng = np.random.default_rng(0)
    z, planes = rng.normal(size=(5, 6)), [Hyperplane(rng.normal(size=6), 0.1) for _ in range(2)]
    for_each = walk(z, planes, np.tile([1.0, -2.0], (5, 1)), conditioned=conditioned)
    np.testing.assert_array_equal(walk(z, planes, [1.0, -2.0], conditioned=conditioned), for_each)
    np.testing.assert_array_equal(
        walk(z, planes, 0.5, conditioned=conditioned), walk(z, planes, [0.5, 0.5], conditioned=conditioned)
    )


def test_without_planes_nothing_moves_and_the_argument_stays_as_it_was():
    z = np.ones((3, 4), dtype=np.float32)
    plane = Hyperplane(np.arange(1.0, 5.0), 0.0)
    np.testing.assert_array_equal(walk(z, [], []), z)
    assert walk(z, [plane], [2.0]).dtype == np.float64
    np.testing.assert_array_equal(z, np.ones((3, 4)))


def test_parallel_planes_can_only_be_walked_unconditioned():
    plane = Hyperplane(np.array([3.0, 4.0]), 0.1)
    other = Hyperplane(np.array([-3.0, -4.0]), 0.7)
    with pytest.raises(UserError, match="parallel"):
        walk(np.zeros((2, 2)), [plane, other], [1.0, 0.0])
    np.testing.assert_allclose(
        walk(np.zeros((1, 2)), [plane, other], [1.0, 0.5], conditioned=False), [[0.3, 0.4]]
    )


@pytest.mark.parametrize("conditioned", [True, False])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": np.zeros((2, 4))}, "latents have 4 dimensions but the hyperplane has 3"),
        ({"z": np.zeros(3)}, r"shape \(n, d\)"),
        (
            {"planes": [Hyperplane(np.ones(3), 0.0), Hyperplane(np.ones(2), 0.0)]},
            "latents have 3 dimensions but the hyperplane has 2",
        ),
        ({"steps": [1.0, 2.0, 3.0]}, r"shape \(2, 2\)"),
        ({"steps": np.zeros((3, 2))}, r"shape \(2, 2\)"),
        ({"steps": [1.0, np.nan]}, "finite"),
        ({"z": np.full((2, 3), np.inf)}, "NaN or infinity"),
    ],
)
def test_misuse_is_one_sentence(change, message, conditioned):
    rng = np.random.default_rng(1)
    right = {
        "z": np.zeros((2, 3)),
        "planes": [Hyperplane(rng.normal(size=3), 0.0) for _ in range(2)],
        "steps": [1.0, 0.0],
    }
    with pytest.raises(UserError, match=message):
        walk(**right | change, conditioned=conditioned)
