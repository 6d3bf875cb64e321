"""Packages whose names are imported when they are first asked for, so that a command starts at once."""

import ast
import importlib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LazyMapping(MutableMapping[str, T], Generic[T]):
    """A mapping whose values are imported when they are first asked for; its keys are known at once.

    Parameters
    ----------
    get : callable
        From the name of a value to the value: ``__getattr__`` of `lazy_names`.
    names : mapping of str to str
        The value's name for each key, in order.
    """

    def __init__(self, get: Callable[[str], T], names: Mapping[str, str]) -> None:
        self._get, self._names = get, dict(names)
        self._values: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        if key not in self._values:
            self._values[key] = self._get(self._names[key])
        return self._values[key]

    def __setitem__(self, key: str, value: T) -> None:
        self._names.setdefault(key, key)
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._names[key]
        self._values.pop(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


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
