"""A generator from the user's own file: the one in docs/generators.md runs, and mistakes in it are told."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fairlab.core.errors import UserError
from fairlab.experiments.run import Run
from fairlab.generators import generate, generator_fingerprint, open_generator, sample_latents
from fairlab.methods.latent_pairs.generated import sample_faces

PAGE = (Path(__file__).parents[2] / "docs" / "generators.md").read_text("utf-8")
(TEXT,) = re.findall(r"```python\n(# my_generator\.py\n.*?)```", PAGE, re.DOTALL)
NETWORK = """
from torch import nn

class Network(nn.Sequential):
    def __init__(self):
        super().__init__(nn.ConvTranspose2d(128, 3, 64), nn.Tanh())
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Return the documented file, with a network and weights beside it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_network", raising=False)
    (tmp_path / "my_network.py").write_text(NETWORK)
    names: dict = {}
    exec(NETWORK, names)
    torch.manual_seed(0)
    torch.save(names["Network"]().state_dict(), tmp_path / "my_weights.pth")
    path = tmp_path / "my_generator.py"
    path.write_text(TEXT)
    yield path
    sys.modules.pop("my_network", None)


def test_the_documented_file_draws_in_a_run(file, tmp_path):
    run = Run.of_preset("smoke", tmp_path / "home", generator=str(file))
    assert run.folder.name.endswith("-my_generator")
    assert not run.work.trains_generator
    step = sample_faces(run.work, 5, seed=0)
    z = sample_latents(5, 128, seed=0)
    with torch.inference_mode():
        network = open_generator(file).module.network
        expected = network(torch.from_numpy(z)[:, :, None, None])
    drawn = np.load(step.folder / "images.npy").transpose(0, 3, 1, 2)
    assert np.abs(drawn - (expected.numpy() + 1) * 127.5).max() <= 1
    assert not any(parameter.requires_grad for parameter in open_generator(file).parameters())


def test_it_is_known_by_its_text_and_its_weights(file):
    first = generator_fingerprint(file)
    assert generator_fingerprint(file) == first
    file.write_text(TEXT + "# seed 2\n")
    second = generator_fingerprint(file)
    weights = torch.load(file.with_name("my_weights.pth"), weights_only=True)
    torch.save({name: value + 1 for name, value in weights.items()}, file.with_name("my_weights.pth"))
    file.write_text(TEXT + "# seed 3\n")
    assert len({first, second, generator_fingerprint(file)}) == 3


def test_weights_alone_change_it(tmp_path):
    """In a fresh process, that is: within one a file is run once."""
    from fairlab.generators import own

    path = tmp_path / "g.py"
    path.write_text(
        "import torch, pathlib\nfrom fairlab.generators import ModuleGenerator\n"
        "net = torch.nn.Sequential(torch.nn.Linear(2, 48), torch.nn.Unflatten(1, (3, 4, 4)))\n"
        "torch.nn.init.constant_(net[0].bias, float(pathlib.Path(__file__).with_name('b').read_text()))\n"
        "torch.nn.init.constant_(net[0].weight, 0.1)\n"
        "generator = ModuleGenerator(net, latent_dim=2, resolution=4)\n"
    )
    marks = set()
    for bias in ("-0.5", "-0.4"):
        own._made.cache_clear()
        (tmp_path / "b").write_text(bias)
        marks.add(generator_fingerprint(path))
    assert len(marks) == 2


GOOD = "import torch\nfrom fairlab.generators import ModuleGenerator\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1\n", "defines no torch module called 'generator' .NoneType."),
        ("import torch\ngenerator = torch.nn.Identity()\n", "has no whole number 'latent_dim'"),
        ("\n\nimport nonsense_of_mine\n", r"own.py fails in line 3: ModuleNotFoundError: No module named"),
        ("generator = (\n", r"own.py fails: SyntaxError"),
        (GOOD + "generator = ModuleGenerator(torch.nn.Linear(3, 4), 5, 8)\n", "cannot draw: RuntimeError"),
        (GOOD + "generator = ModuleGenerator(torch.nn.Linear(3, 4), 3, 8)\n", r"shape \(2, 4\)"),
        (
            GOOD + "net = torch.nn.Sequential(torch.nn.Linear(3, 48), torch.nn.Unflatten(1, (3, 4, 4)),"
            " torch.nn.Sigmoid())\ngenerator = ModuleGenerator(net, 3, 4)\n",
            r"draws values from 0\.\d+ to 0\.\d+, but images lie in \[-1, 1\]; rescale",
        ),
    ],
)
def test_a_mistake_in_it_is_one_sentence(tmp_path, monkeypatch, text, sentence):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "own.py"
    path.write_text(text)
    with pytest.raises(UserError, match=sentence) as caught:
        open_generator(path)
    assert "\n" not in str(caught.value)


def test_it_is_drawn_from_as_any_generator(file):
    assert generate(open_generator(file), sample_latents(2, 128, seed=1), progress=False).shape == (
        2,
        64,
        64,
        3,
    )
