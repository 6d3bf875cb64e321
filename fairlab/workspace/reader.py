"""Reader of attributes: for drawn faces the oracle, a network that had no chance to learn a bias.

Generated faces carry no truth of their own. The oracle was trained with true labels on drawn faces whose
forty attributes are independent, so that it cannot tell one from another; how often it is right was counted
and is kept beside it. One oracle ships with the package: what is measured with it compares between machines.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fairlab.classifiers import Classifier, Recipe, Selected, train_classifier
from fairlab.classifiers.images import ImageArray
from fairlab.classifiers.scoring import WEIGHTS_FILE
from fairlab.core.errors import UserError
from fairlab.core.files import read_json, sha256, weights_folder, write_json
from fairlab.core.store import Store
from fairlab.data import SPLITS, FaceData
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.law import sample_factors, sample_independent_factors
from fairlab.metrics import calibrated_threshold

SHIPPED = "synthfaces_oracle"
READER_FILE = "reader.json"
SIZE = 64  # pixels of the faces it learns from; other sizes are brought to it

#: How the shipped oracle was trained.
RECIPE = Recipe(backbone="resnet10", width=32, epochs=12, learning_rate=3e-3, schedule="one_cycle")
COUNTS = (40_000, 4_000, 5_000)  # faces to learn from, to set thresholds on, to count accuracy on
SEED = 1_000_000  # far from the seeds of runs, so that they share no face


@dataclass(frozen=True)
class AttributeReader:
    """A network that reads attributes off pictures, and how often it was counted right.

    Attributes
    ----------
    classifier : Classifier
        One output for each of its k ``attributes``.
    thresholds : (k,) float64
        Above it a score means that the attribute is present.
    right : dict of str to (int, int)
        For each attribute, on how many of how many unseen images it was right.
    fingerprint : str
        SHA-256 of the weights.
    """

    classifier: Classifier
    thresholds: np.ndarray
    right: dict[str, tuple[int, int]]
    fingerprint: str

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of what it reads, in the order of the columns of `labels`."""
        return self.classifier.attributes

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.classifier.device

    def labels(self, images: ImageArray, progress: bool = True) -> np.ndarray:
        """Return what (n, h, w, 3) uint8 images show: (n, k) uint8, a column for each attribute."""
        return (self.classifier.score(images, progress=progress) > self.thresholds).astype(np.uint8)

    def features(self, images: ImageArray, progress: bool = True) -> np.ndarray:
        """Return the features from which it reads them: (n, d) float32."""
        return self.classifier.features(images, progress=progress)

    @classmethod
    def load(cls, folder: Path, device: torch.device | str | None = None) -> AttributeReader:
        """Load what `train_reader` left in `folder`.

        Raises
        ------
        UserError
            If files are missing, damaged, or do not belong together.
        """
        record = read_json(folder / READER_FILE)
        if sha256(folder / WEIGHTS_FILE) != record["sha256"]:
            raise UserError(
                f"{folder / WEIGHTS_FILE} is not what {READER_FILE} describes; restore both files."
            )
        classifier = Classifier.load(folder, device)
        right = {name: (count, record["n_test"]) for name, count in record["right"].items()}
        return cls(classifier, np.array(record["thresholds"]), right, record["sha256"])


def train_reader(
    folder: Path,
    *,
    images: Mapping[str, ImageArray],
    labels: Mapping[str, np.ndarray],
    attributes: tuple[str, ...],
    recipe: Recipe,
    seed: int,
    device: torch.device | str | None = None,
) -> AttributeReader:
    """Train a reader, or go on where an earlier call in the same folder stopped.

    Parameters
    ----------
    folder : Path
        Receives the classifier's files and ``reader.json``: thresholds, and on how many images it was right.
    images, labels : mappings with "train", "valid" and "test"
        (n, h, w, 3) uint8 images and (n, k) labels, 0 or 1. Thresholds are set on "valid", where as many
        images are taken to show an attribute as do; accuracy is counted on "test".
    attributes : tuple of str
        Names of the k columns.
    recipe : Recipe
        Of the network and its training.
    seed : int
        Of everything random.
    device : torch.device or str, optional
        CUDA where available when None.
    """
    classifier = train_classifier(
        folder,
        images=images["train"],
        labels=labels["train"],
        valid_images=images["valid"],
        valid_labels=labels["valid"],
        attributes=attributes,
        recipe=recipe,
        seed=seed,
        device=device,
    )
    scores = {split: classifier.score(images[split]) for split in ("valid", "test")}
    columns = zip(labels["valid"].T, scores["valid"].T, strict=True)
    thresholds = np.array([calibrated_threshold(y, s) for y, s in columns])
    right = ((scores["test"] > thresholds) == labels["test"]).sum(axis=0)
    record = {
        "thresholds": thresholds.tolist(),
        "n_test": len(labels["test"]),
        "right": dict(zip(attributes, right.tolist(), strict=True)),
        "sha256": sha256(folder / WEIGHTS_FILE),
    }
    write_json(folder / READER_FILE, record)
    return AttributeReader.load(folder, device)


def shipped_oracle(device: torch.device | str | None = None) -> AttributeReader:
    """Load the oracle that comes with the package."""
    return AttributeReader.load(weights_folder() / SHIPPED, device)


def train_oracle(
    folder: Path,
    *,
    recipe: Recipe = RECIPE,
    counts: tuple[int, int, int] = COUNTS,
    device: torch.device | str | None = None,
) -> AttributeReader:
    """Train an oracle on drawn faces, as the shipped one was.

    Parameters
    ----------
    folder, recipe, device
        As `train_reader`.
    counts : tuple of int
        Faces to learn from and to set thresholds on, both with independent attributes; and faces with
        CelebA's associations on which accuracy is counted.
    """
    faces = {
        "train": sample_independent_factors(counts[0], seed=SEED, stream="train"),
        "valid": sample_independent_factors(counts[1], seed=SEED, stream="valid"),
        "test": sample_factors(counts[2], seed=SEED, stream="test"),
    }
    return train_reader(
        Path(folder),
        images={split: draw(factors, SIZE) for split, factors in faces.items()},
        labels={split: factors.truth for split, factors in faces.items()},
        attributes=ATTRIBUTES,
        recipe=recipe,
        seed=SEED,
        device=device,
    )


def reader_of(
    data: FaceData, *, recipe: Recipe, seed: int, home: Path, device: torch.device
) -> AttributeReader:
    """Return the oracle for drawn faces; for photographs a network trained on their own labels, made once."""
    if data.name == "synthfaces":
        return shipped_oracle(device)
    attributes = data.varied_attributes  # what all images show, or none, cannot be learnt

    def make(folder: Path) -> None:
        train_reader(
            folder,
            images={split: Selected(data.images, data.rows(split)) for split in SPLITS},
            labels={split: data.label_columns(attributes, split) for split in SPLITS},
            attributes=attributes,
            recipe=recipe,
            seed=seed,
            device=device,
        )

    config = {"recipe": dataclasses.asdict(recipe), "seed": seed}
    store = Store(home / "readers", shared=True)
    step = store.shared_step(data.name, make, config=config, inputs={"data": data.fingerprint})
    return AttributeReader.load(step.folder, device)
