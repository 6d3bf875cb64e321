"""Changes of metrics by de-biasing, read from the tidy table, and the table as text.

The tidy table has one row per model, attribute, group and metric, with columns ``model, attribute, group,
metric, value, low, high, n, n_positive, seeds, note``. Values are fractions (KL: nats); ``low`` and ``high``
bound a 95% interval; rows of the model ``"debiased - baseline"`` hold paired differences.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import Estimate
from fairlab.data.attributes import check_attribute
from fairlab.figures.style import readable, with_or_without
from fairlab.metrics.spec import METRICS, MetricSpec, reported
from fairlab.metrics.tidy import estimate_in

BASELINE, DEBIASED, DIFFERENCE = "baseline", "debiased", "debiased - baseline"
WHOLE = "all"  # the group of rows measured on the whole evaluation set

Verdict = Literal["better", "worse", "no clear change", "sign changed", "undefined"]


@dataclass(frozen=True)
class Change:
    """One metric before and after de-biasing."""

    metric: str
    attribute: str
    before: Estimate
    after: Estimate
    difference: Estimate
    n: int
    n_positive: int

    @property
    def spec(self) -> MetricSpec:
        return METRICS[self.metric]

    @property
    def short(self) -> str:
        return readable(self.metric)

    @property
    def notes(self) -> str:
        """What the reader must know of the numbers that are defined, such as how many resamples were not."""
        estimates = (self.before, self.after, self.difference)
        return "; ".join(dict.fromkeys(part.note for part in estimates if part.defined and part.note))

    @property
    def verdict(self) -> Verdict:
        """Whether the paired interval shows a change, and whether it is for the better."""
        if not (self.before.defined and self.after.defined and self.difference.defined):
            return "undefined"
        if not self.difference.certain:
            return "no clear change"
        if self.spec.best == "high":
            return "better" if self.difference.value > 0 else "worse"
        if self.before.value * self.after.value < 0 and self.after.certain:
            return "sign changed"
        best = 1.0 if self.spec.best == "one" else 0.0
        return "better" if abs(self.after.value - best) < abs(self.before.value - best) else "worse"


def estimate(table: pd.DataFrame, model: str, attribute: str, metric: str, group: str = WHOLE) -> Estimate:
    """Return one number of the tidy table; one that is absent is undefined, "not measured"."""
    row = _rows(table, attribute, metric, group).query("model == @model")
    return Estimate(math.nan, note="not measured") if row.empty else estimate_in(row.iloc[0])


def differences(table: pd.DataFrame) -> pd.Series:
    """Return which rows of the tidy table are differences of two models."""
    return table["model"].str.contains(" - ", regex=False)


def changes(table: pd.DataFrame, attribute: str) -> list[Change]:
    """Return what de-biasing did to each metric of `attribute`, in the order of reports.

    Raises
    ------
    UserError
        If the table has no such attribute, or no rows for the whole evaluation set.
    """
    check_attribute(attribute, known=dict.fromkeys(table["attribute"]))
    measured = table[(table["attribute"] == attribute) & (table["group"] == WHOLE)]
    if measured.empty:
        raise UserError(
            f"The table of metrics has no rows of {attribute} with group '{WHOLE}'; compute them first."
        )
    return [_change(table, attribute, name) for name in reported() if name in set(measured["metric"])]


def comparison(table: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table as text for readers: one row per attribute and metric.

    Returns
    -------
    DataFrame
        Columns metric, attribute, unit, baseline, de-biased, paired difference, verdict, notes, images,
        positives.
    """
    rows = [change for attribute in dict.fromkeys(table["attribute"]) for change in changes(table, attribute)]
    return pd.DataFrame(
        {
            "metric": [row.spec.label for row in rows],
            "attribute": [row.attribute for row in rows],
            "baseline": [f"{row.before:#}" for row in rows],
            "de-biased": [f"{row.after:#}" for row in rows],
            "unit": [row.spec.unit.name.strip() for row in rows],
            "paired difference": [f"{row.difference:#}" for row in rows],
            "verdict": [str(row.verdict) for row in rows],
            "notes": [row.notes for row in rows],
            "images": [row.n for row in rows],
            "positives": [row.n_positive for row in rows],
        }
    )


def readable_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table as text, row by row: for tables of one classifier or of groups.

    Returns
    -------
    DataFrame
        Columns model, metric, group, value (with its 95% interval), images, positives. Fractions are
        printed in per cent.
    """
    texts = [str(estimate_in(row)) for row in table.itertuples()]
    names = [readable(str(name)) for name in table["metric"]]
    columns = {"model": table["model"], "metric": names, "group": table["group"], "value": texts}
    return pd.DataFrame({**columns, "images": table["n"], "positives": table["n_positive"]}).set_index(
        "model"
    )


def group_counts(
    y_true: np.ndarray, protected: np.ndarray, protected_name: str
) -> dict[str, tuple[int, int]]:
    """Return pictures and positives of each group: ``{"not Male": (1170, 640), "Male": (830, 328)}``.

    Parameters
    ----------
    y_true, protected : (n,) arrays of 0 and 1
    protected_name : str
    """
    groups = (y_true[protected == a] for a in (0, 1))
    return {
        name: (len(labels), int(labels.sum()))
        for name, labels in zip(with_or_without(protected_name), groups, strict=True)
    }


def _change(table: pd.DataFrame, attribute: str, metric: str) -> Change:
    rows = _rows(table, attribute, metric, WHOLE)
    return Change(
        metric=metric,
        attribute=attribute,
        before=estimate(table, BASELINE, attribute, metric),
        after=estimate(table, DEBIASED, attribute, metric),
        difference=estimate(table, DIFFERENCE, attribute, metric),
        n=int(rows["n"].iloc[0]),
        n_positive=int(rows["n_positive"].iloc[0]),
    )


def _rows(table: pd.DataFrame, attribute: str, metric: str, group: str) -> pd.DataFrame:
    keep = (table["attribute"] == attribute) & (table["metric"] == metric) & (table["group"] == group)
    return table[keep]
