"""All that an audit reads: one or several models' predictions, and columns put into bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fairlab.core.errors import UserError
from fairlab.figures.style import MODEL_LOOKS
from fairlab.studies.audit.bins import Bins, read_binned
from fairlab.studies.audit.match import match
from fairlab.studies.audit.predictions import Columns, Predictions, read_predictions


def read_models(
    file: Path, others: Sequence[Path], columns: Columns, bins: Mapping[str, Bins]
) -> dict[str, Predictions]:
    """Return the predictions of every model in the order of the first, by the model's name.

    Raises
    ------
    UserError
        If a file has a fault, is given twice, or does not match the first.
    """
    names = model_names([file, *others])
    plain = tuple(name for name in columns.protected if name not in bins)
    first = read_predictions(file, replace(columns, protected=plain))
    if bins:
        protected = first.protected | read_binned(file, bins)
        first = replace(first, protected={name: protected[name] for name in columns.protected})
    alone = replace(columns, protected=())
    found = [first]
    for other in others:
        found.append(match(found[0], read_predictions(other, alone), columns))
        found[0] = replace(found[0], label=found[-1].label)  # perhaps with more classes
    return {name: replace(model, label=found[0].label) for name, model in zip(names, found, strict=True)}


def model_names(files: Sequence[Path]) -> list[str]:
    """Return the files' names, as short as they tell them apart."""
    if len(files) > len(MODEL_LOOKS):
        raise UserError(
            f"At most {len(MODEL_LOOKS)} models can be told apart in a picture, and there are {len(files)}; "
            "give fewer files to --compare."
        )
    twice = next((path for i, path in enumerate(files) if path in files[:i]), None)
    if twice is not None:
        raise UserError(f"{twice} would be compared with itself; give other models' files to --compare.")
    for names in ([path.stem for path in files], [path.name for path in files]):
        if len(set(names)) == len(files):
            return names
    return list(map(str, files))
