"""The workspace of all methods: images and labels, a recipe, a generator, and a place to keep steps."""

from __future__ import annotations

import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fairlab import generators
from fairlab.classifiers import Recipe, Selected, TrainingSet
from fairlab.core.store import Step, Store
from fairlab.data import SPLITS, FaceData
from fairlab.data.attributes import check_attribute
from fairlab.data.groups import require_groups, small_groups
from fairlab.data.sources import Source
from fairlab.workspace.generator import GeneratorSettings, trained_generator
from fairlab.workspace.halves import halves_of_cells
from fairlab.workspace.source import Labelled, SourceSettings, labels_of, prepare_data

if TYPE_CHECKING:
    import torch


class Workspace:
    """The images of one source, the labels in question, and the means to learn from them.

    It knows no method. What is made with it is kept in folders that all runs share.

    Parameters
    ----------
    source : Source
        Where images and labels come from; prepared when first asked for.
    target : str
        The attribute to classify.
    protected : tuple of str
        Attributes whose influence is to be removed; groups are those of the first.
    recipe : Recipe
        How classifiers are built and trained.
    settings : SourceSettings
        The size of images, and whether the shipped generator fits them.
    generator : GeneratorSettings
        Which generator draws faces.
    home : Path
        Folder that holds ``prepared/``, ``generators/``, ``classifiers/`` and ``latents/``.
    seed : int
        Seed of data, generator and latents; training seed `k` is ``seed + k``.
    trial : bool
        Whether all that is asked is if everything runs: classifiers that have learnt nothing are used, too.
    device : str, optional
        Torch device; by default CUDA where there is one.

    Raises
    ------
    UserError
        If an attribute is unknown, or the generator's file cannot be read.
    """

    def __init__(
        self,
        source: Source,
        *,
        target: str,
        protected: tuple[str, ...],
        recipe: Recipe,
        home: Path,
        settings: SourceSettings | None = None,
        generator: GeneratorSettings | None = None,
        seed: int = 0,
        trial: bool = False,
        device: str | torch.device | None = None,
    ) -> None:
        self.source, self.recipe, self.seed, self.trial = source, recipe, seed, trial
        self.target, self.protected = target, protected
        self.outputs: tuple[str, ...] = (target,)
        self.settings = settings or SourceSettings()
        self.generator_settings = generator or GeneratorSettings()
        self.home = Path(home)
        self.halved = False  # whether epochs are chosen on half of the validation images
        self._stores: dict[str, Store] = {}
        for attribute in (target, *protected):
            check_attribute(attribute, source.attributes, source.left_out)
        self.generator_settings.check_file()
        from fairlab.core.devices import choose_device  # torch, for which a misspelt name need not wait

        self.device = choose_device(device)

    @property
    def image_size(self) -> int:
        """Side of the stored square images, in pixels."""
        return self.settings.image_size

    def predicting(self, *attributes: str) -> Workspace:
        """Return the same workspace for classifiers of other attributes than the target."""
        _ = self.data  # opened once, for both
        other = copy.copy(self)
        other.outputs = attributes
        return other

    def with_halved_validation(self) -> Workspace:
        """Return the same workspace, in which only half of the validation images choose epochs.

        The other half, ``validation_half("fit")``, is then untouched: thresholds and last layers may be
        fitted on it. Classifiers trained so have other fingerprints.
        """
        _ = self.data
        other = copy.copy(self)
        other.halved = True
        return other

    # Images and labels.

    def prepare(self) -> FaceData:
        """Return the images and labels, decoded once for all runs, whatever the groups have."""
        return prepare_data(self.source, self.home, self.image_size)

    @cached_property
    def labelled(self) -> Labelled:
        """The labels, as far as may be before any image is read."""
        return labels_of(self.source, self.home, self.image_size)

    @cached_property
    def inputs(self) -> dict[str, str | None]:
        """What identifies images and generator, and where the user's images are."""
        root = self.settings.root
        return {
            "images": self.source.fingerprint(self.image_size),
            "generator": self.generator_settings.given_fingerprint(self.settings),
            "root": None if root is None else str(Path(root).resolve()),
        }

    def require_groups(self) -> None:
        """Check, before images are read, that the attributes can be told apart and no group is empty.

        Raises
        ------
        UserError
            See `fairlab.data.groups.require_groups`.
        """
        labels, split, _ = self.labelled
        for protected in self.protected:
            require_groups(labels, split, self.target, protected, SPLITS)

    @property
    def small_groups(self) -> list[str]:
        """What is to be said of groups with few images, a sentence for each protected attribute."""
        labels, split, _ = self.labelled
        found = (small_groups(labels, split, self.target, name, SPLITS) for name in self.protected)
        return [sentence for sentence in found if sentence]

    @cached_property
    def data(self) -> FaceData:
        """The prepared images and labels; every (target, protected) group is known to have positives."""
        self.require_groups()
        data = self.prepare()
        for protected in self.protected:
            data.require_groups(self.target, protected)
        return data

    def images(self, split: str) -> Selected:
        """Return the real images of one split, without copying them."""
        return Selected(self.data.images, self.data.rows(split))

    def labels(self, split: str) -> np.ndarray:
        """Return the labels of the outputs, (n, k) uint8, of one split."""
        return self.data.label_columns(self.outputs, split)

    def groups(self, split: str) -> np.ndarray:
        """Return the first protected label, (n,) uint8, of one split."""
        return self.data.label(self.protected[0], split)

    def real(self, split: str = "train") -> TrainingSet:
        """Return the real images of one split with their labels and groups."""
        inputs = {"data": self.data.fingerprint, "groups": self.protected[0]}
        return TrainingSet(self.images(split), self.labels(split), self.groups(split), inputs=inputs)

    def validation_half(self, half: str) -> TrainingSet:
        """Return the validation images to fit on ("fit"), or to choose by ("selection"): halves of each cell.

        Every target has halves of its own; they do not depend on outputs or training seed.
        """
        rows = self.halves()[("fit", "selection").index(half)]
        valid = self.real("valid")
        assert valid.groups is not None
        inputs = {**valid.inputs, "half": f"{half}, of {self.target}, seed {self.seed}"}
        images = Selected(self.data.images, self.data.rows("valid")[rows])
        return TrainingSet(images, valid.labels[rows], valid.groups[rows], inputs=inputs)

    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which of the validation images, counted from 0, are to fit on, and which to choose by."""
        return halves_of_cells(self.data.label(self.target, "valid"), self.groups("valid"), self.seed)

    def selecting(self) -> TrainingSet:
        """Return the validation images on which epochs are chosen: all, or half of them."""
        return self.validation_half("selection") if self.halved else self.real("valid")

    # The generator.

    @property
    def trains_generator(self) -> bool:
        """Whether a generator has to be trained, since none is given."""
        return self.generator_settings.file is None and not self.generator_settings.is_shipped(self.settings)

    @cached_property
    def generator(self) -> generators.Generator:
        """The user's own or the shipped generator, else one trained on the real training images."""
        given = self.generator_settings.given(self.settings, self.device)
        if given is not None:
            return given
        return generators.load_generator(
            self.trained_generator().folder / "generator.safetensors", self.device
        )

    @property
    def generator_fingerprint(self) -> str:
        """What identifies the generator."""
        given = self.generator_settings.given_fingerprint(self.settings)
        return given or self.trained_generator().fingerprint

    def trained_generator(self) -> Step:
        """Train a generator on the real training images, once for all runs."""
        recipe, store = self.generator_settings.recipe, self.store("generators")
        return trained_generator(self.prepare(), recipe, self.seed, store, self.device)

    # Steps.

    def store(self, kind: str) -> Store:
        """Return the folder ``home/KIND`` of steps that all runs share."""
        if kind not in self._stores:
            self._stores[kind] = Store(self.home / kind, shared=True)
        return self._stores[kind]

    def used_steps(self) -> dict[str, Step]:
        """Return every step that was asked for so far, by ``KIND/NAME``."""
        return {f"{kind}/{name}": step for kind, s in self._stores.items() for name, step in s.used.items()}
