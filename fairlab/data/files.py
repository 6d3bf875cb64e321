"""Image files by name, in a folder or in a zip: their sizes at once, their bytes when asked."""

import difflib
import os
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fairlab.core.errors import UserError
from fairlab.data.binary_columns import IMAGES


class ImageFiles(Protocol):
    """Named files that several threads may read."""

    place: Path
    sizes: dict[str, int]  # name -> bytes

    def read(self, name: str) -> bytes: ...


class FolderFiles:
    """Files below a folder; by default those directly in it."""

    def __init__(self, place: Path, sizes: dict[str, int] | None = None) -> None:
        self.place = place
        self.sizes = _sizes(place) if sizes is None else sizes

    def read(self, name: str) -> bytes:
        return (self.place / name).read_bytes()


def _sizes(place: Path) -> dict[str, int]:
    with os.scandir(place) as entries:
        return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}


def find_files(root: Path, names: Sequence[str]) -> list[str | None]:
    """Return the path below `root` of each named file, None where there is none.

    Other systems write other names: backslashes, capitals, accents apart from their letters. What is not
    there to the letter is looked for without these; and if the names then lead through a folder of the root's
    name, as full paths of another computer do, or all lie in its only sub-folder, that is where they are. A
    name without an ending is that of the only picture called so.
    """
    exact: list[str | None] = [
        Path(name).as_posix() if name and (root / name).is_file() else None for name in names
    ]
    if None not in exact:
        return exact
    present: dict[str, list[str]] = {}
    for path in root.rglob("*"):
        if path.is_file():
            place = path.relative_to(root).as_posix()
            present.setdefault(_folded(place), []).append(place)
            if path.suffix.lower() in IMAGES:
                present.setdefault(_folded(place.removesuffix(path.suffix)), []).append(place)
    best, folders = exact, [path.name for path in root.iterdir() if path.is_dir()]
    inner = f"{_folded(folders[0])}/" if len(folders) == 1 else ""
    folded = [_folded(name) for name in names]
    root_name = f"/{_folded(root.resolve().name)}/"
    below_root = [f"/{name}".rpartition(root_name)[2] for name in folded]
    for keys in (folded, below_root, [inner + name for name in folded]):
        places = [present.get(key, []) for key in keys]
        found = [
            known or (there[0] if len(there) == 1 else None)
            for known, there in zip(exact, places, strict=True)
        ]
        if found.count(None) < best.count(None):
            best = found
    return best


def nearest_file(root: Path, name: str) -> str:
    """Name the picture below `root` whose name is most like one that is missing; "" if none is."""
    names = {path.name: path for path in root.rglob("*") if path.suffix.lower() in IMAGES}
    wanted = name.replace("\\", "/").rpartition("/")[2]
    found = difflib.get_close_matches(wanted, list(names), n=1, cutoff=0.75)
    return f" (did you mean '{names[found[0]].relative_to(root).as_posix()}'?)" if found else ""


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/")).casefold().removeprefix("./")


class ZipFiles:
    """The files of a zip, by their names without folders; nothing is extracted to disk."""

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            self._zip = zipfile.ZipFile(place)
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f"{place} is not a readable zip ({error}); fetch it again.") from error
        self._entries = {
            entry.filename.rpartition("/")[2]: entry for entry in self._zip.infolist() if not entry.is_dir()
        }
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}

    def read(self, name: str) -> bytes:
        return self._zip.read(self._entries[name])
