"""Several protected attributes: what is flipped flips, and everything else stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.latent import PARTNERS, Hyperplane, flip_combinations, flipped_partners, partner, plane_distances


@st.composite
def problems(draw, most=4):
    """Latents, one to `most` protected planes and a target plane, independent, in up to 40 dimensions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    k, n = draw(st.integers(1, most)), draw(st.integers(1, 10))
    d = draw(st.integers(k + 1, 40))
    planes = [Hyperplane(rng.normal(size=d), rng.normal()) for _ in range(k + 1)]
    assume(np.linalg.svd([plane.normal for plane in planes], compute_uv=False)[-1] > 0.03)
    return rng.normal(size=(n, d)), planes[:-1], planes[-1]


def test_combinations_come_in_order():
    assert flip_combinations(1) == [(0,)]
    assert flip_combinations(2) == [(0,), (1,), (0, 1)]
    assert flip_combinations(3) == [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]


@pytest.mark.parametrize("k", range(1, 7))
def test_each_combination_comes_once(k):
    flips = flip_combinations(k)
    assert len(set(flips)) == len(flips) == 2**k - 1
    assert flips == sorted(flips, key=lambda flipped: (len(flipped), flipped))


@given(problems())
def test_flipped_distances_change_sign_and_the_others_stay(problem):
    z, protected, target = problem
    partners = flipped_partners(z, protected=protected, target=target)
    before = plane_distances(z, [*protected, target])
    for moved, flipped in zip(partners, flip_combinations(len(protected)), strict=True):
        signs = [-1 if i in flipped else 1 for i in range(len(protected))] + [1]
        after = plane_distances(moved, [*protected, target])
        np.testing.assert_allclose(after, before * signs, rtol=0, atol=1e-9)


@given(problems())
def test_flipping_twice_returns(problem):
    z, protected, target = problem
    partners = flipped_partners(z, protected=protected, target=target)
    for i, moved in enumerate(partners):
        again = flipped_partners(moved, protected=protected, target=target)[i]
        np.testing.assert_allclose(again, z, rtol=0, atol=1e-9)


@given(problems(most=3))
def test_flips_one_after_another_are_both_at_once(problem):
    z, protected, target = problem
    flips = flip_combinations(len(protected))
    partners = flipped_partners(z, protected=protected, target=target)
    for moved, first in zip(partners, flips, strict=True):
        twice = flipped_partners(moved, protected=protected, target=target)
        for found, second in zip(twice, flips, strict=True):
            both = tuple(sorted(set(first) ^ set(second)))
            expected = partners[flips.index(both)] if both else z
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", PARTNERS)
@given(problems(most=1))
def test_one_protected_attribute_is_the_partner(kind, problem):
    z, (protected,), target = problem
    (moved,) = flipped_partners(z, protected=[protected], target=target, kind=kind)
    expected = partner(z, protected=protected, target=target, kind=kind)
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", PARTNERS)
@given(problems())
def test_each_variant_flips_by_its_rule(kind, problem):
    z, protected, target = problem
    keeps_target, rule = PARTNERS[kind]
    partners = flipped_partners(z, protected=protected, target=target, kind=kind)
    for moved, flipped in zip(partners, flip_combinations(len(protected)), strict=True):
        for i, plane in enumerate(protected):
            wanted = rule(z, plane, target) if i in flipped else plane.distance(z)
            np.testing.assert_allclose(plane.distance(moved), wanted, rtol=0, atol=1e-9)
        if keeps_target:
            np.testing.assert_allclose(target.distance(moved), target.distance(z), rtol=0, atol=1e-9)


def test_perpendicular_flips_ignore_the_target_plane():
    rng = np.random.default_rng(0)
    protected = [Hyperplane(rng.normal(size=9), rng.normal()) for _ in range(2)]
    z, targets = rng.normal(size=(5, 9)), [Hyperplane(rng.normal(size=9), 0.3) for _ in range(2)]
    one, other = (
        flipped_partners(z, protected=protected, target=target, kind="perpendicular") for target in targets
    )
    np.testing.assert_array_equal(one, other)


def test_misuse_is_one_sentence():
    rng = np.random.default_rng(1)
    planes = [Hyperplane(rng.normal(size=4), 0.0) for _ in range(7)]
    z = np.zeros((2, 4))
    for k in (0, 7):
        with pytest.raises(UserError, match=f"Between 1 and 6 protected attributes can be flipped, not {k}"):
            flipped_partners(z, protected=planes[:k], target=planes[0])
    with pytest.raises(UserError, match="parallel or dependent"):
        flipped_partners(z, protected=planes[:4], target=planes[4])
    with pytest.raises(UserError, match="parallel or dependent"):
        flipped_partners(z, protected=[planes[0], planes[0]], target=planes[1])
    with pytest.raises(UserError, match="did you mean 'mirrored'"):
        flipped_partners(z, protected=planes[:1], target=planes[1], kind="mirrord")
    with pytest.raises(UserError, match="2 and 4 dimensions"):
        flipped_partners(z, protected=[Hyperplane(np.ones(2), 0.0)], target=planes[1])
