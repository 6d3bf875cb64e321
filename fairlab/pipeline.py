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
from tqdm.auto import tqdm

from fairlab.artefacts import load_array, read_json, save_array, write_json, write_rows
from fairlab.attributes import check_attribute
from fairlab.classifiers import Classifier, Concatenated, Recipe, Selected, train_classifier
from fairlab.config import Experiment, default_name, home_folder, preset
from fairlab.data import FaceData
from fairlab.devices import choose_device
from fairlab.errors import UserError
from fairlab.generators import (
    Generator,
    generate,
    load_generator,
    sample_latents,
)
from fairlab.latent import Hyperplane, partner
from fairlab.metrics import best_f1_threshold
from fairlab.shared import given_fingerprint, given_generator, prepare_data, source_of, trained_generator
from fairlab.store import Step, Store

Planes = dict[str, Hyperplane]


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
        for attribute in (experiment.target, experiment.protected):
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
            See `fairlab.config.preset`.
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
        """The prepared images and labels, with every (target, protected) group known to have positives."""
        data = prepare_data(self.source, self.home, self.experiment.image_size)
        data.require_groups(self.experiment.target, self.experiment.protected)
        return data

    # Step 1: a target and a protected classifier on the real images.

    def baseline(self, seed: int) -> Step:
        """Train the target classifier on the real images."""
        return self._train(f"seed{seed}/baseline", self.experiment.target, seed)

    def protected(self) -> Step:
        """Train the protected classifier; one serves all training seeds."""
        return self._train("protected", self.experiment.protected, 0)

    # Step 2: latents and their images.

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
        e = self.experiment

        def make(folder: Path) -> None:
            z = sample_latents(e.n_latents, self.generator.latent_dim, e.seed)
            self._save_faces(folder, z, "Generating faces")

        config = {"n": e.n_latents, "seed": e.seed, "size": e.image_size}
        return self.store.step("latents", make, config=config, inputs={"generator": self._generator_mark()})

    # Step 3: what the classifiers say of the generated images.

    def generated_labels(self, classifier: Step, attribute: str) -> Step:
        """Score the generated images: ``scores.npy`` (n,) and the best-F1 ``threshold.json``."""

        def make(folder: Path) -> None:
            network = Classifier.load(classifier.folder, self.device)
            valid = network.score(self.images("valid"))[:, 0]
            threshold = best_f1_threshold(self.data.label(attribute, "valid"), valid)
            images = load_array(self.latents().folder / "images.npy", mapped=True)
            save_array(folder / "scores.npy", network.score(images)[:, 0])
            write_json(folder / "threshold.json", {"attribute": attribute, "threshold": threshold})

        inputs = {"classifier": classifier.fingerprint, "latents": self.latents().fingerprint}
        name = f"{classifier.name}_generated"
        return self.store.step(name, make, config={"attribute": attribute}, inputs=inputs)

    def labels(self, seed: int) -> dict[str, np.ndarray]:
        """Return 0/1 labels (n,) of all generated images, under "target" and "protected"."""
        return {role: self._thresholded(step) for role, step in self._label_steps(seed).items()}

    # Step 4: two hyperplanes.

    def hyperplanes(self, seed: int) -> Planes:
        """Return the "target" and "protected" hyperplanes fitted on the first `n_fit` latents."""
        folder = self._hyperplanes(seed).folder
        return {role: Hyperplane.load(folder / f"{role}.json") for role in ("target", "protected")}

    def _hyperplanes(self, seed: int) -> Step:
        e = self.experiment
        fit, held_out = slice(0, e.n_fit), slice(e.n_fit, e.n_fit + e.n_held_out)

        def make(folder: Path) -> None:
            z = self.z()
            for role, y in self.labels(seed).items():
                plane = Hyperplane.fit(z[fit], y[fit], held_out=(z[held_out], y[held_out]))
                plane.save(folder / f"{role}.json")

        config = {"n_fit": e.n_fit, "n_held_out": e.n_held_out}
        return self.store.step(f"seed{seed}/hyperplanes", make, config=config, inputs=self._label_marks(seed))

    # Step 5: partners.

    def partners(self, seed: int) -> Step:
        """Build z' for the remaining latents and draw them: ``z.npy``, ``images.npy``."""
        e = self.experiment

        def make(folder: Path) -> None:
            planes = self.hyperplanes(seed)
            z = self.z()[self.pair_rows]
            moved = partner(z, protected=planes["protected"], target=planes["target"], variant=e.variant)
            self._save_faces(folder, moved.astype(np.float32), "Generating partners")

        inputs = {"hyperplanes": self._hyperplanes(seed).fingerprint}
        config = {"variant": e.variant, "n": e.n_pairs}
        return self.store.step(f"seed{seed}/partners", make, config=config, inputs=inputs)

    def pair_scores(self, seed: int) -> Step:
        """Score both halves of every pair: ``target.npy`` and ``protected.npy``, each (n, 2), z and z'."""
        steps = self._label_steps(seed)
        classifiers = {"target": self.baseline(seed), "protected": self.protected()}

        def make(folder: Path) -> None:
            images = load_array(self.partners(seed).folder / "images.npy", mapped=True)
            for role, step in classifiers.items():
                z = load_array(steps[role].folder / "scores.npy")[self.pair_rows]
                moved = Classifier.load(step.folder, self.device).score(images)[:, 0]
                save_array(folder / f"{role}.npy", np.stack([z, moved], axis=1))

        inputs = {"partners": self.partners(seed).fingerprint, **self._label_marks(seed)}
        return self.store.step(f"seed{seed}/pair_scores", make, config={}, inputs=inputs)

    def thresholds(self, seed: int) -> dict[str, float]:
        """Return the best-F1 thresholds with which generated images are labelled, by role."""
        steps = self._label_steps(seed)
        return {role: read_json(step.folder / "threshold.json")["threshold"] for role, step in steps.items()}

    # Step 6: the classifier again, on real and generated images.

    def debiased(self, seed: int) -> Step:
        """Train the target classifier on the real images and both halves of every pair."""
        return self._train(f"seed{seed}/debiased", self.experiment.target, seed, augmented=True)

    def test_scores(self, classifier: Step) -> Step:
        """Score real images: ``valid.npy`` and ``test.npy``, each (n,) in [0, 1]."""

        def make(folder: Path) -> None:
            network = Classifier.load(classifier.folder, self.device)
            for split in ("valid", "test"):
                save_array(folder / f"{split}.npy", network.score(self.images(split))[:, 0])

        inputs = {"classifier": classifier.fingerprint, "data": self.data.fingerprint}
        return self.store.step(f"{classifier.name}_scores", make, config={}, inputs=inputs)

    # What the steps share.

    def images(self, split: str) -> Selected:
        """The real images of one split, without copying them."""
        return Selected(self.data.images, self.data.rows(split))

    def z(self) -> np.ndarray:
        """All latents, (n, d) float32."""
        return load_array(self.latents().folder / "z.npy")

    @property
    def pair_rows(self) -> slice:
        """Rows of the latents for which partners are built."""
        return slice(self.experiment.n_fit + self.experiment.n_held_out, self.experiment.n_latents)

    def recipe(self, *, augmented: bool) -> Recipe:
        """The recipe of step 1, or that of step 6: its own length, and best epoch by group-balanced AP."""
        recipe = self.experiment.classifier
        if not augmented:
            return recipe
        return dataclasses.replace(
            recipe, epochs=self.experiment.generated_epochs, selection="group_balanced_average_precision"
        )

    def _train(self, name: str, attribute: str, seed: int, *, augmented: bool = False) -> Step:
        e, recipe = self.experiment, self.recipe(augmented=augmented)

        def make(folder: Path) -> None:
            images, labels = self._augmented(seed) if augmented else self._real(attribute)
            train_classifier(
                folder,
                images=images,
                labels=labels[:, None],  # (n, 1)
                valid_images=self.images("valid"),
                valid_labels=self.data.label(attribute, "valid")[:, None],  # (n, 1)
                valid_protected=self.data.label(e.protected, "valid"),
                attributes=(attribute,),
                recipe=recipe,
                seed=e.seed + seed,
                device=self.device,
            )

        inputs = {"data": self.data.fingerprint}
        if augmented:
            inputs |= {"partners": self.partners(seed).fingerprint, **self._label_marks(seed)}
        config = {"attribute": attribute, "recipe": dataclasses.asdict(recipe), "seed": e.seed + seed}
        return self.store.step(name, make, config=config, inputs=inputs)

    def _real(self, attribute: str) -> tuple[Any, np.ndarray]:
        return self.images("train"), self.data.label(attribute, "train")

    def _augmented(self, seed: int) -> tuple[Any, np.ndarray]:
        """X and X_aug: every z and every z' carries the label that the baseline gave to z."""
        images, labels = self._real(self.experiment.target)
        z_images = load_array(self.latents().folder / "images.npy", mapped=True)[self.pair_rows]
        partner_images = load_array(self.partners(seed).folder / "images.npy", mapped=True)
        given = self.labels(seed)["target"][self.pair_rows]
        return Concatenated([images, z_images, partner_images]), np.concatenate([labels, given, given])

    def _save_faces(self, folder: Path, z: np.ndarray, what: str) -> None:
        """Write latents and their pictures; an interrupted call goes on with the next pictures."""
        save_array(folder / "z.npy", z)
        size = self.experiment.image_size
        with tqdm(total=len(z), desc=what, unit="face") as bar:

            def make(rows: slice) -> np.ndarray:
                bar.update(rows.start - bar.n)
                pictures = generate(self.generator, z[rows], size=size, progress=False)
                bar.update(len(pictures))
                return pictures

            write_rows(folder / "images.npy", (len(z), size, size, 3), make, chunk=512)

    def _generator_mark(self) -> str:
        return given_fingerprint(self.experiment) or self._trained_generator().fingerprint

    def _label_marks(self, seed: int) -> dict[str, str]:
        return {role: step.fingerprint for role, step in self._label_steps(seed).items()}

    def _label_steps(self, seed: int) -> dict[str, Step]:
        e = self.experiment
        return {
            "target": self.generated_labels(self.baseline(seed), e.target),
            "protected": self.generated_labels(self.protected(), e.protected),
        }

    def _thresholded(self, step: Step) -> np.ndarray:
        threshold = read_json(step.folder / "threshold.json")["threshold"]
        return (load_array(step.folder / "scores.npy") > threshold).astype(np.uint8)
