"""Records of steps: fingerprints of their settings, and what is told of their files."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairlab.core.environment import Environment
from fairlab.core.errors import DamagedError
from fairlab.core.files import read_record
from fairlab.core.intact import checksums

#: Raised by one when a step's files change their meaning, so that older folders are not mistaken for new.
FORMAT = 1

RECORD, PROGRESS = "step.json", "progress.json"
#: Files with seconds in them, which are others whenever a step is made.
TIMED = ("curve.jsonl",)
#: In a fingerprint, between what identifies the settings and the content of a step that was made again.
AGAIN = ":again:"


def fingerprint(value: Any) -> str:
    """Return 16 hexadecimal digits that identify a JSON-able value."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def interrupted(progress: Path, mark: str) -> tuple[float, list[Environment]] | None:
    """Return seconds and environments of an interrupted attempt at the same step, or None."""
    if not progress.exists():
        return None
    try:
        record = step_record(progress)
    except DamagedError:
        print(f"{progress} is damaged: this step begins again.", flush=True)
        return None
    same = record["fingerprint"] == mark
    return (float(record["seconds"]), list(record.get("made_with", ()))) if same else None


def step_record(path: Path) -> dict[str, Any]:
    """Read a step's record.

    Raises
    ------
    DamagedError
        If it is damaged.
    """
    record = read_record(path)
    try:
        record["fingerprint"], float(record["seconds"])
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path} is damaged; delete the folder {path.parent} and run again.") from error
    return record


def settings_of(mark: str) -> str:
    """Return the part of a fingerprint that identifies settings, without that of the content."""
    return str(mark).partition(AGAIN)[0]


def were_made_again(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether a step's inputs are those wanted but for their content."""
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    return bool(differing) and all(settings_of(found.get(n, "")) == settings_of(wanted[n]) for n in differing)


def again(folder: Path, partial: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Return what a step's record must say beside its settings if there was one with other files.

    Parameters
    ----------
    folder, partial : Path
        Where it was; in the second if this process was killed when it had taken the place of the first.
    files : mapping of str to str
        The checksums of the new files.
    """
    former: dict[str, Any] = {}
    place = next((place for place in (folder, partial) if (place / RECORD).exists()), None)
    if place is not None:
        try:
            former = step_record(place / RECORD)
        except DamagedError:
            former = {"files": checksums(place, leave_out=(RECORD, PROGRESS))}
    if "files" not in former or _content(former["files"]) == _content(files):
        return {key: former[key] for key in ("again",) if key in former}
    print(f"The files of {folder} differ from before: what was made from them is made again.", flush=True)
    return {"again": fingerprint(_content(files))[:8]}


def _content(files: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in files.items() if Path(name).name not in TIMED}
