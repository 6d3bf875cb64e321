"""Step 3: pseudo-labels, the labels that a classifier gives to generated images."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from fairlab.core.files import load_array, read_json, save_array, write_json
from fairlab.core.store import Step
from fairlab.methods.base import load_classifier
from fairlab.metrics import best_f1_threshold
from fairlab.workspace.workspace import Workspace

SCORES_FILE, THRESHOLDS_FILE = "scores.npy", "thresholds.json"


@dataclass(frozen=True)
class PseudoLabels:
    """The labels that one annotator gives to generated images for one attribute.

    Attributes
    ----------
    annotator : Step
        The trained classifier, of this attribute alone or of several.
    step : Step
        ``scores.npy`` and ``thresholds.json`` of `pseudo_labels`.
    attribute : str
        One of the annotator's.
    """

    annotator: Step
    step: Step
    attribute: str

    @cached_property
    def scores(self) -> np.ndarray:
        """Scores of all generated images, (n,) float32 in [0, 1]."""
        scores = load_array(self.step.folder / SCORES_FILE)  # (n, k)
        return scores[:, list(self._thresholds).index(self.attribute)]

    @property
    def threshold(self) -> float:
        """The best-F1 threshold on real validation images."""
        return float(self._thresholds[self.attribute])

    @property
    def labels(self) -> np.ndarray:
        """Labels of all generated images, (n,) uint8, 0 or 1."""
        return (self.scores > self.threshold).astype(np.uint8)

    @property
    def fingerprint(self) -> str:
        """What identifies the labels."""
        return self.step.fingerprint

    @cached_property
    def _thresholds(self) -> dict[str, float]:
        thresholds: dict[str, float] = read_json(self.step.folder / THRESHOLDS_FILE)
        return thresholds


def pseudo_labels(work: Workspace, faces: Step, annotator: Step, attribute: str) -> PseudoLabels:
    """Return what an annotator says of generated images, scored once for all runs.

    Parameters
    ----------
    work : Workspace
    faces : Step
        With ``images.npy``.
    annotator : Step
        A trained classifier of `attribute`, and perhaps of others.
    attribute : str
        The attribute in question.

    Notes
    -----
    Labels are scores above the threshold with the best F1 on real validation images: Ramaswamy et al.,
    CVPR 2021, Section 4.
    """

    def make(folder: Path) -> None:
        network = load_classifier(annotator.folder, work.device)
        truth = work.data.label_columns(network.attributes, "valid")  # (m, k)
        columns = zip(network.attributes, truth.T, network.score(work.images("valid")).T, strict=True)
        thresholds = {name: best_f1_threshold(y, scores) for name, y, scores in columns}
        images = load_array(faces.folder / "images.npy", mapped=True)
        save_array(folder / SCORES_FILE, network.score(images))  # (n, k)
        write_json(folder / THRESHOLDS_FILE, thresholds)

    inputs = {"classifier": annotator.fingerprint, "latents": faces.fingerprint}
    step = annotator.store.shared_step(f"{annotator.name}_generated", make, config={}, inputs=inputs)
    return PseudoLabels(annotator, step, attribute)
