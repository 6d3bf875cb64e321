"""The claim of a run folder: of which experiment, images and generator its results are.

A clash is told when a run is opened, before anything is trained, and in the words of the user's options.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import read_json, read_record, write_record
from fairlab.data.facedata import read_manifest
from fairlab.experiments.experiment import Experiment
from fairlab.workspace.changes import changes
from fairlab.workspace.source import known_labels, prepared_folder, prepared_labels
from fairlab.workspace.workspace import Workspace

RECORD, MADE_FROM = "experiment.json", "made_from"

#: The options of the command line, and in notebooks the settings, that choose what is recorded.
OPTIONS = {
    "--data": ("source", "name"),
    "--target": ("target",),
    "--split": ("source", "split"),
    "--split-by": ("source", "split_by"),
    "--image-size": ("source", "image_size"),
    "--train-gan": ("generator", "train"),
    "--method": ("method", "name"),
    "seed": ("seed",),
    "synthfaces_association": ("source", "association"),
}
PRESET, OF_PRESET = "--preset", (("recipe",), ("generator", "recipe"), ("source", "counts"))
UNRECORDED = "unrecorded"  # a setting that an earlier version did not have
_SHOWN = 3  # settings that a sentence names


@dataclass(frozen=True)
class Claim:
    """What a run folder is tied to.

    Attributes
    ----------
    experiment : Experiment
    work : Workspace
        Its images and generator.
    """

    experiment: Experiment
    work: Workspace

    def tie(self, folder: Path) -> None:
        """Tie a run folder to the experiment and its images.

        Raises
        ------
        UserError
            If it is tied to others; the sentence says in what they differ.
        """
        if clash := self.clash(folder):
            raise UserError(f"{clash}; choose another --run NAME, or delete that folder.")
        found, path = recorded(folder), folder / RECORD
        if found is None and path.exists():
            print(f"{path} is damaged and is written again.", flush=True)
        if found is None or MADE_FROM not in found:
            with FileLock(folder / ".experiment.lock"):  # two processes may open the same run
                write_record(path, self._identity() | {MADE_FROM: self.work.inputs})

    def clash(self, folder: Path) -> str:
        """Return the clause that says to what else a run folder is tied; "" if to nothing else."""
        found = recorded(folder)
        if found is None:
            return ""
        made_from = found.pop(MADE_FROM, None) or _of_manifest(folder)
        if differences := list(_differences(found, self._identity())):
            more = [f"{len(differences) - _SHOWN} more"] * (len(differences) > _SHOWN)
            words = "; ".join(differences[:_SHOWN] + more)
            return f"The run folder {folder} was made with other settings ({words})"
        return self._clash_of_inputs(folder, made_from)

    def _identity(self) -> dict[str, Any]:
        identity: dict[str, Any] = json.loads(json.dumps(self.experiment.identity(), default=str))
        return identity

    def _clash_of_inputs(self, folder: Path, found: Mapping[str, Any]) -> str:
        wanted = self.work.inputs
        if found.get("images", wanted["images"]) != wanted["images"]:
            return f"The run in {folder} was made from {self._other_images(found)}"
        if found.get("generator", wanted["generator"]) != wanted["generator"]:
            return f"The run in {folder} was made with another generator than {self._generator}"
        return ""

    @property
    def _generator(self) -> str:
        file = self.work.generator_settings.file
        return "the one shipped now" if file is None else f"the one that is in {file} now"

    def _other_images(self, found: Mapping[str, Any]) -> str:
        """Say what differs from the images that a run was made from."""
        if self.work.settings.is_drawn:
            return "faces that another version of FairLab drew"
        root, differences = self.work.inputs["root"], self._changes(str(found["images"]))
        if found.get("root") not in (None, root):
            more = f": {differences}" if differences else ""
            return f"another folder ({found['root']}, now {root}){more}"
        if differences == "":
            return "other image files: their sizes in bytes differ, the labels do not"
        return f"other labels: {differences}" if differences else "other images or labels than there are now"

    def _changes(self, images: str) -> str | None:
        """Return what `changes` says of the images with a fingerprint; None where they are not prepared."""
        folder = prepared_folder(self.work.source, self.work.home, self.work.image_size, images)
        try:
            before, now = prepared_labels(folder), known_labels(self.work.source)
            if before is None or now is None:
                return None
            broken = [each["file"] for each in read_manifest(folder).get("broken", ())]
        except UserError:  # damaged; what matters here is that it is not what there is now
            return None
        return changes(before, now, self.experiment.attributes, broken)


def recorded(folder: Path) -> dict[str, Any] | None:
    """Return what a run folder is tied to; None if to nothing, or if its record is damaged."""
    try:
        return read_record(folder / RECORD) if (folder / RECORD).exists() else None
    except DamagedError:
        return None


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Say in which options two experiments differ; what an earlier version did not record is left out."""
    then, now = _options(found), _options(wanted)
    if then.get(PRESET, now[PRESET]) != now[PRESET]:
        yield f"another {PRESET}"
        now = {option: value for option, value in now.items() if not option.startswith((PRESET, "--set"))}
    for option, value in now.items():
        if option in then and then[option] != value:
            yield f"{option} {then[option]}, now {value}"


def _options(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an experiment by the options that choose them, as far as they are recorded."""
    options = {option: _at(identity, *path) for option, path in OPTIONS.items()}
    options |= {
        f"--set {name}": value for name, value in identity.get("method", {}).items() if name != "name"
    }
    if "protected" in identity:
        options["--protected"] = " ".join([identity["protected"], *identity.get("also_protected", ())])
    options[PRESET] = [_at(identity, *path) for path in OF_PRESET]
    if UNRECORDED in options[PRESET]:
        options[PRESET] = UNRECORDED
    return {option: value for option, value in options.items() if value != UNRECORDED}


def _at(identity: Mapping[str, Any], *path: str) -> Any:
    """Return a nested setting."""
    value: Any = identity
    for name in path:
        value = value.get(name, UNRECORDED) if isinstance(value, Mapping) else UNRECORDED
    return value


def _of_manifest(folder: Path) -> dict[str, Any]:
    """Return what the results of a run of an earlier version were made from, if there are results."""
    path = folder / "manifest.json"
    return {"images": read_json(path)["data"]["fingerprint"]} if path.exists() else {}
