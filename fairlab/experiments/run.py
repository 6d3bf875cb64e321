"""One run: an experiment in a workspace, and the results that notebooks, reports and studies ask for.

>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as home:
...     run = Run.of_preset("smoke", home, target="Smiling", method="oversampling")
...     print(run.folder.name)
synthfaces-smoke-Smiling-Male-oversampling

Nothing is trained before it is asked for, as by ``run.baseline(0)`` or ``run.pairs(0).planes["target"]``.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlab.classifiers import Selected
from fairlab.core.errors import UserError
from fairlab.core.files import save_array
from fairlab.core.store import Step, Store
from fairlab.data import FaceData
from fairlab.data.labelled_files import LabelledFiles
from fairlab.experiments.claim import Claim
from fairlab.experiments.experiment import Experiment
from fairlab.experiments.presets import LONGEST_NAME, default_name, home_folder, preset
from fairlab.methods import ERM, Pairs, load_classifier, train
from fairlab.methods.latent_pairs.generated import GeneratedFaces, roles
from fairlab.workspace.workspace import Workspace

if TYPE_CHECKING:
    import torch

    from fairlab.generators import Generator
    from fairlab.workspace.reader import AttributeReader


class Run:
    """A baseline and a fairer classifier, and all that lies between.

    Parameters
    ----------
    experiment : Experiment
        All settings.
    home : Path
        Folder that holds ``prepared/``, ``generators/``, ``classifiers/``, ``latents/`` and ``runs/``.
    name : str
        The run's folder below ``runs/``.
    device : str, optional
        Torch device; by default CUDA where there is one.

    Raises
    ------
    UserError
        If the name is no folder name, the source is not what it should be, an attribute is unknown, a group
        of the labels is empty, the method cannot go with the images, or the run folder belongs to an
        experiment with other settings or images.
    """

    def __init__(self, experiment: Experiment, home: Path, *, name: str, device: str | None = None) -> None:
        if Path(name).name != name or name == ".." or len(os.fsencode(name)) > LONGEST_NAME:
            raise UserError(
                f"'{name}' cannot name a run folder; use at most {LONGEST_NAME} letters, digits, '-' and '_' "
                "in --run NAME."
            )
        self.experiment, self.home = experiment, Path(home)
        self.work = workspace_of(experiment, self.home, device)
        experiment.method.check(self.work)
        if isinstance(self.work.source, LabelledFiles):  # others are checked when images are asked for
            self.work.require_groups()
        self.store = Store(self.home / "runs" / name)
        Claim(experiment, self.work).tie(self.folder)

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
            Method and settings, as for `preset`; None keeps the preset's value.
        """
        experiment = preset(preset_name, **changes)
        name = name or default_name(experiment, preset_name)
        return cls(experiment, home_folder(home), name=name, device=device)

    # What the workspace has, and where results go.

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.store.root

    @property
    def device(self) -> torch.device:
        """The torch device."""
        return self.work.device

    @property
    def data(self) -> FaceData:
        """The prepared images and labels; every (target, protected) group is known to have positives."""
        return self.work.data

    def images(self, split: str) -> Selected:
        """Return the real images of one split, without copying them."""
        return self.work.images(split)

    @property
    def generator(self) -> Generator:
        """The generator that draws faces; trained when missing."""
        return self.work.generator

    @property
    def names(self) -> dict[str, str]:
        """The attributes by role, as figures take them: "target" and "protected"."""
        return {"target": self.experiment.target, "protected": self.experiment.protected}

    # Classifiers.

    def baseline(self, seed: int) -> Step:
        """Train the target classifier on the real images."""
        return train(ERM(), self.work, seed)

    def protected(self) -> Step:
        """Train a classifier of the protected attribute; one serves all training seeds."""
        return train(ERM(), self.work.predicting(self.experiment.protected), 0)

    def debiased(self, seed: int) -> Step:
        """Train the target classifier with the experiment's method."""
        return train(self.experiment.method, self.work, seed)

    def test_scores(self, classifier: Step) -> Step:
        """Score real images with one attribute's classifier: ``valid.npy``, ``test.npy``, (n,) in [0, 1]."""

        def make(folder: Path) -> None:
            network = load_classifier(classifier.folder, self.device)
            for split in ("valid", "test"):
                groups = self.work.groups(split)
                save_array(folder / f"{split}.npy", network.score(self.images(split), groups=groups)[:, 0])

        inputs = {"classifier": classifier.fingerprint, "data": self.data.fingerprint}
        return classifier.store.step(f"{classifier.name}_scores", make, config={}, inputs=inputs)

    # Pairs, and who reads faces.

    def pairs(self, seed: int) -> Pairs:
        """Return the pairs of one training seed: the method's, or those shown beside it."""
        if seed not in self._pairs:
            self._pairs[seed] = Pairs(self.experiment.shown_pairs, self.work, seed)
        return self._pairs[seed]

    def annotator_notes(self) -> list[str]:
        """Train the annotators of generated faces, if the method has any, and say what is wrong with them.

        Raises
        ------
        OneSidedLabels
            If one has learnt nothing, so that faces cannot be labelled.
        """
        method, seeds = self.experiment.method, range(self.experiment.seeds)
        if not isinstance(method, GeneratedFaces):
            return []
        notes = [method.validated(self.work, role, seed).note for seed in seeds for role in roles(self.work)]
        return [note for note in dict.fromkeys(notes) if note]

    def label_notes(self) -> list[str]:
        """What a reader must know of the labels of generated faces, a sentence each."""
        seeds = range(self.experiment.seeds if isinstance(self.experiment.method, GeneratedFaces) else 0)
        return list(dict.fromkeys(note for seed in seeds for note in self.pairs(seed).notes))

    @cached_property
    def _pairs(self) -> dict[int, Pairs]:
        return {}

    @cached_property
    def reader(self) -> AttributeReader:
        """Who reads attributes off faces: the oracle, or a network trained on the photographs' labels."""
        from fairlab.workspace.reader import reader_of  # torch, once there is something to read

        experiment = self.experiment
        return reader_of(
            self.data, recipe=experiment.recipe, seed=experiment.seed, home=self.home, device=self.device
        )


def workspace_of(experiment: Experiment, home: Path, device: str | None = None) -> Workspace:
    """Return the workspace of an experiment; its labels are read, but no image."""
    target, protected, seed = experiment.target, experiment.protected, experiment.seed
    return Workspace(
        experiment.source.open(target, protected, seed),
        target=target,
        protected=(protected, *experiment.also_protected),
        recipe=experiment.recipe,
        home=home,
        settings=experiment.source,
        generator=experiment.generator,
        seed=seed,
        trial=experiment.trial,
        device=device,
    )
