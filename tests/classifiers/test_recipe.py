"""A recipe refuses what cannot be trained and survives JSON."""

import dataclasses
import json

import pytest

from fairlab.classifiers import PAPER, Recipe
from fairlab.core.errors import UserError


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"backbone": "resnet81"}, "did you mean 'resnet18'"),
        ({"selection": "avarage_precision"}, "did you mean 'average_precision'"),
        ({"schedule": "cosine"}, "choose one of constant, one_cycle"),
        ({"precision": "float16"}, "did you mean"),
        ({"epochs": 0}, "epochs must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"batch_size": 1}, "batch_size"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\)"),
        ({"crop": 65}, "crop of 65 pixels does not fit"),
        ({"pretrained": "preferred", "width": 32}, "width 64 only"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        Recipe(**changes)


def test_a_recipe_survives_json():
    assert Recipe.from_dict(json.loads(json.dumps(dataclasses.asdict(PAPER)))) == PAPER
    with pytest.raises(UserError, match="did you mean 'epochs'"):
        Recipe.from_dict({"epoch": 3})


def test_one_cycle_rises_for_a_fifth_and_ends_at_nothing():
    recipe = Recipe(schedule="one_cycle", learning_rate=0.01)
    assert [recipe.learning_rate_at(p) for p in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx(
        [0, 0.005, 0.01, 0.005, 0]
    )
    assert Recipe(learning_rate=0.01).learning_rate_at(0.9) == 0.01
