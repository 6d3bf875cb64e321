"""Presets fill an experiment in; nonsense is refused in one sentence."""

import json

import pytest

from fairlab.config import PRESETS, home_folder, preset
from fairlab.errors import UserError
from fairlab.store import fingerprint


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
    ],
)
def test_nonsense_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        preset("quick", **changes)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'quick'"):
        preset("quik")


def test_home_is_given_or_from_the_environment_or_here(monkeypatch, tmp_path):
    monkeypatch.delenv("FAIRLAB_HOME", raising=False)
    assert str(home_folder()) == "data"
    monkeypatch.setenv("FAIRLAB_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    assert str(home_folder("elsewhere")) == "elsewhere"
