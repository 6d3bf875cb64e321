"""The one training loop for classifiers: resumable, counted in images seen, alone or under torchrun.

It knows batches and one scalar: images, network and loss are those of whoever calls it. Order, crops and
dropout of an epoch are drawn from (seed, epoch) alone, so a run that was killed continues from its last
checkpoint with the numbers it would have had.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fairlab.classifiers.batches import Batch, epoch_batches, generator_of
from fairlab.classifiers.identity import check_same_run, run_identity
from fairlab.classifiers.images import ImageArray
from fairlab.classifiers.networks import AttributeNetwork, build_network
from fairlab.classifiers.optimiser import optimiser_of, restore, set_learning_rate, train_mode
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
from fairlab.classifiers.training_set import TrainingSet
from fairlab.core import distributed
from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import read_json, write_json_lines
from fairlab.core.tensors import last_state, load_tensors, save_state

CHECKPOINT_FILE = "checkpoint.safetensors"
CURVE_FILE = "curve.jsonl"

Record = dict[str, Any]
#: From a network and a batch to one scalar, and the named parts of it that curves shall show.
Loss = Callable[[nn.Module, Batch], "Tensor | tuple[Tensor, Mapping[str, Tensor]]"]


def cross_entropy(network: nn.Module, batch: Batch) -> Tensor:
    """Return the mean binary cross-entropy of a batch, each image weighted: the loss of plain training."""
    return cross_entropy_of(network(batch.images), batch)


def cross_entropy_of(logits: Tensor, batch: Batch) -> Tensor:
    """Return the same of a batch's logits (b, k)."""
    weights = None if batch.weights is None else batch.weights[:, None]
    return nn.functional.binary_cross_entropy_with_logits(logits, batch.labels, weights)


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
    """Train a plain classifier on arrays, or finish or load the one that `folder` holds: see `fit`.

    Parameters
    ----------
    images, valid_images : image array
        Shape (n, h, w, 3), uint8; read in batches, so memory maps stay on disk.
    labels, valid_labels : (n, k) arrays of 0 and 1
        One column per attribute.
    valid_protected : (n,) array of 0 and 1, optional
        The protected attribute of the validation images, for the group-balanced figure.
    sample_weight : (n,) array, optional
        Weight of each training image's loss, not negative; scaled to a mean of 1.
    folder, attributes, recipe, seed, device, on_epoch
        See `fit`.
    """
    return fit(
        folder,
        TrainingSet(images, np.asarray(labels), weights=sample_weight),
        Validation(valid_images, np.asarray(valid_labels), valid_protected),
        attributes=attributes,
        recipe=recipe,
        seed=seed,
        device=device,
        on_epoch=on_epoch,
    )


def fit(
    folder: str | Path,
    data: TrainingSet,
    validation: Validation,
    *,
    attributes: tuple[str, ...],
    recipe: Recipe,
    seed: int,
    network: Callable[[bool], AttributeNetwork] | None = None,
    loss: Loss = cross_entropy,
    facts: Mapping[str, Any] | None = None,
    device: str | torch.device | None = None,
    on_epoch: Callable[[Record], None] | None = None,
) -> Classifier:
    """Train a classifier, or finish or load the one that `folder` holds, and return its best epoch.

    Parameters
    ----------
    folder : path
        Receives ``checkpoint.safetensors`` and ``curve.jsonl`` every epoch, ``weights.safetensors`` at each
        best epoch, ``classifier.json`` at the end. Call again after an interruption and it goes on.
    data : TrainingSet
        What to learn from.
    validation : Validation
        What the best epoch is chosen on.
    attributes : tuple of str
        Names of the k outputs.
    recipe : Recipe
        How to build and train the network.
    seed : int
        Of everything random, at least 0.
    network : callable, optional
        Builds the network; by default a backbone with the paper's head. Called with False where weights are
        about to be loaded. All that must survive an interruption is a parameter or a buffer of it.
    loss : callable, optional
        From network and batch to a scalar, and perhaps its named parts; by default the cross-entropy.
    facts : mapping, optional
        JSON-able values that the card keeps.
    device : str or torch.device, optional
        By default CUDA where there is one, else the CPU.
    on_epoch : callable, optional
        Called with each epoch's record once it is on disk: ``epoch``, ``images_seen``, ``seconds``,
        ``train_loss``, its parts as ``loss_NAME``, and the validation figures, in [0, 1].

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
    folder, device = Path(folder), distributed.connect(device)
    data.check(attributes)
    identity = run_identity(attributes, recipe, seed, data) | {"facts": dict(facts or {})}
    build = network or partial(_plain_network, recipe, len(attributes), seed)
    if (folder / CARD_FILE).exists():
        check_same_run(folder, read_json(folder / CARD_FILE), identity)
        return Classifier.load(folder, device, network=build(False))
    validation.require(recipe.selection)
    training = Training(folder, identity, attributes, recipe, seed, build, loss, device)
    with training.bar(len(data)) as bar:
        for epoch in range(len(training.curve) + 1, recipe.epochs + 1):
            start = time.monotonic()
            record: Record = {"epoch": epoch, "images_seen": epoch * len(data)}
            record |= training.run_epoch(epoch, data, bar)
            record |= validation.figures(training.classifier)
            record["seconds"] = round(time.monotonic() - start, 3)
            training.keep(record)
            if on_epoch is not None:
                on_epoch(record)
    return training.finish(data.images_before)


def _plain_network(recipe: Recipe, n_attributes: int, seed: int, fresh: bool) -> AttributeNetwork:
    return build_network(recipe, n_attributes, seed=seed, imagenet=fresh)


class _Objective(nn.Module):
    """Network and loss as one module, whose forward pass is the loss: so that processes average gradients."""

    def __init__(self, network: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the scalar and its named parts."""
        found = self.loss(self.network, batch)
        return (found[0], dict(found[1])) if isinstance(found, tuple) else (found, {})


class Training:
    """The state of a run between epochs: network, optimiser and curve, on disk after every epoch."""

    def __init__(
        self,
        folder: Path,
        identity: Record,
        attributes: tuple[str, ...],
        recipe: Recipe,
        seed: int,
        build: Callable[[bool], AttributeNetwork],
        loss: Loss,
        device: torch.device,
    ) -> None:
        self.folder, self.identity, self.recipe, self.seed = folder, identity, recipe, seed
        self.device = device
        resumed = _interrupted(folder, identity)
        self.classifier = Classifier(attributes, recipe, build(resumed is None)).to(device)
        self.objective = distributed.synchronised(_Objective(self.classifier.network, loss))
        self.optimiser = optimiser_of(self.classifier.network, recipe)
        self.curve: list[Record] = []
        if resumed is not None:
            self.classifier.network.load_state_dict(resumed["network"])
            restore(self.optimiser, resumed["optimiser"])
            self.curve = resumed["curve"]
            self._write_curve()  # which may have been cut short, or damaged

    def bar(self, n_images: int) -> tqdm[Any]:
        """Return the progress bar of the whole training."""
        return tqdm(
            total=self.recipe.epochs * n_images,
            initial=len(self.curve) * n_images,
            desc=f"Training {shortened(self.classifier.attributes)}",
            unit="image",
            disable=distributed.rank() > 0,
        )

    def run_epoch(self, epoch: int, data: TrainingSet, bar: tqdm[Any]) -> dict[str, float]:
        """Show the network one epoch's images; return the mean loss and the means of its named parts."""
        train_mode(self.objective)
        totals: dict[str, Tensor] = {}
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(generator_of(self.seed, epoch).initial_seed())  # of dropout
            batches = epoch_batches(data, self.recipe, self.seed, epoch, self.device)
            for step, (batch, n_images) in enumerate(batches):
                set_learning_rate(self.optimiser, self.recipe.learning_rate_at(batch.progress))
                found, n = self._step(batch), len(batch.labels)
                for name, value in found.items():
                    totals[name] = totals.get(name, torch.zeros((), device=self.device)) + value * n
                bar.update(n_images)
                if step % 16 == 0:
                    loss = self._checked(float(found["train_loss"]), epoch)
                    bar.set_postfix({"loss": f"{loss:.4f}"} | self._last_ap())
        means = {name: distributed.total(value) / len(data) for name, value in totals.items()}
        self._checked(means["train_loss"], epoch)
        return means

    def _step(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step of the optimiser on a batch; return its loss and the loss's named parts."""
        loss, parts = self.objective(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        named = {f"loss_{name}": value.detach() for name, value in parts.items()}
        return {"train_loss": loss.detach()} | named

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
            self._write_curve()

    def _write_curve(self) -> None:
        if distributed.rank() == 0:
            write_json_lines(self.folder / CURVE_FILE, self.curve)

    def finish(self, images_before: int = 0) -> Classifier:
        """Write the card, drop the checkpoint, return the best epoch's classifier."""
        distributed.barrier()
        load_weights(self.classifier.network, self.folder / WEIGHTS_FILE)
        distributed.barrier()
        if distributed.rank() == 0:
            best = dict(self.curve[best_epoch(self.curve, self.recipe.selection) - 1])
            del best["seconds"]  # the same run gives the same card on any machine
            seen = images_before + self.curve[-1]["images_seen"]
            counted = {"best_epoch": best, "images_through_backbone": seen}
            self.classifier.save(self.folder, **self.identity, **counted)
            (self.folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        distributed.barrier()
        return self.classifier.eval()


def _interrupted(folder: Path, identity: Record) -> Record | None:
    """Return the state of an interrupted training; None if there is none, or its files are damaged."""
    state = last_state(folder / CHECKPOINT_FILE)
    if state is None:
        return None
    check_same_run(folder, state.get("identity", {}), identity)
    try:
        load_tensors(folder / WEIGHTS_FILE)
    except DamagedError:
        if distributed.rank() == 0:
            print(f"{folder / WEIGHTS_FILE} is damaged: this training begins again.", flush=True)
        return None
    return state
