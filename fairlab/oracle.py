"""What SynthFaces can tell and photographs cannot: whether partners keep one label and flip the other.

Generated faces carry no truth of their own. An *oracle*, trained with true labels on faces in which target
and protected attribute are independent, reads it from the picture; its own accuracy is measured and reported.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from fairlab.artefacts import load_array, read_json, save_array, write_json
from fairlab.attributes import ATTRIBUTES
from fairlab.classifiers import Classifier, Selected, train_classifier
from fairlab.data import SPLITS
from fairlab.data.synthfaces.source import SynthFacesSource
from fairlab.metrics import best_f1_threshold
from fairlab.pipeline import Run
from fairlab.shared import prepare_data
from fairlab.store import Step

#: Distance between the seeds of the oracle's faces and the run's, so that they share none.
SEED_OFFSET = 1_000_000


def train_oracle(run: Run) -> Step:
    """Train the oracle of a SynthFaces run; keeps ``oracle.json`` with thresholds and accuracies.

    The faces are half as many as the run's own, with target and protected attribute independent, and labelled
    with the truth instead of the observed labels.
    """
    e = run.experiment
    names = (e.target, e.protected)
    train, valid, test = (n // 2 for n in e.synthfaces_counts)
    source = SynthFacesSource(train, valid, test, seed=e.seed + SEED_OFFSET, associations={names: 0.0})

    def make(folder: Path) -> None:
        data = prepare_data(source, run.home, e.image_size)
        truth = {split: _truth(source, split, names) for split in SPLITS}
        images = {split: Selected(data.images, data.rows(split)) for split in SPLITS}
        oracle = train_classifier(
            folder,
            images=images["train"],
            labels=truth["train"],
            valid_images=images["valid"],
            valid_labels=truth["valid"],
            attributes=names,
            recipe=e.classifier,
            seed=e.seed,
            device=run.device,
        )
        scores = {split: oracle.score(images[split]) for split in ("valid", "test")}
        thresholds = [best_f1_threshold(truth["valid"][:, i], scores["valid"][:, i]) for i in range(2)]
        right = (scores["test"] > thresholds) == truth["test"].astype(bool)  # (n, 2)
        write_json(
            folder / "oracle.json",
            {"thresholds": thresholds, "n": len(right), "right": right.sum(axis=0).tolist()},
        )

    config = {"recipe": dataclasses.asdict(e.classifier), "attributes": names, "seed": e.seed}
    return run.store.step("oracle", make, config=config, inputs={"data": source.fingerprint(e.image_size)})


def _truth(source: SynthFacesSource, split: str, names: tuple[str, str]) -> np.ndarray:
    """Return the true labels of a split, (n, 2)."""
    return source.factors(split).truth[:, [ATTRIBUTES.index(name) for name in names]]


def oracle_labels(run: Run, faces: Step) -> np.ndarray:
    """Return the oracle's 0/1 labels of a step's ``images.npy``: (n, 2), target and protected."""
    oracle = train_oracle(run)

    def make(folder: Path) -> None:
        images = load_array(faces.folder / "images.npy", mapped=True)
        scores = Classifier.load(oracle.folder, run.device).score(images)
        thresholds = read_json(oracle.folder / "oracle.json")["thresholds"]
        save_array(folder / "labels.npy", (scores > thresholds).astype(np.uint8))

    inputs = {"oracle": oracle.fingerprint, "faces": faces.fingerprint}
    step = run.store.step(f"{faces.name}_truth", make, config={}, inputs=inputs)
    return load_array(step.folder / "labels.npy")


def pair_truth(run: Run) -> dict[str, tuple[int, int]]:
    """Return how often the pairs do what they claim, according to the oracle, over all training seeds.

    Returns
    -------
    dict of str to (int, int)
        For each statement, how often it held and how often it was checked. The oracle's own accuracy on
        unseen drawn faces comes first.
    """
    return _oracle_accuracy(run) | _pair_counts(run)


def _oracle_accuracy(run: Run) -> dict[str, tuple[int, int]]:
    record = read_json(train_oracle(run).folder / "oracle.json")
    names = (run.experiment.target, run.experiment.protected)
    return {
        f"oracle right about {name}, on unseen drawn faces": (right, record["n"])
        for name, right in zip(names, record["right"], strict=True)
    }


def _pair_counts(run: Run) -> dict[str, tuple[int, int]]:
    e = run.experiment
    z = oracle_labels(run, run.latents())[run.pair_rows]  # (n, 2)
    total: dict[str, tuple[int, int]] = {}
    for seed in range(e.seeds):
        partners = oracle_labels(run, run.partners(seed))  # (n, 2)
        given = run.labels(seed)["target"][run.pair_rows]
        kept, flipped = z[:, 0] == partners[:, 0], z[:, 1] != partners[:, 1]
        for statement, holds in {
            f"partner kept {e.target}": kept,
            f"partner flipped {e.protected}": flipped,
            "partner did both": kept & flipped,
            f"{e.target} label given to z is what the oracle sees in z": given == z[:, 0],
            f"{e.target} label given to z is what the oracle sees in the partner": given == partners[:, 0],
        }.items():
            count, n = total.get(statement, (0, 0))
            total[statement] = count + int(holds.sum()), n + len(holds)
    return total
