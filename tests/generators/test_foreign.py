"""Files that are no generator: each is called by its name, has a way out, and none of it is run."""

import gzip
import json
import pickle
import re
import sys
import tarfile
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fairlab.core.errors import UserError
from fairlab.generators import open_generator, save_generator
from fairlab.generators.foreign import check_kind
from fairlab.generators.progressive import ProgressiveGenerator
from fairlab.workspace.generator import GeneratorSettings

ZOO = Path(__file__).parent / "data" / "gan_zoo_pgan_a.pth"
NETWORK = nn.Sequential(nn.Linear(4, 4))


class Persistent:
    """Pickled as NVIDIA's networks are: a call of a function, which here leaves a mark."""

    marker = ""

    def __reduce__(self):
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.marker,)


@pytest.fixture
def stylegan(tmp_path, monkeypatch):
    """Return a StyleGAN's networks, and the file that loading them would write."""
    marker = tmp_path / "it_ran"
    module = types.ModuleType("torch_utils.persistence")
    module._reconstruct_persistent_obj = lambda path: Path(path).touch()
    module._reconstruct_persistent_obj.__module__ = module.__name__
    module._reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    monkeypatch.setitem(sys.modules, "torch_utils", types.ModuleType("torch_utils"))
    monkeypatch.setitem(sys.modules, "torch_utils.persistence", module)
    monkeypatch.setattr(Persistent, "marker", str(marker))
    return {"G": Persistent(), "D": None, "G_ema": Persistent()}, marker


@pytest.mark.parametrize("write", [2, 4, "torch", "torch before 1.6"])
def test_a_stylegan_is_named_and_its_code_never_runs(tmp_path, stylegan, write):
    networks, marker = stylegan
    path = tmp_path / "ffhq.pkl"
    if isinstance(write, int):
        path.write_bytes(pickle.dumps(networks, protocol=write))
    else:
        torch.save(networks, path, _use_new_zipfile_serialization=write == "torch")
    with pytest.raises(UserError, match=r"a StyleGAN.*docs/generators\.md"):
        open_generator(path)
    assert not marker.exists()
    torch.load(path, weights_only=False) if isinstance(write, str) else pickle.loads(path.read_bytes())
    assert marker.exists()  # or else this would prove nothing


def _zipped(names):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"content")

    return write


def _folder(*names):
    def write(path):
        path.mkdir()
        for name in names:
            (path / name).touch()

    return write


def _tar(path):
    with tarfile.open(path, "w") as archive:
        archive.add(ZOO, "gan.pth")


def _saved(content, *, old=False):
    return lambda path: torch.save(content, path, _use_new_zipfile_serialization=not old)


def _content(content):
    return lambda path: path.write_bytes(content)


def _array(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def _cut_header(path):
    save_file({"conv_in.weight": torch.zeros(3)}, path)
    path.write_bytes(path.read_bytes()[:30])


PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head></html>"
KINDS = {
    "a StyleGAN's weights": (
        _saved({"g_ema": {"style.1.weight": torch.zeros(2)}}),
        "style.1.weight, .* without",
    ),
    "weights": (_saved(NETWORK.state_dict()), r"weights of some network \(0\.weight, 0\.bias, …\), without"),
    "weights, old": (_saved(NETWORK.state_dict(), old=True), "weights of some network"),
    "a module": (_saved(NETWORK), r"a whole module \(torch.save\(model\)\)"),
    "a module, old": (_saved(NETWORK, old=True), r"a whole module \(torch.save\(model\)\)"),
    "a pickle": (_content(pickle.dumps({"a": 1})), "a pickle, which can run any code"),
    "TorchScript": (
        _zipped(["m/data.pkl", "m/constants.pkl", "m/code/__torch__.py"]),
        "a TorchScript archive",
    ),
    "ONNX": (_content(b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x8a\x01"), "an ONNX network"),
    "HDF5": (_content(b"\x89HDF\r\n\x1a\n" + bytes(100)), "an HDF5 file, such as Keras writes"),
    "Keras": (_zipped(["metadata.json", "config.json", "model.weights.h5"]), "a network of Keras"),
    "SavedModel": (_folder("saved_model.pb", "fingerprint.pb"), "a TensorFlow SavedModel"),
    "diffusers": (_folder("model_index.json"), "a folder of diffusers"),
    "a folder": (_folder("README.md", "gan.pth"), "a folder; give a file in it, such as gan.pth"),
    "an empty folder": (_folder(), "a folder; give a file: a .safetensors of FairLab"),
    "safetensors": (
        lambda p: save_file({"conv_in.weight": torch.zeros(3)}, p),
        r"weights .*\(conv_in\.weight",
    ),
    "safetensors, cut": (_cut_header, "cut short; download it again"),
    "a page": (_content(b"\n" + PAGE % b"Sign in"), "a web page"),
    "Google's page": (_content(PAGE % b"Google Drive - Virus scan warning"), "Google Drive's page.*browser"),
    "a pointer": (_content(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n"), "git lfs pull"),
    "nothing": (_content(b""), "is empty; download it again"),
    "cut short": (_content(ZOO.read_bytes()[:9000]), "cut short; download it again"),
    "a zip": (_zipped(["gan/README.md", "gan/celeba.pth"]), "a zip of files; unpack it .* gan/celeba.pth"),
    "a zip of pictures": (_zipped(["1.png"]), "a zip of files; unpack it and give a .safetensors"),
    "gzip": (_content(gzip.compress(ZOO.read_bytes()[:100])), r"packed file \(gzip\); unpack"),
    "tar": (_tar, r"packed file \(tar\); unpack"),
    "an array": (_array, "an array of numpy"),
    "a text": (_content(b"hello"), "no file of a generator that is known here; give a .safetensors"),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_called_by_its_name_whatever_its_ending(tmp_path, kind, suffix):
    write, sentence = KINDS[kind]
    path = tmp_path / f"mine{suffix}"
    write(path)
    for refuse in (open_generator, lambda path: GeneratorSettings(file=str(path)).check_file()):
        with pytest.raises(UserError, match=sentence) as caught:
            refuse(path)
        assert str(caught.value).startswith(f"The generator {path} is ")
        assert str(caught.value).count(". ") == str(caught.value).count("\n") == 0


@pytest.mark.parametrize("name", ["none.pth", "none.py"])
def test_a_file_that_is_not_there_is_one_sentence(tmp_path, name):
    with pytest.raises(UserError, match=r"none\.py?t?h? cannot be read .*; check --generator"):
        check_kind(tmp_path / name)


def test_what_can_be_read_is_let_through_whatever_its_ending(tmp_path):
    check_kind(ZOO)
    save_generator(ProgressiveGenerator(16, (8, 8)), tmp_path / "ours.safetensors", {})
    (tmp_path / "ours.safetensors").rename(tmp_path / "ours.pth")
    assert open_generator(tmp_path / "ours.pth").resolution == 8
    assert json.loads((tmp_path / "ours.json").read_text())["sha256"]


@pytest.mark.parametrize("keep", range(1, 2000, 97))
def test_a_file_cut_anywhere_is_never_more_than_one_sentence(tmp_path, keep):
    for content in (ZOO.read_bytes(), pickle.dumps({"a": [1.5] * 300}), PAGE * 30):
        (tmp_path / "cut").write_bytes(content[:keep])
        with pytest.raises(UserError):
            open_generator(tmp_path / "cut")


def test_other_gans_of_the_zoo_are_named(tmp_path):
    config = {"config": {"lossCriterion": "WGANGP"}}
    for name, kind in (
        ("mapping.layer.0.weight", "a StyleGAN of theirs"),
        ("main.0.weight", "a DCGAN of theirs"),
    ):
        torch.save({**config, "avgG": {name: torch.zeros(3)}}, tmp_path / "other.pth")
        with pytest.raises(UserError, match=rf"holds {kind}, no progressive GAN.*'A generator of your own'"):
            open_generator(tmp_path / "other.pth")


def test_the_sentences_name_a_section_that_is_there():
    page = (Path(__file__).parents[2] / "docs" / "generators.md").read_text("utf-8")
    assert re.search("^## A generator of your own$", page, re.MULTILINE)
