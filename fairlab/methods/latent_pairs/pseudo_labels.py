"""Step 3: pseudo-labels, the labels that a classifier gives to generated images."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step, fingerprint
from fairlab.latent.hyperplane import OneSidedLabels
from fairlab.methods.base import load_classifier
from fairlab.methods.latent_pairs.annotators import SCORES_FILE, Annotator
from fairlab.metrics.thresholds import parts, threshold_of_share
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """The labels that one annotator gives to generated images for one attribute.

    Attributes
    ----------
    annotator : Annotator
    step : Step
        ``scores.npy`` of `pseudo_labels`.
    fit_rows : slice
        Images on which hyperplanes are fitted, which need both labels.
    trial : bool
        Whether all that is asked is if everything runs: then `threshold` parts them whatever the scores are.
    """

    annotator: Annotator
    step: Step
    fit_rows: slice
    trial: bool = False

    @property
    def attribute(self) -> str:
        """The attribute in question."""
        return self.annotator.attribute

    @cached_property
    def scores(self) -> np.ndarray:
        """Scores of all generated images, (n,) float32 in [0, 1]."""
        scores: np.ndarray = load_array(self.step.folder / SCORES_FILE)[:, self.annotator.column]  # (n, k)
        return scores

    @cached_property
    def threshold(self) -> float:
        """The annotator's threshold, chosen on real validation images; in a trial, one that parts these.

        Raises
        ------
        OneSidedLabels
            If it gives all images that hyperplanes are fitted on the same label, and this is no trial.
        """
        if self._is_parted:
            return self.annotator.threshold
        if self.trial and np.ptp(self._fitted) > 0:
            return threshold_of_share(self._fitted, self.annotator.share)
        raise OneSidedLabels(
            f"{self._fault}, so no hyperplane can be fitted; train the generator longer (--preset quick, or "
            "full), draw more faces (--set n_fit=N), or choose another attribute."
        )

    @property
    def labels(self) -> np.ndarray:
        """Labels of all generated images, (n,) uint8, 0 or 1."""
        return (self.scores > self.threshold).astype(np.uint8)

    @property
    def note(self) -> str:
        """What a reader of these labels must know; "" if nothing."""
        if self._is_parted:
            return self.annotator.note
        return self.annotator.note or (
            f"{self._fault}: labels here part them by their scores all the same, and a run with them shows "
            "only that everything runs; for a result, train longer (--preset quick, or full)."
        )

    @property
    def fingerprint_of_scores(self) -> str:
        """What identifies the scores: of a network for several attributes, also which of them is meant."""
        alone = self.annotator.is_alone
        return self.step.fingerprint if alone else fingerprint([self.step.fingerprint, self.attribute])

    @property
    def fingerprint(self) -> str:
        """What identifies the labels: the scores, and the threshold where it is not that of the best F1."""
        scores, usual = self.fingerprint_of_scores, self.threshold == self.annotator.best_f1
        return scores if usual else fingerprint([scores, self.threshold])

    @property
    def _fitted(self) -> np.ndarray:
        return self.scores[self.fit_rows]

    @property
    def _is_parted(self) -> bool:
        return parts(self._fitted, self.annotator.threshold)

    @property
    def _fault(self) -> str:
        low, high, limit = self._fitted.min(), self._fitted.max(), self.annotator.threshold
        which = "below" if high <= limit else "above"
        return (
            f"The classifier of '{self.attribute}' gives all of {len(self._fitted):,} generated faces the "
            f"same label (their scores, {low:.3f} to {high:.3f}, are {which} its threshold, {limit:.3f})"
        )


def pseudo_labels(
    work: Workspace, faces: Step, annotator: Annotator, fit_rows: slice = slice(None)
) -> PseudoLabels:
    """Return what an annotator says of generated images, scored once for all runs.

    Parameters
    ----------
    work : Workspace
    faces : Step
        With ``images.npy``.
    annotator : Annotator
    fit_rows : slice
        Images that must have both labels.

    Notes
    -----
    Labels are scores above the threshold with the best F1 on real validation images: Ramaswamy et al.,
    CVPR 2021, Section 4. Where that calls every image positive, the calibrated threshold stands in.
    """
    classifier = annotator.step

    def make(folder: Path) -> None:
        network = load_classifier(classifier.folder, work.device)
        images = load_array(faces.folder / "images.npy", mapped=True)
        save_array(folder / SCORES_FILE, network.score(images))  # (n, k)

    inputs = {"classifier": classifier.fingerprint, "latents": faces.fingerprint}
    step = classifier.store.shared_step(f"{classifier.name}_generated", make, config={}, inputs=inputs)
    return PseudoLabels(annotator, step, fit_rows, work.trial)
