"""Presets fill an experiment in; nonsense is refused in one sentence."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.core.store import fingerprint
from fairlab.experiments.presets import PRESETS, attribute_as_folder, default_name, home_folder, preset
from fairlab.latent import PARTNERS
from fairlab.methods import METHODS
from fairlab.methods.settings import settings_of


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_an_experiment_that_json_can_hold(name):
    assert fingerprint(preset(name).identity()) == fingerprint(
        json.loads(json.dumps(preset(name).identity()))
    )


def test_the_paper_preset_has_the_published_constants():
    paper = preset("paper")
    pairs, recipe, gan = paper.method, paper.recipe, paper.generator.recipe
    assert (pairs.n_fit, pairs.n_held_out, pairs.n_pairs) == (10_000, 5_000, 160_000)
    assert (pairs.partner, pairs.use, pairs.epochs) == ("mirrored", "both", 20)
    assert (recipe.backbone, recipe.epochs, recipe.batch_size) == ("resnet50", 20, 32)
    assert (recipe.learning_rate, recipe.dropout) == (1e-4, 0.5)
    assert (recipe.detail, recipe.resize, recipe.crop) == (64, 256, 224)
    assert (gan.resolution, gan.latent_dim, gan.loss) == (128, 512, "wgan-gp")
    assert paper.source.image_size == 128


def test_changes_replace_the_preset_and_none_keeps_it():
    assert preset("smoke", target="Smiling", seeds=None).target == "Smiling"
    assert preset("smoke", seeds=None).seeds == preset("smoke").seeds


def test_photographs_are_trained_on_for_longer_than_drawings():
    drawn, photographs = preset("quick"), preset("quick", data="celeba", data_root="x")
    assert photographs.recipe.epochs > drawn.recipe.epochs
    assert photographs.method.epochs > drawn.method.epochs


def test_more_seeds_or_another_path_do_not_make_another_experiment():
    assert preset("smoke", seeds=3).identity() == preset("smoke").identity()
    celeba = {"data": "celeba"}
    assert (
        preset("smoke", data_root="a", **celeba).identity()
        == preset("smoke", data_root="b", **celeba).identity()
    )


def test_settings_go_to_the_source_the_generator_the_method_or_the_experiment():
    e = preset("smoke", image_size=32, synthfaces_association=0.5, n_pairs="48", partner="mirrored", seed=3)
    assert (e.source.image_size, e.source.association) == (32, 0.5)
    assert (e.method.n_pairs, e.method.partner, e.seed) == (48, "mirrored", 3)
    own = preset("smoke", method="added_oversampling:n_added=50", generator="mine.pth")
    assert (own.method.name, own.method.n_added, own.generator.file) == ("added_oversampling", 50, "mine.pth")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_its_sizes_to_methods_that_add_images_and_no_epochs_to_others(name):
    sizes = PRESETS[name]["sizes"]
    for known in METHODS:
        found = settings_of(preset(name, method=known).method)
        if {"n_pairs", "n_added"} & found.keys():
            assert found | {k: v for k, v in sizes.items() if k in found} == found
        else:
            assert found["epochs"] is None


def test_pairs_beside_a_method_are_the_paper_s_with_its_latents_and_annotators():
    beside = preset("smoke", method="unpaired_faces:n_fit=48,multi_label=true").shown_pairs
    assert (beside.n_fit, beside.multi_label, beside.partner) == (48, True, "mirrored")
    control = preset("smoke", method="added_oversampling")
    assert control.shown_pairs.n_pairs == preset("smoke").method.n_pairs
    assert not control.makes_pairs
    pairs = preset("smoke", use="z_prime")
    assert pairs.shown_pairs is pairs.method
    assert pairs.makes_pairs
    assert not preset("smoke", use="z").makes_pairs


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"target": "Smilling"}, "no attribute 'Smilling' here; did you mean 'Smiling'"),
        ({"target": "Male"}, "both 'Male'"),
        ({"data": "celebA"}, "no data source 'celebA'; did you mean 'celeba'"),
        ({"data": "celeba"}, "--data-root"),
        ({"seeds": 0}, "at least one training seed"),
        ({"seed": -1}, "seed is -1"),
        ({"n_resamples": 3}, "n_resamples is 3"),
        ({"image_size": 70}, "32, 64 or 128 pixels, not 70"),
        ({"also_protected": ("Yong",)}, "no attribute 'Yong' here; did you mean 'Young'"),
        ({"also_protected": ("Young", "Young")}, "'Young' is named more than once"),
        ({"also_protected": ("Eyeglasses",)}, "'Eyeglasses' is named more than once"),
        ({"method": "oversample"}, "no method 'oversample'; did you mean 'oversampling'"),
        ({"partner": "mirored"}, "did you mean 'mirrored'"),
        ({"use": "z-prime"}, "no use 'z-prime'; did you mean 'z_prime'"),
        ({"n_pair": 50}, "no setting 'n_pair'; did you mean 'n_pairs'"),
        ({"method": "erm", "n_pairs": 50}, "no setting 'n_pairs'"),
        ({"method": "latent_pairs:n_pear=50"}, "has no setting 'n_pear'; did you mean 'n_pairs'"),
        ({"n_fit": 23}, "n_fit is 23; at least 24"),
        ({"epochs": 0}, "epochs are 0; at least one"),
        ({"method": "added_oversampling", "n_added": 0}, "n_added is 0"),
        ({"target_planes": "by_groups"}, "no target_planes 'by_groups'; did you mean 'by_group'"),
        ({"target_planes": "by_group", "positive_share": 0.5}, "leave positive_share or"),
        ({"target_planes": "by_group", "partner": "perpendicular"}, "'perpendicular' ignores target planes"),
        ({"positive_share": 0.0}, "share of positives is 0.0; it must lie between 0 and 1"),
        ({"positive_share": 1.0}, "share of positives is 1.0"),
        ({"positive_share": float("nan")}, "share of positives is nan"),
        ({"n_inverted": 23}, "n_inverted is 23; invert at least 24 images, or none"),
        ({"n_inverted": -1}, "n_inverted is -1"),
        ({"n_inverted": 50, "use": "z"}, "use=z has none"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)) as refused:
        preset("quick", **changes)
    assert "\n" not in str(refused.value)


NAMES = st.sampled_from(["Male", "Young", "Smiling"])

#: Whatever the command line can change of a preset's experiment, and of its method.
OF_EXPERIMENT = {
    "target": NAMES,
    "protected": NAMES,
    "also_protected": st.lists(NAMES, max_size=2).map(tuple),
    "image_size": st.sampled_from([64, 128]),
    "train_gan": st.booleans(),
    "generator": st.sampled_from(["mine.pth", "other.pth"]),
}
OF_METHOD = {
    "epochs": st.sampled_from([1, 2, "none"]),
    "n_added": st.sampled_from([50, 1_200]),
    "n_pairs": st.sampled_from([50, 600]),
    "partner": st.sampled_from(list(PARTNERS)),
    "use": st.sampled_from(["both", "z", "z_prime"]),
    "target_planes": st.sampled_from(["one", "by_group"]),
    "positive_share": st.sampled_from([0.1, 0.25]),
    "n_inverted": st.sampled_from([0, 50]),
    "multi_label": st.booleans(),
    "annotator": st.sampled_from(["erm", "oversampling", "added_oversampling:n_added=50"]),
}


@st.composite
def experiments(draw):
    """Return an experiment of the smoke preset, or None where settings exclude each other."""
    name = draw(st.sampled_from(list(METHODS)))
    known = {key: values for key, values in OF_METHOD.items() if key in settings_of(METHODS[name]())}
    chosen = draw(st.fixed_dictionaries({}, optional=OF_EXPERIMENT | known))
    try:
        return preset("smoke", method=name, **chosen)
    except UserError:
        return None


@given(one=experiments(), two=experiments())
def test_two_experiments_have_two_names(one, two):
    assume(one is not None and two is not None)
    assert (default_name(one, "smoke") == default_name(two, "smoke")) == (one == two)


@pytest.mark.parametrize("setting", OF_METHOD)
def test_one_further_setting_is_seen_in_the_name(setting):
    """What the property above leaves to chance."""
    name = "added_oversampling" if setting == "n_added" else "latent_pairs"
    plain = preset("smoke", method=name)
    value = {
        "epochs": 7, "n_added": 50, "n_pairs": 50, "partner": "mirrored", "use": "z", "positive_share": 0.1,
        "target_planes": "by_group", "n_inverted": 50, "multi_label": True, "annotator": "oversampling",
    }[setting]  # fmt: skip
    changed = default_name(preset("smoke", method=name, **{setting: value}), "smoke")
    assert changed != default_name(plain, "smoke")
    assert Path(changed).name == changed


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, ""),
        ({"method": "latent_pairs:partner=margin"}, ""),  # as in the preset
        ({"method": "latent_pairs:partner=mirrored,use=z"}, "-latent_pairs-partner-mirrored-use-z"),
        ({"method": "erm", "image_size": 128}, "-erm-128px"),
        (
            {"also_protected": ("Young",), "positive_share": 0.25, "n_inverted": 50},
            "-Young-latent_pairs-positive_share-0.25-n_inverted-50",
        ),
        (
            {"annotator": "added_oversampling:n_added=50+epochs=2"},
            "-latent_pairs-annotator-added_oversampling-epochs-2-n_added-50",
        ),
    ],
)
def test_an_experiment_is_named_after_source_preset_attributes_and_changes(changes, name):
    assert default_name(preset("quick", **changes), "quick") == f"synthfaces-quick-Eyeglasses-Male{name}"


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'quick'"):
        preset("quik")


def test_home_is_given_or_from_the_environment_or_here(monkeypatch, tmp_path):
    monkeypatch.delenv("FAIRLAB_HOME", raising=False)
    assert str(home_folder()) == "data"
    monkeypatch.setenv("FAIRLAB_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    assert str(home_folder("elsewhere")) == "elsewhere"


@pytest.mark.parametrize(
    ("attribute", "folder"),
    [
        ("wears a badge?", "wears_a_badge"),
        ("day/night", "day_night"),
        ("gender=Male", "gender_Male"),
        ("..", ".."),
        ("../../x", "x"),
        ("C:\\x", "C_x"),
        ("müde", "müde"),
        ("5_o_Clock_Shadow", "5_o_Clock_Shadow"),
        ("???", "attribute"),
    ],
)
def test_the_default_name_is_a_folder_s_whatever_attributes_are_called(attribute, folder):
    assert attribute_as_folder(attribute) == folder
    named = default_name(preset("smoke", data="folder", data_root="x", target=attribute), "smoke")
    assert named == f"folder-smoke-{folder}-Male"
    assert Path(named).name == named
