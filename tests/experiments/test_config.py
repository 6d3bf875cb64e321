"""Presets fill an experiment in; nonsense is refused in one sentence."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.core.store import fingerprint
from fairlab.experiments.experiment import ADDITIONS
from fairlab.experiments.presets import PRESETS, default_name, home_folder, preset


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_an_experiment_that_json_can_hold(name):
    assert fingerprint(preset(name).identity()) == fingerprint(
        json.loads(json.dumps(preset(name).identity()))
    )


def test_the_paper_preset_has_the_published_constants():
    paper = preset("paper")
    assert (paper.n_fit, paper.n_held_out, paper.n_pairs) == (10_000, 5_000, 160_000)
    recipe = paper.classifier
    assert (recipe.backbone, recipe.epochs, recipe.batch_size, recipe.learning_rate) == (
        "resnet50",
        20,
        32,
        1e-4,
    )
    assert (recipe.detail, recipe.resize, recipe.crop, recipe.dropout) == (64, 256, 224, 0.5)
    assert (paper.gan.resolution, paper.gan.latent_dim, paper.gan.loss) == (128, 512, "wgan-gp")


def test_changes_replace_the_preset_and_none_keeps_it():
    assert preset("smoke", target="Smiling", seeds=None).target == "Smiling"
    assert preset("smoke", seeds=None).seeds == preset("smoke").seeds


def test_photographs_get_a_larger_network_than_drawings():
    assert preset("quick", data="celeba", data_root="x").classifier != preset("quick").classifier


def test_more_seeds_or_another_path_do_not_make_another_experiment():
    assert preset("smoke", seeds=3).identity() == preset("smoke").identity()
    celeba = {"data": "celeba"}
    assert (
        preset("smoke", data_root="a", **celeba).identity()
        == preset("smoke", data_root="b", **celeba).identity()
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"target": "Smilling"}, "no attribute 'Smilling' here; did you mean 'Smiling'"),
        ({"target": "Male"}, "both 'Male'"),
        ({"data": "celebA"}, "no data source 'celebA'; did you mean 'celeba'"),
        ({"data": "celeba"}, "--data-root"),
        ({"variant": "pared"}, "did you mean 'paired'"),
        ({"seeds": 0}, "at least one training seed"),
        ({"variant": "z_onli"}, "did you mean 'z_only'"),
        ({"variant": "oversample"}, "did you mean 'oversampling'"),
        ({"labeller": "multilabel"}, "no labeller 'multilabel'; did you mean 'multi_label'"),
        ({"labeller": "oracle"}, "no labeller 'oracle'; choose one of per_attribute, multi_label"),
        ({"also_protected": ("Yong",)}, "no attribute 'Yong' here; did you mean 'Young'"),
        ({"also_protected": ("Young", "Young")}, "'Young' is named more than once"),
        ({"also_protected": ("Eyeglasses",)}, "'Eyeglasses' is named more than once"),
        ({"target_planes": "by_groups"}, "no kind of target planes 'by_groups'; did you mean 'by_group'"),
        ({"target_planes": "by_group", "also_protected": ("Young",)}, "need one protected attribute"),
        ({"positive_share": 0.0}, "share of positives is 0.0; it must lie between 0 and 1"),
        ({"positive_share": 1.0}, "share of positives is 1.0"),
        ({"positive_share": float("nan")}, "share of positives is nan"),
        ({"n_inverted": 23}, "--inverted is 23; invert at least 24 images, or none"),
        ({"n_inverted": -1}, "--inverted is -1"),
        (
            {"variant": "unbiased_faces", "data": "celeba", "data_root": "x"},
            "Unbiased faces must be drawn, by --data synthfaces",
        ),
    ],
)
def test_nonsense_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)) as refused:
        preset("quick", **changes)
    assert "\n" not in str(refused.value)


NAMES = st.sampled_from(["Male", "Young", "Smiling"])

#: Whatever the command line can change of a preset.
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "target": NAMES,
        "protected": NAMES,
        "also_protected": st.lists(NAMES, max_size=2).map(tuple),
        "variant": st.sampled_from(ADDITIONS),
        "labeller": st.sampled_from(["per_attribute", "multi_label"]),
        "target_planes": st.sampled_from(["one", "by_group"]),
        "positive_share": st.sampled_from([0.05, 0.1, 0.25, 0.5]),
        "n_inverted": st.sampled_from([0, 50, 100]),
        "image_size": st.sampled_from([64, 128]),
        "train_gan": st.booleans(),
        "generator": st.sampled_from(["mine.pth", "other.pth"]),
    },
)


def possible(changes):
    try:
        return preset("smoke", **changes)
    except UserError:
        return None


@given(first=CHANGES, second=CHANGES)
def test_two_experiments_have_two_names(first, second):
    one, two = possible(first), possible(second)
    assume(one is not None and two is not None)
    assert (default_name(one, "smoke") == default_name(two, "smoke")) == (one == two)


@pytest.mark.parametrize("field", ["variant", "labeller", "target_planes", "positive_share", "n_inverted"])
def test_one_further_setting_is_seen_in_the_name(field):
    """What the property above leaves to chance."""
    values = {
        "variant": "unpaired",
        "labeller": "multi_label",
        "target_planes": "by_group",
        "positive_share": 0.1,
        "n_inverted": 50,
    }
    plain, changed = (default_name(preset("smoke", **c), "smoke") for c in ({}, {field: values[field]}))
    assert plain != changed
    assert Path(changed).name == changed


def test_the_default_experiment_is_named_after_source_preset_and_attributes():
    assert default_name(preset("quick"), "quick") == "synthfaces-quick-Eyeglasses-Male"
    several = preset("quick", also_protected=("Young",), positive_share=0.25, n_inverted=50)
    assert (
        default_name(several, "quick") == "synthfaces-quick-Eyeglasses-Male-Young-25pc-positive-50-inverted"
    )


@pytest.mark.parametrize(
    ("changes", "partners", "added"),
    [
        ({}, 600, 1200),
        ({"variant": "z_only"}, 0, 600),
        ({"variant": "z_prime_only"}, 600, 600),
        ({"variant": "unpaired"}, 0, 1200),
        ({"variant": "oversampling"}, 0, 1200),
        ({"variant": "unbiased_faces"}, 0, 1200),
        ({"also_protected": ("Young",)}, 1800, 2400),
        ({"also_protected": ("Young", "Smiling")}, 4200, 4800),
        ({"n_inverted": 50}, 50, 50),
    ],
)
def test_how_many_images_are_added(changes, partners, added):
    e = preset("smoke", **changes)
    assert (e.n_partners, e.n_added) == (partners, added)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'quick'"):
        preset("quik")


def test_home_is_given_or_from_the_environment_or_here(monkeypatch, tmp_path):
    monkeypatch.delenv("FAIRLAB_HOME", raising=False)
    assert str(home_folder()) == "data"
    monkeypatch.setenv("FAIRLAB_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    assert str(home_folder("elsewhere")) == "elsewhere"
