"""Training: learns, goes on exactly where it was killed, refuses what it cannot do."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.core.files import read_json_lines
from fairlab.core.tensors import load_state
from fairlab.generators import GANRecipe, export_snapshot, generate, load_generator, sample_latents, train_gan
from fairlab.generators.recipe import Stage
from fairlab.generators.trainer import Trainer, shrink
from fairlab.generators.training import CHECKPOINT

TINY = GANRecipe(
    channels=(8, 8, 4),
    latent_dim=8,
    fade_images=(0, 64, 64),
    stable_images=(64, 64, 64),
    batch_sizes=(16, 16, 8),
    penalty_interval=2,
    ema_images=50,
)


def make_images(n=32, size=16):
    """Discs of one colour before another: made here, so that the tests need no data."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size] / size - 0.5
    disc = (x**2 + y**2 < 0.1)[..., None]
    return np.where(disc, *random.integers(0, 256, (2, n, 1, 1, 3))).astype(np.uint8)


IMAGES = make_images()


class Stop(Exception):
    """Stands for a kill right after a checkpoint."""


def _weights(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("loss", ["logistic", "wgan-gp"])
def test_resumed_training_equals_an_uninterrupted_one(tmp_path, loss):
    recipe = GANRecipe(**{**TINY.to_dict(), "loss": loss})
    options = {"images": IMAGES, "recipe": recipe, "seed": 4, "device": "cpu", "interval": 48}
    whole = train_gan(tmp_path / "whole", **options)

    def stop(record):
        raise Stop

    for _ in range(3):
        with pytest.raises(Stop):
            train_gan(tmp_path / "parts", **options, on_record=stop)
    resumed = train_gan(tmp_path / "parts", **options)
    assert torch.equal(_weights(whole), _weights(resumed))
    curves = [read_json_lines(tmp_path / name / "curve.jsonl") for name in ("whole", "parts")]
    losses = [[(r["images_seen"], r["critic_loss"], r["generator_loss"]) for r in curve] for curve in curves]
    assert losses[0] == losses[1]
    assert losses[0][-1][0] == recipe.total_images


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_training import IMAGES, TINY
from fairlab.generators import train_gan
train_gan(Path(sys.argv[1]), images=IMAGES, recipe=TINY, seed=4, device="cpu", interval=16)
"""


@pytest.mark.slow
def test_killed_training_ends_with_the_same_weights(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed"), os.path.dirname(__file__)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "killed" / CHECKPOINT).exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "generator.safetensors").exists(), "the kill came too late to test it"
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    options = {"images": IMAGES, "recipe": TINY, "seed": 4, "device": "cpu", "interval": 16}
    train_gan(tmp_path / "whole", **options)
    z = sample_latents(8, 8, seed=0)
    pictures = [
        generate(load_generator(tmp_path / name / "generator.safetensors"), z, progress=False)
        for name in ("killed", "whole")
    ]
    # Another process may count threads differently and so sum in another order.
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1


@pytest.mark.slow
def test_the_generator_learns_the_mean_colour_and_the_disc(tmp_path):
    """Red discs on blue ground: the average generated picture must come to look like that."""
    images = np.zeros((16, 8, 8, 3), np.uint8)
    images[..., 2] = 200
    images[:, 2:6, 2:6] = (200, 0, 0)
    recipe = GANRecipe(
        channels=(16, 16),
        latent_dim=8,
        fade_images=(0, 500),
        stable_images=(500, 3000),
        batch_sizes=(16, 16),
        learning_rate=0.005,
        ema_images=200,
    )
    generator = train_gan(tmp_path, images=images, recipe=recipe, seed=0, device="cpu")
    pictures = generate(generator, sample_latents(64, 8, seed=1), progress=False)
    assert np.abs(pictures.mean(axis=0) - images[0]).mean() < 25  # of 255; an untrained network: about 80


def test_folder_after_training(tmp_path):
    generator = train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu", interval=100)
    records = read_json_lines(tmp_path / "curve.jsonl")
    assert [r["resolution"] for r in records] == [8, 16, 16, 16]
    assert set(records[0]) == {
        "images_seen", "seconds", "resolution", "alpha", "critic_loss", "generator_loss"
    }  # fmt: skip
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 16, 8 * 16)
    z = sample_latents(4, 8, seed=0)
    saved = generate(load_generator(tmp_path / "generator.safetensors"), z, progress=False)
    np.testing.assert_array_equal(saved, generate(generator, z, progress=False))
    assert json.loads((tmp_path / "generator.json").read_text())["images_seen"] == 320


def test_snapshot_of_an_unfinished_training_has_its_stage(tmp_path):
    def stop(record):
        raise Stop

    with pytest.raises(Stop):
        train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu", interval=96, on_record=stop)
    export_snapshot(tmp_path, tmp_path / "snapshot.safetensors", {"data": "discs"})
    generator = load_generator(tmp_path / "snapshot.safetensors")
    assert (generator.resolution, generator.alpha) == (8, 0.5)
    card = json.loads((tmp_path / "snapshot.json").read_text())
    assert (card["data"], card["images_seen"], card["seed"]) == ("discs", 96, 4)


def test_another_recipe_or_seed_in_the_same_folder_is_refused(tmp_path):
    train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu")
    other = GANRecipe(**{**TINY.to_dict(), "learning_rate": 0.5})
    with pytest.raises(UserError, match=r"learning_rate = 0\.005, not 0\.5"):
        train_gan(tmp_path, images=IMAGES, recipe=other, seed=4, device="cpu")
    with pytest.raises(UserError, match="seed = 4, not 5"):
        train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=5, device="cpu")


def test_with_a_damaged_checkpoint_it_begins_again_and_says_so(tmp_path, capsys):
    train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu")
    first = (tmp_path / "generator.safetensors").read_bytes()
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:1000])
    train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu")
    assert "begins again" in capsys.readouterr().out
    assert (tmp_path / "generator.safetensors").read_bytes() == first


def test_a_damaged_curve_comes_back_from_the_checkpoint(tmp_path):
    train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu")
    whole = (tmp_path / "curve.jsonl").read_bytes()
    (tmp_path / "curve.jsonl").write_bytes(b"\xff{}\n")
    train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu")
    assert (tmp_path / "curve.jsonl").read_bytes() == whole


def test_divergence_is_one_sentence_and_leaves_the_last_checkpoint(tmp_path):
    wild = GANRecipe(**{**TINY.to_dict(), "learning_rate": 1e20, "loss": "wgan-gp"})
    with pytest.raises(UserError, match=r"diverged after .* lower learning_rate"):
        train_gan(tmp_path, images=IMAGES, recipe=wild, seed=4, device="cpu", interval=64)
    assert not (tmp_path / CHECKPOINT).exists()


@pytest.mark.parametrize(
    ("images", "word"),
    [
        (IMAGES[:0], "uint8"),
        (IMAGES.astype(np.float32), "float32"),
        (IMAGES[..., :1], "uint8"),
        (make_images(size=8), "prepare the data at 16 pixels"),
        (IMAGES[:, :, :8], "square"),
    ],
)
def test_unsuitable_images_are_refused(tmp_path, images, word):
    with pytest.raises(UserError, match=word):
        train_gan(tmp_path, images=images, recipe=TINY, seed=0, device="cpu")


@pytest.mark.parametrize(("images", "share"), [(100_000, 0.5), (0, 1 - 0.5**7.5)])
def test_average_follows_the_generator_with_its_half_life(images, share):
    """50 images are one half-life; right after a growth 25 are 5 and the next 25 are 2.5 half-lives."""
    trainer = Trainer(IMAGES, TINY, 0, "cpu")
    start = _weights(trainer.average)
    with torch.no_grad():
        for parameter in trainer.generator.parameters():
            parameter += 1
    for first in (0, 25):
        trainer._update_average(25, Stage(8, images + first, 1.0, 25))
    moved = _weights(trainer.average) - start
    torch.testing.assert_close(moved, torch.full_like(moved, share), atol=1e-5, rtol=1e-5)


def test_critic_step_leaves_the_generator_alone_and_the_other_way_round():
    trainer = Trainer(IMAGES, TINY, 0, "cpu")
    trainer.grow()
    before = _weights(trainer.generator), _weights(trainer.critic)
    images = torch.randn(4, 3, 4, 4)
    trainer._update_critic(images, images, np.random.default_rng(0))
    assert torch.equal(_weights(trainer.generator), before[0])
    assert not torch.equal(_weights(trainer.critic), before[1])
    critic = _weights(trainer.critic)
    trainer._update_generator(trainer.generator(torch.randn(4, 8)))
    assert torch.equal(_weights(trainer.critic), critic)
    assert not torch.equal(_weights(trainer.generator), before[0])


def test_real_images_shrink_by_area_and_fade_with_the_networks():
    images = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)  # (n, 3, 16, 16)
    expected = images.double().reshape(-1, 3, 8, 2, 8, 2).mean(dim=(3, 5)) / 127.5 - 1
    torch.testing.assert_close(shrink(images, Stage(8, 0, 1.0, 4)).double(), expected, atol=1e-6, rtol=0)
    coarse = expected.reshape(-1, 3, 4, 2, 4, 2).mean(dim=(3, 5))
    coarse = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
    blended = shrink(images, Stage(8, 0, 0.25, 4)).double()
    torch.testing.assert_close(blended, 0.75 * coarse + 0.25 * expected, atol=1e-6, rtol=0)


def test_flips_mirror_about_half_of_the_images():
    images = np.zeros((1, 16, 16, 3), np.uint8)
    images[:, :, :8] = 255
    trainer = Trainer(images, TINY, 0, "cpu")
    real = trainer._real_batch(Stage(16, 0, 1.0, 400), np.random.default_rng(0))
    assert 0.4 < float((real[:, 0, 0, 0] > 0).float().mean()) < 0.6


def test_checkpoint_holds_tensors_and_json_only(tmp_path):
    train_gan(tmp_path, images=IMAGES, recipe=TINY, seed=4, device="cpu")
    state = load_state(tmp_path / CHECKPOINT)
    assert GANRecipe.from_dict(state["recipe"]) == TINY
    assert state["images_seen"] == TINY.total_images
