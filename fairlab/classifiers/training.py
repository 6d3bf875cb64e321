"""The one training loop for classifiers: resumable, counted in images seen, alone or under torchrun.

Order, crops and dropout of an epoch are drawn from (seed, epoch) alone, so a run that was killed continues
from its last checkpoint with the numbers it would have had.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fairlab.classifiers.augmentation import training_batch
from fairlab.classifiers.identity import check_same_run, run_identity
from fairlab.classifiers.images import ImageArray
from fairlab.classifiers.networks import build_network
from fairlab.classifiers.recipe import Recipe
from fairlab.classifiers.scoring import (
    CARD_FILE,
    WEIGHTS_FILE,
    Classifier,
    load_weights,
    save_weights,
    shortened,
)
from fairlab.classifiers.selection import Validation, best_epoch
from fairlab.core import distributed
from fairlab.core.devices import compute_dtype
from fairlab.core.errors import UserError
from fairlab.core.files import load_state, read_json, save_state, write_text

CHECKPOINT_FILE = "checkpoint.safetensors"
CURVE_FILE = "curve.jsonl"

Record = dict[str, Any]


def train_classifier(
    folder: str | Path,
    *,
    images: ImageArray,
    labels: np.ndarray,
    valid_images: ImageArray,
    valid_labels: np.ndarray,
    valid_protected: np.ndarray | None = None,
    attributes: tuple[str, ...],
    recipe: Recipe,
    seed: int,
    device: str | torch.device | None = None,
    sample_weight: np.ndarray | None = None,
    on_epoch: Callable[[Record], None] | None = None,
) -> Classifier:
    """Train a classifier, or finish or load the one that `folder` holds, and return its best epoch.

    Parameters
    ----------
    folder : path
        Receives ``checkpoint.safetensors`` and ``curve.jsonl`` every epoch, ``weights.safetensors`` at each
        best epoch, ``classifier.json`` at the end. Call again after an interruption and it goes on.
    images, valid_images : image array
        Shape (n, h, w, 3), uint8; read in batches, so memory maps stay on disk.
    labels, valid_labels : (n, k) arrays of 0 and 1
        One column per attribute.
    valid_protected : (n,) array of 0 and 1, optional
        The protected attribute of the validation images, for the group-balanced figure.
    attributes : tuple of str
        Names of the k columns.
    recipe : Recipe
        How to build and train the network.
    seed : int
        Of everything random, at least 0.
    device : str or torch.device, optional
        By default CUDA where there is one, else the CPU.
    sample_weight : (n,) array, optional
        Weight of each training image's loss, not negative; scaled to a mean of 1.
    on_epoch : callable, optional
        Called with each epoch's record once it is on disk: ``epoch``, ``images_seen``, ``seconds``,
        ``train_loss`` and the validation figures, in [0, 1].

    Returns
    -------
    Classifier
        With the weights of the best epoch by ``recipe.selection``.

    Raises
    ------
    UserError
        If inputs do not fit together, the folder holds a run with other settings, a file in it is damaged,
        or the loss stops being a number.
    """
    folder = Path(folder)
    device = distributed.connect(device)
    targets, weight = _checked_inputs(images, labels, attributes, sample_weight)
    identity = run_identity(attributes, recipe, seed, images, labels, sample_weight)
    if (folder / CARD_FILE).exists():
        check_same_run(folder, read_json(folder / CARD_FILE), identity)
        return Classifier.load(folder, device)
    validation = Validation(valid_images, np.asarray(valid_labels), valid_protected)
    validation.require(recipe.selection)
    training = Training(folder, identity, attributes, recipe, seed, device)
    bar = tqdm(
        total=recipe.epochs * len(images),
        initial=len(training.curve) * len(images),
        desc=f"Training {shortened(attributes)}",
        unit="image",
        disable=distributed.rank() > 0,
    )
    with bar:
        for epoch in range(len(training.curve) + 1, recipe.epochs + 1):
            start = time.monotonic()
            loss = training.run_epoch(epoch, images, targets, weight, bar)
            record: Record = {"epoch": epoch, "images_seen": epoch * len(images), "train_loss": loss}
            record |= validation.figures(training.classifier)
            record["seconds"] = round(time.monotonic() - start, 3)
            training.keep(record)
            if on_epoch is not None:
                on_epoch(record)
    return training.finish()


class Training:
    """The state of a run between epochs: network, optimiser and curve, on disk after every epoch."""

    def __init__(
        self,
        folder: Path,
        identity: Record,
        attributes: tuple[str, ...],
        recipe: Recipe,
        seed: int,
        device: torch.device,
    ) -> None:
        self.folder, self.identity, self.recipe, self.seed = folder, identity, recipe, seed
        self.device = device
        checkpoint = folder / CHECKPOINT_FILE
        resumed = load_state(checkpoint) if checkpoint.exists() else None
        if resumed is not None:
            check_same_run(folder, resumed.get("identity", {}), identity)
        network = build_network(recipe, len(attributes), seed=seed, imagenet=resumed is None)
        self.classifier = Classifier(attributes, recipe, network).to(device)
        self.model = distributed.synchronised(self.classifier.network)
        self.optimiser = torch.optim.Adam(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self.curve: list[Record] = []
        if resumed is not None:
            self._restore(resumed)

    def _restore(self, state: Record) -> None:
        self.classifier.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        for parameter, moments in self.optimiser.state.items():
            for name, value in moments.items():
                if value.shape == parameter.shape:
                    # Files hold plain layout; fused Adam walks memory in the parameter's channels_last.
                    moments[name] = torch.empty_like(parameter).copy_(value)
        self.curve = state["curve"]

    def run_epoch(
        self, epoch: int, images: ImageArray, labels: Tensor, weight: Tensor | None, bar: tqdm[Any]
    ) -> float:
        """Show the network every training image once, in a new order; return the mean loss."""
        self.model.train()
        order = np.random.default_rng((self.seed, epoch)).permutation(len(images))
        random_seed = _seed_from(self.seed, epoch, distributed.rank())
        generator = torch.Generator().manual_seed(random_seed)
        total = torch.zeros((), device=self.device)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(random_seed)  # of dropout
            # Floor division: no batch is smaller than batch_size, which batch normalisation would feel.
            batches = np.array_split(order, max(1, len(order) // self.recipe.batch_size))
            for step, batch in enumerate(batches):
                progress = (epoch - 1 + (step + 0.5) / len(batches)) / self.recipe.epochs
                self.optimiser.param_groups[0]["lr"] = self.recipe.learning_rate_at(progress)
                rows = np.sort(batch[distributed.rank() :: distributed.world_size()])  # files like order
                targets = labels[rows], None if weight is None else weight[rows]
                loss = self._step(images[rows], *targets, generator)
                total += loss * len(rows)
                bar.update(len(batch))
                if step % 16 == 0:
                    bar.set_postfix({"loss": f"{self._checked(float(loss), epoch):.4f}"} | self._last_ap())
        return self._checked(distributed.total(total) / len(images), epoch)

    def _step(
        self, images: np.ndarray, labels: Tensor, weight: Tensor | None, generator: torch.Generator
    ) -> Tensor:
        """Take one step of the optimiser on a batch; return its loss."""
        batch = torch.from_numpy(images).to(self.device)  # (b, h, w, 3) uint8
        batch = training_batch(batch, self.recipe, generator)  # (b, 3, crop, crop)
        logits = self.model(batch, compute_dtype(self.recipe.precision, self.device))  # (b, k)
        loss = nn.functional.binary_cross_entropy_with_logits(
            logits, labels.to(self.device), None if weight is None else weight[:, None].to(self.device)
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def _checked(self, loss: float, epoch: int) -> float:
        if not math.isfinite(loss):
            raise UserError(
                f"The training loss of {shortened(self.classifier.attributes)} became {loss} in epoch "
                f"{epoch}; lower the learning rate (now {self.recipe.learning_rate}) or set the precision "
                "to 'float32'."
            )
        return loss

    def _last_ap(self) -> dict[str, str]:
        return {"AP": f"{100 * self.curve[-1]['average_precision']:.1f}"} if self.curve else {}

    def keep(self, record: Record) -> None:
        """Write what this epoch reached: best weights first, so that the checkpoint never promises more."""
        self.curve.append(record)
        if distributed.rank() == 0:
            if best_epoch(self.curve, self.recipe.selection) == record["epoch"]:
                save_weights(self.classifier.network, self.folder / WEIGHTS_FILE)
            state = {
                "identity": self.identity,
                "curve": self.curve,
                "network": self.classifier.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
            }
            save_state(self.folder / CHECKPOINT_FILE, state)
            write_text(self.folder / CURVE_FILE, "".join(json.dumps(line) + "\n" for line in self.curve))

    def finish(self) -> Classifier:
        """Write the card, drop the checkpoint, return the best epoch's classifier."""
        distributed.barrier()
        load_weights(self.classifier.network, self.folder / WEIGHTS_FILE)
        distributed.barrier()
        if distributed.rank() == 0:
            best = dict(self.curve[best_epoch(self.curve, self.recipe.selection) - 1])
            del best["seconds"]  # the same run gives the same card on any machine
            self.classifier.save(self.folder, **self.identity, best_epoch=best)
            (self.folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        distributed.barrier()
        return self.classifier.eval()


def _checked_inputs(
    images: ImageArray, labels: np.ndarray, attributes: tuple[str, ...], sample_weight: np.ndarray | None
) -> tuple[Tensor, Tensor | None]:
    """Return labels (n, k) and weights (n,) as float32 tensors, or say what does not fit."""
    labels = np.asarray(labels)
    if labels.shape != (len(images), len(attributes)):
        raise UserError(
            f"Labels of shape {labels.shape} do not fit {len(images)} images and {len(attributes)} "
            "attributes; give one row per image and one column per attribute."
        )
    if len(images) < 2 or not np.isin(labels, (0, 1)).all():
        raise UserError("Training needs at least two images, and labels that are 0 or 1.")
    for name, column in zip(attributes, labels.T, strict=True):
        if column.min() == column.max():
            raise UserError(
                f"All {len(column)} training images have {name} = {column[0]}; use more images or another "
                "attribute."
            )
    if sample_weight is None:
        return torch.from_numpy(labels.astype(np.float32)), None
    weight = np.asarray(sample_weight, np.float64)
    if weight.shape != (len(images),) or not (weight >= 0).all() or not weight.sum() > 0:
        raise UserError(f"Sample weights must be {len(images)} numbers, not negative and not all 0.")
    return torch.from_numpy(labels.astype(np.float32)), torch.from_numpy(weight / weight.mean()).float()


def _seed_from(*key: int) -> int:
    """Mix several small numbers into one seed."""
    return int(np.random.SeedSequence(key).generate_state(1)[0])
