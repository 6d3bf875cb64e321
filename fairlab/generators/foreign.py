"""Files that are no generator FairLab can read, each called by its name; nothing in them is run.

Looked at are first bytes, the directory of a zip, the header of safetensors, and the opcodes of a pickle,
which `pickletools` lists without obeying them.
"""

from __future__ import annotations

import io
import json
import pickletools
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from fairlab.core.errors import UserError

TAKEN = "a .safetensors of FairLab or a checkpoint of pytorch_GAN_zoo's progressive GAN"
#: What to do with any other network.
WRAP = (
    "load it in a .py file of your own and give that: docs/generators.md, 'A generator of your own', has one "
    "to copy"
)
AGAIN = "download it again"
CUT = ("cut short", AGAIN)

_HEAD = 4096  # bytes that tell most kinds
_MOST_OPCODES = 200_000  # of a pickle: classes and names come long before
_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # first pickle of torch.save before 1.6
_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
_WEIGHTS = (".pth", ".pt", ".pkl", ".ckpt", ".bin", ".safetensors", ".h5", ".onnx")


class Kind(NamedTuple):
    """What a file is, as it follows "is", and what to do."""

    what: str
    way: str


def check_kind(path: Path) -> None:
    """Refuse a file that is known to be something else than a generator that can be read.

    Raises
    ------
    UserError
        Saying what it is and what to do. A file that passes may still be damaged.
    """
    try:
        kind = _folder(path) if path.is_dir() else _file(path)
    except OSError as error:
        raise UserError(
            f"The generator {path} cannot be read ({error.strerror}); check --generator."
        ) from error
    if kind is not None:
        raise UserError(f"The generator {path} is {kind.what}; {kind.way}.")


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a JSON header, and the header."""
    with open(path, "rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000


def _folder(path: Path) -> Kind:
    if (path / "saved_model.pb").exists():
        return Kind("a TensorFlow SavedModel", WRAP)
    if (path / "model_index.json").exists() or (path / "config.json").exists():
        return Kind("a folder of diffusers or transformers, whose networks are no GANs of ours", WRAP)
    weights = sorted(file.name for file in path.iterdir() if file.suffix in _WEIGHTS)
    return Kind(
        "a folder", f"give a file in it, such as {weights[0]}" if weights else f"give a file: {TAKEN}"
    )


def _file(path: Path) -> Kind | None:
    with open(path, "rb") as file:
        if path.suffix == ".py":
            return None
        head = file.read(_HEAD)
        for look in (_by_first_bytes, _page, _onnx):
            if (kind := look(head)) is not None:
                return kind
        if is_safetensors(path):
            return _safetensors(file)
        if head.startswith(b"PK"):
            return _zip(path)
        if head[:1] == b"\x80":
            return _pickle(file, legacy=_TORCH_MAGIC in head[:20])
    return Kind("no file of a generator that is known here", f"give {TAKEN}, or {WRAP}")


def _by_first_bytes(head: bytes) -> Kind | None:
    if not head:
        return Kind("empty", AGAIN)
    if head.startswith(b"version https://git-lfs"):
        return Kind("only Git LFS's pointer to the file", "fetch the file itself with `git lfs pull`")
    if head.startswith(b"\x89HDF\r\n"):
        return Kind("an HDF5 file, such as Keras writes", WRAP)
    if head.startswith(b"\x93NUMPY"):
        return Kind("an array of numpy", f"give {TAKEN}")
    for magic, name in _ARCHIVES.items():
        if head.startswith(magic):
            return Kind(f"a packed file ({name})", "unpack it and give the file that was in it")
    if head[257:262] == b"ustar":
        return Kind("a packed file (tar)", "unpack it and give the file that was in it")
    return None


def _page(head: bytes) -> Kind | None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return None
    if b"google drive" in text:
        return Kind(
            "Google Drive's page that it cannot scan the file for viruses",
            "open the link in a browser, confirm there, and give what it then downloads",
        )
    return Kind("a web page, saved in the place of the file", "download the file, not the page about it")


def _onnx(head: bytes) -> Kind | None:
    """A protobuf that begins with the version (field 1) and the producer's name (field 2)."""
    is_onnx = len(head) > 4 and head[0] == 8 and head[1] < 32 and head[2] == 0x12
    return Kind("an ONNX network", WRAP) if is_onnx and head[4 : 4 + head[3]].isascii() else None


def _safetensors(file: BinaryIO) -> Kind | None:
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    text = file.read(length)
    try:
        header = json.loads(text)
    except ValueError:
        return Kind(*CUT) if len(text) < length else Kind("damaged", AGAIN)
    if "config" in (header.pop("__metadata__", None) or {}):  # whether it is ours, `load_generator` says
        return None
    return Kind(f"weights of some other network ({_some(header)}), without the network", WRAP)


def _zip(path: Path) -> Kind | None:
    if not zipfile.is_zipfile(path):
        return Kind(*CUT)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(name.endswith("/constants.pkl") for name in names):
            return Kind("a TorchScript archive, which is a program", WRAP)
        if any(name.endswith("model.weights.h5") for name in names):
            return Kind("a network of Keras", WRAP)
        for name in names:
            if name.endswith("/data.pkl"):
                return _torch([*_words(io.BytesIO(archive.read(name)))])
    inside = [name for name in names if name.endswith(_WEIGHTS)]
    way = f"unpack it and give the file in it, {inside[0]}" if inside else f"unpack it and give {TAKEN}"
    return Kind("a zip of files", way)


def _pickle(file: BinaryIO, *, legacy: bool) -> Kind | None:
    file.seek(0)
    words: list[str] = []
    for _ in range(4 if legacy else 1):  # the old format: magic number, version, machine, values
        words += _words(file)
    if any("dnnlib" in word or "torch_utils.persistence" in word for word in words):
        return Kind("a StyleGAN pickle of NVIDIA's, which runs the code in it when it is loaded", WRAP)
    if legacy:
        return _torch(words)
    return Kind("a pickle, which can run any code when it is loaded", f"give {TAKEN}, or {WRAP}")


def _torch(words: list[str]) -> Kind | None:
    """What ``torch.save`` wrote, by the names in it."""
    if {"avgG", "netG", "netD"} & set(words):
        return None  # of pytorch_GAN_zoo: whether it is the right one, `load_gan_zoo` says
    if any("dnnlib" in word or "torch_utils.persistence" in word for word in words):
        return Kind("a StyleGAN of NVIDIA's, which runs the code in it when it is loaded", WRAP)
    if any(word.startswith("torch.nn.modules") for word in words):
        return Kind("a whole module (torch.save(model)), which runs code when it is loaded", WRAP)
    dotted = [word for word in words if "." in word and not word.startswith(("torch.", "collections."))]
    if not dotted:
        return None  # no weights: what else it is, `load_gan_zoo` says
    return Kind(f"weights of some network ({_some(dotted)}), without the network", WRAP)


def _words(pickled: BinaryIO) -> Iterator[str]:
    """Yield the texts and dotted names of a pickle as far as it can be followed; nothing in it is run."""
    try:
        for step, value, _ in islice(pickletools.genops(pickled), _MOST_OPCODES):
            if isinstance(value, str):
                yield value.replace(" ", ".", 1) if step.name == "GLOBAL" else value
    except Exception:  # a damaged pickle can fail in any way; who reads it says so
        return


def _some(names: object) -> str:
    few = list(islice(names, 2))  # type: ignore[call-overload]
    return ", ".join(map(str, few)) + ", …"
