"""Which hyperplanes a run fits, and that its stored partners have the distances that are promised."""

from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

from fairlab.core.files import load_array
from fairlab.experiments.run import Run
from fairlab.latent import Hyperplane

pytestmark = pytest.mark.slow

SIZES = {"n_fit": 200, "n_held_out": 40, "n_pairs": 60}

#: Partners are stored as float32, in 512 dimensions.
CLOSE = {"rtol": 0, "atol": 1e-4}

NUMBERS = count()


@pytest.fixture
def small(smoke_home):
    """Return small runs of the given settings, which share the smoke run's classifiers."""

    def make(**changes):
        settings = {"variant": "paired", **SIZES, **changes}
        return Run.of_preset("smoke", smoke_home, name=f"planes-{next(NUMBERS)}", **settings)

    return make


def moved(run):
    """The partners as they are stored, and their z."""
    return load_array(run.pairs(0).partners.folder / "z.npy"), run.pairs(0).z


@pytest.mark.parametrize(("variant", "across"), [("paired", -1.0), ("on_hyperplane", 0.0)])
def test_planes_by_group_are_fitted_within_groups_and_partners_go_by_the_other_group_s(
    small, variant, across
):
    run = small(target_planes="by_group", variant=variant)
    planes, e = run.pairs(0).all_planes, run.experiment
    assert set(planes) == {"target", "protected", "target_without", "target_with"}
    assert set(run.pairs(0).planes) == {"target", "protected"}

    labels = {role: y[: e.n_fit] for role, y in run.pairs(0).all_labels.items()}
    for name, group in (("target_without", 0), ("target_with", 1)):
        members = labels["protected"] == group
        again = Hyperplane.fit(run.pairs(0).all_z[: e.n_fit][members], labels["target"][members])
        assert again.cosine(planes[name]) == pytest.approx(1)
        assert planes[name].n_positive + planes[name].n_negative == members.sum()

    after, before = moved(run)
    assert len(after) == len(before) == e.n_pairs
    protected = planes["protected"].distance(before)
    np.testing.assert_allclose(planes["protected"].distance(after), across * protected, **CLOSE)
    without, with_ = (planes[name] for name in ("target_without", "target_with"))
    own = np.where(protected > 0, with_.distance(before), without.distance(before))
    other = np.where(protected > 0, without.distance(after), with_.distance(after))
    np.testing.assert_allclose(other, own, **CLOSE)
    assert 0 < (protected > 0).sum() < len(protected)


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_planes_are_fitted_to_the_wanted_share_of_positives(small, share):
    run = small(positive_share=share)
    for role, plane in run.pairs(0).planes.items():
        n, y = plane.n_positive + plane.n_negative, run.pairs(0).all_labels[role][: run.pairs(0).method.n_fit]
        assert plane.n_positive == pytest.approx(share * n, abs=1)
        # One of the two labels is short, and all of it is used.
        assert plane.n_positive == y.sum() or plane.n_negative == (1 - y).sum()
        assert plane.held_out_accuracy is not None
    assert run.pairs(0).planes["target"].cosine(small().hyperplanes(0)["target"]) < 1 - 1e-6


@pytest.fixture
def two(small):
    return small(also_protected=("Young",))


def test_two_protected_attributes_give_three_partners_in_the_order_of_flips(two):
    planes = two.all_hyperplanes(0)
    assert set(planes) == {"target", "protected", "Young"}
    after, before = moved(two)
    n = two.experiment.n_pairs
    assert len(after) == two.experiment.n_partners == 3 * n
    assert len(load_array(two.partners(0).folder / "images.npy", mapped=True)) == 3 * n
    for block, flipped in enumerate(({"protected"}, {"Young"}, {"protected", "Young"})):
        rows = after[block * n : (block + 1) * n]
        for name, plane in planes.items():
            wanted = plane.distance(before) * (-1 if name in flipped else 1)
            np.testing.assert_allclose(plane.distance(rows), wanted, err_msg=name, **CLOSE)


def test_inverted_validation_images_join_the_fit_with_their_own_labels(small, monkeypatch):
    def search(generator, images, **options):
        z = np.random.default_rng(images.sum()).normal(size=(len(images), 512))
        return SimpleNamespace(z=z, pixel_error=np.zeros(len(images)))

    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.invert", search)
    run = small(n_inverted=26, seeds=1)
    e, found = run.experiment, run.inverted("valid")
    rows, z = (load_array(found.folder / f"{name}.npy") for name in ("rows", "z"))
    for role, plane in run.pairs(0).planes.items():
        known = run.data.label(run.roles[role], "valid")[rows]
        fitted = np.concatenate([run.pairs(0).all_labels[role][: e.n_fit], known])
        assert (plane.n_positive, plane.n_negative) == (fitted.sum(), (1 - fitted).sum())
        again = Hyperplane.fit(np.concatenate([run.pairs(0).all_z[: e.n_fit], z]), fitted)
        assert again.cosine(plane) == pytest.approx(1)

    # Partners are those of the real training images.
    after, before = moved(run)
    assert np.array_equal(before, load_array(run.inverted("train").folder / "z.npy"))
    protected = run.pairs(0).planes["protected"]
    np.testing.assert_allclose(protected.distance(after), -protected.distance(before), **CLOSE)
