"""Summary of an audit in sentences: the largest gaps, and whether they may be chance."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fairlab.core.estimate import PERCENT, POINTS, Estimate, number, percent
from fairlab.figures.style import readable
from fairlab.metrics.intervals.extremes import Shares, largest_gap, no_gap_p_value
from fairlab.studies.audit.measure import RECALL, Measured
from fairlab.studies.audit.text import SMALL, rows_behind, small_groups

#: What a rate is called in a sentence.
_RATE_NAMES = {"FNR": "positives missed", "FPR": "false alarms among negatives", "accuracy": "rows right"}
NOT_CHANCE = 0.05  # below this p-value a gap is not put down to chance
_NAMED = 4  # small groups that a sentence names

COVERAGE = (
    "The intervals cover the chance in picking these rows. They do not cover wrong labels, groups recorded "
    "wrongly, how the rows were chosen, or another training of the model."
)


def summarise(measured: Measured) -> list[str]:
    """Return what an audit found, in sentences.

    Returns
    -------
    list of str
        How often each model is right, the largest gap of each protected column (largest first), what changes
        between two models, which groups are too small, and what intervals leave out.
    """
    sentences = [_overall(measured, model) for model in measured.models]
    sentences += [sentence for _, sentence in sorted(_gaps(measured), key=lambda gap: -gap[0])]
    if not measured.binary:
        sentences += _classes(measured)
    sentences += _changes(measured)
    if small := small_groups(measured):
        named = ", ".join(f"{name} ({n})" for name, n in list(small.items())[:_NAMED])
        more = f" and {len(small) - _NAMED} more" if len(small) > _NAMED else ""
        what = "positives or negatives" if measured.binary else "rows"
        sentences.append(
            f"{len(small)} of {len(measured.groups)} groups have fewer than {SMALL} {what}, too few to say "
            f"much: {named}{more}."
        )
    return [*sentences, COVERAGE]


def _overall(measured: Measured, model: str) -> str:
    row: Any = measured.rows(model, "accuracy").loc["all"]
    found = f"{model} is right in {percent(row.value)} of {row.n:,} rows ({_interval(row)})"
    if not measured.binary:
        return f"{found}."
    if model not in measured.thresholds:
        return f"{found}."
    threshold = f"at the threshold {measured.thresholds[model]:.4g}"
    if model in measured.calibrated:
        calibrated = measured.calibrated[model]
        numbers = (
            calibrated.shortfall or f"as many are predicted positive as are positive, {calibrated.flagged:,}"
        )
        threshold += f", calibrated on these very rows: {numbers}"
    return f"{found} {threshold}."


def _gaps(measured: Measured) -> Iterator[tuple[float, str]]:
    """Yield the size of the first model's largest gap in each family of groups, and the sentence about it."""
    model = next(iter(measured.models))
    for family in measured.groups.families:
        rates = ("FNR", "FPR") if measured.binary else ("accuracy",)
        told = {rate: rows for rate in rates if len(rows := _large(measured, model, rate, family)) > 1}
        if not told:
            yield -1, f"By {_by(family)}, no gap can be told: fewer than two groups have {SMALL} rows for it."
            continue
        rate = max(told, key=lambda name: np.ptp(told[name]["value"]))
        ends: list[Any] = list(told[rate].itertuples())
        # Of all these gaps the largest is picked, so its interval covers them all at once.
        picked = largest_gap(tuple(_shares(measured, name, rows) for name, rows in told.items()))
        size = float(ends[-1].value - ends[0].value)
        apart = f"{number(size, PERCENT)} points apart, {Estimate(size, *picked[:2], unit=PERCENT).range}"
        chance = _chance(picked.p_value, f"the largest gap among {_groups_told(told)}")
        told_ends = f"{_RATE_NAMES[rate]}: {_ends(ends[0], ends[-1], 'for')}"
        yield size, f"By {_by(family)}, the largest gap is in {told_ends}, {apart}{chance}"


def _large(measured: Measured, model: str, rate: str, family: str) -> pd.DataFrame:
    """Return the rows of the groups of a family that are not too small, by rising rate."""
    names = list(measured.groups.names[measured.groups.families[family]])
    rows = measured.rows(model, rate).loc[names].dropna(subset="value").sort_values("value")
    return rows[rows_behind(rows, rate) >= SMALL]


def _shares(measured: Measured, rate: str, rows: pd.DataFrame) -> Shares:
    """Return a rate of groups, of as many rows as are worth as much."""
    n = rows_behind(rows, rate).to_numpy(dtype=np.float64) / measured.design_effect
    return Shares(rows["value"].to_numpy(dtype=np.float64), n)


def _groups_told(told: Mapping[str, pd.DataFrame]) -> str:
    groups = f"{max(map(len, told.values()))} groups"
    return groups if len(told) == 1 else f"{groups} in {len(told)} rates"


def _classes(measured: Measured) -> Iterator[str]:
    """Yield the classes recognised least and most, and the class in which groups are furthest apart."""
    rows = measured.rows(next(iter(measured.models)), RECALL)
    rows = rows[rows["n"] >= SMALL].sort_values("value")
    classes = [f"{measured.label} = {name}" for name in measured.first.label.names]
    whole: list[Any] = list(rows[rows.index.isin(classes)].itertuples())
    if len(whole) > 1:
        yield f"The classes recognised least and most often: {_ends(whole[0], whole[-1], 'of')}."
    within = []  # the groups of each column in each class
    for name, column in measured.first.protected.items():
        for each in classes:
            found = rows[rows.index.isin([f"{name} = {value} & {each}" for value in column.names])]
            within += [found] if len(found) > 1 else []
    if within:
        largest = max(within, key=lambda found: np.ptp(found["value"]))
        ends: list[Any] = list(largest.itertuples())
        least, most = ends[0], ends[-1]
        p_value = min(1.0, len(within) * min(no_gap_p_value(_shares(measured, RECALL, f)) for f in within))
        size = number(most.value - least.value, PERCENT)
        chance = _chance(p_value, f"the largest of gaps in {len(within)} classes")
        yield f"The largest gap within a class: {_ends(least, most, 'of')}, {size} points apart{chance}"


def _ends(least: Any, most: Any, word: str) -> str:
    return " and ".join(
        f"{percent(end.value)} {word} {end.Index} ({_interval(end)})" for end in (least, most)
    )


def _chance(p_value: float, picked: str) -> str:
    """Say how often chance alone sets groups so far apart, where the gap was picked."""
    if p_value >= NOT_CHANCE:
        return (
            f"; chance alone makes {picked} as large in {100 * p_value:.0f}% of cases, so this may be chance."
        )
    least = "less than 0.1%" if p_value < 0.001 else f"{100 * p_value:.1f}%"
    return f"; chance alone makes {picked} as large in {least} of cases."


def _changes(measured: Measured) -> Iterator[str]:
    first, *others = measured.models
    metric = "equalized_odds_difference" if measured.binary else "accuracy_difference"
    for other in others:
        for family in measured.groups.families:
            row: Any = measured.rows(f"{other} - {first}", metric).loc[family]
            name = f"{readable(metric)} by {_by(family)}"
            if math.isnan(row.value):
                yield f"Whether the {name} changes from {first} to {other} is unknown ({row.note})."
            elif row.low <= 0 <= row.high:
                yield f"The {name} shows no clear change from {first} to {other} ({_change(row)})."
            else:
                size = "larger" if row.value > 0 else "smaller"
                yield f"The {name} is {size} in {other} than in {first} ({_change(row)})."


def _by(family: str) -> str:
    return readable(family).replace(" & ", " and ")


def _interval(row: Any) -> str:
    return Estimate.of(row, PERCENT).range


def _change(row: Any) -> str:
    return f"difference {number(row.value, POINTS)} points, {_interval(row)}"
