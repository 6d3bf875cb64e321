"""Which generator draws faces: the user's own, the shipped one, or one that is trained."""

import shutil

import numpy as np
import pytest
import torch

from fairlab.core.errors import UserError
from fairlab.core.files import sha256, weights_folder
from fairlab.experiments.run import Run
from fairlab.generators import generate, sample_latents, shipped_generator
from fairlab.generators.files import SHIPPED, shipped_fingerprint
from fairlab.workspace.generator import GeneratorSettings
from fairlab.workspace.source import SourceSettings

DRAWN = SourceSettings()


def test_the_shipped_generator_is_for_drawn_faces_with_their_own_associations():
    assert GeneratorSettings().given_fingerprint(DRAWN) == shipped_fingerprint()
    for settings, source in (
        (GeneratorSettings(), SourceSettings(association=0.0)),
        (GeneratorSettings(train=True), DRAWN),
        (GeneratorSettings(), SourceSettings("celeba", root="x")),
    ):
        assert settings.given_fingerprint(source) is None
        assert settings.given(source, torch.device("cpu")) is None


def test_a_run_takes_the_user_s_generator_and_is_identified_by_its_content(tmp_path):
    mine = tmp_path / "mine.safetensors"
    shutil.copy(weights_folder() / SHIPPED, mine)
    run = Run.of_preset("smoke", tmp_path, generator=str(mine))
    assert run.folder.name.endswith("-mine")
    assert not run.work.trains_generator
    assert run.work.generator_fingerprint == sha256(mine)
    z = sample_latents(3, 512, seed=0)
    pictures = [generate(g, z, progress=False) for g in (run.generator, shipped_generator())]
    np.testing.assert_array_equal(*pictures)


def test_a_generator_that_is_not_there_is_one_sentence():
    with pytest.raises(UserError, match=r"nowhere.pth cannot be read .* check --generator"):
        GeneratorSettings(file="no/such/nowhere.pth").given_fingerprint(DRAWN)


def test_two_wishes_for_a_generator_are_one_too_many():
    with pytest.raises(UserError, match="choose one"):
        GeneratorSettings(file="mine.pth", train=True)


@pytest.mark.parametrize("size", [8, 100])
def test_images_that_a_generator_cannot_draw_are_refused(size):
    with pytest.raises(UserError, match=f"Images of {size} pixels do not fit a generator of 64"):
        GeneratorSettings().check_size(size)
