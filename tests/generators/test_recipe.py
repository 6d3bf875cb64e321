"""The schedule of growth, and recipes that cannot be trained."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.core.files import weights_folder
from fairlab.experiments.presets import preset
from fairlab.generators import GANRecipe
from fairlab.generators.files import SHIPPED

SMALL = GANRecipe(
    channels=(8, 8, 4), fade_images=(0, 100, 200), stable_images=(50, 100, 300), batch_sizes=(4, 8, 16)
)


@pytest.mark.parametrize(
    ("images_seen", "resolution", "alpha", "batch_size"),
    [(0, 4, 1, 4), (49, 4, 1, 4), (50, 8, 0, 8), (100, 8, 0.5, 8), (200, 8, 1, 8), (300, 16, 0.25, 16)],
)
def test_stage(images_seen, resolution, alpha, batch_size):
    stage = SMALL.stage(images_seen)
    assert (stage.resolution, stage.alpha, stage.batch_size) == (resolution, alpha, batch_size)
    assert stage.images == images_seen - {4: 0, 8: 50, 16: 250}[resolution]


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_growth_never_goes_back(first, second):
    earlier, later = (SMALL.stage(n) for n in sorted((first, second)))
    assert (earlier.resolution, earlier.alpha) <= (later.resolution, later.alpha) or (
        earlier.resolution < later.resolution
    )


def test_training_beyond_the_schedule_stays_at_the_last_stage():
    stage = SMALL.stage(10_000)
    assert (stage.resolution, stage.alpha) == (16, 1)


def test_totals_and_dictionary_round_trip():
    assert SMALL.resolution == 16
    assert SMALL.total_images == 750
    assert GANRecipe.from_dict(SMALL.to_dict()) == SMALL
    assert GANRecipe.paper().resolution == 128


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"fade_images": (0,)}, "fade_images"),
        ({"loss": "hinge"}, "hinge"),
        ({"precision": "float16"}, "float16"),
        ({"channels": (8, 0, 4)}, "positive"),
        ({"batch_sizes": (8, 0, 4)}, "positive"),
        ({"batch_sizes": (8, 6, 4)}, "multiples of 4"),
    ],
)
def test_impossible_recipes_are_refused(values, word):
    with pytest.raises(UserError, match=word):
        GANRecipe(**{**SMALL.to_dict(), **values})


def test_a_recipe_of_another_version_is_refused():
    with pytest.raises(UserError, match="momentum"):
        GANRecipe.from_dict({**SMALL.to_dict(), "momentum": 0.9})


def test_the_learning_rate_falls_in_a_line_over_the_last_images():
    recipe = GANRecipe(**{**SMALL.to_dict(), "learning_rate": 0.01, "decay_images": 200})
    rates = [recipe.learning_rate_at(n) for n in (0, 550, 600, 700, 750, 900)]
    assert rates == pytest.approx([0.01, 0.01, 0.0075, 0.0025, 0, 0])
    assert SMALL.learning_rate_at(740) == SMALL.learning_rate


def test_the_default_recipe_is_the_one_that_was_shipped():
    card = json.loads((weights_folder() / SHIPPED).with_suffix(".json").read_text(encoding="utf-8"))
    assert GANRecipe.from_dict(card["recipe"]) == preset("full").generator.recipe
    assert card["images_seen"] == preset("full").generator.recipe.total_images
