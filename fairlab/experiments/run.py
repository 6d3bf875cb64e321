"""The six steps of the method, in order, each kept in the run folder.

Ask a `Run` for any step and it makes what is missing before it, so the command line, a notebook and a test
walk the same way:

>>> run = Run.of_preset("quick", target="Smiling")     # doctest: +SKIP
>>> run.hyperplanes(0)["target"].held_out_accuracy   # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fairlab.classifiers import Classifier, Selected
from fairlab.core.devices import choose_device
from fairlab.core.errors import UserError
from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step, Store
from fairlab.data import FaceData
from fairlab.data.attributes import check_attribute
from fairlab.experiments.experiment import Experiment
from fairlab.experiments.presets import default_name, home_folder, preset
from fairlab.generators import (
    Generator,
    load_generator,
)
from fairlab.latent import Hyperplane
from fairlab.methods.latent_pairs.inversion import check_inverted, invert_images
from fairlab.methods.latent_pairs.planes import Planes, fit_planes, partners_of
from fairlab.methods.latent_pairs.pseudo_labels import Labelling, label_generated
from fairlab.methods.latent_pairs.sampling import sample_faces, save_faces
from fairlab.methods.trainings import train_augmented, train_real
from fairlab.workspace.shared import (
    given_fingerprint,
    given_generator,
    prepare_data,
    source_of,
    trained_generator,
)

#: How many times longer a network for all attributes is trained than one for a single attribute: it serves
#: every target, and in the time of one it had learnt rare attributes badly.
MULTI_LABEL_LENGTH = 3


class Run:
    """One experiment on its way through the six steps.

    Parameters
    ----------
    experiment : Experiment
        All settings.
    home : Path
        Folder that holds ``prepared/``, ``generators/`` and ``runs/``.
    name : str
        The run's folder below ``runs/``.
    device : str, optional
        Torch device; by default CUDA where there is one.

    Raises
    ------
    UserError
        If the name is no folder name, the source is not what it should be, an attribute is unknown, or
        the run folder belongs to an experiment with other settings.
    """

    def __init__(self, experiment: Experiment, home: Path, *, name: str, device: str | None = None) -> None:
        if Path(name).name != name or name == "..":
            raise UserError(f"'{name}' cannot name a run folder; use letters, digits, '-' and '_'.")
        self.experiment = experiment
        self.home = Path(home)
        self.device = choose_device(device)
        self.source = source_of(experiment)
        for attribute in experiment.attributes:
            check_attribute(attribute, self.source.attributes)
        self.store = Store(self.home / "runs" / name)
        self.store.claim(experiment.identity())

    @classmethod
    def of_preset(
        cls,
        preset_name: str,
        home: str | Path | None = None,
        *,
        name: str | None = None,
        device: str | None = None,
        **changes: Any,
    ) -> Run:
        """Return the run of a preset, with some settings changed, in the folder the command line uses.

        Parameters
        ----------
        preset_name : {"smoke", "quick", "full", "paper"}
            See `fairlab.experiments.presets.preset`.
        home : path, optional
            By default $FAIRLAB_HOME, or ``data`` below the working folder.
        name : str, optional
            The run folder's name; by default it says source, preset, attributes and what differs.
        device : str, optional
            Torch device; by default CUDA where there is one.
        **changes
            Fields of `Experiment`; None keeps the preset's value.
        """
        experiment = preset(preset_name, **changes)
        name = name or default_name(experiment, preset_name)
        return cls(experiment, home_folder(home), name=name, device=device)

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.store.root

    # Before step 1: the images, decoded once and shared by all runs.

    @cached_property
    def data(self) -> FaceData:
        """The prepared images and labels; every (target, protected) group is known to have positives."""
        data = prepare_data(self.source, self.home, self.experiment.image_size)
        for protected in self.experiment.attributes[1:]:
            data.require_groups(self.experiment.target, protected)
        check_inverted(self.experiment.n_inverted, data)
        return data

    # Step 1: a target and a protected classifier on the real images, shared by all runs.

    def baseline(self, seed: int) -> Step:
        """Train the target classifier on the real images."""
        return train_real(self, (self.experiment.target,), seed)

    def protected(self) -> Step:
        """Train the protected classifier; one serves all training seeds."""
        return train_real(self, (self.experiment.protected,), 0)

    def labeller(self, role: str, seed: int) -> Step:
        """Train the classifier that labels generated images for a role: see `Experiment.labeller`."""
        recipe = self.experiment.classifier
        if self.experiment.labeller == "multi_label":
            recipe = dataclasses.replace(recipe, epochs=MULTI_LABEL_LENGTH * recipe.epochs)
            return train_real(self, self.data.varied_attributes, 0, recipe)
        return train_real(self, (self.roles[role],), seed if role == "target" else 0)

    @property
    def roles(self) -> dict[str, str]:
        """Attributes by role: "target", "protected", and further protected ones by their own name."""
        e = self.experiment
        return {"target": e.target, "protected": e.protected} | {name: name for name in e.also_protected}

    # Step 2: latents and their images, shared by all runs.

    @cached_property
    def generator(self) -> Generator:
        """The user's own or the shipped generator, else one trained on the real training images."""
        given = given_generator(self.experiment, self.device)
        if given is not None:
            return given
        return load_generator(self._trained_generator().folder / "generator.safetensors", self.device)

    @property
    def trains_generator(self) -> bool:
        """Whether a generator has to be trained, since none is given."""
        return given_fingerprint(self.experiment) is None

    def _trained_generator(self) -> Step:
        e = self.experiment
        return trained_generator(self.data, e.gan, e.seed, self.home, self.device)

    def latents(self) -> Step:
        """Sample z ~ N(0, I) and draw its images: ``z.npy`` (n, d), ``images.npy`` (n, h, w, 3) uint8."""
        return sample_faces(self, self.experiment.n_latents, self.experiment.seed)

    def further_latents(self) -> Step:
        """Sample as many latents again as there are pairs, for a control without partners."""
        return sample_faces(self, self.experiment.n_pairs, self.experiment.seed + 1)

    def inverted(self, split: str) -> Step:
        """Find the latents of real images of one split: see `invert_images`."""
        return invert_images(self, split)

    # Step 3: what the classifiers say of the generated images.

    def labelling(self, role: str, seed: int, latents: Step | None = None) -> Labelling:
        """Return scores, threshold and labels of generated images (by default of `latents`) for one role."""
        return label_generated(self, role, seed, latents or self.latents())

    def labels(self, seed: int) -> dict[str, np.ndarray]:
        """Return 0/1 labels (n,) of all generated images, by role."""
        return {role: self.labelling(role, seed).labels for role in self.roles}

    def thresholds(self, seed: int) -> dict[str, float]:
        """Return the best-F1 thresholds with which generated images are labelled, by role."""
        return {role: self.labelling(role, seed).threshold for role in self.roles}

    def label_marks(self, seed: int) -> dict[str, str]:
        """Return the fingerprints of the labels, by role."""
        return {role: self.labelling(role, seed).generated.fingerprint for role in self.roles}

    # Step 4: two hyperplanes.

    def hyperplanes(self, seed: int) -> Planes:
        """Return the "target" and "protected" hyperplanes, fitted on the first `n_fit` latents."""
        planes = self.all_hyperplanes(seed)
        return {role: planes[role] for role in ("target", "protected")}

    def all_hyperplanes(self, seed: int) -> Planes:
        """Return these and those of extensions: further protected attributes, target planes by group."""
        files = sorted(self._hyperplanes(seed).folder.glob("*.json"))
        return {file.stem: Hyperplane.load(file) for file in files if file.name != "step.json"}

    def _hyperplanes(self, seed: int) -> Step:
        e = self.experiment
        config = {"n_fit": e.n_fit, "n_held_out": e.n_held_out, "target_planes": e.target_planes}
        config |= {"positive_share": e.positive_share}
        inputs = self.label_marks(seed)
        if e.n_inverted:
            inputs |= {"inverted": self.inverted("valid").fingerprint}
        name = f"seed{self._label_seed(seed)}/hyperplanes"
        return self.store.step(
            name, lambda folder: fit_planes(self, seed, folder), config=config, inputs=inputs
        )

    # Step 5: partners.

    def partners(self, seed: int) -> Step:
        """Build z' for the remaining latents and draw them: ``z.npy``, ``images.npy``.

        With several protected attributes, one block of rows for each combination of flips: see
        `fairlab.methods.latent_pairs.planes.partners_of`.
        """
        e = self.experiment

        def make(folder: Path) -> None:
            save_faces(self, folder, partners_of(self, seed).astype(np.float32), "Generating partners")

        inputs = {"hyperplanes": self._hyperplanes(seed).fingerprint}
        if e.n_inverted:
            inputs |= {"inverted": self.inverted("train").fingerprint}
        config = {"variant": e.partner_variant, "n": e.n_inverted or e.n_pairs}
        return self.store.step(f"seed{self._label_seed(seed)}/partners", make, config=config, inputs=inputs)

    def pair_scores(self, seed: int) -> Step:
        """Score both halves of every pair: ``target.npy`` and ``protected.npy``, each (n, 2), z and z'."""
        faces, rows = self.pair_source(), self.pair_rows
        labellings = {role: self.labelling(role, seed, faces) for role in ("target", "protected")}

        def make(folder: Path) -> None:
            images = load_array(self.partners(seed).folder / "images.npy", mapped=True)
            for role, labelling in labellings.items():
                z = labelling.scores[rows]
                network = Classifier.load(labelling.classifier.folder, self.device)
                moved = network.score(images[: len(z)])[:, network.attributes.index(labelling.attribute)]
                save_array(folder / f"{role}.npy", np.stack([z, moved], axis=1))

        inputs = {role: labelling.generated.fingerprint for role, labelling in labellings.items()}
        inputs |= {"partners": self.partners(seed).fingerprint}
        return self.store.step(f"seed{seed}/pair_scores", make, config={}, inputs=inputs)

    # Step 6: the classifier again, on real and added images.

    def debiased(self, seed: int) -> Step:
        """Train the target classifier on the real images and what the variant adds."""
        return train_augmented(self, seed)

    def test_scores(self, classifier: Step) -> Step:
        """Score real images with one attribute's classifier: ``valid.npy``, ``test.npy``, (n,) in [0, 1]."""

        def make(folder: Path) -> None:
            network = Classifier.load(classifier.folder, self.device)
            for split in ("valid", "test"):
                save_array(folder / f"{split}.npy", network.score(self.images(split))[:, 0])

        inputs = {"classifier": classifier.fingerprint, "data": self.data.fingerprint}
        return classifier.store.step(f"{classifier.name}_scores", make, config={}, inputs=inputs)

    # What the steps share.

    def images(self, split: str) -> Selected:
        """The real images of one split, without copying them."""
        return Selected(self.data.images, self.data.rows(split))

    def z(self) -> np.ndarray:
        """All random latents, (n, d) float32."""
        return load_array(self.latents().folder / "z.npy")

    def pair_source(self) -> Step:
        """Return where ``z.npy`` and ``images.npy`` of pairs are: random latents, or inverted real images."""
        return self.inverted("train") if self.experiment.n_inverted else self.latents()

    @property
    def pair_rows(self) -> slice:
        """Rows of `pair_source` for which partners are built."""
        e = self.experiment
        return slice(0, e.n_inverted) if e.n_inverted else slice(e.n_fit + e.n_held_out, e.n_latents)

    def pair_z(self) -> np.ndarray:
        """The latents for which partners are built, (n, d) float32."""
        return load_array(self.pair_source().folder / "z.npy")[self.pair_rows]

    def pair_images(self) -> np.ndarray:
        """Their images, (n, h, w, 3) uint8: generated, or the real ones."""
        return load_array(self.pair_source().folder / "images.npy", mapped=True)[self.pair_rows]

    def pair_labels(self, seed: int) -> np.ndarray:
        """Their target labels, (n,): given by the classifier, or the real images' own."""
        if self.experiment.n_inverted:
            rows = load_array(self.pair_source().folder / "rows.npy")
            return self.data.label(self.experiment.target, "train")[rows]
        return self.labelling("target", seed).labels[self.pair_rows]

    @property
    def latent_store(self) -> Store:
        """Where latents and their images are kept for all runs."""
        return Store(self.home / "latents", shared=True)

    def generator_mark(self) -> str:
        """Return what identifies the generator."""
        return given_fingerprint(self.experiment) or self._trained_generator().fingerprint

    def _label_seed(self, seed: int) -> int:
        """Return the training seed on which labels depend: a network for all attributes serves every seed."""
        return 0 if self.experiment.labeller == "multi_label" else seed
