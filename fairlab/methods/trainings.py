"""Trainings of a run: on real images, shared by all runs, and on real and added images, its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairlab.classifiers import Recipe, train_classifier
from fairlab.core.store import Step, Store
from fairlab.methods.controls import TrainingSet, augmented, real_images

if TYPE_CHECKING:
    from fairlab.experiments.run import Run


def train_real(run: Run, attributes: tuple[str, ...], seed: int, recipe: Recipe | None = None) -> Step:
    """Train a classifier of one or several attributes on the real images, once for all runs.

    Its validation figures know no protected attribute, since runs with others share it.
    """
    recipe, seed = recipe or run.experiment.classifier, run.experiment.seed + seed
    data = real_images(run, attributes)
    name = attributes[0] if len(attributes) == 1 else f"{len(attributes)}-attributes"
    return Store(run.home / "classifiers", shared=True).shared_step(
        f"{name}-seed{seed}",
        lambda folder: _train(run, folder, data, attributes, recipe, seed, protected=None),
        config=_config(attributes, recipe, seed),
        inputs=data.marks,
    )


def train_augmented(run: Run, seed: int) -> Step:
    """Train the target classifier on the real images and what the run's variant adds (step 6)."""
    e, data = run.experiment, augmented(run, seed)
    protected = run.data.label(e.protected, "valid")
    recipe = dataclasses.replace(
        e.classifier, epochs=e.generated_epochs, selection="group_balanced_average_precision"
    )
    return run.store.step(
        f"seed{seed}/debiased",
        lambda folder: _train(run, folder, data, (e.target,), recipe, e.seed + seed, protected=protected),
        config=_config((e.target,), recipe, e.seed + seed) | {"variant": e.variant},
        inputs=data.marks,
    )


def _config(attributes: tuple[str, ...], recipe: Recipe, seed: int) -> dict[str, Any]:
    return {"attributes": list(attributes), "recipe": dataclasses.asdict(recipe), "seed": seed}


def _train(
    run: Run,
    folder: Path,
    data: TrainingSet,
    attributes: tuple[str, ...],
    recipe: Recipe,
    seed: int,
    *,
    protected: np.ndarray | None,
) -> None:
    train_classifier(
        folder,
        images=data.images,
        labels=data.labels,
        valid_images=run.images("valid"),
        valid_labels=run.data.label_columns(attributes, "valid"),
        valid_protected=protected,
        attributes=attributes,
        recipe=recipe,
        seed=seed,
        device=run.device,
    )
