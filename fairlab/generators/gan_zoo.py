"""Progressive GANs of pytorch_GAN_zoo (https://github.com/facebookresearch/pytorch_GAN_zoo), read safely.

Their generator is that of `fairlab.generators.progressive`, but its equalised layers scale the bias too. It
is computed here in their order, so that images agree to the last digits: folded into weights for our layers,
rounding alone would move pixels by 0.00002. Their checkpoints are pickles, which can run any code; they are
read without running any.
"""

import math
import pickle
import pickletools
import warnings
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fairlab.core.devices import choose_device
from fairlab.core.errors import UserError
from fairlab.generators.foreign import WRAP
from fairlab.generators.layers import LEAK, pixel_norm, upsample

#: Their losses, each of which decides whether a tanh follows the last layer.
ENDS_IN_TANH = {"WGANGP": False, "WGANGP2": False, "Logistic": False, "MSE": True, "DCGAN": True}


class GanZooGenerator(nn.Module):
    """Maps latents to images as pytorch_GAN_zoo's progressive generator does; layers are named as there.

    Parameters
    ----------
    latent_dim : int
        Length of a latent.
    channels : tuple of int
        Feature maps at 4, 8, 16, ... pixels; the length sets the resolution.
    leak : float
        Negative slope of the leaky ReLU.
    equalised : bool
        Scale the output of every layer by sqrt(2 / fan-in).
    alpha : float
        Weight of the image of half the resolution, in [0, 1]: 0 once the newest layers have faded in.
    tanh : bool
        End in a tanh.
    """

    def __init__(
        self,
        latent_dim: int,
        channels: tuple[int, ...],
        *,
        leak: float = LEAK,
        equalised: bool = True,
        alpha: float = 0.0,
        tanh: bool = False,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.resolution = 4 * 2 ** (len(channels) - 1)
        self.leak, self.equalised, self.alpha, self.tanh = leak, equalised, alpha, tanh
        self.formatLayer = nn.Linear(latent_dim, 16 * channels[0])
        self.groupScale0 = nn.ModuleList([_conv3(channels[0], channels[0])])
        self.scaleLayers = nn.ModuleList(
            nn.ModuleList([_conv3(n_in, n_out), _conv3(n_out, n_out)]) for n_in, n_out in pairwise(channels)
        )
        self.toRGBLayers = nn.ModuleList(nn.Conv2d(n, 3, 1) for n in channels)

    def forward(self, z: Tensor) -> Tensor:
        """Images of latents of any length: (n, latent_dim) -> (n, 3, resolution, resolution)."""
        x = self._activated(self.formatLayer, pixel_norm(z))  # (n, 16 * c)
        x = pixel_norm(x.unflatten(1, (-1, 4, 4)))  # (n, c, 4, 4)
        x = pixel_norm(self._activated(self.groupScale0[0], x))
        previous = x
        for scale in self.scaleLayers:
            previous, x = x, upsample(x)  # (n, c, 2h, 2w)
            for layer in scale.children():
                x = pixel_norm(self._activated(layer, x))  # (n, c', 2h, 2w)
        image = self._scaled(self.toRGBLayers[-1], x)  # (n, 3, r, r)
        if self.alpha > 0 and len(self.scaleLayers) > 0:
            old = upsample(self._scaled(self.toRGBLayers[-2], previous))  # (n, 3, r, r)
            image = self.alpha * old + (1 - self.alpha) * image
        return torch.tanh(image) if self.tanh else image

    def _activated(self, layer: nn.Module, x: Tensor) -> Tensor:
        return F.leaky_relu(self._scaled(layer, x), self.leak)

    def _scaled(self, layer: nn.Module, x: Tensor) -> Tensor:
        y: Tensor = layer(x)
        return y * math.sqrt(2 / layer.get_parameter("weight")[0].numel()) if self.equalised else y


def _conv3(n_in: int, n_out: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, padding=1)


def load_gan_zoo(
    path: str | Path, *, average: bool = True, device: torch.device | str | None = None
) -> GanZooGenerator:
    """Load the generator of a progressive GAN that was trained with pytorch_GAN_zoo.

    Parameters
    ----------
    path : path
        A checkpoint written by ``torch.save``, in its old or new format, with ``config`` and ``avgG`` or
        ``netG``. No code in it is run: it may hold tensors, numbers, texts, containers, and objects' values.
    average : bool
        Take the moving average of the weights (``avgG``), which makes the better pictures, not the last
        weights (``netG``).
    device : torch.device or str, optional
        The CPU when None.

    Returns
    -------
    GanZooGenerator
        In evaluation mode, without gradients; its images are nominally in [-1, 1]. Depth, width and length of
        a latent are those of the weights; leak, fade and last activation those of the config.

    Raises
    ------
    UserError
        If the file is missing, damaged, or does more than hold values; if it holds no such generator; or if
        the generator is class-conditional or of another kind that is not supported.

    Notes
    -----
    Any other network becomes a generator by wrapping it in a `ModuleGenerator`.
    """
    path = Path(path)
    content = read_values(path)
    config = _config(content, path)
    weights = _weights(content, "avgG" if average else "netG", path)
    try:
        generator = _build(weights, config)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(
            f"The checkpoint {path} holds {_kind(weights)}no progressive GAN's generator that fits together "
            f"({error}); choose another, or {WRAP}."
        ) from error
    return generator.eval().requires_grad_(False).to(choose_device(device or "cpu"))


def _config(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return their settings, or say which of them is not supported."""
    config = content.get("config")
    config = getattr(config, "values", None) if isinstance(config, Foreign) else config
    if not isinstance(config, dict):
        raise UserError(
            f"The checkpoint {path} has no 'config'; choose one that pytorch_GAN_zoo saved with its settings."
        )
    obstacles = {
        "is class-conditional": config.get("attribKeysOrder") or config.get("categoryVectorDim"),
        "has no pixel normalisation": not config.get("perChannelNormalization", True),
        "was trained with an unknown loss": str(config.get("lossCriterion")) not in ENDS_IN_TANH,
    }
    for what, is_so in obstacles.items():
        if is_so:
            raise UserError(f"The GAN in {path} {what}, which is not supported; choose another, or {WRAP}.")
    return config


def _weights(content: dict[str, Any], key: str, path: Path) -> dict[str, Tensor]:
    """Return a network's weights, float32, without the prefixes that DataParallel and their layers add."""
    weights = content.get(key)
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        kept = ", ".join(map(str, content)) or "nothing"
        raise UserError(
            f"The checkpoint {path} has no weights '{key}', only {kept}; choose a checkpoint of the whole "
            "GAN, or the other value of 'average'."
        )
    return {str(name).replace("module.", ""): value.float() for name, value in weights.items()}


def _kind(weights: dict[str, Tensor]) -> str:
    """Return what other GAN of theirs some weights are from, as far as names tell."""
    parts = {name.partition(".")[0] for name in weights}
    if any(part.startswith(("mapping", "adain", "noiseModulators")) for part in parts):
        return "a StyleGAN of theirs, "
    return "a DCGAN of theirs, " if {"main", "initFormatLayer"} & parts else ""


def _build(weights: dict[str, Tensor], config: dict[str, Any]) -> GanZooGenerator:
    """Make the generator whose size the shapes of the weights tell; a ValueError if they do not fit."""
    n_scales = sum(name.startswith("toRGBLayers.") and name.endswith(".weight") for name in weights)
    channels = tuple(weights[f"toRGBLayers.{i}.weight"].shape[1] for i in range(n_scales))
    settings: dict[str, Any] = {
        "leak": float(config.get("leakyReluLeak", LEAK)),
        "equalised": bool(config.get("equalizedlR", True)),
        "alpha": float(config.get("alpha", 0.0)),
        "tanh": ENDS_IN_TANH[config["lossCriterion"]],
    }
    if not 0 <= settings["alpha"] <= 1:
        raise ValueError(f"alpha is {settings['alpha']}")
    with torch.device("meta"):  # no memory and no random numbers for weights that are replaced at once
        generator = GanZooGenerator(weights["formatLayer.weight"].shape[1], channels, **settings)
    _check_shapes(weights, generator)
    generator.load_state_dict(weights, assign=True)
    return generator


def _check_shapes(weights: dict[str, Tensor], generator: nn.Module) -> None:
    found = {name: tuple(value.shape) for name, value in weights.items()}
    expected = {name: tuple(value.shape) for name, value in generator.state_dict().items()}
    for name in sorted(found | expected):
        if found.get(name) != expected.get(name):
            raise ValueError(f"'{name}' has shape {found.get(name)}, not {expected.get(name)}")


class Foreign:
    """Stands for any class or function that a pickle names: keeps an object's values, cannot be called."""

    values: dict[str, Any]

    def __init__(self, *_: object) -> None:
        raise pickle.UnpicklingError("a call")  # what only restores an object's values makes none

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.values = dict(state)


def read_values(path: Path) -> dict[str, Any]:
    """Read a ``torch.save`` file on the CPU without running its code; objects come back as `Foreign`.

    Raises
    ------
    UserError
        If the file is missing, damaged, no dict, or calls for anything but tensors.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; give the path of a checkpoint of pytorch_GAN_zoo.")
    try:
        stand_ins: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = []
        stand_ins += [(Foreign, name) for name in _named_in(path)]
        with torch.serialization.safe_globals(stand_ins), warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")  # of what damaged and foreign files hold: they end in a sentence
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"The checkpoint {path} is refused: it asks for more than tensors and values, and could run "
            "a stranger's code; get it from another source."
        ) from error
    except Exception as error:  # a damaged pickle can fail in any way
        raise UserError(
            f"The file {path} is not a PyTorch checkpoint, or it is cut short ({type(error).__name__}); "
            "download it again."
        ) from error
    if not isinstance(content, dict):
        raise UserError(
            f"The file {path} holds a {type(content).__name__}, no GAN; give a checkpoint of one."
        )
    return content


def _named_in(path: Path) -> set[str]:
    """Return the dotted names of all classes and functions in a checkpoint's pickles, running nothing."""
    with open(path, "rb") as file:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                (record,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
                return _names(archive.read(record))
        file.seek(0)
        # The old format: four pickles (a magic number, a version, the machine, the values), then raw data.
        return set().union(*(_names(file) for _ in range(4)))


def _names(pickled: Any) -> set[str]:
    steps = pickletools.genops(pickled)
    return {str(value).replace(" ", ".", 1) for step, value, _ in steps if step.name == "GLOBAL"}
