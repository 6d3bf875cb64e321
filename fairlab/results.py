"""What a finished run says: the table of metrics, and the manifest."""

from __future__ import annotations

import dataclasses
import platform
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
import torch

import fairlab
from fairlab.artefacts import load_array, read_json
from fairlab.metrics import calibrated_threshold, compare
from fairlab.pipeline import Run
from fairlab.store import Step

MODELS = ("baseline", "debiased")


def classifiers(run: Run, seed: int) -> dict[str, Step]:
    """Return the training steps of one seed by model name."""
    return {"baseline": run.baseline(seed), "debiased": run.debiased(seed)}


def scores_and_thresholds(run: Run) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return each model's test scores (seeds, n) and thresholds (seeds,), calibrated on validation images."""
    y_valid = run.data.label(run.experiment.target, "valid")
    scores: dict[str, list[np.ndarray]] = {model: [] for model in MODELS}
    thresholds: dict[str, list[float]] = {model: [] for model in MODELS}
    for seed in range(run.experiment.seeds):
        for model, step in classifiers(run, seed).items():
            folder = run.test_scores(step).folder
            scores[model].append(load_array(folder / "test.npy"))
            thresholds[model].append(calibrated_threshold(y_valid, load_array(folder / "valid.npy")))
    return _stacked(scores), _stacked(thresholds)


def comparison(run: Run) -> pd.DataFrame:
    """Return the tidy table: every metric of both models and the paired difference, on the test images."""
    e = run.experiment
    scores, thresholds = scores_and_thresholds(run)
    return compare(
        run.data.label(e.target, "test"),
        scores,
        run.data.label(e.protected, "test"),
        thresholds=thresholds,
        n_resamples=e.n_resamples,
        seed=e.seed,
        attribute=e.target,
        groups=(f"not {e.protected}", e.protected),
    )


def manifest(run: Run) -> dict[str, Any]:
    """Return what is needed to cite or repeat the run: versions, seeds, settings, device, counts, seconds."""
    packages = ("torch", "torchvision", "numpy", "scikit-learn", "pandas")
    steps = sorted(run.folder.glob("**/step.json"))
    return {
        "fairlab": fairlab.__version__,
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
        "device": _device_name(run.device),
        "threads": torch.get_num_threads(),
        "experiment": dataclasses.asdict(run.experiment),
        "training_seeds": [run.experiment.seed + k for k in range(run.experiment.seeds)],
        "data": {"name": run.data.name, "fingerprint": run.data.fingerprint, "images": _split_sizes(run)},
        "hyperplanes": [_plane_facts(run, seed) for seed in range(run.experiment.seeds)],
        "seconds": {
            str(path.parent.relative_to(run.folder)): round(read_json(path)["seconds"], 1) for path in steps
        },
    }


def _plane_facts(run: Run, seed: int) -> dict[str, Any]:
    planes = run.hyperplanes(seed)
    facts: dict[str, Any] = {"angle_degrees": planes["target"].angle(planes["protected"])}
    for role, plane in planes.items():
        facts[role] = {
            "held_out_accuracy": plane.held_out_accuracy,
            "held_out_majority": plane.held_out_majority,
            "n_positive": plane.n_positive,
            "n_negative": plane.n_negative,
        }
    return facts


def _split_sizes(run: Run) -> dict[str, int]:
    return {split: len(run.data.rows(split)) for split in ("train", "valid", "test")}


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "CPU"


def _stacked(values: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    return {name: np.stack(rows) for name, rows in values.items()}
