"""Measures of an audit: rates of groups, gaps between them, differences between models."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from fairlab.metrics.groups.auc import auc_by_group
from fairlab.metrics.groups.cells import joint_cells
from fairlab.metrics.groups.compare_groups import group_differences
from fairlab.metrics.groups.named_groups import Groups
from fairlab.metrics.intervals.multiple_testing import holm_column
from fairlab.metrics.spec import DISPARITIES
from fairlab.metrics.thresholds import Calibration, calibrate
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.two_groups.compare import compare
from fairlab.metrics.two_groups.compare_binned import compare_binned
from fairlab.metrics.validation import UndefinedMetricWarning
from fairlab.studies.audit.categories import Categories
from fairlab.studies.audit.clusters import MOST_ROWS, Clusters
from fairlab.studies.audit.predictions import Predictions
from fairlab.studies.audit.weights import Weights

#: With more occupied intersections than this, none are shown.
MOST_INTERSECTIONS = 300
#: Metric of the rows that say, for each class and group, how many of the class are recognised.
RECALL = "recall"
_MARK = "\x1f"  # the unit separator, which stands in nobody's names


#: Column of an audit's table: p-values of a model's disparities, adjusted for their number.
P_HOLM = "p_holm"


@dataclass(frozen=True)
class Measured:
    """What was measured, and on what.

    Attributes
    ----------
    models : dict of str to Predictions
        The predictions by the name of the model, all of the same rows in the same order.
    label : str
        Name of the column of labels.
    thresholds : dict of str to float
        A score above it is predicted positive; empty for classes.
    calibrated : dict of str to Calibration
        How thresholds that were chosen on these very rows came out; empty for those that were given.
    groups : Groups
    table : DataFrame
        The columns of `fairlab.metrics.compare`; see `measure`.
    weights : Weights, optional
        What each row weighs.
    clusters : Clusters, optional
        Which rows belong together.
    references : dict of str to str
        The group that others are compared with, by protected column or intersection.
    own : tuple of str
        Names of the user's own metrics.
    """

    models: Mapping[str, Predictions]
    label: str
    thresholds: Mapping[str, float]
    calibrated: Mapping[str, Calibration]
    groups: Groups
    table: pd.DataFrame
    weights: Weights | None = None
    clusters: Clusters | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()

    @property
    def design_effect(self) -> float:
        """How many rows are worth one: Kish's effect of weights, times the rows of a cluster."""
        parts = (self.weights, self.clusters)
        return math.prod(part.design_effect for part in parts if part is not None)

    @property
    def first(self) -> Predictions:
        return next(iter(self.models.values()))

    @property
    def binary(self) -> bool:
        return self.first.binary

    @property
    def scored(self) -> bool:
        """Whether there are scores of every model."""
        return all(model.scores is not None for model in self.models.values())

    def scores(self, model: str) -> np.ndarray:
        """Return a model's scores, (n,), which there must be."""
        found = self.models[model].scores
        assert found is not None
        return found

    def rows(self, model: str, metric: str) -> pd.DataFrame:
        """Return a model's rows of a metric, with the group as index."""
        chosen = (self.table["model"] == model) & (self.table["metric"] == metric)
        return self.table[chosen].set_index("group")

    def predicted(self, model: str) -> np.ndarray:
        """Return what a model predicts for each row, (n,): 0 and 1 of a binary label, else a code."""
        found = self.models[model]
        if found.predicted is not None:
            return found.predicted
        return (self.scores(model) > self.thresholds[model]).astype(np.uint8)

    def adjusted(self) -> Measured:
        """Return the same with a column `P_HOLM`: of many disparities some are large by chance."""
        picked = self.table["metric"].isin(list(DISPARITIES)) & self.table["p_value"].notna()
        p_holm = holm_column(self.table[picked], within=("model",))[P_HOLM]
        table = self.table.assign(**{P_HOLM: p_holm.reindex(self.table.index)})
        return replace(self, table=table[[*COLUMNS[:-1], P_HOLM, COLUMNS[-1]]])

    def joined(self, rows: pd.DataFrame) -> Measured:
        """Return the same with more rows in the table; of metrics that are there already the first stay."""
        if rows.empty:
            return self
        table = pd.concat([self.table, rows.assign(attribute=self.label)], ignore_index=True)
        table = table.drop_duplicates(["model", "group", "metric"], ignore_index=True)
        return replace(self, table=table.reindex(columns=list(COLUMNS)))


def measure(
    models: Mapping[str, Predictions],
    label: str,
    *,
    threshold: float | None = None,
    weights: Weights | None = None,
    clusters: Clusters | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Measured:
    """Measure one model, or several on the same rows with their paired differences from the first.

    Parameters
    ----------
    models : dict of str to Predictions
    label : str
        Name of the column of labels.
    threshold : float, optional
        Of binary labels; None calibrates one for each model on these very rows.
    weights : Weights, optional
        What each row weighs; what cannot be weighted is left out.
    clusters : Clusters, optional
        Which rows belong together; what cannot be drawn together is left out.
    n_resamples, seed : int

    Returns
    -------
    Measured
        The table has the rows of `group_differences`; for binary labels the AUC and, without weights, for
        each protected column with two values the rows of `compare`, with the column's name as the group; and
        for classes the metric "recall" in groups such as ``"race = Black"`` and
        ``"gender = Female & race = Black"``.
    """
    first = next(iter(models.values()))
    groups = groups_of(first.protected)
    together = None if clusters is None else clusters.codes
    options: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed, "clusters": together}
    weighted = options | {"sample_weight": None if weights is None else weights.numbers}
    scores = {name: model.scores for name, model in models.items() if model.scores is not None}
    undecided = [name for name, model in models.items() if model.predicted is None]
    given = {} if threshold is None else dict.fromkeys(undecided, threshold)
    calibrated = {} if given else {name: calibrate(first.label.codes, scores[name]) for name in undecided}
    thresholds = given or {name: found.threshold for name, found in calibrated.items()}
    whole = Measured(models, label, thresholds, calibrated, groups, pd.DataFrame(), weights, clusters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # the table's notes say so
        tables = [_group_rows(whole, weighted)]
        if first.binary and whole.scored:
            tables.append(
                auc_by_group(first.label.codes, scores, groups, **_without(weighted, "n_resamples", "seed"))
            )
            # Average precision and divergence take no weights, and bins of scores no clusters.
            if weights is None and (clusters is None or len(first) <= MOST_ROWS):
                tables += _score_rows(first, scores, None if calibrated else thresholds, options)
        elif not first.binary:
            tables += _class_rows(whole, label, weighted)
    table = pd.concat(tables, ignore_index=True).assign(attribute=label)
    table = table.drop_duplicates(["model", "group", "metric"], ignore_index=True)
    return replace(whole, table=table[list(COLUMNS)])


def _without(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


def groups_of(protected: Mapping[str, Categories]) -> Groups:
    """Return the groups of each column and their intersections, without writing out a name for each row."""
    rows, combinations = joint_cells([column.codes for column in protected.values()])
    # Groups are sorted by name; a number before each keeps the order of the categories, such as ages.
    named = {
        name: np.array([f"{i:03}{_MARK}{text}" for i, text in enumerate(column.names)], dtype=object)[codes]
        for (name, column), codes in zip(protected.items(), combinations.T, strict=True)
    }
    groups = Groups.of(named, intersections=len(combinations) <= MOST_INTERSECTIONS)
    names = tuple(re.sub(rf"\d{{3}}{_MARK}", "", name) for name in groups.names)
    return replace(groups, codes=groups.codes[rows], names=names)


def _group_rows(measured: Measured, options: Mapping[str, Any]) -> pd.DataFrame:
    scores = {name: model.scores for name, model in measured.models.items()} if measured.scored else None
    predicted = {name: measured.predicted(name) for name in measured.models}
    truth = measured.first.label.codes
    if not measured.binary:
        truth, predicted = _classes(truth), {name: _classes(codes) for name, codes in predicted.items()}
    return group_differences(truth, predicted, measured.groups, y_scores=scores, **options)  # type: ignore[arg-type]


def _classes(codes: np.ndarray) -> np.ndarray:
    """Return codes from 1: two classes are then not taken for the absence and presence of one label."""
    return codes.astype(np.int16) + 1


def _score_rows(
    first: Predictions,
    scores: Mapping[str, np.ndarray],
    thresholds: Mapping[str, float] | None,
    options: dict[str, Any],
) -> list[pd.DataFrame]:
    """Return the rows of `compare` for every protected column with two values."""
    tables = []
    for name, column in first.protected.items():
        if len(column.names) == 2:
            a, b = (f"{name} = {value}" for value in column.names)
            given = options | {"thresholds": thresholds, "baseline": next(iter(scores)), "groups": (a, b)}
            if len(first) <= MOST_ROWS:
                table = compare(first.label.codes, scores, column.codes, **given)
            else:
                given.pop("clusters")  # there are none
                table = compare_binned(first.label.codes, scores, column.codes, **given)
            tables.append(table.assign(group=np.where(table["metric"] == "AP", "all", name)))
    return tables


def _class_rows(measured: Measured, label: str, options: Mapping[str, Any]) -> list[pd.DataFrame]:
    """Return for every class, and every class in every group, how many are recognised."""
    first, tables = measured.first, []
    predicted = {name: _classes(measured.predicted(name)) for name in measured.models}
    for name, column in first.protected.items():
        groups = groups_of({name: column, label: first.label})
        wanted = [each for family in (label, groups.finest) for each in groups.names[groups.families[family]]]
        table = group_differences(_classes(first.label.codes), predicted, groups, **options)
        chosen = table[(table["metric"] == "accuracy") & table["group"].isin(wanted)]
        tables.append(chosen.assign(metric=RECALL))
    return tables
