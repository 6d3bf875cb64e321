"""What methods learn from: how much, with which labels and groups, and how balanced."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from fairlab.core.errors import UserError
from fairlab.core.files import load_array
from fairlab.data.synthfaces.source import SynthFacesSource
from fairlab.methods import ERM, METHODS, LatentPairs, Oversampling, Pairs, UnbiasedFaces, train
from fairlab.methods.base import schedule
from fairlab.methods.latent_pairs.generated import sample_faces
from fairlab.methods.oversampling import balanced_chances, balanced_rows
from fairlab.methods.settings import settings_of
from fairlab.methods.unbiased_faces import UNBIASED_SEED

from .toys import COUNTS, RECIPE, SIZES, faces, shapes, small

N, N_PAIRS = COUNTS["train"], SIZES["n_pairs"]
ADDED = slice(N, None)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module")
def two(work):
    """A workspace of two protected attributes, with the same images and generator."""
    return shapes(work.home, protected=("Red", "Loud"))


def images_of(data):
    return data.images[np.arange(len(data))]


#: Every method, and every way of the pairs that adds other images.
VARIANTS = [
    *((name, {}) for name in METHODS if name != "unbiased_faces"),
    ("latent_pairs", {"use": "z"}),
    ("latent_pairs", {"use": "z_prime"}),
    ("latent_pairs", {"n_inverted": 24}),
    ("latent_pairs", {"multi_label": True}),
    ("latent_pairs", {"annotator": "oversampling"}),
]


@pytest.mark.parametrize("n_protected", [1, 2])
@pytest.mark.parametrize(("name", "settings"), VARIANTS)
def test_real_images_come_first_and_all_are_as_many_as_announced(
    name, settings, n_protected, tmp_path, monkeypatch
):
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.STEPS", 1)
    work = shapes(tmp_path, protected=("Red", "Loud")[:n_protected])
    method = small(name, **settings)
    counts, data = method.counts(work), method.training_set(work, 0)
    data.check(work.outputs)
    assert len(data) == len(data.labels) == counts.trained
    assert np.array_equal(data.labels[:N], work.labels("train"))
    assert np.array_equal(data.images[np.arange(N)], work.images("train")[np.arange(N)])
    assert data.inputs["data"] == work.data.fingerprint
    drawn = sum(len(load_array(step / "z.npy", mapped=True)) for step in steps(tmp_path, "latents/*"))
    assert drawn == counts.generated + counts.generated_per_seed + counts.inverted
    scored = sum(
        len(load_array(step / "scores.npy")) for step in steps(tmp_path, "classifiers/*_generated-*")
    )
    assert scored <= counts.scored
    assert (counts.scored > 0) == (counts.generated > 0)


def steps(home, pattern):
    return [step for step in home.glob(pattern) if step.is_dir() and not step.name.startswith("planes")]


def test_plain_training_does_not_know_groups_so_that_all_protected_attributes_share_it(work, two):
    data = ERM().training_set(work, 0)
    assert data.groups is None
    assert data.inputs == ERM().training_set(shapes(work.home, protected=("Loud",)), 0).inputs
    assert train(ERM(), work, 0).folder == train(ERM(), two, 0).folder
    groups = [
        Oversampling().training_set(w, 0).inputs for w in (work, shapes(work.home, protected=("Loud",)))
    ]
    assert groups[0] != groups[1]


def test_epochs_are_those_of_the_method_or_as_many_as_show_as_many_images(work):
    added = small("added_oversampling", n_added=3 * N, epochs=None)
    assert schedule(added, work, 4 * N).epochs == 1  # half of one, but never none
    assert schedule(ERM(), work, N).epochs == RECIPE.epochs
    assert schedule(ERM(epochs=7), work, N).epochs == 7
    assert schedule(ERM(), work, N // 4).epochs == 4 * RECIPE.epochs
    assert schedule(added, work, 4 * N, RECIPE).epochs == RECIPE.epochs
    assert schedule(ERM(), work, N, images_before=N).epochs == RECIPE.epochs - 1  # of another training
    assert schedule(ERM(), work, N, images_before=9 * N).epochs == 1
    assert schedule(ERM(), work, N).selection == "average_precision"
    assert schedule(added, work, N).selection == "group_balanced_average_precision"


# Pairs.


def test_halves_of_pairs_are_the_latents_behind_those_for_planes_and_their_partners(work):
    pairs = Pairs(small("latent_pairs"), work, 0)
    z, z_prime, both = (
        small("latent_pairs", use=use).training_set(work, 0) for use in ("z", "z_prime", "both")
    )
    partners = load_array(pairs.partners.folder / "images.npy")
    assert np.array_equal(z.images[np.arange(N, len(z))], pairs.all_images[SIZES["n_fit"] + 24 :])
    assert np.array_equal(z.images[np.arange(N, len(z))], pairs.images)
    assert np.array_equal(z_prime.images[np.arange(N, len(z_prime))], partners)
    assert np.array_equal(both.images[np.arange(N, len(both))], np.concatenate([pairs.images, partners]))
    assert 0 < pairs.labels.sum() < N_PAIRS
    for half in (z, z_prime):
        assert np.array_equal(half.labels[ADDED, 0], pairs.labels)
    assert np.array_equal(both.labels[ADDED, 0], np.tile(pairs.labels, 2))
    assert z.inputs.keys() == {"data", "groups", "target", "protected"}
    assert both.inputs.keys() == z.inputs.keys() | {"partners"}


def test_partners_are_in_the_other_group(work):
    pairs = Pairs(small("latent_pairs"), work, 0)
    data, a = pairs.method.training_set(work, 0), pairs.all_labels["protected"][pairs.method.pair_rows]
    assert np.array_equal(data.groups[:N], work.groups("train"))
    assert np.array_equal(data.groups[ADDED], np.concatenate([a, 1 - a]))


def test_several_partners_have_the_label_of_their_z_and_the_group_that_their_flips_give(two):
    method = small("latent_pairs")
    pairs, data = Pairs(method, two, 0), method.training_set(two, 0)
    y, a = (pairs.all_labels[role][method.pair_rows] for role in ("target", "protected"))
    assert np.array_equal(data.labels[ADDED, 0], np.tile(y, 4))
    assert np.array_equal(data.groups[ADDED], np.concatenate([a, 1 - a, a, 1 - a]))  # Red, Loud, both flip
    assert data.inputs.keys() == {"data", "groups", "target", "protected", "Loud", "partners"}


def test_counterparts_of_real_images_have_the_real_images_labels_and_the_other_group(work, monkeypatch):
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.STEPS", 1)
    method = small("latent_pairs", n_inverted=30)
    pairs, data = Pairs(method, work, 0), method.training_set(work, 0)
    rows = load_array(pairs.source.folder / "rows.npy")
    assert len(data) == N + 30
    assert np.array_equal(pairs.images, work.images("train")[rows])
    assert np.array_equal(data.images[np.arange(N, N + 30)], load_array(pairs.partners.folder / "images.npy"))
    assert np.array_equal(data.labels[ADDED], work.labels("train")[rows])
    assert np.array_equal(data.groups[ADDED], 1 - work.groups("train")[rows])


def test_seeds_that_share_labels_share_planes_and_partners_and_others_do_not(work):
    shared = [Pairs(small("latent_pairs", multi_label=True), work, seed) for seed in (0, 1)]
    assert shared[0].partners == shared[1].partners
    own = [Pairs(small("latent_pairs"), work, seed) for seed in (0, 1)]
    assert own[0].faces == own[1].faces
    assert own[0].partners != own[1].partners


def test_what_identifies_a_training_set_differs_between_methods_with_other_images(work):
    """But for a half, whose images are among those of the pairs; others learn from the real ones alone."""
    adds = [name for name in METHODS if {"n_added", "n_pairs"} & settings_of(small(name)).keys()]
    methods = ["erm", *adds, "latent_pairs:use=z", "latent_pairs:partner=margin"]
    methods.remove("unbiased_faces")
    inputs = [small(method).training_set(work, 0).inputs for method in methods]
    assert len({tuple(sorted(marks.items())) for marks in inputs}) == len(methods)


@pytest.mark.parametrize(
    ("settings", "protected", "sentence"),
    [
        ({}, tuple("abcdefg"), "7 protected attributes would need a partner for each"),
        ({"target_planes": "by_group"}, ("Red", "Loud"), "need one protected attribute"),
    ],
)
def test_what_does_not_go_with_the_images_is_refused(work, settings, protected, sentence, monkeypatch):
    monkeypatch.setattr(work, "protected", protected)
    with pytest.raises(UserError, match=sentence):
        small("latent_pairs", **settings).check(work)


# Controls.


def test_unpaired_faces_are_twice_as_many_as_pairs_and_none_is_a_partner(work):
    method = small("unpaired_faces")
    data, pairs = method.training_set(work, 0), Pairs(small("latent_pairs"), work, 0)
    images = data.images[np.arange(N, len(data))]
    assert len(images) == 2 * N_PAIRS == len({image.tobytes() for image in images})
    assert np.array_equal(images[:N_PAIRS], pairs.images)
    partners = load_array(pairs.partners.folder / "images.npy")
    others = {image.tobytes() for image in (*partners, *pairs.all_images)}
    assert not {image.tobytes() for image in images[N_PAIRS:]} & others
    assert np.array_equal(data.labels[N : N + N_PAIRS, 0], pairs.labels)
    further = method.pseudo_labels(work, sample_faces(work, N_PAIRS, 1), "target", 0)
    assert further.threshold == pairs.thresholds["target"]
    assert np.array_equal(data.labels[N + N_PAIRS :, 0], further.labels)
    assert data.groups is None  # nobody said to which group a face belongs


def test_added_images_are_real_ones_with_their_labels_and_balanced(work):
    n = 1_000
    data = small("added_oversampling", n_added=n).training_set(work, 0)
    own = {
        image.tobytes(): labels
        for image, *labels in zip(
            images_of(work.real()), work.labels("train")[:, 0], work.groups("train"), strict=True
        )
    }
    found = np.array([own[image.tobytes()] for image in data.images[np.arange(N, N + n)]])  # (n, 2)
    assert np.array_equal(found, np.column_stack([data.labels[ADDED, 0], data.groups[ADDED]]))
    for label in (0, 1):
        of_label = found[found[:, 0] == label, 1]
        assert binomtest(int(of_label.sum()), len(of_label), 0.5).pvalue > 1e-6
    assert binomtest(int(found[:, 0].sum()), n, work.labels("train").mean()).pvalue > 1e-6
    other = small("added_oversampling", n_added=n).training_set(work, 1)
    assert not np.array_equal(other.labels, data.labels)


def test_oversampling_draws_real_images_by_balanced_chances(work):
    data = Oversampling().training_set(work, 0)
    assert np.array_equal(images_of(data), images_of(work.real()))
    assert np.array_equal(data.draws, balanced_chances(work.labels("train")[:, 0], work.groups("train")))


CELLS = st.lists(st.integers(1, 60), min_size=4, max_size=4)


def shuffled(counts, seed):
    cells = np.random.default_rng(seed).permutation(np.repeat(np.arange(4), counts))
    return cells // 2, cells % 2


@given(counts=CELLS, seed=st.integers(0, 2**31))
def test_chances_keep_the_labels_and_balance_the_groups_within_each(counts, seed):
    y, a = shuffled(counts, seed)
    chances = balanced_chances(y, a)
    assert chances.sum() == pytest.approx(1)
    for label in (0, 1):
        of_label = [chances[(y == label) & (a == group)] for group in (0, 1)]
        assert of_label[0].sum() == pytest.approx(of_label[1].sum())
        assert 2 * of_label[0].sum() == pytest.approx(np.mean(y == label))
        assert all(np.ptp(part) == 0 for part in of_label)  # within a group all are alike


@given(counts=CELLS, n=st.integers(1, 3000), seed=st.integers(0, 2**31))
def test_rows_are_drawn_by_these_chances(counts, n, seed):
    y, a = shuffled(counts, seed)
    rows = balanced_rows(y, a, n, seed=seed)
    assert rows.shape == (n,)
    assert np.array_equal(rows, balanced_rows(y, a, n, seed=seed))
    chance = 1e-9  # far below one in the number of examples
    assert binomtest(int(y[rows].sum()), n, y.mean()).pvalue > chance
    for label in (0, 1):
        drawn = a[rows][y[rows] == label]
        assert not len(drawn) or binomtest(int(drawn.sum()), len(drawn), 0.5).pvalue > chance


def test_other_seeds_draw_other_rows():
    y, a = np.arange(400) % 2, np.arange(400) // 2 % 2
    assert not np.array_equal(balanced_rows(y, a, 50, seed=1), balanced_rows(y, a, 50, seed=2))


def test_unbiased_faces_are_new_and_their_labels_are_observed_and_independent(tmp_path):
    n, names = 1_400, ("Attractive", "Male")
    work = faces(tmp_path, target=names[0])
    data = UnbiasedFaces(n_added=n).training_set(work, 0)
    own = {image.tobytes() for image in data.images[np.arange(N)]}
    assert not own & {image.tobytes() for image in data.images[np.arange(N, N + n)]}

    def truth(seed, **options):
        source = SynthFacesSource(n, 0, 0, seed=work.seed + seed, **options)
        return source.factors("train").truth[:, [source.attributes.index(name) for name in names]].T

    y, a = truth(UNBIASED_SEED, associations={names: 0.0})
    assert 0 < np.mean(y != data.labels[ADDED, 0]) < 0.15  # annotators err, seldom
    assert np.array_equal(a, data.groups[ADDED])  # but not about this
    error = 4 / np.sqrt(n)
    assert abs(np.corrcoef(data.labels[ADDED, 0], a)[0, 1]) < error
    assert abs(np.corrcoef(*truth(0))[0, 1]) > 2 * error
    photographs = shapes(tmp_path)
    with pytest.raises(UserError, match="must be drawn, by --data synthfaces"):
        UnbiasedFaces().check(photographs)


def test_one_network_for_all_attributes_has_no_annotator_that_looks_at_one():
    with pytest.raises(UserError, match=r"'oversampling'.*set multi_label=false"):
        LatentPairs(multi_label=True, annotator=Oversampling())
