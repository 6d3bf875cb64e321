"""Tables of an audit as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from fairlab.figures.style import readable
from fairlab.studies.audit.measure import RECALL, Measured

#: Rates of a group that the page shows, with the heads of their columns; the terminal shows fewer.
BINARY_RATES = {
    "accuracy": "right",
    "FNR": "missed (FNR)",
    "FPR": "false alarms (FPR)",
    "selection_rate": "predicted positive",
    "PPV": "positives right (PPV)",
    "ECE": "calibration error (ECE)",
}
CLASS_RATES = {
    "accuracy": "right",
    "balanced_accuracy": "right, classes equal",
    "ECE": "calibration error (ECE)",
}
#: What the metrics of whole columns mean; metrics appear in this order.
MEANINGS = {
    "demographic_parity_difference": "how far apart the groups' shares of predicted positives are",
    "demographic_parity_ratio": "the smallest such share over the largest; 1 is even",
    "equalized_odds_difference": "the larger of the gaps in true and in false positive rates",
    "equal_opportunity_difference": "how far apart the groups' true positive rates are; for two groups, DEO",
    "accuracy_difference": "how far apart the groups' accuracies are",
    "worst_group_accuracy": "the accuracy in the group that has the lowest",
    "BA": "bias amplification: how much more predictions follow the group than true labels do; 0 is even",
    "KL": "how differently scores are spread in the two groups, given the true label, in nats; 0 is even",
    "AP_balanced": "average precision with each label and group counting the same; 100 is best",
    "AP": "average precision: how well scores rank rows by the label; 100 is best",
}
_PLAIN = {"KL", "demographic_parity_ratio"}  # printed as they are, all else in per cent
#: A group with fewer rows (of either class, for binary labels) is too small to say much.
SMALL = 50
#: A table of classes has a column for each of at most so many groups.
MOST_COLUMNS = 8


def text(row: Any, *, signed: bool = False) -> str:
    """Return ``"12.3 [11.0, 13.6]"``, in per cent but for KL and ratios, or ``"n/a (reason)"``."""
    if math.isnan(row.value):
        return f"n/a ({row.note})" if row.note else "n/a"
    value, low, high = (_number(x, row.metric, signed) for x in (row.value, row.low, row.high))
    return f"{value} [no interval]" if math.isnan(row.low) else f"{value} [{low}, {high}]"


def rate_tables(measured: Measured, *, brief: bool = False) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a title and a table of the groups' rates for each model.

    Parameters
    ----------
    measured : Measured
    brief : bool
        Whether to leave out what a terminal has no room for.
    """
    heads = BINARY_RATES if measured.binary else CLASS_RATES
    heads = dict(list(heads.items())[: 3 if measured.binary else 1]) if brief else heads
    for model in measured.models:
        rows = measured.table[(measured.table["model"] == model) & measured.table["metric"].isin(heads)]
        rows = rows[rows["group"].isin(("all", *measured.groups.names))]
        table = _wide(rows, heads, counts=measured.binary)
        # Where nobody is missed by chance an interval is [0, 0], which must not be taken for certainty.
        few = table["group"].isin(small_groups(measured))
        yield (
            f"{model}: every group, %",
            table.assign(group=table["group"] + few.map({True: " (few)", False: ""})),
        )


def gap_table(measured: Measured) -> pd.DataFrame:
    """Return what sets the groups apart: a row for each metric and column, a column for each model."""
    rows = measured.table[measured.table["metric"].isin(MEANINGS)]
    rows = rows[~rows["group"].isin(measured.groups.names)]
    order = {metric: place for place, metric in enumerate(MEANINGS)}
    rows = rows.sort_values("metric", key=lambda metrics: metrics.map(order), kind="stable")
    lines = []
    for (group, metric), found in rows.groupby(["group", "metric"], sort=False):
        cells = {row.model: text(row, signed=row.model not in measured.models) for row in _records(found)}
        notes = "; ".join(
            dict.fromkeys(note for note in map(_note, found["note"][found["value"].notna()]) if note)
        )
        unit = "" if metric in _PLAIN else ", %"
        lines.append({"between": group, "measure": readable(str(metric)) + unit, **cells, "note": notes})
    table = pd.DataFrame(lines).sort_values("between", key=_family_order(measured), kind="stable")
    return table if table["note"].any() else table.drop(columns="note")


def class_tables(measured: Measured) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a title and, for every class, the share that each model recognises, in each group."""
    recall = measured.table[measured.table["metric"] == RECALL]
    for model in measured.models:
        found = recall[recall["model"] == model].set_index("group")
        for name, column in measured.first.protected.items():
            columns = {"": "all"} | {f"{name} = {value} & ": f"{name} = {value}" for value in column.names}
            if len(column.names) > MOST_COLUMNS:
                columns = {"": "all"}
            lines = [
                {"class": each} | {"rows": _count(found, f"{measured.label} = {each}")}
                | {head: _cell(found, f"{start}{measured.label} = {each}") for start, head in columns.items()}
                for each in measured.first.label.names
            ]  # fmt: skip
            yield f"{model}: recognised of every class, by {readable(name)}, %", pd.DataFrame(lines)


def plain_table(table: pd.DataFrame) -> str:
    """Return a table of text in aligned columns, numbers of rows to the right."""
    columns = []
    for name in table.columns:
        cells = [str(name), *map(str, table[name])]
        width = max(map(len, cells))
        right = name in ("rows", "positives")
        columns.append([cell.rjust(width) if right else cell.ljust(width) for cell in cells])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def small_groups(measured: Measured) -> dict[str, int]:
    """Return the groups that are too small to say much, and the rows of the scarcer class (or all rows)."""
    rows = measured.table[measured.table["group"].isin(measured.groups.names)].drop_duplicates("group")
    rows = rows.set_index("group")
    scarcest = rows["n"]
    if measured.binary:
        scarcest = rows["n_positive"].clip(upper=rows_behind(rows, "FPR"))
    return {str(group): int(n) for group, n in scarcest[scarcest < SMALL].items()}


def rows_behind(rows: pd.DataFrame, rate: str) -> pd.Series:
    """Return how many rows of the file a rate of each group is a share of."""
    if rate == "FNR":
        return rows["n_positive"]
    return rows["n"] - rows["n_positive"] if rate == "FPR" else rows["n"]


def _wide(rows: pd.DataFrame, heads: Mapping[str, str], counts: bool) -> pd.DataFrame:
    lines = []
    for group, found in rows.groupby("group", sort=False):
        named = {row.metric: text(row) for row in _records(found)}
        who = {"group": str(group), "rows": f"{found['n'].iloc[0]:,}"}
        if counts:
            who["positives"] = f"{found['n_positive'].iloc[0]:,}"
        lines.append(who | {head: named[metric] for metric, head in heads.items() if metric in named})
    return pd.DataFrame(lines)


def _family_order(measured: Measured) -> Any:
    order = {name: place for place, name in enumerate(("all", *measured.groups.families))}
    return lambda families: families.map(order)


def _note(note: str) -> str:
    """Leave out what the summary says once for all."""
    return "; ".join(part for part in note.split("; ") if not part.startswith("threshold calibrated"))


def _records(rows: pd.DataFrame) -> list[Any]:
    return list(rows.itertuples())


def _cell(found: pd.DataFrame, group: str) -> str:
    return text(found.loc[group]) if group in found.index else "no rows"


def _count(found: pd.DataFrame, group: str) -> str:
    return f"{int(found['n'].get(group, 0)):,}"


def _number(value: float, metric: str, signed: bool) -> str:
    scale, digits = (1, 2) if metric in _PLAIN else (100, 1)
    rounded = round(scale * value, digits) + 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{digits}f}".replace("-", "\N{MINUS SIGN}")
