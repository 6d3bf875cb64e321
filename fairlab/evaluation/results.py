"""Results of a finished run: the table of metrics, and the manifest."""

import platform
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
import torch

import fairlab
from fairlab.core.environment import Environment, processor
from fairlab.core.files import load_array
from fairlab.core.store import Step
from fairlab.data import SPLITS
from fairlab.experiments.run import Run
from fairlab.metrics import Calibration, calibrate, compare
from fairlab.metrics.spec import METRICS
from fairlab.workspace.source import data_notes, prepared_folder

MODELS = ("baseline", "debiased")


def classifiers(run: Run, seed: int) -> dict[str, Step]:
    """Return the training steps of one seed by model name."""
    return {"baseline": run.baseline(seed), "debiased": run.debiased(seed)}


def scores_and_thresholds(run: Run) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return each model's test scores (seeds, n) and thresholds (seeds,), calibrated on validation images."""
    scores, thresholds = {}, {}
    for model, trained in (("baseline", run.baseline), ("debiased", run.debiased)):
        scores[model], thresholds[model] = model_scores(run, trained)
    return scores, thresholds


def model_scores(run: Run, trained: Callable[[int], Step]) -> tuple[np.ndarray, np.ndarray]:
    """Return one model's test scores (seeds, n), and its thresholds (seeds,) calibrated on validation images.

    Parameters
    ----------
    run : Run
    trained : callable
        ``run.baseline`` or ``run.debiased``: from a training seed to the classifier.
    """
    folders = [run.test_scores(trained(seed)).folder for seed in range(run.experiment.seeds)]
    limits = [found.threshold for found in calibrations(run, trained)]
    return np.stack([load_array(folder / "test.npy") for folder in folders]), np.array(limits)


def calibrations(run: Run, trained: Callable[[int], Step]) -> list[Calibration]:
    """Return how the threshold of each training seed came out on validation images; as `model_scores`."""
    y = run.data.label(run.experiment.target, "valid")
    steps = [run.test_scores(trained(seed)) for seed in range(run.experiment.seeds)]
    return [calibrate(y, load_array(step.folder / "valid.npy")) for step in steps]


def comparison(run: Run, protected: str | None = None) -> pd.DataFrame:
    """Return the tidy table: every metric of both models and the paired difference, on the test images.

    `protected` names one of the protected attributes; by default the first.
    """
    experiment = run.experiment
    protected = protected or experiment.protected
    scores, thresholds = scores_and_thresholds(run)
    table = compare(
        run.data.label(experiment.target, "test"),
        scores,
        run.data.label(protected, "test"),
        thresholds=thresholds,
        n_resamples=experiment.n_resamples,
        seed=experiment.seed,
        attribute=experiment.target,
        clusters=run.data.people("test"),
        groups=(f"not {protected}", protected),
    )
    return _with_shortfalls(run, table)


def _with_shortfalls(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    """Note where tied scores kept a threshold from predicting as many positive as are."""
    decided = table["metric"].isin([spec.name for spec in METRICS.values() if spec.at_threshold])
    for model, trained in (("baseline", run.baseline), ("debiased", run.debiased)):
        off = [found.shortfall for found in calibrations(run, trained) if found.far_off]
        rows = decided & (table["model"] == model) & (table["note"] == "")
        table.loc[rows, "note"] = f"on validation images {off[0]}" if off else ""
    return table


def manifest(run: Run) -> dict[str, Any]:
    """Return what is needed to cite or repeat the run: versions, seeds, settings, device, counts, seconds."""
    data, seeds = run.data, range(run.experiment.seeds)
    sizes = {split: len(data.rows(split)) for split in SPLITS}
    steps = run.work.used_steps()
    return {
        **environment(run),
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "images": sizes,
            "notes": data_notes(run.work.source, prepared_folder(run.work.source, run.home, data.size)),
        },
        "hyperplanes": [_plane_facts(run, seed) for seed in seeds] if run.experiment.makes_pairs else [],
        # Of every step that the run asked for, whichever run made it: where, and how long it took.
        "made_with": _distinct(one for step in steps.values() for one in step.made_with),
        "seconds": {name: round(step.seconds, 1) for name, step in sorted(steps.items())},
    }


def _distinct(made_with: Iterable[Environment]) -> list[Environment]:
    """Return where steps were made: several places if they are not one."""
    found: list[Environment] = []
    for one in made_with:
        if one not in found:
            found.append(one)
    return found


def environment(run: Run) -> dict[str, Any]:
    """Return versions, device, settings and training seeds."""
    packages = ("torch", "torchvision", "numpy", "scikit-learn", "pandas")
    experiment, device = run.experiment, run.device
    cuda = device.type == "cuda"
    return {
        "fairlab": fairlab.__version__,
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
        "device": torch.cuda.get_device_name(device) if cuda else processor(),
        "threads": torch.get_num_threads(),
        "experiment": experiment.describe(),
        "training_seeds": [experiment.seed + seed for seed in range(experiment.seeds)],
    }


def _plane_facts(run: Run, seed: int) -> dict[str, Any]:
    planes = run.pairs(seed).planes
    facts: dict[str, Any] = {"angle_degrees": planes["target"].angle(planes["protected"])}
    for role, plane in planes.items():
        names = ("held_out_accuracy", "held_out_majority", "n_positive", "n_negative")
        facts[role] = {name: getattr(plane, name) for name in names}
    return facts
