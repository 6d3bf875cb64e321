"""Checks of what an audit is asked for: before anything is read, and before anything is measured."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.groups.custom import Metric
from fairlab.metrics.groups.named_groups import Groups
from fairlab.studies.audit.additions import check_scores, known_metrics
from fairlab.studies.audit.conditions import JUDGED_ON, Condition, check_conditions
from fairlab.studies.audit.formats import FORMATS
from fairlab.studies.audit.predictions import Columns, Predictions
from fairlab.studies.audit.read import Read


def check_choices(fail_on: str, form: str) -> None:
    """Raise a UserError unless both are known."""
    for name, given, known in (("fail_on", fail_on, JUDGED_ON), ("form", form, tuple(FORMATS))):
        if given not in known:
            raise UserError(f"There is no {name} '{given}'; {nearest_names(given, known)}")


def check_arguments(columns: Columns, threshold: float | None, n_resamples: int, weight: str | None) -> None:
    """Raise a UserError if columns or numbers do not go together."""
    if not columns.protected:
        raise UserError("There is no protected column; name at least one with --protected.")
    taken = (columns.label, columns.score, columns.predicted, columns.id, weight)
    twice = [name for name in columns.protected if name in taken]
    if twice:
        raise UserError(
            f"The column '{twice[0]}' cannot form groups and be label, score, id or weight at once; "
            "name another one with --protected."
        )
    if threshold is not None and columns.score is None:
        raise UserError(
            "A --threshold belongs to a --score; with --prob-prefix the likeliest class is predicted, with "
            "--predicted what the column holds."
        )
    if threshold is not None and not (math.isfinite(threshold) and 0 <= threshold <= 1):
        raise UserError(f"The --threshold lies between 0 and 1, as scores do, but is {threshold}.")
    if n_resamples < 1:
        raise UserError(f"There must be at least 1 resample, not {n_resamples}.")


def check_folder(folder: Path, files: Collection[str]) -> None:
    """Raise a UserError if there is something at `folder` that is no audit."""
    is_audit = folder.is_dir() and {path.name for path in folder.iterdir()} <= set(files)
    if folder.exists() and not is_audit:
        raise UserError(
            f"{folder} exists and is no audit, so it is left alone; choose another folder with --out."
        )


def check_read(
    read: Read,
    conditions: Sequence[Condition],
    label: str,
    threshold: float | None,
    references: Mapping[str, str],
    own: Mapping[str, Metric],
) -> None:
    """Raise a UserError if what is asked for cannot be measured of what the files hold."""
    if threshold is not None and read.first.scores is None:
        raise UserError(
            f"A --threshold belongs to scores, and {read.file} has none but decisions; leave it out."
        )
    check_scores(own, scored=read.scored)
    pairs = read.weights is None and any(len(column.names) == 2 for column in read.first.protected.values())
    known = known_metrics(
        binary=read.first.binary, scored=read.scored, pairs=pairs, references=bool(references), own=own
    )
    groups = _names_of_groups(read.models, label, read.groups)
    check_conditions(conditions, sorted(known), groups, list(read.models))


def _names_of_groups(models: Mapping[str, Predictions], label: str, groups: Groups) -> list[str]:
    """Return all that a metric may be measured of."""
    first = next(iter(models.values()))
    classes = [] if first.binary else [f"{label} = {name}" for name in first.label.names]
    within = [f"{group} & {each}" for group in groups.names for each in classes]
    return ["all", *groups.families, *groups.names, *classes, *within]
