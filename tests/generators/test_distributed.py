"""Many processes, and compiled networks, do what one plain process does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters

from fairlab.core import distributed
from fairlab.core.errors import UserError
from fairlab.core.files import read_json_lines
from fairlab.core.tensors import load_state
from fairlab.generators import GANRecipe, train_gan
from fairlab.generators.trainer import Trainer
from fairlab.generators.training import CHECKPOINT

HERE = Path(__file__).parent
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)
LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def options(loss: str) -> dict:
    """Return the arguments of `train_gan` for 8 steps through growth and fade, each with a penalty."""
    recipe = GANRecipe(
        channels=(8, 8), latent_dim=8, fade_images=(0, 32), stable_images=(32, 64), batch_sizes=(16, 16),
        loss=loss, penalty_interval=1, learning_rate=1e-3, decay_images=64, precision="float32",
    )  # fmt: skip
    return {"images": IMAGES, "recipe": recipe, "seed": 4, "device": "cpu", "interval": 48}


def interrupted(record: dict) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["logistic", "wgan-gp"])
def test_two_processes_finish_what_one_began_with_the_weights_of_one(tmp_path, loss):
    """The split batch needs the same images, flips, latents, mixes and groups, and averaged gradients."""
    train_gan(tmp_path / "one", **options(loss))
    with pytest.raises(KeyboardInterrupt):
        train_gan(tmp_path / "two", **options(loss), on_record=interrupted)
    command = [sys.executable, *LAUNCHER, str(HERE / "distributed_run.py"), str(tmp_path / "two"), loss]
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    one, two = (load_state(tmp_path / name / CHECKPOINT) for name in ("one", "two"))
    for network in ("generator", "critic", "average"):
        for name, weights in one[network].items():
            torch.testing.assert_close(two[network][name], weights, atol=1e-5, rtol=1e-5)
    curves = [read_json_lines(tmp_path / name / "curve.jsonl") for name in ("one", "two")]
    assert [r["images_seen"] for r in curves[0]] == [r["images_seen"] for r in curves[1]] == [48, 96, 128]
    for ours, theirs in zip(*curves, strict=True):
        assert ours["critic_loss"] == pytest.approx(theirs["critic_loss"], rel=1e-4)
        assert ours["generator_loss"] == pytest.approx(theirs["generator_loss"], rel=1e-4)


def test_batches_that_do_not_split_into_whole_groups_are_one_sentence(monkeypatch):
    monkeypatch.setattr(distributed, "world_size", lambda: 3)
    with pytest.raises(UserError, match=r"\(16, 16\), but 3 processes need multiples of 12"):
        Trainer(IMAGES, options("logistic")["recipe"], 0, "cpu")


@pytest.mark.parametrize(("n_processes", "size"), [(1, 12), (3, 4)])
def test_shares_are_consecutive_equal_and_together_everything(monkeypatch, n_processes, size):
    monkeypatch.setattr(distributed, "world_size", lambda: n_processes)
    parts = []
    for rank in range(n_processes):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        parts.append(distributed.share(np.arange(12)))
    assert [len(part) for part in parts] == [size] * n_processes
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(12))


def test_gradients_are_averaged_and_missing_ones_stay_missing(monkeypatch):
    """The other of two processes stands still: its gradients are 0."""
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    monkeypatch.setattr(distributed.dist, "all_reduce", lambda flat: None)
    layers = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Linear(2, 2)]).to(memory_format=torch.channels_last)
    layers[0](torch.ones(1, 3, 5, 5)).square().sum().backward()
    before: list[Tensor] = [parameter.grad.clone() for parameter in layers[0].parameters()]
    distributed.average_gradients(layers.parameters())
    for parameter, gradient in zip(layers[0].parameters(), before, strict=True):
        torch.testing.assert_close(parameter.grad, gradient / 2)
    assert all(parameter.grad is None for parameter in layers[1].parameters())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # torch.compile's own
def test_compiled_networks_learn_the_same_and_keep_their_names(tmp_path, monkeypatch):
    """Traced and differentiated as always, but run without the C++ compiler, which would take a minute."""
    whole = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda *args, **kw: whole(*args, backend="aot_eager", **kw))
    counters["stats"].clear()
    train_gan(tmp_path / "plain", **options("wgan-gp"))
    assert not counters["stats"]
    train_gan(tmp_path / "compiled", **options("wgan-gp"), compile=True)
    # The generator, and the critic with and without a gradient for its images, at 4 and at 8 pixels.
    assert counters["stats"]["unique_graphs"] == 3 * 2
    plain, compiled = (load_state(tmp_path / name / CHECKPOINT) for name in ("plain", "compiled"))
    for network in ("generator", "critic", "average"):
        assert list(plain[network]) == list(compiled[network])
        for name, weights in plain[network].items():
            torch.testing.assert_close(compiled[network][name], weights, atol=1e-5, rtol=1e-5)
