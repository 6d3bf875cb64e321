"""What step 6 adds to the real images: how much, with which labels, and how balanced."""

from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from fairlab.methods.controls import (
    UNBIASED_SEED,
    augmented,
    balanced_rows,
    oversampling,
    pairs,
    real_images,
    unbiased_faces,
    unpaired,
    z_only,
    z_prime_only,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from fairlab.core.files import load_array
from fairlab.data.synthfaces.source import SynthFacesSource
from fairlab.experiments.experiment import ABLATIONS, CONTROLS, HALVES
from fairlab.experiments.run import Run

SIZES = {"n_fit": 200, "n_held_out": 40, "n_pairs": 60}
NUMBERS = count()


@pytest.fixture(scope="module")
def small(smoke_home):
    """Return small runs of the given settings, which share the smoke run's classifiers."""

    def make(**changes):
        settings = {"variant": "paired", **SIZES, **changes}
        return Run.of_preset("smoke", smoke_home, name=f"sets-{next(NUMBERS)}", **settings)

    return make


@pytest.fixture(scope="module")
def run(small):
    return small()


def all_images(part):
    return part.images[np.arange(len(part.images))]


@pytest.mark.slow
def test_halves_are_the_latents_behind_the_fitted_ones_and_their_partners(run):
    first, second = z_only(run, 0), z_prime_only(run, 0)
    assert np.array_equal(all_images(first), load_array(run.pairs(0).faces.folder / "images.npy")[240:])
    assert np.array_equal(all_images(second), load_array(run.pairs(0).partners.folder / "images.npy"))
    labelling = run.labelling("target", 0)
    given = labelling.scores[240:] > labelling.threshold
    assert 0 < given.sum() < 60
    assert np.array_equal(first.labels, given)
    assert np.array_equal(second.labels, given)


@pytest.mark.slow
def test_pairs_are_both_halves(run):
    both, halves = pairs(run, 0), (z_only(run, 0), z_prime_only(run, 0))
    assert np.array_equal(all_images(both), np.concatenate([all_images(half) for half in halves]))
    assert np.array_equal(both.labels, np.concatenate([half.labels for half in halves]))
    assert both.marks.keys() == {"target", "protected", "partners"}


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["paired", "perpendicular", *HALVES, *CONTROLS])
def test_real_images_come_first_and_the_rest_is_as_large_as_announced(small, variant):
    run = small(variant=variant)
    data = augmented(run, 0)
    n_real, e = len(run.data.rows("train")), run.experiment
    assert len(data.images) == n_real + e.n_added
    assert data.labels.shape == (n_real + e.n_added, 1)
    assert set(np.unique(data.labels)) == {0, 1}
    assert np.array_equal(data.labels[:n_real, 0], run.data.label("Eyeglasses", "train"))
    edge = np.array([0, n_real - 1, n_real, len(data.images) - 1])
    assert data.images[edge].shape == (4, 64, 64, 3)
    assert np.array_equal(data.images[edge[:2]], run.images("train")[edge[:2]])
    assert data.marks["data"] == run.data.fingerprint


@pytest.mark.slow
def test_what_identifies_the_added_images_differs_between_variants(small):
    """But for a half, whose images are among those of the pairs."""
    variants = (*ABLATIONS[:2], "z_only", *CONTROLS)
    marks = [augmented(small(variant=v), 0).marks for v in variants]
    assert len({tuple(sorted(mark.items())) for mark in marks}) == len(marks)


@pytest.mark.slow
def test_unpaired_faces_are_twice_as_many_and_none_is_a_partner(run):
    added = unpaired(run, 0)
    images = all_images(added)
    assert len(images) == len(added.labels) == 120
    assert np.array_equal(images[:60], run.pairs(0).images)
    assert len({image.tobytes() for image in images}) == 120
    partners = {image.tobytes() for image in load_array(run.pairs(0).partners.folder / "images.npy")}
    latents = {image.tobytes() for image in load_array(run.pairs(0).faces.folder / "images.npy")}
    assert not {image.tobytes() for image in images[60:]} & (partners | latents)
    labelling = run.labelling("target", 0, run.further_latents())
    assert labelling.threshold == run.pairs(0).thresholds["target"]
    assert np.array_equal(added.labels[60:], labelling.scores > labelling.threshold)


@pytest.mark.slow
def test_oversampled_images_are_real_ones_with_their_labels_and_balanced(small):
    run = small(n_pairs=600)
    added = oversampling(run, 0)
    assert len(added.images) == len(added.labels) == 1200
    y, a = (run.data.label(name, "train") for name in ("Eyeglasses", "Male"))
    groups = {
        image.tobytes(): labels
        for image, *labels in zip(all_images(real_images(run, ("Male",))), y, a, strict=True)
    }
    found = np.array([groups[image.tobytes()] for image in all_images(added)])  # (n, 2)
    assert np.array_equal(found[:, 0], added.labels)
    for label in (0, 1):
        with_a = found[found[:, 0] == label, 1]
        assert binomtest(int(with_a.sum()), len(with_a), 0.5).pvalue > 1e-6
    assert binomtest(int(found[:, 0].sum()), 1200, y.mean()).pvalue > 1e-6
    assert not np.array_equal(oversampling(run, 1).labels, added.labels)


@given(
    counts=st.lists(st.integers(1, 60), min_size=4, max_size=4),
    n=st.integers(1, 3000),
    seed=st.integers(0, 2**31),
)
def test_balanced_rows_keep_the_labels_and_balance_the_groups_within_each(counts, n, seed):
    cells = np.random.default_rng(seed).permutation(np.repeat(np.arange(4), counts))
    y, a = cells // 2, cells % 2
    rows = balanced_rows(y, a, n, seed=seed)
    assert rows.shape == (n,)
    assert 0 <= rows.min() <= rows.max() < len(y)
    assert np.array_equal(rows, balanced_rows(y, a, n, seed=seed))
    chance = 1e-9  # far below one in the number of examples
    assert binomtest(int(y[rows].sum()), n, y.mean()).pvalue > chance
    for label in (0, 1):
        drawn = a[rows][y[rows] == label]
        assert not len(drawn) or binomtest(int(drawn.sum()), len(drawn), 0.5).pvalue > chance


def test_other_seeds_draw_other_rows():
    y, a = np.arange(400) % 2, np.arange(400) // 2 % 2
    assert not np.array_equal(balanced_rows(y, a, 50, seed=1), balanced_rows(y, a, 50, seed=2))


@pytest.mark.slow
def test_unbiased_faces_are_new_and_their_labels_are_observed_and_independent(small):
    run = small(target="Blond_Hair", n_pairs=700)
    added = unbiased_faces(run, 0)
    assert len(added.images) == len(added.labels) == 1400

    own = {image.tobytes() for image in all_images(real_images(run, ("Male",)))}
    assert not own & {image.tobytes() for image in all_images(added)}

    drawn = SynthFacesSource(
        1400, 0, 0, seed=run.experiment.seed + UNBIASED_SEED, associations={("Blond_Hair", "Male"): 0.0}
    )
    truth = drawn.factors("train").truth[:, list(drawn.attributes).index("Blond_Hair")]
    male = drawn.factors("train").truth[:, list(drawn.attributes).index("Male")]
    assert 0 < np.mean(truth != added.labels) < 0.15  # annotators err, seldom

    error = 4 / np.sqrt(1400)
    assert abs(np.corrcoef(added.labels, male)[0, 1]) < error
    y, a = (run.data.label(name, "train") for name in ("Blond_Hair", "Male"))
    assert abs(np.corrcoef(y, a)[0, 1]) > 2 * error


@pytest.mark.slow
def test_labels_of_several_partners_are_those_of_their_z_block_by_block(small):
    run = small(also_protected=("Young",))
    added, first = z_prime_only(run, 0), z_only(run, 0)
    assert len(added.images) == len(added.labels) == 180
    for block in range(3):
        assert np.array_equal(added.labels[60 * block : 60 * (block + 1)], first.labels)
    assert len(pairs(run, 0).labels) == 240 == run.experiment.n_added
    assert {"target", "protected", "Young", "partners"} == added.marks.keys()


@pytest.mark.slow
def test_counterparts_of_real_images_have_the_real_images_labels(small, monkeypatch):
    def search(generator, images, **options):
        z = np.random.default_rng(images.sum()).normal(size=(len(images), 512))
        return SimpleNamespace(z=z, pixel_error=np.zeros(len(images)))

    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.invert", search)
    run = small(n_inverted=30)
    added = pairs(run, 0)
    rows = load_array(run.inverted("train").folder / "rows.npy")
    assert np.array_equal(run.pairs(0).images, run.images("train")[rows])
    assert np.array_equal(added.labels, run.data.label("Eyeglasses", "train")[rows])
    assert np.array_equal(all_images(added), load_array(run.pairs(0).partners.folder / "images.npy"))
    assert len(added.labels) == 30 == run.experiment.n_added
