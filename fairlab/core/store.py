"""The run folder: named steps, fingerprints, atomic results, resume, and a lock.

A *step* turns its configuration and the results of earlier steps into files. Its fingerprint is a hash of
both, so a step whose fingerprint is already on disk is skipped. A step works in ``NAME.partial`` and is
renamed to ``NAME`` when done: a folder with its final name is complete. A killed step finds its partial
folder, with its checkpoints, when the same command runs again.

The step's record keeps a checksum of every file. A step with a damaged file is made again; if it comes out
with other bytes (on another processor, say), its fingerprint changes, and what was made from it is made
again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fairlab.core.environment import MIXTURE, Environment, differences, environment
from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import write_record
from fairlab.core.intact import checksums, damaged_file
from fairlab.core.records import (
    AGAIN,
    FORMAT,
    PROGRESS,
    RECORD,
    again,
    fingerprint,
    interrupted,
    settings_of,
    step_record,
    were_made_again,
)


@dataclass(frozen=True)
class Step:
    """A finished step.

    Attributes
    ----------
    name : str
    folder : Path
        Where its files are.
    fingerprint : str
        Of its settings and inputs; and of its content, if it was made again with another.
    seconds : float
        How long it took.
    store : Store
        Who keeps it.
    made_with : tuple of mappings
        Versions, processor and threads; several if it was interrupted and finished elsewhere.
    """

    name: str
    folder: Path
    fingerprint: str
    seconds: float
    store: Store
    made_with: tuple[Environment, ...] = field(default=(), compare=False)


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
        """Return the finished step of that name, if its files are as they were written, or None."""
        return self._find(name, {})[0]

    def _find(self, name: str, inputs: Mapping[str, str]) -> tuple[Step | None, str]:
        """Return the finished step, or None and why what is there does not serve."""
        folder = self.root / name
        if not (folder / RECORD).exists():
            return None, ""
        try:
            record = step_record(folder / RECORD)
        except DamagedError:
            return None, f"{RECORD} is damaged"
        if damaged := damaged_file(folder, record.get("files", {})):  # earlier versions kept no checksums
            return None, f"{damaged} is damaged"
        if were_made_again(record.get("inputs", {}), inputs):
            return None, "what it was made from was made again"
        mark = record["fingerprint"] + (AGAIN + record["again"] if "again" in record else "")
        made_with = tuple(record.get("made_with", ()))
        MIXTURE.uses(differences(made_with, (folder / RECORD).stat().st_mtime))
        return Step(name, folder, mark, float(record["seconds"]), self, made_with), ""

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
        done, _ = self._find(name, content["inputs"])
        if done is None:
            with self.lock(name):
                done, reason = self._find(name, content["inputs"])  # made while we waited?
                done = done or self._make(name, make, content, mark, reason)
        if settings_of(done.fingerprint) != mark:
            record = step_record(done.folder / RECORD)
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

    def _make(
        self, name: str, make: Callable[[Path], None], content: dict[str, Any], mark: str, reason: str
    ) -> Step:
        partial, folder = self.root / f"{name}.partial", self.root / name
        if reason:
            print(f"The step {folder} is made again: {reason}.", flush=True)
        MIXTURE.makes()
        elapsed, made_with = self._begin(partial, mark)
        started = time.monotonic()
        try:
            make(partial)
        finally:
            elapsed += time.monotonic() - started
            if partial.exists():
                progress = {"fingerprint": mark, "seconds": elapsed, "made_with": made_with}
                write_record(partial / PROGRESS, progress)
        files = checksums(partial, leave_out=(RECORD, PROGRESS))
        record = {"fingerprint": mark, "seconds": elapsed, **content, "made_with": made_with, "files": files}
        write_record(partial / RECORD, record | again(folder, partial, files))
        if folder.exists():
            shutil.rmtree(folder)  # damaged, or we would not be here
        os.replace(partial, folder)
        (folder / PROGRESS).unlink()
        done = self.find(name)
        if done is None:
            raise DamagedError(f"The step {folder} is damaged as soon as it is written; check the disk.")
        return done

    def _begin(self, partial: Path, mark: str) -> tuple[float, list[Environment]]:
        """Keep an interrupted attempt at the same step, drop any other; return seconds and environments."""
        begun = interrupted(partial / PROGRESS, mark)
        if begun is None:
            if partial.exists():
                shutil.rmtree(partial)
            partial.mkdir(parents=True)
        seconds, made_with = begun or (0.0, [])
        MIXTURE.uses(differences(made_with, 0.0))
        if environment() not in made_with:
            made_with.append(environment())
        write_record(partial / PROGRESS, {"fingerprint": mark, "seconds": seconds, "made_with": made_with})
        return seconds, made_with


def _differences(found: Any, wanted: Any, path: str = "") -> str:
    """Name the settings in which two nested mappings differ: ``target: Smiling, now Bangs``."""
    if not isinstance(found, dict) and not path:
        return "its record is damaged"
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(set(found) | set(wanted))
        parts = [_differences(found.get(k), wanted.get(k), f"{path}.{k}" if path else k) for k in keys]
        return "; ".join(part for part in parts if part)
    return "" if found == wanted else f"{path}: {found}, now {wanted}"
