"""Steps 4 and 5 as functions of arrays: which planes are fitted, and which partners they prescribe."""

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.latent import PARTNERS, Hyperplane, flip_combinations, partner
from fairlab.methods.latent_pairs.planes import DOMAIN_PLANES, fit_planes, load_planes, partners, save_planes

N, DIMENSION = 400, 6
ROLES = ("target", "protected", "Young")
#: Distances of partners, as asked for.
CLOSE = {"rtol": 0, "atol": 1e-9}


def made(n, seed, roles=ROLES[:2]):
    """Return latents (n, d), and labels that lie on two sides of dependent directions, with some noise."""
    random = np.random.default_rng(seed)
    z = random.normal(size=(n, DIMENSION))
    normals = np.eye(DIMENSION)[: len(roles)] + 0.3
    return z, {
        role: (z @ normal + random.normal(scale=0.3, size=n) > 0.2).astype(np.uint8)
        for role, normal in zip(roles, normals, strict=True)
    }


Z, LABELS = made(N, 0)
HELD_OUT = made(150, 1)


def test_every_role_has_a_plane_fitted_to_its_labels_and_measured_on_the_latents_held_out():
    planes = fit_planes(Z, LABELS, held_out=HELD_OUT)
    assert list(planes) == ["target", "protected"]
    for role, plane in planes.items():
        assert Hyperplane.fit(Z, LABELS[role]).cosine(plane) == pytest.approx(1)
        right = (plane.distance(HELD_OUT[0]) > 0) == HELD_OUT[1][role]
        assert 0.8 < plane.held_out_accuracy == pytest.approx(right.mean())


@pytest.mark.parametrize(("kind", "across"), [("mirrored", -1.0), ("on_hyperplane", 0.0)])
def test_planes_by_group_are_fitted_within_groups_and_partners_go_by_the_other_group_s(kind, across):
    planes = fit_planes(Z, LABELS, held_out=HELD_OUT, by_group=True)
    assert list(planes) == ["target", "protected", *DOMAIN_PLANES]
    for group, name in enumerate(DOMAIN_PLANES):
        members = LABELS["protected"] == group
        assert Hyperplane.fit(Z[members], LABELS["target"][members]).cosine(planes[name]) == pytest.approx(1)
        assert planes[name].n_positive + planes[name].n_negative == members.sum()

    after = partners(Z, planes, kind)
    assert after.shape == Z.shape
    protected = planes["protected"].distance(Z)
    np.testing.assert_allclose(planes["protected"].distance(after), across * protected, **CLOSE)
    without, with_ = (planes[name] for name in DOMAIN_PLANES)
    own = np.where(protected > 0, with_.distance(Z), without.distance(Z))
    other = np.where(protected > 0, without.distance(after), with_.distance(after))
    np.testing.assert_allclose(other, own, **CLOSE)


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_planes_are_fitted_to_the_wanted_share_of_positives(share):
    planes = fit_planes(Z, LABELS, held_out=HELD_OUT, positive_share=share, seed=3)
    for role, plane in planes.items():
        n, y = plane.n_positive + plane.n_negative, LABELS[role]
        assert plane.n_positive == pytest.approx(share * n, abs=1)
        # One of the two labels is short, and all of it is used.
        assert plane.n_positive == y.sum() or plane.n_negative == (1 - y).sum()
        assert plane.held_out_accuracy is not None
        assert Hyperplane.fit(Z, y).cosine(plane) < 1 - 1e-6


@pytest.mark.parametrize("kind", PARTNERS)
def test_with_one_protected_attribute_partners_are_those_of_the_formula(kind):
    planes = fit_planes(Z, LABELS, held_out=HELD_OUT)
    expected = partner(Z, protected=planes["protected"], target=planes["target"], kind=kind)
    np.testing.assert_allclose(partners(Z, planes, kind), expected, **CLOSE)


def test_mirrored_pairs_have_as_many_latents_on_either_side_and_keep_the_target():
    planes = fit_planes(Z, LABELS, held_out=HELD_OUT)
    after = partners(Z, planes, "mirrored")
    sides = np.concatenate([planes["protected"].distance(part) > 0 for part in (Z, after)])
    assert sides.mean() == 0.5
    np.testing.assert_allclose(planes["target"].distance(after), planes["target"].distance(Z), **CLOSE)


def test_several_protected_attributes_give_a_block_of_partners_for_each_combination_of_flips():
    z, labels = made(N, 2, ROLES)
    planes = fit_planes(z, labels, held_out=made(50, 3, ROLES))
    after = partners(z, planes, "mirrored").reshape(3, N, DIMENSION)
    assert flip_combinations(2) == [(0,), (1,), (0, 1)]
    for rows, flipped in zip(after, ({"protected"}, {"Young"}, {"protected", "Young"}), strict=True):
        for role, plane in planes.items():
            wanted = plane.distance(z) * (-1 if role in flipped else 1)
            np.testing.assert_allclose(plane.distance(rows), wanted, err_msg=role, **CLOSE)


def test_planes_are_read_back_in_the_order_in_which_they_were_written(tmp_path):
    z, labels = made(N, 2, ROLES)
    planes = fit_planes(z, dict(reversed(labels.items())), held_out=made(50, 3, ROLES), by_group=True)
    tmp_path.joinpath("step.json").write_text("{}")
    save_planes(tmp_path, planes)
    found = load_planes(tmp_path)
    assert list(found) == list(planes) == ["Young", "protected", "target", *DOMAIN_PLANES]
    for role, plane in planes.items():
        np.testing.assert_array_equal(found[role].normal, plane.normal)
        assert found[role].intercept == plane.intercept


def test_labels_that_all_agree_and_kinds_that_do_not_exist_are_one_sentence():
    planes = fit_planes(Z, LABELS, held_out=HELD_OUT)
    with pytest.raises(UserError, match="did you mean 'margin'"):
        partners(Z, planes, "margins")
    with pytest.raises(UserError, match="of 400 labels 0 are 1"):
        fit_planes(Z, LABELS | {"target": np.zeros(N, np.uint8)}, held_out=HELD_OUT)
