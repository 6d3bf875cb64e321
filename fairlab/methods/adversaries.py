"""Adversaries: small networks that guess the group from what a layer makes of an image."""

import copy
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from fairlab.classifiers import Recipe
from fairlab.classifiers.networks import MAPS, AttributeNetwork, pooled


class AdversarialNetwork(AttributeNetwork):
    """A plain network with an adversary that sees one of its layers.

    The adversary is a submodule and so is saved along, but takes no part in what the network answers.
    """

    def __init__(
        self,
        backbone: nn.Module,
        n_features: int,
        n_attributes: int,
        recipe: Recipe,
        *,
        layer: str,
        adversary: str,
        weights: Tensor,
    ) -> None:
        super().__init__(backbone, n_features, n_attributes, recipe)
        with torch.no_grad():  # in evaluation mode, in which batch normalisation does not move
            seen = self.eval().at(torch.zeros(1, 3, recipe.crop, recipe.crop), layer)[1]
        self.adversary: nn.Module = ADVERSARIES[adversary](self.train(), layer, seen)
        self.adversary.rate = 1.0  # type: ignore[assignment]
        self.group_weights: Tensor
        self.register_buffer("group_weights", weights)  # (2,) of the adversary's loss

    def guess(self, stage: Tensor, parameters: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the adversary's logits (n, 2) for what its layer made, perhaps with other parameters."""
        found: Tensor = functional_call(self.adversary, dict(parameters or {}), (stage.float(),))
        return found

    def fixed_adversary(self) -> dict[str, Tensor]:
        """Return the adversary's parameters as constants: what is learnt through them is not theirs."""
        return {name: value.detach() for name, value in self.adversary.named_parameters()}


class Pooled(nn.Module):
    """The mean over the pixels of a map: (n, c, h, w) to (n, c)."""

    def forward(self, stage: Tensor) -> Tensor:
        """Return the means."""
        return pooled(stage)


def linear(network: AttributeNetwork, layer: str, seen: Tensor) -> nn.Module:
    """Return a linear adversary on pooled features."""
    return nn.Sequential(Pooled(), nn.Linear(seen.shape[1], 2))


def flattened_map(network: AttributeNetwork, layer: str, seen: Tensor) -> nn.Module:
    """Return the published one: three layers of 300 on the flattened map (Wang et al., ICCV 2019)."""
    sizes = (seen[0].numel(), 300, 300, 300)
    blocks: list[nn.Module] = [nn.Flatten()]
    for n_in, n_out in itertools.pairwise(sizes):
        blocks += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.LeakyReLU(0.01)]
    return nn.Sequential(*blocks, nn.Linear(300, 2))


def copied(network: AttributeNetwork, layer: str, seen: Tensor) -> nn.Module:
    """Return one with the network's own further convolutions, then linear: as able as the network itself."""
    later = (network.backbone.get_submodule(name) for name in MAPS[MAPS.index(layer) + 1 :])
    return nn.Sequential(*map(copy.deepcopy, later), Pooled(), nn.Linear(network.n_features, 2))


#: Kinds of adversaries, each from the network, its layer and an example of what that makes (1, ...).
ADVERSARIES: dict[str, Callable[[AttributeNetwork, str, Tensor], nn.Module]] = {
    "linear": linear,
    "map": flattened_map,
    "copied": copied,
}


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -context.strength * gradient, None


def reverse(values: Tensor, strength: float) -> Tensor:
    """Return the values themselves, whose gradient is turned round and multiplied by `strength`."""
    turned: Tensor = _Reversed.apply(values, strength)
    return turned
