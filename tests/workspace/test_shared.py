"""Which generator a run takes: its own, the shipped one, or one that it trains."""

import shutil

import numpy as np
import pytest
import torch
from fairlab.workspace.shared import given_fingerprint, given_generator

from fairlab.core.errors import UserError
from fairlab.core.files import sha256, weights_folder
from fairlab.experiments.presets import preset
from fairlab.experiments.run import Run
from fairlab.generators import generate, sample_latents, shipped_generator
from fairlab.generators.files import SHIPPED


def test_the_shipped_generator_is_for_drawn_faces_with_their_own_associations():
    assert given_fingerprint(preset("smoke")) is not None
    for other in ({"synthfaces_association": 0.0}, {"train_gan": True}, {"data": "celeba", "data_root": "x"}):
        assert given_fingerprint(preset("smoke", **other)) is None
        assert given_generator(preset("smoke", **other), torch.device("cpu")) is None


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


def test_a_generator_that_is_not_there_is_one_sentence(tmp_path):
    run = Run.of_preset("smoke", tmp_path, generator=str(tmp_path / "nowhere.pth"))
    with pytest.raises(UserError, match=r"nowhere.pth cannot be read .* check --generator"):
        _ = run.work.trains_generator


def test_two_wishes_for_a_generator_are_one_too_many():
    with pytest.raises(UserError, match="choose one"):
        preset("smoke", generator="mine.pth", train_gan=True)
