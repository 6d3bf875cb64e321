"""The data sources by name."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.facedata import FaceData

#: Where each source's class is: a new one is a module, and a line here. It is imported when it is opened.
SOURCES = {
    "synthfaces": "fairlab.data.synthfaces.source:SynthFacesSource",
    "celeba": "fairlab.data.celeba:CelebASource",
    "folder": "fairlab.data.folder:FolderSource",
}


class Source(Protocol):
    """Where images come from: checked when made, decoded once by `prepare`."""

    @property
    def name(self) -> str:
        """The source's name, as in `SOURCES`."""
        ...

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the labelled attributes, known before any image is read."""
        ...

    @property
    def left_out(self) -> Mapping[str, str]:
        """Columns of its table that are no attributes, and why."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known of how its labels were read, a sentence each."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of labelled images in "train", "valid" and "test", known before any image is read."""
        ...

    def fingerprint(self, size: int) -> str:
        """Identify pixels and labels at `size` pixels."""
        ...

    def prepare(self, folder: Path, size: int) -> FaceData:
        """Fill `folder` with images of `size` pixels, or go on where an earlier call was interrupted."""
        ...


def open_source(name: str, root: str | Path | None = None, **options: Any) -> Source:
    """Open a data source by name.

    Parameters
    ----------
    name : str
        One of `SOURCES`.
    root : path, optional
        The folder of its files; needed by all but SynthFaces.
    **options
        Further arguments of the source's class.

    Raises
    ------
    UserError
        If there is no such source, it needs a root, the root is not what it should be, or a split of a
        folder has no images.
    """
    if name not in SOURCES:
        raise UserError(f"There is no data source '{name}'; {nearest_names(name, SOURCES)}")
    if name != "synthfaces":
        if root is None:
            raise UserError(f"The source '{name}' needs a folder; name it with --data-root DIR.")
        options["root"] = Path(root)
    module, _, class_name = SOURCES[name].partition(":")
    source: Source = getattr(importlib.import_module(module), class_name)(**options)
    if name == "folder":
        from fairlab.data.folder import FolderSource  # its class, imported above

        assert isinstance(source, FolderSource)
        source.check_splits()
    return source
