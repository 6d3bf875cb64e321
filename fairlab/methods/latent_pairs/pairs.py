"""The pairs of one training seed, step by step, for notebooks, reports and studies."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step
from fairlab.methods.base import load_classifier
from fairlab.methods.latent_pairs.method import LatentPairs
from fairlab.methods.latent_pairs.planes import Planes, load_planes
from fairlab.methods.latent_pairs.pseudo_labels import PseudoLabels
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class Pairs:
    """What `LatentPairs` makes on its way; each step is made when first asked for.

    Attributes
    ----------
    method : LatentPairs
    work : Workspace
    seed : int
        Training seed, on which the annotators depend.
    """

    method: LatentPairs
    work: Workspace
    seed: int

    @cached_property
    def faces(self) -> Step:
        """All latents and their images: ``z.npy`` (n, d), ``images.npy`` (n, h, w, 3)."""
        return self.method.faces(self.work)

    @cached_property
    def all_z(self) -> np.ndarray:
        """All random latents, (n, d) float32."""
        return load_array(self.faces.folder / "z.npy")

    @property
    def all_images(self) -> np.ndarray:
        """Their images, (n, h, w, 3) uint8, on disk."""
        return load_array(self.faces.folder / "images.npy", mapped=True)

    @cached_property
    def pseudo_labels(self) -> dict[str, PseudoLabels]:
        """What the annotators say of all generated images, by role."""
        return self.method.all_labels(self.work, self.faces, self.seed)

    @property
    def all_labels(self) -> dict[str, np.ndarray]:
        """Labels of all generated images, (n,), by role."""
        return {role: given.labels for role, given in self.pseudo_labels.items()}

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds with which generated images are labelled, by role."""
        return {role: given.threshold for role, given in self.pseudo_labels.items()}

    @property
    def notes(self) -> list[str]:
        """What a reader of the labels must know, a sentence each."""
        return list(dict.fromkeys(given.note for given in self.pseudo_labels.values() if given.note))

    @cached_property
    def planes_step(self) -> Step:
        """Where the hyperplanes are."""
        return self.method.planes(self.work, self.faces, self.pseudo_labels)

    @cached_property
    def all_planes(self) -> Planes:
        """All hyperplanes: also of further protected attributes, and target planes by group."""
        return load_planes(self.planes_step.folder)

    @property
    def planes(self) -> Planes:
        """The "target" and the "protected" hyperplane."""
        return {role: self.all_planes[role] for role in ("target", "protected")}

    @cached_property
    def source(self) -> Step:
        """Where ``z.npy`` and ``images.npy`` of the pairs are: random latents, or inverted real images."""
        return self.method.pair_source(self.work, self.faces)

    @property
    def rows(self) -> slice:
        """Rows of `source` for which partners are built."""
        return self.method.source_rows

    @property
    def z(self) -> np.ndarray:
        """The latents for which partners are built, (n, d) float32."""
        return load_array(self.source.folder / "z.npy")[self.rows]

    @property
    def images(self) -> np.ndarray:
        """Their images, (n, h, w, 3) uint8: generated, or the real ones."""
        return load_array(self.source.folder / "images.npy", mapped=True)[self.rows]

    @property
    def labels(self) -> np.ndarray:
        """The target label of each pair, (n,): given by the annotator, or the real image's own."""
        return self.method.pair_labels(self.work, self.source, self.pseudo_labels)[0]

    @cached_property
    def partners(self) -> Step:
        """The partners: ``z.npy``, ``images.npy``, one block of n for each combination of flips."""
        return self.method.partners(self.work, self.faces, self.planes_step)

    def scores(self) -> Step:
        """Score both halves of every pair: ``target.npy`` and ``protected.npy``, each (n, 2), z and z'."""
        roles = ("target", "protected")
        given = {role: self.method.pseudo_labels(self.work, self.source, role, self.seed) for role in roles}

        def make(folder: Path) -> None:
            images = load_array(self.partners.folder / "images.npy", mapped=True)
            for role, pseudo in given.items():
                z, annotator = pseudo.scores[self.rows], pseudo.annotator
                network = load_classifier(annotator.step.folder, self.work.device)
                moved = network.score(images[: len(z)])[:, annotator.column]
                save_array(folder / f"{role}.npy", np.stack([z, moved], axis=1))

        inputs = {role: pseudo.fingerprint_of_scores for role, pseudo in given.items()}
        inputs |= {"partners": self.partners.fingerprint}
        return self.work.store("latents").shared_step("pair_scores", make, config={}, inputs=inputs)
