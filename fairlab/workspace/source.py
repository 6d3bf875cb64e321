"""The source of a run's images, and their preparation, once for all runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.core.store import Store
from fairlab.data import SPLITS, FaceData
from fairlab.data.facedata import MANIFEST, read_manifest
from fairlab.data.labelled_files import LabelledFiles
from fairlab.data.repeats import repeats_sentence
from fairlab.data.sources import SOURCES, Source, open_source


@dataclass(frozen=True)
class SourceSettings:
    """Which images, and at which size."""

    name: str = "synthfaces"  # one of `fairlab.data.sources.SOURCES`
    root: str | None = None  # folder of the source's files; None for SynthFaces
    labels_csv: str | None = None  # of a "folder" source; None means the only CSV in the root
    split: str | None = None  # per cents that a "folder" source draws, such as "80/10/10"
    split_by: str | None = None  # its column whose values a drawn split keeps together
    image_size: int = 64  # side of the stored square images, in pixels
    counts: tuple[int, int, int] = (162_770, 19_867, 19_962)  # SynthFaces drawn for train, valid and test
    association: float | None = None  # the bias dial: phi of target and protected; None keeps CelebA's

    def __post_init__(self) -> None:
        if self.name not in SOURCES:
            raise UserError(f"There is no data source '{self.name}'; {nearest_names(self.name, SOURCES)}")
        if self.name != "synthfaces" and self.root is None:
            raise UserError(f"The source '{self.name}' needs a folder; name it with --data-root DIR.")
        for option, value in (("--split", self.split), ("--split-by", self.split_by)):
            if value is not None and self.name != "folder":
                raise UserError(f"{option} is for --data folder; {self.name} has a split of its own.")
        if self.name == "synthfaces" and self.image_size not in (32, 64, 128):
            raise UserError(f"SynthFaces are drawn at 32, 64 or 128 pixels, not {self.image_size}.")

    @property
    def is_drawn(self) -> bool:
        """Whether the faces are drawn, so that the truth is known and more can be had."""
        return self.name == "synthfaces"

    def open(self, target: str, protected: str, seed: int) -> Source:
        """Open the source: checks its root and reads its labels, but no image."""
        if not self.is_drawn:
            own = {"table": self.labels_csv, "split": self.split, "split_by": self.split_by}
            return open_source(self.name, self.root, **(own if self.name == "folder" else {}))
        counts: dict[str, Any] = dict(zip(("n_train", "n_valid", "n_test"), self.counts, strict=True))
        pairs = {} if self.association is None else {(target, protected): self.association}
        return open_source("synthfaces", **counts, seed=seed, associations=pairs)


def prepare_data(source: Source, home: Path, size: int) -> FaceData:
    """Return a source's images at `size` pixels, decoded once for all runs into ``home/prepared``."""
    folder = prepared_folder(source, home, size)
    if (folder / MANIFEST).is_file() and read_manifest(folder)["fingerprint"] == source.fingerprint(size):
        return FaceData.open(folder)  # without the labels of every face, which a source draws first
    return source.prepare(folder, size)


class Labelled(NamedTuple):
    """What is known of images without their pixels.

    Attributes
    ----------
    labels : DataFrame, n rows
        Index: image id. One 0/1 column for each attribute.
    split, identity : ndarray of str, shape (n,)
        As in `FaceData`; identity may be None.
    """

    labels: pd.DataFrame
    split: np.ndarray
    identity: np.ndarray | None

    @classmethod
    def of(cls, data: FaceData) -> "Labelled":
        """Return what is known of prepared images."""
        return cls(data.labels, data.split, data.identity)


def known_labels(source: Source) -> Labelled | None:
    """Return a source's labels before any image is read; None if it reads them with the images."""
    if isinstance(source, LabelledFiles):
        return Labelled(source.labels, source.split, source.identity)
    if source.name != "synthfaces":
        return None
    from fairlab.data.synthfaces.source import SynthFacesSource  # drawing is imported where it is used

    assert isinstance(source, SynthFacesSource)
    split = np.repeat(SPLITS, [source.counts[name] for name in SPLITS])
    return Labelled(source.labels(source.factors()), split, None)


def prepared_labels(folder: Path) -> Labelled | None:
    """Return the labels of a prepared folder; None if it is not there."""
    return Labelled.of(FaceData.open(folder)) if (folder / MANIFEST).is_file() else None


def labels_of(source: Source, home: Path, size: int) -> Labelled:
    """Return the labels of images that are prepared, or will be; no image is read unless it must be."""
    prepared = prepared_labels(prepared_folder(source, home, size))
    return prepared or known_labels(source) or Labelled.of(prepare_data(source, home, size))


def prepared_folder(source: Source, home: Path, size: int, fingerprint: str | None = None) -> Path:
    """Return where a source's images at `size` pixels are, or will be: those of now, or of a fingerprint."""
    fingerprint = fingerprint or source.fingerprint(size)
    return Store(home / "prepared").root / f"{source.name}-{size}-{fingerprint[:8]}"


def data_notes(source: Source, folder: Path) -> list[str]:
    """Say what must be known of a source's labels, people and splits, and of its prepared images."""
    manifest = read_manifest(folder)
    repeats = repeats_sentence(manifest.get("repeated", {}), manifest["counts"])
    return [*source.notes, *filter(None, [repeats])]


def preparation_summary(source: Source, folder: Path) -> str:
    """Say how many images of a source a folder has, how many could not be used, and what else to know."""
    manifest = read_manifest(folder)
    counts = manifest["counts"]
    parts = [f"{counts['images']:,} images of {manifest['size']} pixels are prepared in {folder}"]
    if counts["broken"]:
        parts.append(f"{counts['broken']:,} could not be read and are listed in its prepared.json")
    if without := manifest["settings"].get("rows_without_image"):
        parts.append(f"{without:,} labelled rows have no image")
    return "\n".join([*data_notes(source, folder), "; ".join(parts) + "."])
