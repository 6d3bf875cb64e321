"""What a classifier says of generated images: its scores, and the threshold that turns them into labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from fairlab.artefacts import load_array, read_json, save_array, write_json
from fairlab.classifiers import Classifier
from fairlab.classifiers.images import ImageArray
from fairlab.metrics import best_f1_threshold
from fairlab.store import Step

SCORES_FILE, THRESHOLDS_FILE = "scores.npy", "thresholds.json"


@dataclass(frozen=True)
class Labelling:
    """The labels that one classifier gives to generated images for one attribute.

    Attributes
    ----------
    classifier : Step
        The trained network, of this attribute alone or of several.
    generated : Step
        What `score_generated` wrote.
    attribute : str
        One of the network's.
    """

    classifier: Step
    generated: Step
    attribute: str

    @cached_property
    def scores(self) -> np.ndarray:
        """Scores of all generated images, (n,) float32 in [0, 1]."""
        scores = load_array(self.generated.folder / SCORES_FILE)  # (n, k)
        return scores[:, list(self._thresholds).index(self.attribute)]

    @property
    def threshold(self) -> float:
        """The best-F1 threshold on real validation images."""
        return float(self._thresholds[self.attribute])

    @property
    def labels(self) -> np.ndarray:
        """Labels of all generated images, (n,) uint8, 0 or 1."""
        return (self.scores > self.threshold).astype(np.uint8)

    @cached_property
    def _thresholds(self) -> dict[str, float]:
        thresholds: dict[str, float] = read_json(self.generated.folder / THRESHOLDS_FILE)
        return thresholds


def score_generated(
    folder: Path,
    classifier: Classifier,
    *,
    images: ImageArray,
    valid_images: ImageArray,
    valid_labels: np.ndarray,
) -> None:
    """Write the scores of generated images, (n, k), and the k thresholds with the best F1 on real ones.

    Parameters
    ----------
    folder : Path
        Receives ``scores.npy`` and ``thresholds.json``.
    classifier : Classifier
        With k attributes.
    images, valid_images : image arrays
        Generated images, and real validation images; (n, h, w, 3) uint8.
    valid_labels : (n, k) array of 0 and 1
        Labels of the validation images.

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, Section 4: labels are scores above the threshold of the best F1.
    """
    columns = zip(classifier.attributes, valid_labels.T, classifier.score(valid_images).T, strict=True)
    thresholds = {name: best_f1_threshold(labels, scores) for name, labels, scores in columns}
    save_array(folder / SCORES_FILE, classifier.score(images))
    write_json(folder / THRESHOLDS_FILE, thresholds)
