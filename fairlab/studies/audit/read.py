"""All that an audit reads: one or several models' predictions, and columns put into bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from fairlab.core.errors import UserError
from fairlab.data.tables import Table
from fairlab.figures.style import MODEL_LOOKS
from fairlab.metrics.groups.named_groups import Groups
from fairlab.studies.audit.bins import Bins, read_binned
from fairlab.studies.audit.clusters import Clusters, read_clusters
from fairlab.studies.audit.match import match
from fairlab.studies.audit.measure import groups_of
from fairlab.studies.audit.predictions import Columns, Predictions, read_predictions
from fairlab.studies.audit.weights import Weights, read_weights


@dataclass(frozen=True)
class Others:
    """Other models' files, and names of columns that differ from those of the first file.

    Of each option there is no name, one for all files, or one for each.
    """

    files: tuple[Path, ...] = ()
    scores: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def columns(self, columns: Columns) -> list[Columns]:
        """Return the columns of each file.

        Raises
        ------
        UserError
            If there are neither one name nor as many as files, or two ways to predict.
        """
        ways = {"score": self.scores, "prob-prefix": self.prefixes, "predicted": self.predicted}
        for option, names in (ways | {"id": self.ids}).items():
            if names and not self.files:
                raise UserError(
                    f"--compare-{option} is about files to compare with; give them with --compare."
                )
            if len(names) not in (0, 1, len(self.files)):
                raise UserError(
                    f"--compare-{option} has {len(names)} names for {len(self.files)} files to --compare; "
                    "give one name for all, or one for each."
                )
        given = [option for option, names in ways.items() if names]
        if len(given) > 1:
            raise UserError(f"--compare-{given[0]} and --compare-{given[1]} exclude each other; give one.")
        if self.ids and columns.id is None:
            raise UserError("--compare-id names the ids of other files; name those of the first with --id.")
        return [self._columns(columns, place) for place in range(len(self.files))]

    def _columns(self, columns: Columns, place: int) -> Columns:
        def named(names: tuple[str, ...]) -> str | None:
            return names[place % len(names)] if names else None

        columns = replace(columns, id=named(self.ids) or columns.id)
        score, prefix, predicted = map(named, (self.scores, self.prefixes, self.predicted))
        if score or prefix or predicted:
            logits = columns.logits and predicted is None
            columns = replace(columns, score=score, prefix=prefix, predicted=predicted, logits=logits)
        return columns


def read_models(
    file: Path, others: Others, columns: Columns, bins: Mapping[str, Bins]
) -> dict[str, Predictions]:
    """Return the predictions of every model in the order of the first, by the model's name.

    Raises
    ------
    UserError
        If a file has a fault, is given twice, or does not match the first.
    """
    theirs = others.columns(columns)
    names = model_names([file, *others.files], [_predicting(each) for each in (columns, *theirs)])
    found = [_binned(file, columns, bins, read_predictions(file, _plain(columns, bins)))]
    for path, named in zip(others.files, theirs, strict=True):
        read = _binned(
            path, named.of(Table(path)), bins, read_predictions(path, _plain(named, bins), found[0])
        )
        found.append(match(found[0], read, columns, named))
        found[0] = replace(found[0], label=found[-1].label)  # perhaps with more classes
    return {name: replace(model, label=found[0].label) for name, model in zip(names, found, strict=True)}


def _plain(columns: Columns, bins: Mapping[str, Bins]) -> Columns:
    return replace(columns, protected=tuple(name for name in columns.protected if name not in bins))


def _binned(path: Path, columns: Columns, bins: Mapping[str, Bins], read: Predictions) -> Predictions:
    """Return predictions with the columns that are put into bins, in the order asked for."""
    wanted = {name: each for name, each in bins.items() if name in columns.protected}
    protected = read.protected | (read_binned(path, wanted) if wanted else {})
    return replace(read, protected={name: protected[name] for name in columns.protected})


def _predicting(columns: Columns) -> str:
    return str(columns.score or columns.predicted or columns.prefix)


def model_names(files: Sequence[Path], columns: Sequence[str]) -> list[str]:
    """Return names of models, as short as they tell them apart: of files, or of columns of one file."""
    if len(files) > len(MODEL_LOOKS):
        raise UserError(
            f"At most {len(MODEL_LOOKS)} models can be told apart in a picture, and there are {len(files)}; "
            "give fewer files to --compare."
        )
    models = list(zip(files, columns, strict=True))
    twice = next((path for i, (path, column) in enumerate(models) if (path, column) in models[:i]), None)
    if twice is not None:
        raise UserError(
            f"{twice} would be compared with itself; give other models' files to --compare, or another "
            "column to --compare-score."
        )
    stems = [path.stem for path in files]
    candidates: list[Sequence[str]] = [stems, [path.name for path in files], list(map(str, files))]
    if len(set(files)) == 1:
        candidates = [stems, columns]
    elif len(set(files)) < len(files):
        candidates = [
            [f"{path} {column}" for path, column in zip(each, columns, strict=True)] for each in candidates
        ]
    return list(next(names for names in candidates if len(set(names)) == len(files)))


class Read(NamedTuple):
    """All that is read before anything is measured."""

    file: Path
    models: dict[str, Predictions]
    groups: Groups
    weights: Weights | None
    clusters: Clusters | None

    @classmethod
    def of(
        cls,
        file: Path,
        others: Others,
        columns: Columns,
        bins: Mapping[str, Bins],
        weight: str | None,
        cluster: str | None,
    ) -> Read:
        """Read the predictions, then weights and clusters of the first file."""
        models = read_models(file, others, columns, bins)
        weights = None if weight is None else read_weights(file, weight)
        clusters = None if cluster is None else read_clusters(file, cluster)
        return cls(file, models, groups_of(next(iter(models.values())).protected), weights, clusters)

    @property
    def first(self) -> Predictions:
        """The predictions that others are compared with."""
        return next(iter(self.models.values()))

    @property
    def scored(self) -> bool:
        """Whether every model has scores of a label."""
        return self.first.binary and all(model.scores is not None for model in self.models.values())
