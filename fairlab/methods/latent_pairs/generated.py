"""Methods that learn from generated faces: latents, images and pseudo-labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from tqdm.auto import tqdm

from fairlab import generators
from fairlab.classifiers import TrainingSet
from fairlab.core.errors import UserError
from fairlab.core.files import load_array, save_array, write_rows
from fairlab.core.store import Step
from fairlab.methods.base import Counts, Method, train
from fairlab.methods.erm import ERM
from fairlab.methods.latent_pairs.annotators import Annotator, validated
from fairlab.methods.latent_pairs.pseudo_labels import PseudoLabels, pseudo_labels
from fairlab.workspace.workspace import Workspace

#: How many times longer a network for all attributes is trained than one for a single attribute: it serves
#: every target, and in the time of one it had learnt rare attributes badly.
MULTI_LABEL_LENGTH = 3


@dataclass(frozen=True)
class GeneratedFaces(Method):
    """The base of methods with generated faces.

    Attributes
    ----------
    n_fit, n_held_out, n_pairs : int
        Latents to fit hyperplanes on, to test them on, and to build partners for.
    annotator : Method
        How the classifier is trained that labels generated faces with the target; protected labels come from
        plain training.
    multi_label : bool
        One network for all attributes labels them, for every target and training seed, instead of one each.
    """

    protected_at: ClassVar[str] = "training"

    n_fit: int = 10_000
    n_held_out: int = 5_000
    n_pairs: int = 160_000
    annotator: Method = dataclasses.field(default_factory=ERM)
    multi_label: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("n_fit", "n_held_out", "n_pairs"):
            if getattr(self, name) < 24:
                raise UserError(f"{name} is {getattr(self, name)}; at least 24 are needed.")
        if self.multi_label and type(self.annotator) is not ERM:
            raise UserError(
                f"One network for all attributes cannot be trained by '{self.annotator.name}', which "
                "looks at one; set multi_label=false, or leave annotator out."
            )
        if self.annotator.protected_at == "test":
            raise UserError(
                f"The annotator '{self.annotator.name}' needs the protected label of every image, which "
                "generated ones lack; choose another."
            )

    @property
    def n_latents(self) -> int:
        """Number of latents sampled in all."""
        return self.n_fit + self.n_held_out + self.n_pairs

    @property
    def fit_rows(self) -> slice:
        """Which latents hyperplanes are fitted on."""
        return slice(0, self.n_fit)

    @property
    def held_out_rows(self) -> slice:
        """Which latents they are tested on."""
        return slice(self.n_fit, self.n_fit + self.n_held_out)

    @property
    def pair_rows(self) -> slice:
        """Which latents pairs are made of."""
        return slice(self.n_fit + self.n_held_out, self.n_latents)

    def faces(self, work: Workspace) -> Step:
        """Sample all latents and draw their images: ``z.npy`` (n, d), ``images.npy`` (n, h, w, 3).

        Raises
        ------
        OneSidedLabels
            If a generator would be trained for annotators that cannot label what it draws.
        """
        if work.trains_generator:
            for role in roles(work):
                self.validated(work, role, 0)
        return sample_faces(work, self.n_latents, work.seed)

    def annotator_of(self, work: Workspace, role: str, seed: int) -> Step:
        """Train the classifier that labels generated faces for a role of `roles`."""
        if self.multi_label:
            longer = dataclasses.replace(work.recipe, epochs=MULTI_LABEL_LENGTH * work.recipe.epochs)
            everything = work.predicting(*work.data.varied_attributes)
            return train(self.annotator, everything, 0, recipe=longer)
        if role == "target":
            return train(self.annotator, work, seed)
        return train(ERM(), work.predicting(roles(work)[role]), 0)

    def validated(self, work: Workspace, role: str, seed: int) -> Annotator:
        """Train and validate the annotator for a role of `roles`.

        Raises
        ------
        OneSidedLabels
            If it has learnt nothing and says the same of every face, and this is no trial.
        """
        found = validated(work, self.annotator_of(work, role, seed), roles(work)[role])
        if not work.trial:
            found.require()
        return found

    def pseudo_labels(self, work: Workspace, faces: Step, role: str, seed: int) -> PseudoLabels:
        """Label generated faces for a role of `roles`."""
        return pseudo_labels(work, faces, self.validated(work, role, seed), self.fit_rows)

    def counts(self, work: Workspace) -> Counts:
        """Return the images of the training set, of the generator, and of the annotators."""
        annotators = 1 if self.multi_label else 1 + len(work.protected)
        trained = annotators - (self.annotator == ERM())  # the target's is the baseline
        return Counts(
            trained=work.source.counts["train"] + 2 * self.n_pairs,
            generated=self.n_latents,
            annotated=work.source.counts["train"] * (MULTI_LABEL_LENGTH if self.multi_label else trained),
            scored=annotators * self.n_latents,
        )


def roles(work: Workspace) -> dict[str, str]:
    """Return attributes by role: "target", "protected", and further protected ones by their own name."""
    first, *others = work.protected
    return {"target": work.target, "protected": first} | {name: name for name in others}


def sample_faces(work: Workspace, n: int, seed: int) -> Step:
    """Sample z ~ N(0, I) and draw its images: ``z.npy`` (n, d), ``images.npy`` (n, h, w, 3) uint8."""

    def make(folder: Path) -> None:
        z = generators.sample_latents(n, work.generator.latent_dim, seed)
        save_faces(folder, z, work.generator, work.image_size, "Generating faces")

    config = {"n": n, "seed": seed, "size": work.image_size}
    inputs = {"generator": work.generator_fingerprint}
    return work.store("latents").shared_step(f"{n}-seed{seed}", make, config=config, inputs=inputs)


def save_faces(folder: Path, z: np.ndarray, generator: generators.Generator, size: int, what: str) -> None:
    """Write latents (n, d) and their images; an interrupted call goes on with the next images."""
    save_array(folder / "z.npy", z)
    with tqdm(total=len(z), desc=what, unit="face") as bar:

        def make(rows: slice) -> np.ndarray:
            bar.update(rows.start - bar.n)
            images = generators.generate(generator, z[rows], size=size, progress=False)
            bar.update(len(images))
            return images

        write_rows(folder / "images.npy", (len(z), size, size, 3), make, chunk=512)


def labelled_faces(
    faces: Step, rows: slice, labels: np.ndarray, groups: np.ndarray | None, inputs: Mapping[str, str]
) -> TrainingSet:
    """Return some generated faces with target labels (n,) and groups (n,) as a training set."""
    images = load_array(faces.folder / "images.npy", mapped=True)[rows]
    return TrainingSet(images, labels[:, None], groups, inputs=inputs)
