"""Conditions under which an audit fails, for checks that run by themselves."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.groups.named_groups import Groups

#: What is judged: the value, or the end of its interval that is nearer to the limit.
JudgedOn = Literal["value", "interval"]
JUDGED_ON: tuple[JudgedOn, ...] = ("value", "interval")
#: Instead of a model: every difference of a model from the first.
CHANGE = "change"
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(
    r"(?:(?P<model>[^\[\]<>]+?)\s*:\s)?\s*(?P<metric>[^\[\]<>=:]+?)\s*"
    r"(?:\[(?P<group>.+)\]\s*)?(?P<sign>>=|<=|>|<)\s*(?P<limit>[^<>=\s]+)\s*"
)


class ConditionsBroken(Exception):
    """An audit was made, and a condition to fail holds; the text is what the audit tells."""


@dataclass(frozen=True)
class Condition:
    """A comparison that must not hold: ``"FNR[gender = Female] > 0.2"``."""

    text: str
    model: str | None
    metric: str
    group: str | None
    sign: str
    limit: float

    def rows(self, table: pd.DataFrame, models: Collection[str], groups: Groups) -> pd.DataFrame:
        """Return the rows of a tidy table that it speaks of; see `parse_conditions`."""
        rows = table[(table["metric"] == self.metric) & self._of_model(table["model"], models)]
        if self.group is None:
            whole = rows[rows["group"] == "all"]
            return rows if whole.empty else whole
        family = groups.names[groups.families[self.group]] if self.group in groups.families else (self.group,)
        compared = tuple(f"{name} {sign} " for name in family for sign in ("/", "-"))  # with a reference
        inside = rows["group"].isin(family) | rows["group"].str.startswith(compared)
        apart = rows[rows["group"] == self.group]  # of a column: what sets its groups apart
        return rows[inside] if apart.empty else apart

    def _of_model(self, names: pd.Series, models: Collection[str]) -> pd.Series:
        if self.model is None:
            return names.isin(list(models))
        if self.model == CHANGE and CHANGE not in models:
            return ~names.isin(list(models))
        return names == self.model


@dataclass(frozen=True)
class Verdict:
    """What became of a condition."""

    condition: Condition
    failed: bool
    sentence: str


def parse_conditions(texts: Sequence[str]) -> list[Condition]:
    """Return conditions ``MODEL: METRIC[GROUP] SIGN NUMBER``, SIGN being one of > >= < <=.

    Without a group a condition is about all rows, or for a metric between groups about every protected column
    and their intersections; a protected column stands for each of its groups. Without a model it is about
    every model; ``change`` stands for every difference from the first.

    Raises
    ------
    UserError
        If a text has another form.
    """
    return [_parsed(text) for text in texts]


def check_conditions(
    conditions: Iterable[Condition],
    metrics: Collection[str],
    groups: Collection[str],
    models: Collection[str],
) -> None:
    """Raise a UserError if a condition names a metric, group or model that there is not."""
    first, *others = models
    known_models = [*models, *(f"{name} - {first}" for name in others), *([CHANGE] if others else [])]
    for condition in conditions:
        said = f"--fail-if '{condition.text}'"
        if condition.metric not in metrics:
            near = nearest_names(condition.metric, metrics)
            raise UserError(f"{said} names the metric '{condition.metric}', which is not measured; {near}")
        if condition.model is not None and condition.model not in known_models:
            near = nearest_names(condition.model, known_models)
            raise UserError(f"{said} names the model '{condition.model}', which there is not; {near}")
        if condition.group is not None:
            parts = [condition.group, *re.split(r" [/-] ", condition.group)]
            if parts[0] not in groups and not (len(parts) == 3 and set(parts[1:]) <= set(groups)):
                near = nearest_names(condition.group, groups)
                raise UserError(f"{said} names the group '{condition.group}', which there is not; {near}")


def judge(
    conditions: Iterable[Condition],
    table: pd.DataFrame,
    models: Collection[str],
    groups: Groups,
    judged_on: JudgedOn = "value",
) -> list[Verdict]:
    """Return what becomes of each condition.

    Raises
    ------
    UserError
        If a condition speaks of no row of the table.
    """
    return [
        _judged(each, each.rows(table, models, groups), len(models) > 1, judged_on) for each in conditions
    ]


def _parsed(text: str) -> Condition:
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise UserError(
            f"--fail-if is '{text}'; write METRIC > NUMBER or METRIC[GROUP] > NUMBER, with >, >=, < or <=, "
            'such as "equalized_odds_difference > 0.1" or "FNR[gender = Female] > 0.2".'
        )
    try:
        limit = float(found["limit"])
    except ValueError:
        limit = math.nan
    if not math.isfinite(limit):
        raise UserError(f"--fail-if '{text}' compares with '{found['limit']}', which is no number; give one.")
    group = None if found["group"] is None else found["group"].strip()
    return Condition(text.strip(), found["model"], found["metric"], group, found["sign"], limit)


def _judged(condition: Condition, rows: pd.DataFrame, several: bool, judged_on: JudgedOn) -> Verdict:
    if rows.empty:
        raise UserError(
            f"--fail-if '{condition.text}' speaks of no row of the table: '{condition.metric}' is not "
            f"measured of '{condition.group}'; metrics.csv has the groups of every metric."
        )
    found: list[Any] = list(rows.itertuples())
    lacking = [row for row in found if math.isnan(_judged_number(row, condition, judged_on))]
    if lacking:
        row = lacking[0]
        what = "undefined" if math.isnan(row.value) else "without an interval"
        reason = f" ({row.note})" if row.note else ""
        return _verdict(condition, True, f"{what}{_where(row, several)}{reason}", len(lacking), "so")
    side = 1 if ">" in condition.sign else -1
    worst = max(found, key=lambda row: side * (_judged_number(row, condition, judged_on) - condition.limit))
    number = _judged_number(worst, condition, judged_on)
    failed = _OPERATORS[condition.sign](number, condition.limit)
    interval = "" if math.isnan(worst.low) else f" [{worst.low:.4f}, {worst.high:.4f}]"
    near = f", whose near end {number:.4f} is" if judged_on == "interval" else ","
    away = f"{abs(number - condition.limit):.4f} {'beyond' if failed else 'short of'} the limit"
    told = f"{worst.value:.4f}{interval}{_where(worst, several)}{near} {away}"
    return _verdict(condition, failed, told, len(found), "judged")


def _judged_number(row: Any, condition: Condition, judged_on: JudgedOn) -> float:
    if judged_on == "value" or math.isnan(row.value):
        return float(row.value)
    return float(row.low if ">" in condition.sign else row.high)


def _verdict(condition: Condition, failed: bool, told: str, n: int, many: str) -> Verdict:
    more = f" (the worst of {n} {many})" if n > 1 and many == "judged" else ""
    more = f" (and {n - 1} more)" if n > 1 and many == "so" else more
    return Verdict(condition, failed, f"{'FAILED' if failed else 'passed'} {condition.text}: {told}{more}.")


def _where(row: Any, several: bool) -> str:
    where = "" if row.group == "all" else f" for {row.group}"
    return f"{where} of {row.model}" if several else where
