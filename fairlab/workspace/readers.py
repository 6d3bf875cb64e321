"""Who reads the attributes off pictures: the oracle for drawn faces, else a network trained on the labels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from fairlab.classifiers import Selected
from fairlab.core.store import Store
from fairlab.data import SPLITS, FaceData
from fairlab.experiments.experiment import Experiment
from fairlab.workspace.reader import AttributeReader, shipped_oracle, train_reader


def reader_of(experiment: Experiment, data: FaceData, home: Path, device: torch.device) -> AttributeReader:
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
            recipe=experiment.classifier,
            seed=experiment.seed,
            device=device,
        )

    config = {"recipe": dataclasses.asdict(experiment.classifier), "seed": experiment.seed}
    store = Store(home / "readers", shared=True)
    step = store.shared_step(data.name, make, config=config, inputs={"data": data.fingerprint})
    return AttributeReader.load(step.folder, device)
