"""SynthFaces as a data source: sizes, a seed and the bias dial in, a prepared folder out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.facedata import SPLITS, FaceData, read_manifest
from fairlab.data.plan import Plan, fingerprint_of
from fairlab.data.prepare import prepare
from fairlab.data.synthfaces.associations import Associations, check_associations
from fairlab.data.synthfaces.factors import Factors
from fairlab.data.synthfaces.law import observed_labels, sample_factors


@dataclass(frozen=True)
class SynthFacesSource:
    """Drawn faces in three splits, with noisy labels as annotators would give them.

    Parameters
    ----------
    n_train, n_valid, n_test : int
        Number of faces in each split; a larger split begins with the faces of a smaller one.
    seed : int
        Determines faces and label noise.
    associations : dict of (target, protected) to float
        Phi correlations of the true labels to set instead of CelebA's own.

    Raises
    ------
    UserError
        If a number is negative, all are 0, or the associations cannot be had.
    """

    n_train: int
    n_valid: int
    n_test: int
    seed: int = 0
    associations: Associations = field(default_factory=dict)

    name = "synthfaces"
    notes: ClassVar[tuple[str, ...]] = ()
    left_out: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __post_init__(self) -> None:
        if min(*self.counts.values(), self.seed) < 0 or not any(self.counts.values()):
            raise UserError(
                f"SynthFaces cannot draw {self.counts} faces with seed {self.seed}; give numbers of faces "
                "that are not all 0 and a seed from 0 upwards."
            )
        check_associations(self.associations)

    @classmethod
    def open(cls, folder: Path) -> SynthFacesSource:
        """Return the source from which a folder was prepared, to redraw its faces or their counterfactuals.

        Raises
        ------
        UserError
            If the folder holds other data, or was drawn by another version.
        """
        manifest = read_manifest(Path(folder))
        if manifest["name"] != cls.name:
            raise UserError(
                f"{folder} holds {manifest['name']} data, not SynthFaces; no truth is known for it."
            )
        settings = manifest["settings"]
        pairs = {(target, protected): phi for target, protected, phi in settings["associations"]}
        counts = {f"n_{split}": settings["counts"][split] for split in SPLITS}
        source = cls(**counts, seed=settings["seed"], associations=pairs)
        if source.fingerprint(manifest["size"]) != manifest["fingerprint"]:
            raise UserError(
                f"{folder} was drawn by another version of SynthFaces; delete it and prepare again."
            )
        return source

    @property
    def attributes(self) -> tuple[str, ...]:
        """CelebA's forty attributes."""
        return ATTRIBUTES

    @property
    def counts(self) -> dict[str, int]:
        """Number of faces in each split."""
        return {"train": self.n_train, "valid": self.n_valid, "test": self.n_test}

    @property
    def settings(self) -> dict[str, Any]:
        """What determines the data, as JSON values."""
        pairs = [[*pair, phi] for pair, phi in sorted(self.associations.items())]
        return {"counts": self.counts, "seed": self.seed, "associations": pairs}

    def fingerprint(self, size: int) -> str:
        """Identify labels and pixels at `size`: it changes with any setting and with the drawing's code."""
        return fingerprint_of(self.settings | {"size": size}, _code())

    def factors(self, split: str | None = None) -> Factors:
        """Return what determines the pictures of one split, or of all in the order of the prepared rows.

        `Factors.truth` has the true labels; `draw` redraws the faces.
        """
        wanted = SPLITS if split is None else (split,)
        parts = [
            sample_factors(self.counts[name], seed=self.seed, associations=self.associations, stream=name)
            for name in wanted
        ]
        traits = np.concatenate([part.traits for part in parts])
        return Factors(traits, np.concatenate([part.nuisance for part in parts]))

    def labels(self, factors: Factors) -> pd.DataFrame:
        """Return the labels an annotator gives to faces of this source, one uint8 column an attribute."""
        labels = observed_labels(factors, seed=self.seed, associations=self.associations)
        return pd.DataFrame(labels, columns=list(ATTRIBUTES))

    def prepare(self, folder: Path, size: int) -> FaceData:
        """Draw all faces into `folder` at `size` pixels, or go on where an earlier call was interrupted."""
        factors = self.factors()
        labels = self.labels(factors)
        labels.index = pd.Index([image_name(row) for row in range(len(factors))], name="image_id")
        split = np.repeat(list(self.counts), list(self.counts.values()))
        plan = Plan(self.name, self.fingerprint(size), size, labels, split, self.settings)

        def draw_rows(rows: range) -> tuple[np.ndarray, dict[int, str]]:
            from fairlab.data.synthfaces.draw import draw  # torch, once there is something to draw

            return draw(factors[rows.start : rows.stop], size), {}

        return prepare(folder, plan, draw_rows)


def image_name(row: int) -> str:
    """Return the file name of a row, counted from 0, as CelebA names its images."""
    return f"{row + 1:06d}.jpg"


@cache
def _code() -> bytes:
    """Return the source of this package: another drawing or another law must not pass for the same data."""
    package = resources.files(__package__)
    files = [*package.iterdir(), *package.joinpath("tables").iterdir()]
    texts = {file.name: file.read_bytes() for file in files if file.name.endswith((".py", ".csv"))}
    return b"".join(hashlib.sha256(texts[name].replace(b"\r\n", b"\n")).digest() for name in sorted(texts))
