"""Checkpoints of pytorch_GAN_zoo: the same latents give the same images, and no stranger's code is run.

``data/gan_zoo_pgan_a`` are made-up weights in their format, with the images their code makes of some latents.
"""

import math
import os
import pickle
import subprocess
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.generators import generate, load_gan_zoo
from fairlab.generators.gan_zoo import read_values

DATA = Path(__file__).parent / "data"
CHECKPOINT = DATA / "gan_zoo_pgan_a.pth"

#: Two processors may differ by so much: ten layers one after the other, each a sum of some hundred products
#: whose order is the processor's own. Its root is about 20 roundings a layer, and normalisation doubles them.
ROUNDING = 10 * 2 * 20 * torch.finfo(torch.float32).eps  # 5e-5; images span -1..1


@pytest.fixture(scope="module")
def known():
    with np.load(DATA / "gan_zoo_pgan_a.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in ("z", "images")}


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Return a function that saves the checkpoint with changes; its config's class is gone after that."""

    def saved(config=None, old_format=False, drop=(), **changes):
        content = dict(read_values(CHECKPOINT))
        module = types.ModuleType("models.utils.config")
        module.BaseConfig = type("BaseConfig", (), {"__module__": module.__name__})
        instance = module.BaseConfig()
        vars(instance).update(content["config"].values | (config or {}))
        content = content | {"config": instance} | changes
        path = tmp_path / "changed.pth"
        with monkeypatch.context() as patch:
            for name in ("models", "models.utils", "models.utils.config"):
                patch.setitem(sys.modules, name, module)
            kept = {key: value for key, value in content.items() if key not in drop}
            torch.save(kept, path, _use_new_zipfile_serialization=not old_format)
        return path

    return saved


def by_hand(z, weights, alpha=0.0, leak=0.2, equalised=True):
    """Their generator, step by step in double precision, from the weights as they are in the file."""
    weights = {name: value.double() for name, value in weights.items()}

    def layer(name, x, function, **options):
        weight, bias = weights[f"{name}.module.weight"], weights[f"{name}.module.bias"]
        return function(x, weight, bias, **options) * (math.sqrt(2 / weight[0].numel()) if equalised else 1)

    def norm(x):
        return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()

    def double(x):
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    x = F.leaky_relu(layer("formatLayer", norm(z.double()), F.linear), leak)
    x = norm(x.reshape(len(z), -1, 4, 4))
    x = norm(F.leaky_relu(layer("groupScale0.0", x, F.conv2d, padding=1), leak))
    for i in range(3):
        old, x = x, double(x)
        for j in range(2):
            x = norm(F.leaky_relu(layer(f"scaleLayers.{i}.{j}", x, F.conv2d, padding=1), leak))
    image = layer("toRGBLayers.3", x, F.conv2d)
    return alpha * double(layer("toRGBLayers.2", old, F.conv2d)) + (1 - alpha) * image


def test_the_same_latents_give_the_same_images(known):
    generator = load_gan_zoo(CHECKPOINT)
    assert (generator.latent_dim, generator.resolution) == (64, 32)
    assert not generator.training
    assert not any(parameter.requires_grad for parameter in generator.parameters())
    assert (generator(known["z"]) - known["images"]).abs().max() < ROUNDING
    pictures = generate(generator, known["z"], progress=False)
    expected = ((known["images"] + 1) * 127.5).round().clip(0, 255).permute(0, 2, 3, 1)
    assert np.abs(pictures - expected.numpy()).max() <= 1


def test_loading_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    load_gan_zoo(CHECKPOINT)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_old_file_format_is_read_as_well(save, known):
    path = save(old_format=True)
    assert not zipfile.is_zipfile(path)
    assert (load_gan_zoo(path)(known["z"]) - known["images"]).abs().max() < ROUNDING


@pytest.mark.parametrize("rename", [lambda name: f"module.{name}", lambda name: name.replace("module.", "")])
def test_prefixes_of_data_parallel_and_of_layers_do_not_matter(save, known, rename):
    weights = read_values(CHECKPOINT)["avgG"]
    path = save(avgG=OrderedDict((rename(name), value) for name, value in weights.items()))
    assert (load_gan_zoo(path)(known["z"]) - known["images"]).abs().max() < ROUNDING


@pytest.mark.parametrize(
    ("config", "options", "activation"),
    [
        ({}, {}, None),
        ({"alpha": 0.3}, {"alpha": 0.3}, None),
        ({"alpha": 1}, {"alpha": 1}, None),
        ({"leakyReluLeak": 0.05}, {"leak": 0.05}, None),
        ({"equalizedlR": False}, {"equalised": False}, None),
        ({"lossCriterion": "Logistic"}, {}, None),
        ({"lossCriterion": "DCGAN", "alpha": 0.3}, {"alpha": 0.3}, torch.tanh),
    ],
)
def test_settings_are_heeded(save, known, config, options, activation):
    weights = read_values(CHECKPOINT)["avgG"]
    expected = by_hand(known["z"], weights, **options)
    expected = activation(expected) if activation else expected
    images = load_gan_zoo(save(config))(known["z"])
    torch.testing.assert_close(images.double(), expected, atol=ROUNDING, rtol=ROUNDING)


def test_last_weights_instead_of_the_average(save, known):
    weights = read_values(CHECKPOINT)["netG"]
    for path in (CHECKPOINT, save(drop=["avgG"])):
        images = load_gan_zoo(path, average=False)(known["z"])
        torch.testing.assert_close(
            images.double(), by_hand(known["z"], weights), atol=ROUNDING, rtol=ROUNDING
        )


def test_a_single_scale_has_nothing_to_fade_from(save, known):
    weights = read_values(CHECKPOINT)["avgG"]
    kept = {n: w for n, w in weights.items() if "scaleLayers" not in n and n.split(".")[1] not in "123"}
    generator = load_gan_zoo(save({"alpha": 0.5}, avgG=kept))
    assert generator.resolution == 4
    assert generator(known["z"]).shape == (8, 3, 4, 4)


class Hostile:
    """Runs a command when it is unpickled carelessly."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def _attacks(marker):
    yield Hostile(os.system, f"touch {marker}")
    yield Hostile(subprocess.check_call, ["touch", str(marker)])
    yield Hostile(eval, f"open({str(marker)!r}, 'w')")
    yield Hostile(Path.touch, marker)
    yield Hostile(getattr, marker, "touch")


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("wrapping", ["zip", "old", "bare 2", "bare 4"])
def test_a_hostile_checkpoint_is_refused_in_one_sentence_and_not_run(tmp_path, which, wrapping):
    marker, path = tmp_path / "marker", tmp_path / "hostile.pth"
    attack = list(_attacks(marker))[which]
    if wrapping.startswith("bare"):
        path.write_bytes(pickle.dumps({"config": attack, "netG": attack}, protocol=int(wrapping[-1])))
    else:
        content = {"config": attack, "avgG": read_values(CHECKPOINT)["avgG"]}
        torch.save(content, path, _use_new_zipfile_serialization=wrapping == "zip")
    with pytest.raises(UserError) as caught:
        load_gan_zoo(path)
    assert not marker.exists()
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert "refused" in sentence or wrapping.startswith("bare")


def test_the_attacks_would_work(tmp_path):
    """Or else the test above would prove nothing."""
    for attack in list(_attacks(tmp_path / "marker"))[:4]:
        (tmp_path / "marker").unlink(missing_ok=True)
        torch.save({"config": attack}, tmp_path / "hostile.pth")
        result = torch.load(tmp_path / "hostile.pth", weights_only=False)["config"]
        assert (tmp_path / "marker").exists()
        getattr(result, "close", lambda: None)()


def test_objects_in_a_checkpoint_are_inert_and_their_modules_not_imported(save):
    path = save()
    content = read_values(path)
    assert content["config"].values["noiseVectorDim"] == 64
    assert not any(name.startswith("models") for name in sys.modules)
    assert not any("BaseConfig" in str(known) for known in torch.serialization.get_safe_globals())
    with pytest.raises(pickle.UnpicklingError):
        type(content["config"])()


@pytest.mark.parametrize("old_format", [False, True])
@pytest.mark.parametrize("keep", [0, 2, 100, 5_000, -5_000, -1])
def test_files_cut_short_are_refused(save, old_format, keep):
    path = save(old_format=old_format)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match="is not a PyTorch checkpoint, or it is cut short"):
        load_gan_zoo(path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
@pytest.mark.parametrize("old_format", [False, True])
def test_a_changed_byte_in_the_pickle_is_one_sentence_or_harmless(save, old_format, position, value):
    path = save(old_format=old_format)
    content = bytearray(path.read_bytes())
    content[int(position * 14_000)] = value  # the pickle comes first
    path.write_bytes(content)
    sentence = ""
    try:
        load_gan_zoo(path)
    except UserError as error:
        sentence = str(error)
    assert "\n" not in sentence


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="There is no file"):
        load_gan_zoo(tmp_path / "none.pth")
    path = tmp_path / "other.pth"
    path.write_text("no checkpoint at all\n" * 50)
    with pytest.raises(UserError, match="is not a PyTorch checkpoint"):
        load_gan_zoo(path)
    torch.save(torch.zeros(3), path)
    with pytest.raises(UserError, match="holds a Tensor, no GAN"):
        load_gan_zoo(path)


def _without(name):
    weights = dict(read_values(CHECKPOINT)["avgG"])
    del weights[name]
    return weights


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"drop": ["avgG", "netG"]}, "no weights 'avgG', only config, netD"),
        ({"drop": ["config"]}, "has no 'config'"),
        ({"avgG": 3}, "no weights 'avgG'"),
        ({"avgG": {"formatLayer.weight": "text"}}, "no weights 'avgG'"),
        ({"avgG": {"main.0.weight": torch.zeros(3)}}, "no progressive GAN's generator that fits together"),
        (
            {"avgG": _without("toRGBLayers.3.module.bias")},
            r"'toRGBLayers\.3\.bias' has shape None, not \(3,\)",
        ),
        ({"avgG": _without("formatLayer.module.weight")}, "formatLayer"),
        ({"avgG": _without("toRGBLayers.3.module.weight")}, "scaleLayers.2"),
        ({"avgG": read_values(CHECKPOINT)["netD"]}, "no progressive GAN's generator that fits together"),
        ({"config": {"categoryVectorDim": 4}}, "is class-conditional, which is not supported"),
        ({"config": {"attribKeysOrder": {"Main": {"order": 0}}}}, "is class-conditional"),
        ({"config": {"perChannelNormalization": False}}, "has no pixel normalisation"),
        ({"config": {"lossCriterion": "Hinge"}}, "was trained with an unknown loss"),
        ({"config": {"alpha": 1.5}}, "alpha is 1.5"),
        ({"config": {"leakyReluLeak": None}}, "fits together"),
    ],
)
def test_what_is_no_such_generator_is_one_sentence(save, changes, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        load_gan_zoo(save(**changes))
    assert "\n" not in str(caught.value)
