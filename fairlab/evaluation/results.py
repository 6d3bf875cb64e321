"""Results of a finished run: the table of metrics, and the manifest."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
import torch

import fairlab
from fairlab.core.files import load_array
from fairlab.core.store import Step
from fairlab.experiments.run import Run
from fairlab.metrics import calibrated_threshold, compare

MODELS = ("baseline", "debiased")


def classifiers(run: Run, seed: int) -> dict[str, Step]:
    """Return the training steps of one seed by model name."""
    return {"baseline": run.baseline(seed), "debiased": run.debiased(seed)}


def scores_and_thresholds(run: Run) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return each model's test scores (seeds, n) and thresholds (seeds,), calibrated on validation images."""
    models = {"baseline": run.baseline, "debiased": run.debiased}
    found = {model: model_scores(run, trained) for model, trained in models.items()}
    return {m: scores for m, (scores, _) in found.items()}, {m: limits for m, (_, limits) in found.items()}


def model_scores(run: Run, trained: Callable[[int], Step]) -> tuple[np.ndarray, np.ndarray]:
    """Return one model's test scores (seeds, n), and its thresholds (seeds,) calibrated on validation images.

    Parameters
    ----------
    run : Run
    trained : callable
        ``run.baseline`` or ``run.debiased``: from a training seed to the classifier.
    """
    y_valid = run.data.label(run.experiment.target, "valid")
    folders = [run.test_scores(trained(seed)).folder for seed in range(run.experiment.seeds)]
    limits = [calibrated_threshold(y_valid, load_array(folder / "valid.npy")) for folder in folders]
    return np.stack([load_array(folder / "test.npy") for folder in folders]), np.array(limits)


def comparison(run: Run, protected: str | None = None) -> pd.DataFrame:
    """Return the tidy table: every metric of both models and the paired difference, on the test images.

    `protected` names one of the protected attributes; by default the first.
    """
    e = run.experiment
    protected = protected or e.protected
    scores, thresholds = scores_and_thresholds(run)
    return compare(
        run.data.label(e.target, "test"),
        scores,
        run.data.label(protected, "test"),
        thresholds=thresholds,
        n_resamples=e.n_resamples,
        seed=e.seed,
        attribute=e.target,
        groups=(f"not {protected}", protected),
    )


def manifest(run: Run) -> dict[str, Any]:
    """Return what is needed to cite or repeat the run: versions, seeds, settings, device, counts, seconds."""
    seeds = range(run.experiment.seeds)
    return {
        **environment(run),
        "data": {"name": run.data.name, "fingerprint": run.data.fingerprint, "images": _split_sizes(run)},
        "hyperplanes": [_plane_facts(run, seed) for seed in seeds] if run.experiment.makes_pairs else [],
        "seconds": {name: round(seconds, 1) for name, seconds in _seconds(run).items()},
    }


def environment(run: Run) -> dict[str, Any]:
    """Return versions, device, settings and training seeds."""
    packages = ("torch", "torchvision", "numpy", "scikit-learn", "pandas")
    e = run.experiment
    return {
        "fairlab": fairlab.__version__,
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
        "device": _device_name(run.device),
        "threads": torch.get_num_threads(),
        "experiment": e.describe(),
        "training_seeds": [e.seed + seed for seed in range(e.seeds)],
    }


def _seconds(run: Run) -> dict[str, float]:
    """Return how long each step took that the run asked for, whichever run made it."""
    return {name: step.seconds for name, step in sorted(run.work.used_steps().items())}


def _plane_facts(run: Run, seed: int) -> dict[str, Any]:
    planes = run.pairs(seed).planes
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
