"""Who reads the attributes off pictures: the oracle for drawn faces, else a network trained on the labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fairlab.classifiers import Selected
from fairlab.config import Experiment
from fairlab.data import SPLITS, FaceData
from fairlab.oracle import AttributeReader, shipped_oracle, train_reader
from fairlab.store import Store, fingerprint


def reader_of(experiment: Experiment, data: FaceData, home: Path, device: torch.device) -> AttributeReader:
    """Return the oracle for drawn faces; for photographs a network trained on their own labels, made once."""
    if data.name == "synthfaces":
        return shipped_oracle(device)
    labels = {split: np.stack([data.label(a, split) for a in data.attributes], axis=1) for split in SPLITS}
    # What nearly all or nearly no image shows cannot be learnt.
    kept = [i for i in range(len(data.attributes)) if all(_varies(labels[s][:, i]) for s in SPLITS)]

    def make(folder: Path) -> None:
        train_reader(
            folder,
            images={split: Selected(data.images, data.rows(split)) for split in SPLITS},
            labels={split: values[:, kept] for split, values in labels.items()},
            attributes=tuple(data.attributes[i] for i in kept),
            recipe=experiment.classifier,
            seed=experiment.seed,
            device=device,
        )

    config = {"recipe": experiment.classifier, "seed": experiment.seed}
    name = f"{data.name}-{fingerprint([str(config), data.fingerprint])[:8]}"
    store = Store(home / "readers", wait=True)
    step = store.step(name, make, config=config, inputs={"data": data.fingerprint})
    return AttributeReader.load(step.folder, device)


def _varies(labels: np.ndarray) -> bool:
    return 0 < labels.sum() < len(labels)
