"""Annotators of generated images: what one is worth on real images, and the threshold at which it labels."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy

from fairlab import classifiers
from fairlab.core.files import load_array, read_json, save_array
from fairlab.core.store import Step
from fairlab.latent.hyperplane import OneSidedLabels
from fairlab.methods.base import load_classifier
from fairlab.metrics import average_precision, best_f1_threshold, calibrated_threshold
from fairlab.metrics.thresholds import parts
from fairlab.workspace.workspace import Workspace

SCORES_FILE = "scores.npy"
#: Rankings that chance equals more often than this tell nothing.
LEVEL = 0.05
WHAT_HELPS = "train it longer (--preset quick, or full), give it more images, or choose another attribute"


@dataclass(frozen=True, eq=False)
class Annotator:
    """A trained classifier that labels generated images with one attribute, as validation images show it.

    Attributes
    ----------
    step : Step
        The classifier, of this attribute alone or of several.
    attribute : str
    truth, scores : (m,) arrays
        Labels of real validation images, 0 or 1, and its scores of them in [0, 1].
    """

    step: Step
    attribute: str
    truth: np.ndarray
    scores: np.ndarray

    @cached_property
    def column(self) -> int:
        """Which of the classifier's outputs is the attribute's."""
        return _attributes(self.step).index(self.attribute)

    @cached_property
    def is_alone(self) -> bool:
        """Whether the attribute is all that the classifier was trained for."""
        return _attributes(self.step) == [self.attribute]

    @property
    def share(self) -> float:
        """Share of positives among the validation images, 0..1: the AP of chance."""
        return float(self.truth.mean())

    @cached_property
    def average_precision(self) -> float:
        """AP on the validation images, 0..1."""
        return float(average_precision(self.truth, self.scores))

    @cached_property
    def has_learnt(self) -> bool:
        """Whether it ranks positives above negatives more clearly than chance does (Mann-Whitney's test)."""
        of_positives, of_negatives = self.scores[self.truth == 1], self.scores[self.truth == 0]
        return bool(
            scipy.stats.mannwhitneyu(of_positives, of_negatives, alternative="greater").pvalue < LEVEL
        )

    @cached_property
    def best_f1(self) -> float:
        """The threshold with the best F1."""
        return best_f1_threshold(self.truth, self.scores)

    @property
    def is_one_sided(self) -> bool:
        """Whether the threshold with the best F1 calls every validation image the same."""
        return not parts(self.scores, self.best_f1)

    @property
    def threshold(self) -> float:
        """The threshold with the best F1; where it parts nothing, the calibrated one."""
        return calibrated_threshold(self.truth, self.scores) if self.is_one_sided else self.best_f1

    @property
    def note(self) -> str:
        """What a reader of its labels must know; "" if nothing."""
        if not self.has_learnt:
            return (
                f"{self._fault}: labels of generated faces say nothing of '{self.attribute}', and a run with "
                f"them shows only that everything runs; for a result, {WHAT_HELPS}."
            )
        if self.is_one_sided:
            return (
                f"The threshold with the best F1 would call every face '{self.attribute}'; generated faces "
                "are labelled at that which calls as many validation images positive as are."
            )
        return ""

    def require(self) -> None:
        """Refuse an annotator that has learnt nothing and says the same of every image.

        Raises
        ------
        OneSidedLabels
        """
        if self.is_one_sided and not self.has_learnt:
            raise OneSidedLabels(
                f"{self._fault}, and its best threshold says the same of every face, so generated faces "
                f"cannot be labelled; {WHAT_HELPS}."
            )

    @property
    def _fault(self) -> str:
        return (
            f"The classifier of '{self.attribute}' has learnt nothing that chance does not give (AP "
            f"{100 * self.average_precision:.1f}%, where {100 * self.share:.1f}% of {len(self.truth):,} "
            "validation images are positive)"
        )


def validated(work: Workspace, step: Step, attribute: str) -> Annotator:
    """Return a trained classifier as an annotator of one attribute; its validation images are scored once."""

    def make(folder: Path) -> None:
        network = load_classifier(step.folder, work.device)
        save_array(folder / SCORES_FILE, network.score(work.images("valid")))  # (m, k)

    inputs = {"classifier": step.fingerprint}
    valid = step.store.shared_step(f"{step.name}_valid", make, config={}, inputs=inputs)
    scores = load_array(valid.folder / SCORES_FILE)[:, _attributes(step).index(attribute)]
    return Annotator(step, attribute, work.data.label(attribute, "valid"), scores)


def _attributes(step: Step) -> list[str]:
    attributes: list[str] = read_json(step.folder / classifiers.CARD_FILE)["attributes"]
    return attributes
