"""Backbones with the paper's two-layer head, and their ImageNet weights."""

import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, ResNet34_Weights, ResNet50_Weights, WeightsEnum
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from fairlab.classifiers.recipe import Recipe
from fairlab.core.devices import compute_dtype
from fairlab.core.errors import UserError, nearest_names


@dataclass(frozen=True)
class Backbone:
    """One entry of `BACKBONES`.

    Attributes
    ----------
    build : callable
        ``build(width)`` gives a module that maps images (n, 3, h, w) to features (n, d), and d.
    weights : torchvision WeightsEnum or None
        Its ImageNet weights, if there are any.
    """

    build: Callable[[int], tuple[nn.Module, int]]
    weights: WeightsEnum | None = None


class _WidthResNet(ResNet):
    """torchvision's ResNet, whose first stage may have other than 64 channels."""

    def __init__(self, block: type[BasicBlock | Bottleneck], depths: tuple[int, ...], width: int) -> None:
        super().__init__(block, list(depths), num_classes=1)
        if width != 64:
            self.inplanes = width
            self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.layer1 = self._make_layer(block, width, depths[0])
            self.layer2 = self._make_layer(block, 2 * width, depths[1], stride=2)
            self.layer3 = self._make_layer(block, 4 * width, depths[2], stride=2)
            self.layer4 = self._make_layer(block, 8 * width, depths[3], stride=2)
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def _resnet(
    block: type[BasicBlock | Bottleneck], depths: tuple[int, ...], width: int
) -> tuple[nn.Module, int]:
    network = _WidthResNet(block, depths, width)
    network.fc = nn.Identity()
    return network, 8 * width * block.expansion


#: Name → how to build it. ResNet-10 is ours: one block per stage, for machines without a GPU.
BACKBONES: dict[str, Backbone] = {
    "resnet10": Backbone(partial(_resnet, BasicBlock, (1, 1, 1, 1))),
    "resnet18": Backbone(partial(_resnet, BasicBlock, (2, 2, 2, 2)), ResNet18_Weights.IMAGENET1K_V1),
    "resnet34": Backbone(partial(_resnet, BasicBlock, (3, 4, 6, 3)), ResNet34_Weights.IMAGENET1K_V1),
    "resnet50": Backbone(partial(_resnet, Bottleneck, (3, 4, 6, 3)), ResNet50_Weights.IMAGENET1K_V1),
}


#: The stages of a ResNet whose maps (n, c, h', w') can be looked at, in order.
MAPS = ("layer1", "layer2", "layer3", "layer4")
#: Where a network can be looked into: the maps, what its head sees (n, d), and its logits (n, k).
LAYERS = (*MAPS, "features", "scores")


def check_layer(layer: str) -> str:
    """Return `layer`.

    Raises
    ------
    UserError
        If it is none of `LAYERS`; the sentence suggests the nearest names.
    """
    if layer not in LAYERS:
        raise UserError(f"A network has no layer '{layer}'; {nearest_names(layer, LAYERS)}")
    return layer


class AttributeNetwork(nn.Module):
    """A backbone and a head: images (n, 3, h, w) to logits (n, k).

    The head follows the paper (Section 4, "Implementation"): the last layer is replaced by linear d→d,
    ReLU, dropout, linear d→k. The backbone computes in the recipe's precision, the head in float32: in
    bfloat16 a logit has 8 significant bits, so that scores would tie, and ranks and thresholds suffer.
    """

    def __init__(self, backbone: nn.Module, n_features: int, n_attributes: int, recipe: Recipe) -> None:
        super().__init__()
        self.precision = recipe.precision
        self.n_features = n_features
        self.backbone = backbone
        hidden = (nn.Linear(n_features, n_features), nn.ReLU(), nn.Dropout(recipe.dropout))
        self.head = nn.Sequential(
            *(hidden if recipe.hidden_head else ()), nn.Linear(n_features, n_attributes)
        )

    def forward(self, images: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return logits, shape (n, k), float32; `groups` (n,) are for networks that answer by group."""
        logits: Tensor = self.head(self.features(images).float())  # (n, k)
        return logits

    def features(self, images: Tensor) -> Tensor:
        """Return what the backbone makes of images: (n, 3, h, w) to (n, d), in the backbone's precision."""
        dtype = compute_dtype(self.precision, images.device)
        with torch.autocast(images.device.type, dtype, enabled=dtype != torch.float32):
            features: Tensor = self.backbone(images)  # (n, d)
        return features

    def at(self, images: Tensor, layer: str) -> tuple[Tensor, Tensor]:
        """Return the logits (n, k), and what one of `LAYERS` makes of the images on the way to them.

        Parameters
        ----------
        images : (n, 3, h, w) tensor
        layer : str
            "layer1" to "layer4": a map (n, c, h', w'); "features": (n, d), both in the backbone's precision;
            "scores": the logits, (n, k).

        Raises
        ------
        UserError
            If there is no such layer.
        """
        with self._kept(layer) as kept:
            logits = self(images)
        return logits, kept[0] if kept else logits

    def stage(self, images: Tensor, layer: str) -> Tensor:
        """Return what one of `LAYERS` makes of images, alone: no head is asked that may need groups."""
        if layer == "scores":
            logits: Tensor = self(images)
            return logits
        with self._kept(layer) as kept:
            self.features(images)
        return kept[0]

    @contextmanager
    def _kept(self, layer: str) -> Iterator[list[Tensor]]:
        """Collect what a layer returns while the network runs; nothing for the scores."""
        kept: list[Tensor] = []
        if check_layer(layer) == "scores":
            yield kept
            return
        module = self.backbone if layer == "features" else self.backbone.get_submodule(layer)
        handle = module.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
        try:
            yield kept
        finally:
            handle.remove()

    @property
    def last(self) -> nn.Linear:
        """The last layer: what methods train anew that keep the rest."""
        layer = self.head[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def before_last(self, features: Tensor) -> Tensor:
        """Return what the last layer sees (n, d) of the backbone's features (n, d), in evaluation mode."""
        seen: Tensor = self.head[:-1](features.float())
        return seen


def pooled(stage: Tensor) -> Tensor:
    """Return the mean over the pixels of a map (n, c, h, w), as float32; what has no pixels stays (n, d)."""
    stage = stage.float()
    return stage.mean(dim=(2, 3)) if stage.ndim == 4 else stage


def build_network(
    recipe: Recipe,
    n_attributes: int,
    *,
    seed: int,
    imagenet: bool = True,
    kind: Callable[[nn.Module, int, int, Recipe], AttributeNetwork] = AttributeNetwork,
) -> AttributeNetwork:
    """Build a network with random weights from `seed`, the backbone's from ImageNet where wanted.

    Parameters
    ----------
    recipe : Recipe
        Names the backbone and says whether ImageNet weights are wanted.
    n_attributes : int
        Number of outputs.
    seed : int
        Of the random weights; the global random state is left as it was.
    imagenet : bool
        False leaves ImageNet weights out although the recipe wants them: all will be overwritten.
    kind : callable
        From backbone, number of features, `n_attributes` and recipe to the network: a class that extends
        `AttributeNetwork`. What it adds after its parent's parts leaves their initial weights as they are.

    Raises
    ------
    UserError
        If ImageNet weights are required and cannot be had.
    """
    entry = BACKBONES[recipe.backbone]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = kind(*entry.build(recipe.width), n_attributes, recipe)
    if imagenet and recipe.pretrained != "none":
        _load_imagenet_weights(network.backbone, recipe)
    return network.to(memory_format=torch.channels_last)


def _load_imagenet_weights(backbone: nn.Module, recipe: Recipe) -> None:
    try:
        state = _imagenet_weights(recipe.backbone)
    except UserError as error:
        if recipe.pretrained == "required":
            raise
        warnings.warn(f"{error} Training goes on from random weights.", UserWarning, stacklevel=3)
        return
    backbone.load_state_dict({name: value for name, value in state.items() if not name.startswith("fc.")})


def _imagenet_weights(name: str) -> dict[str, Tensor]:
    """Read torchvision's ImageNet weights, downloading them the first time."""
    weights = BACKBONES[name].weights
    if weights is None:
        raise UserError(f"There are no ImageNet weights for '{name}'; set pretrained to 'none'.")
    path = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        if path.exists():
            raise UserError(f"{path} is damaged; delete it so that it is downloaded afresh.") from error
        raise UserError(
            f"The ImageNet weights of '{name}' could not be downloaded; fetch {weights.url} "
            f"where there is a network and put it at {path}."
        ) from error
    return state
