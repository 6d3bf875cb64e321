"""Domain-dependent partners: the other group's target plane, at the distance of one's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.latent import PARTNERS, Hyperplane, domain_partner, fit_domain_planes, partner
from fairlab.latent.domains import CHUNK

KEEPING = [name for name, rule in PARTNERS.items() if rule.keeps_target]


@st.composite
def problems(draw):
    """Latents off the protected plane, that plane and two target planes, in 3 to 40 dimensions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d, n = draw(st.integers(3, 40)), draw(st.integers(1, 20))
    protected, *targets = (Hyperplane(rng.normal(size=d), rng.normal()) for _ in range(3))
    z = rng.normal(size=(n, d))
    assume(max(abs(protected.cosine(target)) for target in targets) < 0.999)
    assume(np.abs(protected.distance(z)).min() > 1e-6)
    return z, protected, tuple(targets)


def own_distance(z, protected, targets):
    """Return the distance of each latent to the target plane of the group on whose side it lies."""
    return np.array([targets[int(protected.distance([row])[0] > 0)].distance([row])[0] for row in z])


@pytest.mark.parametrize("kind", KEEPING)
@given(problems())
def test_the_partner_has_the_distance_of_its_own_group_to_the_other_plane(kind, problem):
    z, protected, targets = problem
    moved = domain_partner(z, protected=protected, targets=targets, kind=kind)
    wanted = PARTNERS[kind].protected_distance(z, protected, targets[0])
    np.testing.assert_allclose(protected.distance(moved), wanted, rtol=0, atol=1e-9)
    for row, found in zip(z, moved, strict=True):
        group = int(protected.distance([row])[0] > 0)
        kept, met = targets[group].distance([row]), targets[1 - group].distance([found])
        np.testing.assert_allclose(met, kept, rtol=0, atol=1e-9)


@given(problems())
def test_the_partner_is_the_nearest_such_point(problem):
    z, protected, targets = problem
    moved = domain_partner(z, protected=protected, targets=targets)
    for row, found in zip(z, moved, strict=True):
        other = targets[int(protected.distance([row])[0] <= 0)]
        way, normals = found - row, np.stack([protected.normal, other.normal], axis=1)  # (d,), (d, 2)
        combination = np.linalg.lstsq(normals, way)[0]
        np.testing.assert_allclose(normals @ combination, way, rtol=0, atol=1e-9)


@given(problems())
def test_flipping_twice_returns_the_distances(problem):
    z, protected, targets = problem
    twice = domain_partner(
        domain_partner(z, protected=protected, targets=targets), protected=protected, targets=targets
    )
    np.testing.assert_allclose(protected.distance(twice), protected.distance(z), rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        own_distance(twice, protected, targets), own_distance(z, protected, targets), rtol=0, atol=1e-9
    )


@given(problems())
def test_double_flips_shrink_along_one_direction(problem):
    z, protected, targets = problem
    points = [z]
    for _ in range(4):
        points.append(domain_partner(points[-1], protected=protected, targets=targets))
    first, second = points[2] - z, points[4] - points[2]
    sideways = [t.normal - t.cosine(protected) * protected.normal for t in targets]
    cosine = sideways[0] @ sideways[1] / np.prod(np.linalg.norm(sideways, axis=1))
    np.testing.assert_allclose(second, cosine**2 * first, rtol=0, atol=1e-8)


def test_flipping_twice_is_not_the_identity_unless_the_normals_lie_in_one_plane():
    rng = np.random.default_rng(0)
    z, protected = rng.normal(size=(30, 8)), Hyperplane(rng.normal(size=8), 0.2)
    first, other = Hyperplane(rng.normal(size=8), 0.1), Hyperplane(rng.normal(size=8), -0.3)
    coplanar = Hyperplane(first.normal - 0.4 * protected.normal, -0.3)

    def flip_twice(targets):
        moved = domain_partner(z, protected=protected, targets=targets)
        return domain_partner(moved, protected=protected, targets=targets)

    assert (np.linalg.norm(flip_twice((first, other)) - z, axis=1) > 0.01).mean() > 0.9
    np.testing.assert_allclose(flip_twice((first, coplanar)), z, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", KEEPING)
@given(problems())
def test_equal_target_planes_give_the_ordinary_partner(kind, problem):
    z, protected, (target, _) = problem
    moved = domain_partner(z, protected=protected, targets=(target, target), kind=kind)
    expected = partner(z, protected=protected, target=target, kind=kind)
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-9)


def test_the_rows_of_many_chunks_are_those_of_each_alone():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(2 * CHUNK + 7, 5)).astype(np.float32)
    protected, *targets = (Hyperplane(rng.normal(size=5), rng.normal()) for _ in range(3))
    moved = domain_partner(z, protected=protected, targets=tuple(targets))
    assert moved.dtype == np.float64
    for row in (0, CHUNK - 1, CHUNK, 2 * CHUNK + 6):
        alone = domain_partner(z[[row]], protected=protected, targets=tuple(targets))
        np.testing.assert_allclose(moved[[row]], alone, rtol=0, atol=1e-12)


def test_no_latents_have_no_partners():
    planes = [Hyperplane(row, 0.1) for row in np.eye(4)[:3]]
    empty = domain_partner(np.zeros((0, 4)), protected=planes[0], targets=(planes[1], planes[2]))
    assert empty.shape == (0, 4)


@pytest.mark.parametrize("n", [0, 3])
def test_misuse_of_partners_is_one_sentence(n):
    first, second, third = (Hyperplane(row, 0.1) for row in np.eye(4)[:3])
    z = np.ones((n, 4))
    for kind in PARTNERS.keys() - set(KEEPING):
        with pytest.raises(UserError, match=f"'{kind}' ignores target planes.*choose one of mirrored"):
            domain_partner(z, protected=first, targets=(second, third), kind=kind)
    with pytest.raises(UserError, match="did you mean 'mirrored'"):
        domain_partner(z, protected=first, targets=(second, third), kind="mirrord")
    for targets in ((second, first), (first, second)):
        with pytest.raises(UserError, match="parallel"):
            domain_partner(z, protected=first, targets=targets)
    with pytest.raises(UserError, match="2 dimensions"):
        domain_partner(z, protected=first, targets=(second, Hyperplane(np.ones(2), 0.0)))
    with pytest.raises(UserError, match="NaN or infinity"):
        domain_partner(np.full((1, 4), np.nan), protected=first, targets=(second, third))


def two_domains(n=3000, d=6, seed=0):
    """Latents whose target label depends on axis 1 without the protected attribute and on axis 2 with it."""
    z = np.random.default_rng(seed).normal(size=(n, d))
    protected = z[:, 0] > 0
    target = np.where(protected, z[:, 2], z[:, 1]) > 0
    return z, target.astype(np.uint8), protected.astype(np.uint8)


def test_fit_finds_each_groups_direction():
    without, with_attribute = fit_domain_planes(*two_domains())
    assert without.normal[1] > 0.99
    assert with_attribute.normal[2] > 0.99
    assert without.held_out_accuracy is None


def test_fit_is_a_hyperplane_for_each_group():
    z, target, protected = two_domains()
    more = two_domains(seed=1)
    by_triple = fit_domain_planes(z, target, protected, held_out=more)
    by_fraction = fit_domain_planes(z, target, protected, held_out=0.25)
    for group in (0, 1):
        rows, others = protected == group, more[2] == group
        expected = Hyperplane.fit(z[rows], target[rows], held_out=(more[0][others], more[1][others]))
        np.testing.assert_array_equal(by_triple[group].normal, expected.normal)
        assert by_triple[group].held_out_accuracy == expected.held_out_accuracy
        expected = Hyperplane.fit(z[rows], target[rows], held_out=0.25)
        np.testing.assert_array_equal(by_fraction[group].normal, expected.normal)
        assert by_fraction[group].held_out_accuracy == expected.held_out_accuracy


@pytest.mark.parametrize(("group", "name"), [(0, "without"), (1, "with")])
@pytest.mark.parametrize("label", [0, 1])
def test_a_group_with_one_label_is_named(group, name, label):
    z, target, protected = two_domains()
    target[protected == group] = label
    n_positive = label * (protected == group).sum()
    with pytest.raises(UserError, match=f"images {name} the protected .* labels {n_positive} are 1 and"):
        fit_domain_planes(z, target, protected)


@pytest.mark.parametrize(("group", "name"), [(0, "without"), (1, "with")])
def test_an_empty_group_is_named(group, name):
    z, target, protected = two_domains()
    with pytest.raises(UserError, match=f"images {name} the protected attribute: .*of 0 labels"):
        fit_domain_planes(z, target, np.full(len(z), 1 - group))
    rows = protected != group
    with pytest.raises(UserError, match=f"No held-out latent is of an image {name} the protected"):
        fit_domain_planes(z, target, protected, held_out=(z[rows], target[rows], protected[rows]))


def test_misuse_of_the_fit_is_one_sentence():
    z, target, protected = two_domains(n=100)
    with pytest.raises(UserError, match=r"Labels must be of shape \(100,\), one for each latent.*\(99,\)"):
        fit_domain_planes(z, target, protected[:-1])
    with pytest.raises(UserError, match="must be 0 or 1, but 100 of 100"):
        fit_domain_planes(z, target + 2, protected)
    with pytest.raises(UserError, match="held-out fraction must lie between 0 and 1"):
        fit_domain_planes(z, target, protected, held_out=1.5)
