"""The run folder: named steps, fingerprints, atomic results, resume, and a lock.

A *step* turns its configuration and the results of earlier steps into files. Its fingerprint is a hash of
both, so a step whose fingerprint is already on disk is skipped. A step works in ``NAME.partial`` and is
renamed to ``NAME`` when done: a folder with its final name is complete. A killed step finds its partial
folder, with its checkpoints, when the same command runs again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fairlab.core.errors import UserError
from fairlab.core.files import read_json, write_json

#: Raised by one when a step's files change their meaning, so that older folders are not mistaken for new.
FORMAT = 1


def fingerprint(value: Any) -> str:
    """Return 16 hexadecimal digits that identify a JSON-able value."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Step:
    """A finished step: where its files are, what identifies it, how long it took (seconds), who keeps it."""

    name: str
    folder: Path
    fingerprint: str
    seconds: float
    store: Store


class Store:
    """A folder of steps.

    Parameters
    ----------
    root : Path
        The folder; made when missing.
    shared : bool
        Whether several runs use it: each step then has a lock of its own, so that two processes make two
        steps at once, and one waits where the other makes what it needs. Otherwise a second process is
        refused.

    Raises
    ------
    UserError
        If the folder cannot be made.
    """

    def __init__(self, root: Path, *, shared: bool = False) -> None:
        self.root = Path(root)
        self.shared = shared
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"The folder {self.root} cannot be made ({error.strerror}); choose another with --home."
            ) from error
        self.used: dict[str, Step] = {}  # every step that was asked for, by name
        self._guards: dict[Path, FileLock] = {}  # a guard taken twice by one process counts

    @contextmanager
    def lock(self, step: str = "") -> Iterator[None]:
        """Hold the folder, or in a shared store one step of it, for this process.

        Raises
        ------
        UserError
            If another process holds it and the store is not shared, or the folder is read-only.
        """
        path = self.root / (f".{step}.lock" if self.shared and step else ".lock")
        guard = self._guards.setdefault(path, FileLock(path))
        try:
            self._acquire(guard)
        except OSError as error:
            raise UserError(
                f"The folder {self.root} cannot be written to ({error.strerror}); "
                "make it writable or choose another with --home."
            ) from error
        try:
            yield
        finally:
            guard.release()

    def _acquire(self, guard: FileLock) -> None:
        try:
            guard.acquire(timeout=0)
        except Timeout as error:
            if not self.shared:
                raise UserError(
                    f"Another process is working in {self.root}; wait for it, or choose another --run name."
                ) from error
            print(f"Waiting for another process that is working in {self.root} ...", flush=True)
            guard.acquire(timeout=-1)

    def find(self, name: str) -> Step | None:
        """Return the finished step of that name, or None."""
        folder = self.root / name
        if not (folder / "step.json").exists():
            return None
        record = _record(folder / "step.json")
        return Step(name, folder, record["fingerprint"], record["seconds"], self)

    def step(
        self,
        name: str,
        make: Callable[[Path], None],
        *,
        config: Mapping[str, Any],
        inputs: Mapping[str, str] | None = None,
    ) -> Step:
        """Return the step's result, making it when it is not there.

        Parameters
        ----------
        name : str
            The step's folder inside the store; may contain ``/``.
        make : callable
            Given a folder, writes the step's files there. Called again on the same folder after an
            interruption, it should continue from what it finds.
        config : mapping
            All settings that the files depend on; JSON-able.
        inputs : mapping of str to str
            Fingerprints of what the step reads.

        Raises
        ------
        UserError
            If a finished step of that name was made from other settings or inputs.
        """
        content = {"format": FORMAT, "config": dict(config), "inputs": dict(inputs or {})}
        content = json.loads(json.dumps(content, default=str))
        mark = fingerprint([name, content])
        done = self.find(name)
        if done is None:
            with self.lock(name):
                done = self.find(name) or self._make(name, make, content, mark)  # made while we waited?
        if done.fingerprint != mark:
            record = read_json(done.folder / "step.json")
            found = {key: value for key, value in record.items() if key in content}
            raise UserError(
                f"The step '{name}' in {self.root} was made with other settings "
                f"({_differences(found, content)}); choose another --run name, or delete that folder."
            )
        self.used[name] = done
        return done

    def shared_step(
        self,
        name: str,
        make: Callable[[Path], None],
        *,
        config: Mapping[str, Any],
        inputs: Mapping[str, str] | None = None,
    ) -> Step:
        """As `step`, in a folder whose name ends with the fingerprint: other settings lie beside it."""
        mark = fingerprint([dict(config), dict(inputs or {})])
        return self.step(f"{name}-{mark[:8]}", make, config=config, inputs=inputs)

    def _make(self, name: str, make: Callable[[Path], None], content: dict[str, Any], mark: str) -> Step:
        partial, folder = self.root / f"{name}.partial", self.root / name
        elapsed = self._begin(partial, mark)
        started = time.monotonic()
        try:
            make(partial)
        finally:
            elapsed += time.monotonic() - started
            if partial.exists():
                write_json(partial / "progress.json", {"fingerprint": mark, "seconds": elapsed})
        write_json(partial / "step.json", {"fingerprint": mark, "seconds": elapsed, **content})
        if folder.exists():
            shutil.rmtree(folder)  # without a readable step.json, or we would not be here
        os.replace(partial, folder)
        (folder / "progress.json").unlink()
        return Step(name, folder, mark, elapsed, self)

    def _begin(self, partial: Path, mark: str) -> float:
        """Keep an interrupted attempt at the same step, drop any other; return its seconds so far."""
        progress = partial / "progress.json"
        if progress.exists():
            record = _record(progress)
            if record["fingerprint"] == mark:
                return float(record["seconds"])
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        write_json(progress, {"fingerprint": mark, "seconds": 0.0})
        return 0.0


def _record(path: Path) -> dict[str, Any]:
    """Read a step's record; a damaged one asks for its folder to be deleted, not for the file."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        record["fingerprint"], float(record["seconds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged; delete the folder {path.parent} and run again.") from error
    return record


def _differences(found: Any, wanted: Any, path: str = "") -> str:
    """Name the settings in which two nested mappings differ: ``target: Smiling, now Bangs``."""
    if not isinstance(found, dict) and not path:
        return "its record is damaged"
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(set(found) | set(wanted))
        parts = [_differences(found.get(k), wanted.get(k), f"{path}.{k}" if path else k) for k in keys]
        return "; ".join(part for part in parts if part)
    return "" if found == wanted else f"{path}: {found}, now {wanted}"
