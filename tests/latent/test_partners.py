"""Partners: the published numbers, and the properties that make them partners."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.latent import (
    PARTNERS,
    Hyperplane,
    nearest_with_distances,
    partner,
    plane_basis,
    plane_coordinates,
    plane_distances,
)
from fairlab.latent.partners import MARGIN

REFERENCE = Path(__file__).parents[1] / "reference" / "pairs_a.npz"


@st.composite
def problems(draw):
    """Latents and two planes that are not parallel, in 2 to 40 dimensions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d, n = draw(st.integers(2, 40)), draw(st.integers(1, 20))
    target, protected = (Hyperplane(rng.normal(size=d), rng.normal()) for _ in range(2))
    assume(abs(target.cosine(protected)) < 0.999)
    return rng.normal(size=(n, d)), target, protected


@pytest.mark.parametrize("kind", [name for name in PARTNERS if name != "margin"])
def test_partners_equal_the_published_ones(kind):
    pairs = np.load(REFERENCE)
    target = Hyperplane(pairs["w_target"], float(pairs["b_target"]))
    protected = Hyperplane(pairs["w_protected"], float(pairs["b_protected"]))
    z = partner(pairs["z"], protected=protected, target=target, kind=kind)
    published = pairs["paired" if kind == "mirrored" else kind]
    np.testing.assert_allclose(z, published, rtol=0, atol=1e-9)


@given(problems())
def test_mirrored_negates_the_protected_distance_and_keeps_the_target_distance(problem):
    z, target, protected = problem
    flipped = partner(z, protected=protected, target=target)
    np.testing.assert_allclose(protected.distance(flipped), -protected.distance(z), rtol=0, atol=1e-9)
    np.testing.assert_allclose(target.distance(flipped), target.distance(z), rtol=0, atol=1e-9)
    twice = partner(flipped, protected=protected, target=target)
    np.testing.assert_allclose(twice, z, rtol=0, atol=1e-9)


@given(problems())
def test_mirrored_is_the_closed_form_of_the_paper(problem):
    z, target, protected = problem
    c = protected.normal @ target.normal
    step = 2 * protected.distance(z) / (1 - c**2)
    expected = z - step[:, None] * (protected.normal - c * target.normal)
    np.testing.assert_allclose(partner(z, protected=protected, target=target), expected, rtol=0, atol=1e-9)


@given(problems())
def test_on_hyperplane_lies_half_way(problem):
    z, target, protected = problem
    on_plane = partner(z, protected=protected, target=target, kind="on_hyperplane")
    paired = partner(z, protected=protected, target=target)
    np.testing.assert_allclose(protected.distance(on_plane), 0, atol=1e-9)
    np.testing.assert_allclose(on_plane, (z + paired) / 2, rtol=0, atol=1e-9)


@given(problems())
def test_margin_changes_sides_by_a_margin_and_keeps_the_target_distance(problem):
    z, target, protected = problem
    moved = partner(z, protected=protected, target=target, kind="margin")
    np.testing.assert_allclose(target.distance(moved), target.distance(z), rtol=0, atol=1e-9)
    np.testing.assert_allclose(np.abs(protected.distance(moved)), MARGIN, rtol=0, atol=1e-9)
    assert (np.sign(protected.distance(moved)) == -np.sign(protected.distance(z))).all()


@given(problems())
def test_perpendicular_moves_along_the_protected_normal(problem):
    z, target, protected = problem
    distance = protected.distance(z)[:, None]
    for kind, factor in (("perpendicular", 2), ("perpendicular_on_hyperplane", 1)):
        moved = partner(z, protected=protected, target=target, kind=kind)
        np.testing.assert_allclose(moved, z - factor * distance * protected.normal, rtol=0, atol=1e-9)


@given(problems(), st.integers(0, 2**32 - 1))
def test_prescribed_distances_are_met_by_the_nearest_point(problem, seed):
    z, target, protected = problem
    rng = np.random.default_rng(seed)
    wanted = rng.normal(size=(len(z), 2))
    nearest = nearest_with_distances(z, [target, protected], wanted)
    met = np.stack([target.distance(nearest), protected.distance(nearest)], axis=1)
    np.testing.assert_allclose(met, wanted, rtol=0, atol=1e-9)
    # Any other solution differs by a vector orthogonal to both normals, and so is no nearer.
    basis = plane_basis(target, protected)
    aside = rng.normal(size=z.shape)
    aside -= (aside @ basis.T) @ basis
    elsewhere = nearest + aside
    assert (np.linalg.norm(nearest - z, axis=1) <= np.linalg.norm(elsewhere - z, axis=1) + 1e-9).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([5, 6, 17, 64, 512]), st.data())
def test_distances_to_up_to_five_planes_are_met(seed, k, d, data):
    n = data.draw(st.sampled_from([1, 2, 300]))
    rng = np.random.default_rng(seed)
    planes = [Hyperplane(rng.normal(size=d), rng.normal()) for _ in range(k)]
    assume(np.linalg.svd([plane.normal for plane in planes], compute_uv=False)[-1] > 0.01)
    z, wanted = rng.normal(size=(n, d)), 3 * rng.normal(size=(n, k))
    nearest = nearest_with_distances(z, planes, wanted)
    met = np.stack([plane.distance(nearest) for plane in planes], axis=1)
    np.testing.assert_allclose(met, wanted, rtol=0, atol=1e-9)
    np.testing.assert_allclose(plane_distances(nearest, planes), met, rtol=0, atol=1e-12)
    # The way there is a combination of the normals, hence the shortest.
    coefficients = np.linalg.lstsq(np.transpose([plane.normal for plane in planes]), (nearest - z).T)[0]
    np.testing.assert_allclose(coefficients.T @ [plane.normal for plane in planes], nearest - z, atol=1e-9)


@given(problems())
def test_plane_coordinates_keep_distances(problem):
    z, target, protected = problem
    basis = plane_basis(target, protected)
    np.testing.assert_allclose(basis @ basis.T, np.eye(2), atol=1e-12)
    x = plane_coordinates(z, target, protected)
    for plane in (target, protected):
        np.testing.assert_allclose(x @ (basis @ plane.normal) + plane.intercept, plane.distance(z), atol=1e-9)
    moved = plane_coordinates(partner(z, protected=protected, target=target), target, protected)
    np.testing.assert_allclose(moved[:, 0], x[:, 0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_parallel_planes_are_refused(sign):
    normal = np.random.default_rng(0).normal(size=8)
    target, protected = Hyperplane(normal, 0.1), Hyperplane(sign * normal * (1 + 1e-13), 0.2)
    with pytest.raises(UserError, match=r"parallel.*1\.0000"):
        partner(np.zeros((2, 8)), protected=protected, target=target)
    # The perpendicular kinds look at one plane only.
    partner(np.zeros((2, 8)), protected=protected, target=target, kind="perpendicular")


def test_misuse_is_one_sentence():
    target, protected = Hyperplane(np.array([1.0, 0, 0]), 0.1), Hyperplane(np.array([0, 1.0, 0]), 0.2)
    z = np.zeros((2, 3))
    with pytest.raises(UserError, match="did you mean 'perpendicular'"):
        partner(z, protected=protected, target=target, kind="perpendiclar")
    with pytest.raises(UserError, match="latents have 4 dimensions but the hyperplane has 3"):
        partner(np.zeros((2, 4)), protected=protected, target=target)
    with pytest.raises(UserError, match="3 and 2 dimensions"):
        partner(z, protected=protected, target=Hyperplane(np.ones(2), 0.0))
    with pytest.raises(UserError, match="3 and 2 dimensions"):
        plane_basis(target, Hyperplane(np.ones(2), 0.0))
    with pytest.raises(UserError, match=r"shape \(2, 2\)"):
        nearest_with_distances(z, [target, protected], np.zeros((2, 3)))
    with pytest.raises(UserError, match="finite"):
        nearest_with_distances(z, [target], np.full((2, 1), np.nan))
    with pytest.raises(UserError, match="At least one hyperplane"):
        nearest_with_distances(z, [], np.zeros((2, 0)))
