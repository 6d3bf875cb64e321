"""A trained classifier: scores images in batches, is saved in open formats, loads in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from tqdm.auto import tqdm

import fairlab
from fairlab.classifiers.augmentation import evaluation_batch
from fairlab.classifiers.images import ImageArray
from fairlab.classifiers.networks import AttributeNetwork, build_network
from fairlab.classifiers.recipe import Recipe
from fairlab.core.devices import choose_device, compute_dtype
from fairlab.core.errors import UserError
from fairlab.core.files import read_json, save_tensors, write_json

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
        The network itself.

    Examples
    --------
    >>> classifier = Classifier.load("data/runs/quick/baseline")  # doctest: +SKIP
    >>> classifier.score(faces)                                   # doctest: +SKIP
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

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of shape (n, k) for stored images of shape (n, h, w, 3), uint8, on the device."""
        dtype = compute_dtype(self.recipe.precision, self.device)
        logits: Tensor = self.network(evaluation_batch(images, self.recipe), dtype)
        return logits

    def features(self, images: ImageArray, batch_size: int = 256, progress: bool = True) -> np.ndarray:
        """Return what the head sees, shape (n, d), float32; arguments as for `score`."""

        def backbone(batch: Tensor) -> Tensor:
            dtype = compute_dtype(self.recipe.precision, self.device)
            return self.network.features(evaluation_batch(batch, self.recipe), dtype)  # (b, d)

        return self._in_batches(backbone, images, batch_size, progress)

    def logits(self, images: ImageArray, batch_size: int = 256, progress: bool = True) -> np.ndarray:
        """Return the values before the sigmoid, shape (n, k), float32; arguments as for `score`."""
        return self._in_batches(self, images, batch_size, progress)

    @torch.inference_mode()
    def _in_batches(
        self, function: Callable[[Tensor], Tensor], images: ImageArray, batch_size: int, progress: bool
    ) -> np.ndarray:
        """Apply a function of image batches to all images; rows of the results, (n, ...) float32."""
        self.eval()
        results: list[np.ndarray] = []
        bar = tqdm(total=len(images), desc=f"Scoring {shortened(self.attributes)}", unit="image",
                   disable=not progress, leave=False)  # fmt: skip
        with bar:
            for start in range(0, max(len(images), 1), batch_size):  # one empty batch tells the shape
                rows = np.arange(start, min(start + batch_size, len(images)))
                batch = torch.from_numpy(np.asarray(images[rows])).to(self.device)  # (b, h, w, 3)
                results.append(function(batch).float().cpu().numpy())
                bar.update(len(rows))
        return np.concatenate(results)

    def score(self, images: ImageArray, batch_size: int = 256, progress: bool = True) -> np.ndarray:
        """Return how likely each attribute is in each image.

        Parameters
        ----------
        images : image array
            Shape (n, h, w, 3), uint8.
        batch_size : int
            Images at a time; more is faster and needs more memory.
        progress : bool
            Show a bar.

        Returns
        -------
        (n, k) float32 array
            Probabilities in [0, 1], columns in the order of `attributes`.
        """
        logits = torch.from_numpy(self.logits(images, batch_size, progress))
        return torch.sigmoid(logits).numpy()

    def save(self, folder: Path, **facts: Any) -> None:
        """Write ``weights.safetensors``, then ``classifier.json`` with the recipe and further `facts`."""
        save_weights(self.network, Path(folder) / WEIGHTS_FILE)
        versions = {"fairlab": fairlab.__version__, "torch": torch.__version__}
        card = {"attributes": list(self.attributes), "recipe": dataclasses.asdict(self.recipe)}
        write_json(Path(folder) / CARD_FILE, card | facts | {"versions": versions})

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device | None = None) -> Classifier:
        """Load a classifier from the folder it was trained into.

        Parameters
        ----------
        folder : path
            Holds ``classifier.json`` and ``weights.safetensors``.
        device : str or torch.device, optional
            By default CUDA where there is one, else the CPU.

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
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UserError(
            f"{path} is damaged or belongs to another network; delete its folder and train again."
        ) from error


def shortened(attributes: tuple[str, ...]) -> str:
    """Return the names for a progress bar: at most two, and how many more."""
    names = ", ".join(attributes[:2])
    return names if len(attributes) <= 2 else f"{names} + {len(attributes) - 2} more"
