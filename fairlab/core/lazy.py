"""Packages whose names are imported when they are first asked for, so that a command starts at once."""

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def lazy_names(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package (PEP 562), which offers names of its modules.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    file : str
        Its ``__file__``. The names are those that it imports under ``if TYPE_CHECKING:``, where type
        checkers and readers find them, too.

    Notes
    -----
    No name may be that of a module of the package: Python would set the module in its place.
    """
    homes = _homes(Path(file).read_text(encoding="utf-8"))

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(importlib.import_module(homes[name]), name)

    return get, lambda: sorted(homes)


def _homes(source: str) -> dict[str, str]:
    """Return the module of each name that is imported below an ``if`` of a package's source."""
    blocks = (node for node in ast.parse(source).body if isinstance(node, ast.If))
    imports = (line for block in blocks for line in block.body if isinstance(line, ast.ImportFrom))
    return {alias.name: str(line.module) for line in imports for alias in line.names}
