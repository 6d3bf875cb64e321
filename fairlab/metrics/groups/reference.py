"""Every group's rates against those of a reference group: ratios and differences, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.core.estimate import Estimate
from fairlab.metrics.groups.auc import AUC
from fairlab.metrics.groups.named_groups import Groups
from fairlab.metrics.intervals.proportion import difference
from fairlab.metrics.spec import RATES
from fairlab.metrics.tidy import COLUMNS

#: Rates that are compared; the calibration error is left out, as few images make it too large.
COMPARED: tuple[str, ...] = (*(name for name in RATES if name != "ECE"), AUC)
RATIO, DIFFERENCE = "ratio", "difference"


def against_reference(table: pd.DataFrame, groups: Groups, references: Mapping[str, str]) -> pd.DataFrame:
    """Return the ratio and the difference of each group's rates to those of a reference group.

    Parameters
    ----------
    table : DataFrame
        Rates of groups with 95% intervals, as `group_metrics`; differences of models in it are left out.
    groups : Groups
        The groups of the table.
    references : mapping of family to group
        For each protected column (or intersection, ``"gender & race"``) the group to compare with.

    Returns
    -------
    DataFrame
        The columns of `compare`. A ratio has a metric such as ``"FNR ratio"`` and the group
        ``"gender = Female / gender = Male"``; a difference ``"FNR difference"`` and
        ``"gender = Female - gender = Male"``, the reference last. n and n_positive count both groups. A ratio
        to a rate of 0 is NaN, and the note says so.

    Raises
    ------
    UserError
        If a family or a group is not one of `groups`.

    Notes
    -----
    Groups of one column have no image in common, so their rates are independent, and intervals follow from
    those of the two rates: Zou and Donner, Statistics in Medicine 2008 (differences; for Wilson's intervals
    this is Newcombe's), and Donner and Zou, Statistical Methods in Medical Research 2012 (ratios). A ratio
    has no upper end (inf) where the reference's rate may be 0.

    Examples
    --------
    >>> from fairlab.metrics import Groups, group_metrics
    >>> gender = {"gender": ["f"] * 40 + ["m"] * 40}
    >>> y_pred = [1] * 10 + [0] * 30 + [1] * 20 + [0] * 20
    >>> table = group_metrics([1, 0] * 40, y_pred, gender)
    >>> found = against_reference(table, Groups.of(gender), {"gender": "gender = m"})
    >>> found[found["metric"] == "selection_rate ratio"][["group", "value"]].values.tolist()
    [['gender = f / gender = m', 0.5]]
    """
    found: list[dict[str, Any]] = []
    rates = table[~table["model"].str.contains(" - ", regex=False) & table["metric"].isin(COMPARED)]
    for family, reference in references.items():
        names = _names(groups, family, reference)
        own = rates[rates["group"].isin(names)]
        for (_, metric), rows in own.groupby(["model", "metric"], sort=False):
            by_name = {row.group: row for row in rows.itertuples()}
            for name in names:
                if name != reference and name in by_name and reference in by_name:
                    found += _pair(str(metric), by_name[name], by_name[reference])
    return pd.DataFrame(found, columns=list(COLUMNS))


def ratio_interval(one: Estimate, two: Estimate) -> tuple[float, float]:
    """Return the 95% interval of one.value / two.value, both at least 0 and independent; high may be inf."""
    (a, low_a, high_a), (b, low_b, high_b) = (_ends(each) for each in (one, two))

    def root(x: float, y: float) -> float:
        return math.sqrt(max(0.0, (a * b) ** 2 - x * (2 * a - x) * y * (2 * b - y)))

    below = a * b + root(low_a, high_b)  # the fraction is turned round, so that 2 b = high_b is no hole
    low = low_a * (2 * a - low_a) / below if below else 0.0
    under = low_b * (2 * b - low_b)
    return low, (a * b + root(high_a, low_b)) / under if under else math.inf


def difference_interval(one: Estimate, two: Estimate) -> tuple[float, float]:
    """Return the 95% interval of one.value - two.value, both independent."""
    low, high = difference(_ends(one), _ends(two))
    return float(low), float(high)


def _ends(each: Estimate) -> tuple[float, float, float]:
    """Return a value and ends that hold it."""
    return each.value, min(each.low, each.value), max(each.high, each.value)


def _names(groups: Groups, family: str, reference: str) -> list[str]:
    """Return the names of a family's groups, one of which is the reference."""
    if family not in groups.families:
        raise UserError(f"There are no groups by '{family}'; {nearest_names(family, groups.families)}")
    names = list(groups.names[groups.families[family]])
    if reference not in names:
        raise UserError(
            f"The reference '{reference}' is no group by {family}; {nearest_names(reference, names)}"
        )
    return names


def _pair(metric: str, row: Any, reference: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of one rate of a group and its reference."""
    one, two = Estimate.of(row), Estimate.of(reference)
    counts = {name: getattr(row, name) + getattr(reference, name) for name in ("n", "n_positive")}
    lacking = "; ".join(each.note for each in (one, two) if not each.defined)
    for kind, sign in ((RATIO, "/"), (DIFFERENCE, "-")):
        note = lacking or (f"{metric} is 0 in {reference.group}" if kind == RATIO and not two.value else "")
        value, low, high = _numbers(kind, one, two, undefined=bool(note))
        yield {
            "model": row.model,
            "attribute": row.attribute,
            "group": f"{row.group} {sign} {reference.group}",
            "metric": f"{metric} {kind}",
            "value": value,
            "low": low,
            "high": high,
            **counts,
            "seeds": row.seeds,
            "note": note,
        }


def _numbers(kind: str, one: Estimate, two: Estimate, *, undefined: bool) -> tuple[float, float, float]:
    if undefined:
        return math.nan, math.nan, math.nan
    value = one.value / two.value if kind == RATIO else one.value - two.value
    if not (one.bounded and two.bounded):
        return value, math.nan, math.nan
    low, high = (ratio_interval if kind == RATIO else difference_interval)(one, two)
    return (value, low, high) if kind == RATIO else (value, *np.clip((low, high), -1.0, 1.0).tolist())
