"""Fingerprint of a training run, so that a folder is never continued with other settings."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from fairlab.classifiers.recipe import Recipe
from fairlab.classifiers.training_set import TrainingSet
from fairlab.core.errors import UserError

#: Images that enter the fingerprint: hashing all of 160,000 would take longer than it saves.
N_HASHED_IMAGES = 64


def run_identity(attributes: tuple[str, ...], recipe: Recipe, seed: int, data: TrainingSet) -> dict[str, Any]:
    """Return what determines the outcome of a training run, as JSON values."""
    return {
        "attributes": list(attributes),
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        "data": _fingerprint(data),
    }


def check_same_run(folder: Path, recorded: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to continue in a folder that holds a run with other settings.

    Raises
    ------
    UserError
        Naming what differs.
    """
    differences = [name for name in wanted if name != "recipe" and recorded.get(name) != wanted[name]]
    old, new = recorded.get("recipe", {}), wanted["recipe"]
    differences += [f"{name} ({old.get(name)} → {new[name]})" for name in new if old.get(name) != new[name]]
    if differences:
        raise UserError(
            f"{folder} holds a classifier trained with other settings: {', '.join(differences)}; "
            "choose another folder or delete this one."
        )


def _fingerprint(data: TrainingSet) -> str:
    """Hash all columns, and evenly spaced images."""
    labels = np.asarray(data.labels)
    hard = np.isin(labels, (0, 1)).all()
    digest = hashlib.sha256(str(labels.shape).encode())
    digest.update(np.ascontiguousarray(labels, np.uint8 if hard else np.float64).tobytes())
    for name in ("groups", "weights", "draws", "partners"):
        if (column := getattr(data, name)) is not None:
            digest.update(name.encode() + np.ascontiguousarray(column, np.float64).tobytes())
    rows = np.unique(np.linspace(0, len(data) - 1, N_HASHED_IMAGES).astype(np.int64))
    digest.update(np.ascontiguousarray(data.images[rows]).tobytes())
    return digest.hexdigest()[:16]
