"""From the tidy table of metrics to what a reader needs: before, after, and whether the change is clear.

The tidy table has one row per model, attribute, group and metric, with columns ``model, attribute, group,
metric, value, low, high, n, n_positive, seeds, note``. Values are fractions (KL: nats); ``low`` and ``high``
bound a 95% interval; rows of the model ``"debiased - baseline"`` hold paired differences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.data.attributes import check_attribute
from fairlab.figures.style import readable, with_or_without

BASELINE, DEBIASED, DIFFERENCE = "baseline", "debiased", "debiased - baseline"
WHOLE = "all"  # the group of rows measured on the whole evaluation set

Verdict = Literal["better", "worse", "no clear change", "sign changed", "undefined"]


@dataclass(frozen=True)
class Metric:
    """What a reader is told about a metric, and the unit it is printed in."""

    label: str
    meaning: str
    best: Literal["high", "zero"]
    about: Literal["fairness", "accuracy"]
    scale: float = 100.0
    digits: int = 1
    unit: str = "points"
    axis: str = "%"


#: The metrics that reports show, in this order (CVPR 2021, Section 4.1); other rows stay in the table only.
METRICS: dict[str, Metric] = {
    "DEO": Metric(
        "Gap in missed faces (DEO)",
        "how far apart the two groups' false negative rates are; 0 is fair, and chance alone puts it above 0",
        "zero",
        "fairness",
    ),
    "BA": Metric(
        "Bias amplification (BA)",
        "how much more the predictions follow the protected label than the true labels do; 0 is fair",
        "zero",
        "fairness",
    ),
    "KL": Metric(
        "Score divergence (KL)",
        "how differently scores are distributed in the two groups, given the true label; 0 is fair",
        "zero",
        "fairness",
        scale=1.0,
        digits=2,
        unit="nats",
        axis="nats",
    ),
    "AP": Metric(
        "Average precision (AP)",
        "how well scores rank faces by the target label; 100 is best",
        "high",
        "accuracy",
    ),
    "AP_balanced": Metric(
        "AP, groups weighted equally",
        "average precision with each label and group counting the same; 100 is best",
        "high",
        "accuracy",
    ),
}


_PLAIN = Metric("", "", "zero", "accuracy")  # how metrics that reports do not show are printed


@dataclass(frozen=True)
class Estimate:
    """One measured number with its 95% interval; NaN when it is undefined, `note` then says why."""

    value: float
    low: float
    high: float
    note: str = ""

    @property
    def defined(self) -> bool:
        return not math.isnan(self.value)

    @property
    def certain(self) -> bool:
        """Whether the interval is known and leaves out 0."""
        return self.low > 0 or self.high < 0

    def text(self, metric: Metric, signed: bool = False) -> str:
        """``"21.3 [18.0, 24.1]"``, or ``"n/a (0 positives in Male)"``."""
        if not self.defined:
            return f"n/a ({self.note.removeprefix('n/a').strip(' ()') or 'undefined'})"
        value = number(self.value, metric, signed)
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{value} [no interval]"
        return f"{value} [{number(self.low, metric, signed)}, {number(self.high, metric, signed)}]"


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
    def about(self) -> Metric:
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
        if self.about.best == "high":
            return "better" if self.difference.value > 0 else "worse"
        if self.before.value * self.after.value < 0 and self.after.certain:
            return "sign changed"
        return "better" if abs(self.after.value) < abs(self.before.value) else "worse"


def number(value: float, metric: Metric, signed: bool = False) -> str:
    """Format a fraction in the metric's unit, with a true minus sign and no ``-0.0``."""
    if math.isnan(value):
        return "n/a"
    rounded = round(value * metric.scale, metric.digits) + 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{metric.digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(fraction: float) -> str:
    """``0.973`` as ``"97.3%"``; undefined as ``"n/a"``."""
    return "n/a" if math.isnan(fraction) else f"{100 * fraction:.1f}%"


def estimate(table: pd.DataFrame, model: str, attribute: str, metric: str, group: str = WHOLE) -> Estimate:
    """Return one number of the tidy table; one that is absent is undefined, "not measured"."""
    row = _rows(table, attribute, metric, group).query("model == @model")
    if row.empty:
        return Estimate(math.nan, math.nan, math.nan, "not measured")
    return _estimate(row.iloc[0])


def _estimate(row: pd.Series) -> Estimate:
    note = "" if pd.isna(row["note"]) else str(row["note"])
    return Estimate(float(row["value"]), float(row["low"]), float(row["high"]), note)


def changes(table: pd.DataFrame, attribute: str) -> list[Change]:
    """Return what de-biasing did to each metric of `attribute`, in the order of `METRICS`.

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
    return [_change(table, attribute, name) for name in METRICS if name in set(measured["metric"])]


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
            "metric": [row.about.label for row in rows],
            "attribute": [row.attribute for row in rows],
            "baseline": [row.before.text(row.about) for row in rows],
            "de-biased": [row.after.text(row.about) for row in rows],
            "unit": [row.about.axis for row in rows],
            "paired difference": [row.difference.text(row.about, signed=True) for row in rows],
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
    texts = []
    for _, row in table.iterrows():
        metric, found = METRICS.get(row["metric"], _PLAIN), _estimate(row)
        difference = " - " in row["model"]
        unit = metric.unit if difference else metric.axis
        texts.append(found.text(metric, signed=difference) + (f" {unit}" if found.defined else ""))
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
