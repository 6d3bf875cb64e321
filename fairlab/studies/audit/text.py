"""Tables of an audit as text."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from fairlab.core.estimate import PERCENT, Estimate
from fairlab.figures.style import readable
from fairlab.metrics.spec import DISPARITIES, RATES, MetricSpec, reported
from fairlab.metrics.tidy import estimate_in
from fairlab.studies.audit.measure import RECALL, Measured

#: Rates of a group that the page shows; the terminal shows fewer.
BINARY_RATES: tuple[str, ...] = ("accuracy", "FNR", "FPR", "selection_rate", "PPV", "ECE")
CLASS_RATES: tuple[str, ...] = ("accuracy", "balanced_accuracy", "ECE")
#: A group with fewer rows (of either class, for binary labels) is too small to say much.
SMALL = 50
#: A table of classes has a column for each of at most so many groups.
MOST_COLUMNS = 8


def gap_metrics() -> dict[str, MetricSpec]:
    """Return the metrics of whole columns, in their order; DEO is a difference in equal opportunity."""
    return {name: spec for name, spec in (DISPARITIES | reported()).items() if name != "DEO"}


def rate_tables(measured: Measured, *, brief: bool = False) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a title and a table of the groups' rates for each model.

    Parameters
    ----------
    measured : Measured
    brief : bool
        Whether to leave out what a terminal has no room for.
    """
    shown = BINARY_RATES if measured.binary else CLASS_RATES
    shown = shown[: 3 if measured.binary else 1] if brief else shown
    heads, small = {name: RATES[name].label for name in shown}, small_groups(measured)
    for model in measured.models:
        rows = measured.table[(measured.table["model"] == model) & measured.table["metric"].isin(heads)]
        rows = rows[rows["group"].isin(("all", *measured.groups.names))]
        lines = []
        for group, found in rows.groupby("group", sort=False):
            named = {row.metric: f"{estimate_in(row):#}" for row in _records(found)}
            # Where nobody is missed by chance an interval is [0, 0], which must not be taken for certainty.
            line = {"group": str(group) + (" (few)" if group in small else "")}
            line["rows"] = f"{found['n'].iloc[0]:,}"
            if measured.binary:
                line["positives"] = f"{found['n_positive'].iloc[0]:,}"
            lines.append(line | {heads[metric]: named[metric] for metric in heads if metric in named})
        yield f"{model}: every group, %", pd.DataFrame(lines)


def gap_table(measured: Measured) -> pd.DataFrame:
    """Return what sets the groups apart: a row for each metric and column, a column for each model."""
    metrics, families = gap_metrics(), ("all", *measured.groups.families)
    rows = measured.table[measured.table["metric"].isin(list(metrics))]
    rows = _sorted(rows[~rows["group"].isin(measured.groups.names)], "metric", metrics)
    lines = []
    for (group, metric), found in rows.groupby(["group", "metric"], sort=False):
        cells = {row.model: f"{estimate_in(row):#}" for row in _records(found)}
        notes = "; ".join(
            dict.fromkeys(note for note in map(_note, found["note"][found["value"].notna()]) if note)
        )
        measure = ", ".join(filter(None, (readable(str(metric)), metrics[str(metric)].unit.name.strip())))
        lines.append({"between": group, "measure": measure, **cells, "note": notes})
    table = _sorted(pd.DataFrame(lines), "between", families)
    return table if table["note"].any() else table.drop(columns="note")


def class_tables(measured: Measured) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a title and, for every class, the share that each model recognises, in each group."""
    for model in measured.models:
        found = measured.rows(model, RECALL)
        for name, column in measured.first.protected.items():
            groups = [f"{name} = {value}" for value in column.names]
            lines = []
            for each in measured.first.label.names:
                whole = f"{measured.label} = {each}"
                n = int(found["n"].get(whole, 0))
                line = {"class": each, "rows": f"{n:,}", "all": _cell(found, whole)}
                for group in groups if len(groups) <= MOST_COLUMNS else ():
                    line[group] = _cell(found, f"{group} & {whole}")
                lines.append(line)
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


def _sorted(table: pd.DataFrame, column: str, order: Iterable[str]) -> pd.DataFrame:
    """Return the rows by the place of a column's values in `order`; equal ones stay as they are."""
    places = {name: place for place, name in enumerate(order)}
    return table.sort_values(column, key=lambda values: values.map(places), kind="stable")


def _note(note: str) -> str:
    """Leave out what the summary says once for all."""
    return "; ".join(part for part in note.split("; ") if not part.startswith("threshold calibrated"))


def _records(rows: pd.DataFrame) -> list[Any]:
    return list(rows.itertuples())


def _cell(found: pd.DataFrame, group: str) -> str:
    return f"{Estimate.of(found.loc[group], PERCENT):#}" if group in found.index else "no rows"
