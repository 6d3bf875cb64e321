"""Any metric, group by group: a function of labels and predictions, with bootstrap intervals."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.formulas import lowest, ratio, spread
from fairlab.metrics.groups.named_groups import Groups, Protected
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.tidy import COLUMNS, with_differences
from fairlab.metrics.validation import check_resamples

#: A number from labels and predictions, both (rows,), and parameters by name.
Metric: TypeAlias = Callable[..., float]
#: What is added to a metric's name for the largest - smallest and the smallest / largest value of a group.
GAPS: tuple[str, str] = ("difference", "ratio")


def disaggregate(
    metrics: Metric | Mapping[str, Metric],
    y_true: ArrayLike,
    y_pred: ArrayLike | Mapping[str, ArrayLike],
    protected: Protected,
    *,
    sample_params: Mapping[str, Any] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    attribute: str = "",
) -> pd.DataFrame:
    """Return any metrics of every group, and how far they set the groups apart, with 95% intervals.

    Parameters
    ----------
    metrics : function, or mapping of name to function
        ``f(y_true, y_pred, **parameters)``, such as those of ``sklearn.metrics``; it gives one number.
    y_true : array of shape (n, ...)
        What is true.
    y_pred : array of shape (n, ...), or mapping of model name to such an array
        What the metrics take: labels, scores, numbers. Several models also give paired differences.
    protected : array of shape (n,), Series, DataFrame, mapping of name to array, or Groups
        As `Groups.of`.
    sample_params : mapping, optional
        Arrays of shape (n, ...) that metrics take by name, ``{"sample_weight": w}``; with several metrics a
        mapping of those for each, ``{"accuracy": {"sample_weight": w}}``, as in fairlearn's MetricFrame.
    n_resamples : int
        Number of bootstrap resamples; 0 gives no intervals.
    seed : int
        Seed of the resampling.
    attribute : str
        Name of the label, for the table.

    Returns
    -------
    DataFrame
        The columns of `compare`: for all images (group ``"all"``) and each group a row for each metric, and
        for each protected column and the intersections ``"<name>_difference"`` (largest - smallest) and
        ``"<name>_ratio"`` (smallest / largest; NaN if one is negative). Then, as
        ``"<name> - <first model>"``, paired differences. Where a function raises a ValueError or divides by
        zero, as for a group with one class only, the value is NaN with the message in the note; gaps skip
        such groups. What a function warns of is in the note, too.

    Raises
    ------
    UserError
        If shapes do not fit, a metric fails on all images, or gives no number.

    Notes
    -----
    Percentile intervals over resamples of the images. Each resample calls each metric once for every group,
    so a metric that takes 1 ms takes 1 s for each group and thousand resamples.

    Examples
    --------
    >>> from sklearn.metrics import recall_score
    >>> table = disaggregate(recall_score, [1, 1, 1, 1, 0], [1, 0, 1, 1, 0], ["f", "f", "m", "m", "m"],
    ...                      n_resamples=0)
    >>> table[["metric", "group", "value"]]
                        metric group  value
    0             recall_score   all   0.75
    1             recall_score     f   0.50
    2             recall_score     m   1.00
    3  recall_score_difference   all   0.50
    4       recall_score_ratio   all   0.50
    """
    check_resamples(n_resamples, least=0)
    y, groups = _array(y_true, "y_true"), Groups.of(protected)
    if len(groups.codes) != len(y):
        raise UserError(f"y_true has {len(y)} values, but there are {len(groups.codes)} protected values.")
    named = _named(metrics)
    params = _params(named, metrics, sample_params or {}, len(y))
    models = dict(y_pred) if isinstance(y_pred, Mapping) else {"model": y_pred}
    predictions = {
        name: _array(values, f"predictions of '{name}'", len(y)) for name, values in models.items()
    }
    calls = {
        model: [_Call(name, function, (y, values), params[name]) for name, function in named.items()]
        for model, values in predictions.items()
    }
    rows = list(_rows(calls, groups, n_resamples, seed))
    sizes = _sizes(groups, y)
    table = pd.DataFrame(rows).assign(attribute=attribute, seeds=1)
    counts = pd.DataFrame([sizes.get(group, sizes["all"]) for group in table["group"]])
    return table.assign(n=counts[0], n_positive=counts[1].astype("Int64")).reindex(columns=list(COLUMNS))


@dataclass(frozen=True)
class _Call:
    """A metric with the arrays that it takes."""

    name: str
    function: Metric
    arrays: tuple[np.ndarray, ...]
    params: Mapping[str, np.ndarray]

    def __call__(self, rows: np.ndarray) -> tuple[float, str]:
        """Return the metric of some rows and what there is to say of it; NaN if it is undefined."""
        if not len(rows):
            return math.nan, "no images"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                value = self.on(rows)
            except (ValueError, ArithmeticError) as error:
                return math.nan, _short(error)
        said = [_short(warning.message) for warning in caught]
        return value, "; ".join(dict.fromkeys(["undefined"] * (math.isnan(value) and not said) + said))

    def on(self, rows: np.ndarray) -> float:
        """Return the metric of some rows; what it raises is raised."""
        taken = {name: values[rows] for name, values in self.params.items()}
        return float(self.function(*(values[rows] for values in self.arrays), **taken))

    def check(self) -> None:
        """Raise a UserError if the metric fails on all images, or gives no number."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.on(np.arange(len(self.arrays[0])))
        except Exception as error:  # it is the user's function, and may raise anything
            raise UserError(
                f"The metric '{self.name}' fails on all images ({type(error).__name__}: {_short(error)}); it "
                "must take true values and predictions, and return one number."
            ) from error


def _rows(
    calls: Mapping[str, list[_Call]], groups: Groups, n_resamples: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of every model, and then of every difference from the first."""
    n = len(groups.codes)
    for call in itertools.chain(*calls.values()):
        call.check()
    whole = {model: _measured(own, groups, np.arange(n)) for model, own in calls.items()}
    draws: dict[str, list[np.ndarray]] = {model: [found[0]] for model, found in whole.items()}
    rng = np.random.default_rng(seed)
    for _ in range(n_resamples):
        picked = rng.integers(0, n, size=n)
        for model, own in calls.items():
            draws[model].append(_measured(own, groups, picked)[0])
    first, names = next(iter(calls)), [call.name for call in next(iter(calls.values()))]
    flat = {model: _with_gaps(np.stack(drawn), groups) for model, drawn in draws.items()}
    notes = {model: _notes(found, groups) for model, found in whole.items()}
    for model, values in with_differences(flat, first).items():
        told = notes.get(model) or _joined(notes[first], notes[model.removesuffix(f" - {first}")])
        for key, drawn, note in zip(_keys(names, groups), values.T, told, strict=True):
            found = estimate_of(float(drawn[0]), drawn[1:])
            said = "; ".join(filter(None, (note, found.note)))
            yield {"model": model, "metric": key[0], "group": key[1]} | found._asdict() | {"note": said}


def _measured(calls: list[_Call], groups: Groups, rows: np.ndarray) -> tuple[np.ndarray, list[list[str]]]:
    """Return the metrics of all of these rows and of each group, (metrics, 1 + groups), and notes on them."""
    members = groups.members[groups.codes[rows]]  # (rows, groups)
    parts = [rows, *(rows[inside] for inside in members.T)]
    found = [[call(part) for part in parts] for call in calls]
    return np.array([[value for value, _ in line] for line in found]), [
        [note for _, note in line] for line in found
    ]


def _with_gaps(values: np.ndarray, groups: Groups) -> np.ndarray:
    """Return the numbers of `_keys`, (draws, keys), from values of all images and groups, in order."""
    inside = [values[..., 1:][..., place] for place in groups.families.values()]
    gaps = np.stack([gap(part) for part in inside for gap in (spread, _ratio)], axis=-1)
    return np.concatenate([values, gaps], axis=-1).reshape(len(values), -1)


def _ratio(values: np.ndarray) -> np.ndarray:
    """Return the smallest over the largest, NaN where one is negative or all are 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(lowest(values) < 0, np.nan, ratio(values))


def _keys(names: Sequence[str], groups: Groups) -> list[tuple[str, str]]:
    """Return the metric and the group, or family of groups, of every number."""
    keys = []
    for name in names:
        keys += [(name, group) for group in ("all", *groups.names)]
        keys += [(f"{name}_{gap}", family) for family in groups.families for gap in GAPS]
    return keys


def _notes(found: tuple[np.ndarray, list[list[str]]], groups: Groups) -> list[str]:
    """Return a note for each of `_keys`."""
    notes = []
    for values, said in zip(*found, strict=True):
        notes += said
        for place in groups.families.values():
            inside, names = values[1:][place], groups.names[place]
            lacking = [name for name, value in zip(names, inside, strict=True) if math.isnan(value)]
            skipped = (
                f"skips {len(lacking)} of {len(names)} groups: {', '.join(lacking[:3])}" if lacking else ""
            )
            if len(names) < 2:
                skipped = f"only one group, {names[0]}"
            notes += [skipped, "; ".join(filter(None, (skipped, _why_no_ratio(inside))))]
    return notes


def _why_no_ratio(values: np.ndarray) -> str:
    if lowest(values) < 0:
        return "negative numbers have no ratio"
    return "0 in every group" if (values[~np.isnan(values)] == 0).all() else ""


def _joined(one: list[str], other: list[str]) -> list[str]:
    return ["; ".join(dict.fromkeys(filter(None, pair))) for pair in zip(one, other, strict=True)]


def _sizes(groups: Groups, y: np.ndarray) -> dict[str, tuple[int, Any]]:
    """Return the number of images and of positives among all and in each group; <NA> without 0/1 labels."""
    binary = y.ndim == 1 and y.dtype.kind in "biuf" and bool(np.isin(y, (0, 1)).all())
    masks = {"all": np.ones(len(y), dtype=bool)} | {name: groups.mask(name) for name in groups.names}
    return {name: (int(m.sum()), int(y[m].sum()) if binary else pd.NA) for name, m in masks.items()}


def _named(metrics: Metric | Mapping[str, Metric]) -> dict[str, Metric]:
    named = (
        dict(metrics) if isinstance(metrics, Mapping) else {getattr(metrics, "__name__", "metric"): metrics}
    )
    if not named:
        raise UserError("There is no metric; give at least one function.")
    for name, function in named.items():
        if not callable(function):
            raise UserError(f"The metric '{name}' is {function!r}, no function; give f(y_true, y_pred).")
    return named


def _params(
    named: Mapping[str, Metric], metrics: Any, given: Mapping[str, Any], n: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return the arrays that each metric takes beside labels and predictions."""
    by_metric = given if isinstance(metrics, Mapping) else dict.fromkeys(named, given)
    for name, params in by_metric.items():
        if name not in named:
            raise UserError(f"sample_params are given for '{name}'; {nearest_names(name, named)}")
        if not isinstance(params, Mapping):
            raise UserError(
                f"sample_params of '{name}' must map names of parameters to arrays, as in "
                f"{{'{name}': {{'sample_weight': w}}}}."
            )
    return {
        name: {
            key: _array(values, f"'{key}' of '{name}'", n) for key, values in by_metric.get(name, {}).items()
        }
        for name in named
    }


def _array(values: ArrayLike, name: str, n: int | None = None) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 0 or len(array) == 0 or (n is not None and len(array) != n):
        wanted = "one value per image" if n is None else f"{n} values, one per image"
        raise UserError(f"{name} must have {wanted}, but has shape {array.shape}.")
    return array


def _short(error: object) -> str:
    """Return the first sentence of a message, on one line."""
    return " ".join(str(error).split()).split(". ")[0].rstrip(".")[:160]
