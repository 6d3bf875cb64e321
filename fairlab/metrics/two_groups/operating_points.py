"""Operating points: accuracy, misses and bias of the predictions at a threshold.

At a fixed threshold an image counts only by its cell: target label, protected label, and what each model
predicts. A bootstrap resample of n images is then a draw of n from a multinomial distribution over the cells,
so a thousand of them take milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.core.estimate import Estimate
from fairlab.metrics.formulas import Counted, missed
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.intervals.multiple_testing import paired_p_value
from fairlab.metrics.intervals.proportion import wilson
from fairlab.metrics.intervals.seeds import BySeed
from fairlab.metrics.spec import METRICS, MetricSpec
from fairlab.metrics.thresholds import thresholds_of
from fairlab.metrics.tidy import Resampled, metric_rows, tidy, with_differences
from fairlab.metrics.two_groups.ranked_cells import allow_for_few
from fairlab.metrics.validation import (
    GROUPS,
    as_numbers,
    cell_masses,
    check_labels,
    check_resamples,
    check_scores,
    shortage,
    warn_undefined,
)

_SHARES = 3  # accuracy and each group's FNR are measured first


def at_threshold(
    y_true: ArrayLike,
    scores: Mapping[str, ArrayLike],
    protected: ArrayLike,
    thresholds: Mapping[str, float],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    attribute: str = "",
    groups: tuple[str, str] = GROUPS,
) -> pd.DataFrame:
    """Return accuracy, each group's FNR, DEO and BA of every model at its threshold, with 95% intervals.

    Parameters
    ----------
    y_true, protected : arrays of shape (n,)
        Target and protected labels, 0 or 1.
    scores : mapping of model name to array of shape (n,)
        Scores in [0, 1] of each model for the same images.
    thresholds : mapping of model name to float
        A score above it is predicted positive.
    n_resamples, seed : int
        Of the bootstrap.
    attribute, groups : str, pair of str
        Names of the target and of the groups with protected label 0 and 1, for the table.

    Returns
    -------
    DataFrame
        The columns of `compare`: a row for each model and metric (the FNR has one for each group), then, with
        model ``"<name> - <first model>"``, for each paired difference from the first model. Values are
        fractions; n and n_positive count the images that the row is measured on. What is undefined is NaN
        with the reason in the note, and an `UndefinedMetricWarning` is given.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, scores are NaN or outside [0, 1], or a threshold is missing or
        no finite number.

    Notes
    -----
    Intervals at fixed thresholds. Accuracy and FNR have Wilson's, DEO that of `compare`; BA and differences
    have percentiles of resamples of the images, differences on the same ones. Given the cells, drawing images
    with replacement and drawing cell counts from the multinomial distribution are the same thing. Source of
    the bootstrap: Ramaswamy et al., CVPR 2021, Section 4.

    Examples
    --------
    >>> y, scores, a = [1, 1, 1, 1, 0, 0], [0.9, 0.3, 0.8, 0.7, 0.1, 0.2], [0, 0, 1, 1, 0, 1]
    >>> table = at_threshold(y, {"model": scores}, a, {"model": 0.5}, n_resamples=100)
    >>> table[["metric", "group", "value", "n"]]
         metric    group     value  n
    0  accuracy      all  0.833333  6
    1       FNR  group 0  0.500000  3
    2       FNR  group 1  0.000000  3
    3       DEO      all  0.500000  6
    4        BA      all  0.000000  6
    """
    y = check_labels(y_true, "y_true")
    a = check_labels(protected, "protected", len(y))
    if not scores:
        raise UserError("There are no scores to measure; give those of at least one model.")
    check_resamples(n_resamples)
    flagged = {}
    for name, values in scores.items():
        s = check_scores(values, f"scores of '{name}'", len(y))
        flagged[name] = s > thresholds_of(name, s[None], y, thresholds)[0]
    mass = cell_masses(y, a)
    reasons = _undefined(mass, groups)
    values = _values(y, a, np.stack(list(flagged.values())), n_resamples, seed)
    models = {name: _Point.of(one) for name, one in zip(flagged, values, strict=True)}
    named = with_differences(models, next(iter(flagged)))
    rows = [row for name, drawn in named.items() for row in _rows(name, drawn, reasons, mass, groups)]
    return tidy(pd.DataFrame(rows).assign(attribute=attribute, seeds=1))


def threshold_curves(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: ArrayLike,
    grid: ArrayLike,
    *,
    groups: tuple[str, str] = GROUPS,
) -> pd.DataFrame:
    """Return accuracy, each group's FNR, DEO and BA of one model at every threshold of a grid.

    Parameters
    ----------
    y_true, protected, groups
        As `at_threshold`.
    y_score : array of shape (n,)
        Scores in [0, 1].
    grid : array of shape (m,)
        Thresholds; a score above one is predicted positive.

    Returns
    -------
    DataFrame
        m rows with columns threshold, accuracy, FNR_0, FNR_1, DEO, BA, as fractions. What is undefined is
        NaN, and an `UndefinedMetricWarning` is given.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, or scores or thresholds are no finite numbers in range.

    Examples
    --------
    >>> y, scores, a = [1, 1, 1, 1, 0, 0], [0.9, 0.3, 0.8, 0.7, 0.1, 0.2], [0, 0, 1, 1, 0, 1]
    >>> threshold_curves(y, scores, a, [0.25, 0.5])[["threshold", "accuracy", "DEO"]]
       threshold  accuracy  DEO
    0       0.25  1.000000  0.0
    1       0.50  0.833333  0.5
    """
    y = check_labels(y_true, "y_true")
    a = check_labels(protected, "protected", len(y))
    s = check_scores(y_score, "y_score", len(y))
    at = as_numbers(grid, "grid")
    if at.ndim != 1 or not np.isfinite(at).all():
        raise UserError(f"grid must hold finite thresholds in shape (m,), but has shape {at.shape}.")
    mass = cell_masses(y, a)
    _undefined(mass, groups)
    rising = [np.sort(s[(y == label) & (a == group)]) for label in (0, 1) for group in (0, 1)]
    flagged = np.stack(
        [len(scores) - np.searchsorted(scores, at, side="right") for scores in rising], axis=-1
    )
    values = _measure(Counted(mass, flagged.reshape(-1, 2, 2)))  # (m, measures)
    signed = [spec.signed is not None for spec in _metrics()]
    values[:, _SHARES:] = np.where(signed, np.abs(values[:, _SHARES:]), values[:, _SHARES:])
    names = [metric if group is None else f"{metric}_{group}" for metric, group in _measures()]
    return pd.DataFrame(values, columns=names).assign(threshold=at)[["threshold", *names]]


class _Point(NamedTuple):
    """What was measured at a threshold, of the images and then of resamples, of a model or a difference."""

    shares: np.ndarray  #: (1 + resamples, 3) accuracy and each group's FNR
    metrics: Resampled  #: `_metrics`
    is_difference: bool = False

    @classmethod
    def of(cls, values: np.ndarray) -> _Point:
        """Return the point of one model from its measures, (1 + resamples, measures)."""
        by_seed = BySeed(values[None, 0, _SHARES:], values[None, 1:, _SHARES:])
        return cls(values[:, :_SHARES], Resampled.of(by_seed, specs=_metrics()))

    def __sub__(self, other: _Point) -> _Point:
        """Return the paired difference."""
        return _Point(self.shares - other.shares, self.metrics - other.metrics, is_difference=True)

    def share(self, place: int, n: int) -> Estimate:
        """Return accuracy or an FNR, of n images."""
        value, draws = float(self.shares[0, place]), self.shares[1:, place]
        one = estimate_of(value, draws, n=n)
        if self.is_difference or not one.defined:
            return one._replace(p_value=paired_p_value(draws)) if one.defined else one
        low, high = wilson(value, n)
        return one._replace(low=float(low), high=float(high))


def _metrics() -> tuple[MetricSpec, ...]:
    """Return the metrics that a threshold decides."""
    return tuple(spec for spec in METRICS.values() if spec.at_threshold)


def _measures() -> list[tuple[str, int | None]]:
    """Return what is measured at a threshold: metric, and index of the group or None for all images."""
    return [("accuracy", None), ("FNR", 0), ("FNR", 1), *((spec.name, None) for spec in _metrics())]


def _measure(counted: Counted) -> np.ndarray:
    """Return `_measures` of images counted with leading axes (...): (..., measures), gaps with their sign."""
    mass, flagged = counted.mass, counted.flagged
    right = flagged[..., 1, :].sum(axis=-1) + (mass - flagged)[..., 0, :].sum(axis=-1)
    rates, _ = missed(counted)
    metrics = [spec.measured(counted) for spec in _metrics()]
    return np.stack([right / mass.sum(axis=(-2, -1)), rates[..., 0], rates[..., 1], *metrics], axis=-1)


def _values(y: np.ndarray, a: np.ndarray, flagged: np.ndarray, n_resamples: int, seed: int) -> np.ndarray:
    """Return the measures of every model, of these images and then of resamples.

    Parameters
    ----------
    y, a : arrays of shape (n,)
    flagged : array of shape (models, n)
        Whether each model predicts positive. A cell is (y, a, these); only cells that occur are counted.

    Returns
    -------
    array of shape (models, 1 + resamples, measures)
    """
    bits = 2 ** np.arange(len(flagged))
    code = (2 * y + a) * 2 ** len(flagged) + bits @ flagged
    cells, counts = np.unique(code, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(y), counts / len(y), size=n_resamples)
    tables = np.vstack([counts, drawn]).astype(np.float64)  # (1 + resamples, cells)
    members = np.eye(4)[cells >> len(flagged)]  # (cells, 4): the cell's (y, a)
    positive = (cells & bits[:, None]) > 0  # (models, cells): what each model predicts there
    mass = (tables @ members).reshape(-1, 2, 2)
    flags = [(tables @ (members * p[:, None])).reshape(-1, 2, 2) for p in positive]
    measured = np.stack([_measure(Counted(mass, one)) for one in flags])
    for one, values in zip(flags, measured, strict=True):
        whole = Counted(mass[:1], one[:1])
        values[1:, _SHARES:] = allow_for_few(whole, values[1:, _SHARES:], specs=_metrics())
    return measured


def _undefined(mass: np.ndarray, groups: tuple[str, str]) -> list[str]:
    """Warn of each measure that is undefined on these images; return the reason for each, empty if none."""
    reasons = []
    for metric, group in _measures():
        if metric in METRICS:
            reason = shortage(METRICS[metric], mass, groups)
        else:
            reason = f"0 positives in {groups[group]}" if group is not None and mass[1, group] == 0 else ""
        reasons.append(reason)
        if reason:
            warn_undefined(metric if group is None else f"{metric} of {groups[group]}", reason)
    return reasons


def _rows(
    model: str, drawn: _Point, reasons: list[str], mass: np.ndarray, groups: tuple[str, str]
) -> list[dict[str, object]]:
    """Return the table's rows of one model or difference."""
    rows = []
    whole = metric_rows(drawn.metrics, {})
    for place, ((metric, group), reason) in enumerate(zip(_measures(), reasons, strict=True)):
        part = mass if group is None else mass[:, group]
        n = int(part.sum())
        one = drawn.share(place, n)._asdict() if place < _SHARES else whole[place - _SHARES] | {"n": n}
        who = {"model": model, "group": "all" if group is None else groups[group], "metric": metric}
        rows.append(one | who | {"note": reason or one["note"], "n_positive": int(part[1].sum())})
    return rows
