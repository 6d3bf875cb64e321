"""What is added to the measures of an audit on request: reference groups and the user's own metrics."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fairlab.core.errors import UserError
from fairlab.metrics.groups.auc import AUC
from fairlab.metrics.groups.custom import GAPS, Metric, disaggregate
from fairlab.metrics.groups.reference import COMPARED, DIFFERENCE, RATIO, against_reference
from fairlab.metrics.spec import DISPARITIES, METRICS, RATES
from fairlab.studies.audit.measure import RECALL, Measured

#: Names of a parameter that takes scores instead of predicted labels, as in scikit-learn.
SCORES = ("y_score", "y_prob", "y_proba")


def with_references(measured: Measured, references: Mapping[str, str]) -> Measured:
    """Add each group's ratios and differences to the reference group of its family."""
    rows = against_reference(measured.table, measured.groups, references)
    return replace(measured.joined(rows), references=references)


def with_metrics(
    measured: Measured, metrics: Mapping[str, Metric], *, n_resamples: int, seed: int
) -> Measured:
    """Add metrics of the user's own, of every model and group, and the gaps between groups.

    Parameters
    ----------
    measured : Measured
    metrics : mapping of name to function
        ``f(y_true, y_pred)``: labels 0 and 1 of a binary label, else names of classes. A function with a
        parameter called ``y_score``, ``y_prob`` or ``y_proba`` takes scores. With weights a function must
        take ``sample_weight``.
    n_resamples, seed : int
    """
    for name, function in metrics.items():
        taken = "scores" if _takes_scores(function) else "labels"
        params = {} if measured.weights is None else {name: {"sample_weight": measured.weights.numbers}}
        rows = disaggregate(
            {name: function},
            _truth(measured),
            {model: _given(measured, model, taken) for model in measured.models},
            measured.groups,
            sample_params=params,
            n_resamples=n_resamples,
            seed=seed,
        )
        measured = measured.joined(rows)
    return replace(measured, own=tuple(metrics))


def check_metrics(metrics: Mapping[str, Metric], *, weighted: bool) -> None:
    """Raise a UserError if a metric's name is taken, or it cannot be weighted."""
    for name, function in metrics.items():
        if not callable(function):
            raise UserError(f"The metric '{name}' is {function!r}, no function; give f(y_true, y_pred).")
        if {name, *_gaps(name)} & known_metrics(binary=True) | {name} & {RECALL}:
            raise UserError(f"The metric '{name}' is measured already; give yours another name.")
        if weighted and not {"sample_weight"} & _parameters(function):
            raise UserError(
                f"The metric '{name}' takes no sample_weight, so it cannot be weighted; leave one out."
            )


def check_scores(metrics: Mapping[str, Metric], *, scored: bool) -> None:
    """Raise a UserError if a metric takes scores of a label, and a model has none."""
    name = next((name for name, function in metrics.items() if _takes_scores(function)), None)
    if name is not None and not scored:
        raise UserError(
            f"The metric '{name}' takes scores of one label, and some model has none; leave it out."
        )


def known_metrics(
    *,
    binary: bool,
    scored: bool = True,
    pairs: bool = True,
    references: bool = False,
    own: Collection[str] = (),
) -> set[str]:
    """Return the names of all metrics that an audit can measure; with `pairs` those of two groups, too."""
    if binary:
        known = {*RATES, *DISPARITIES, AUC, *(METRICS if pairs else ())}
        known -= set() if scored else {AUC, "ECE", *METRICS}
    else:
        known = {name for name, spec in RATES.items() if spec.of != "labels"} | {RECALL}
        known |= {name for name, spec in DISPARITIES.items() if set(spec.compares) <= known}
    compared = known & set(COMPARED) if references else ()
    against = {f"{name} {kind}" for name in compared for kind in (RATIO, DIFFERENCE)}
    return known | against | set(own) | {gap for name in own for gap in _gaps(name)}


def _gaps(name: str) -> set[str]:
    return {f"{name}_{gap}" for gap in GAPS}


def _takes_scores(function: Any) -> bool:
    return bool(set(SCORES) & _parameters(function))


def _parameters(function: Any) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # builtins need not tell
        return set()


def _truth(measured: Measured) -> np.ndarray:
    label = measured.first.label
    return label.codes if measured.binary else np.array(label.names)[label.codes]


def _given(measured: Measured, model: str, taken: str) -> np.ndarray:
    if taken == "scores":
        return measured.scores(model)
    predicted = measured.predicted(model)
    return predicted if measured.binary else np.array(measured.first.label.names)[predicted]
