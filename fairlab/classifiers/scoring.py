"""A trained classifier: scores images in batches, is saved in open formats, loads in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

import fairlab
from fairlab.classifiers.augmentation import evaluation_batch
from fairlab.classifiers.images import ImageArray
from fairlab.classifiers.networks import AttributeNetwork, build_network, pooled
from fairlab.classifiers.recipe import Recipe
from fairlab.core.devices import choose_device
from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import read_json, write_json
from fairlab.core.tensors import load_tensors, save_tensors

WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "classifier.json"


class Classifier(nn.Module):
    """A network that says, for each attribute, how likely it is that a face shows it.

    Parameters
    ----------
    attributes : tuple of str
        Names of the k outputs, in order.
    recipe : Recipe
        How the network was trained; says how images are prepared and in which arithmetic.
    network : AttributeNetwork
        The network itself, or one that extends it.

    Examples
    --------
    >>> recipe = Recipe(backbone="resnet10", width=4)
    >>> classifier = Classifier(("Smiling", "Male"), recipe, build_network(recipe, 2, seed=0, imagenet=False))
    >>> faces = np.zeros((3, 64, 64, 3), np.uint8)
    >>> classifier.score(faces, progress=False).shape
    (3, 2)
    """

    def __init__(self, attributes: tuple[str, ...], recipe: Recipe, network: AttributeNetwork) -> None:
        super().__init__()
        self.attributes = attributes
        self.recipe = recipe
        self.network = network

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def forward(self, images: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return logits (n, k) for stored images (n, h, w, 3), uint8, on the device; see `logits`."""
        batch = evaluation_batch(images, self.recipe)
        logits: Tensor = self.network(batch) if groups is None else self.network(batch, groups)
        return logits

    def features(
        self, images: ImageArray, batch_size: int = 256, progress: bool = True, *, layer: str = "features"
    ) -> np.ndarray:
        """Return what a layer makes of images, by default what the head sees: (n, d) float32.

        Parameters
        ----------
        layer : str
            One of `fairlab.classifiers.networks.LAYERS`; of a map, the mean over its pixels.
        images, batch_size, progress
            As for `score`.
        """

        def seen(batch: Tensor, _: Tensor | None) -> Tensor:
            return pooled(self.network.stage(evaluation_batch(batch, self.recipe), layer))

        return self._in_batches(seen, images, batch_size, progress)

    def logits(
        self,
        images: ImageArray,
        batch_size: int = 256,
        progress: bool = True,
        *,
        groups: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the values before the sigmoid, shape (n, k), float32; arguments as for `score`."""
        return self._in_batches(self, images, batch_size, progress, groups)

    @torch.inference_mode()
    def _in_batches(
        self,
        function: Callable[[Tensor, Tensor | None], Tensor],
        images: ImageArray,
        batch_size: int,
        progress: bool,
        groups: np.ndarray | None = None,
    ) -> np.ndarray:
        """Apply a function of batches of images and groups to all; its rows, (n, ...) float32."""
        self.eval()
        results: list[np.ndarray] = []
        bar = tqdm(total=len(images), desc=f"Scoring {shortened(self.attributes)}", unit="image",
                   disable=not progress, leave=False)  # fmt: skip
        with bar:
            for start in range(0, max(len(images), 1), batch_size):  # one empty batch tells the shape
                rows = np.arange(start, min(start + batch_size, len(images)))
                batch = torch.from_numpy(np.asarray(images[rows])).to(self.device)  # (b, h, w, 3)
                part = None if groups is None else torch.from_numpy(groups[rows]).long().to(self.device)
                results.append(function(batch, part).float().cpu().numpy())
                bar.update(len(rows))
        return np.concatenate(results)

    def score(
        self,
        images: ImageArray,
        batch_size: int = 256,
        progress: bool = True,
        *,
        groups: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return how likely each attribute is in each image.

        Parameters
        ----------
        images : image array
            Shape (n, h, w, 3), uint8.
        batch_size : int
            Images at a time; more is faster and needs more memory.
        progress : bool
            Show a bar.
        groups : (n,) array, optional
            Class numbers of the protected label, for networks that answer by group; others ignore it.

        Returns
        -------
        (n, k) float32 array
            Probabilities in [0, 1], columns in the order of `attributes`.
        """
        logits = torch.from_numpy(self.logits(images, batch_size, progress, groups=groups))
        return torch.sigmoid(logits).numpy()

    def save(self, folder: Path, **facts: Any) -> None:
        """Write ``weights.safetensors``, then ``classifier.json`` with the recipe and further `facts`."""
        save_weights(self.network, Path(folder) / WEIGHTS_FILE)
        versions = {"fairlab": fairlab.__version__, "torch": torch.__version__}
        card = {"attributes": list(self.attributes), "recipe": dataclasses.asdict(self.recipe)}
        write_json(Path(folder) / CARD_FILE, card | facts | {"versions": versions})

    @classmethod
    def load(
        cls,
        folder: str | Path,
        device: str | torch.device | None = None,
        *,
        network: AttributeNetwork | None = None,
    ) -> Classifier:
        """Load a classifier from the folder it was trained into.

        Parameters
        ----------
        folder : path
            Holds ``classifier.json`` and ``weights.safetensors``.
        device : str or torch.device, optional
            By default CUDA where there is one, else the CPU.
        network : AttributeNetwork, optional
            Of the trained shape, where that is not a plain backbone with a head.

        Raises
        ------
        UserError
            If there is no finished classifier in `folder`, or its files are damaged.
        """
        folder = Path(folder)
        if not (folder / CARD_FILE).exists():
            raise UserError(f"There is no trained classifier in {folder}; train one there first.")
        card = read_json(folder / CARD_FILE)
        try:
            attributes, recipe = tuple(card["attributes"]), Recipe.from_dict(card["recipe"])
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{folder / CARD_FILE} does not describe a classifier; delete its folder and train again."
            ) from error
        if network is None:
            network = build_network(recipe, len(attributes), seed=0, imagenet=False)
        load_weights(network, folder / WEIGHTS_FILE)
        return cls(attributes, recipe, network).to(choose_device(device)).eval()


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's weights as safetensors, whole or not at all."""
    save_tensors(path, network.state_dict())


def load_weights(network: nn.Module, path: Path) -> None:
    """Read a network's weights from safetensors.

    Raises
    ------
    UserError
        If the file is missing, damaged, or of another network.
    """
    try:
        network.load_state_dict(load_tensors(path)[0])
    except (DamagedError, RuntimeError) as error:
        raise UserError(
            f"{path} is damaged or belongs to another network; delete its folder and train again."
        ) from error


def shortened(attributes: tuple[str, ...]) -> str:
    """Return the names for a progress bar: at most two, and how many more."""
    names = ", ".join(attributes[:2])
    return names if len(attributes) <= 2 else f"{names} + {len(attributes) - 2} more"
