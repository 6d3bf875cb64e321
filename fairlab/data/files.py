"""Image files by name, in a folder or in a zip: their sizes at once, their bytes when asked."""

import os
import zipfile
from pathlib import Path
from typing import Protocol

from fairlab.core.errors import UserError


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
