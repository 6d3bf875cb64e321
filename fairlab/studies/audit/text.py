"""Tables of an audit as text."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from fairlab.core.estimate import PERCENT, PLAIN, POINTS, Estimate
from fairlab.figures.style import readable
from fairlab.metrics.groups.auc import AUC, LABEL, MEANING
from fairlab.metrics.groups.custom import GAPS
from fairlab.metrics.groups.reference import DIFFERENCE, RATIO
from fairlab.metrics.spec import DISPARITIES, RATES, MetricSpec, reported
from fairlab.metrics.tidy import estimate_in
from fairlab.studies.audit.measure import RECALL, Measured

#: Rates of a group that the page shows, a table for each title; the terminal shows fewer.
BINARY_RATES: Mapping[str, tuple[str, ...]] = {
    "every group": ("accuracy", "FNR", "FPR", "selection_rate", AUC, "ECE"),
    "how far predictions can be relied on": ("PPV", "FDR", "NPV", "FOR"),
}
CLASS_RATES: Mapping[str, tuple[str, ...]] = {"every group": ("accuracy", "balanced_accuracy", "ECE")}
#: A group with fewer rows (of either class, for binary labels) is too small to say much.
SMALL = 50
#: A table of classes has a column for each of at most so many groups.
MOST_COLUMNS = 8


def gap_metrics() -> dict[str, MetricSpec]:
    """Return the metrics of whole columns, in their order; DEO is a difference in equal opportunity."""
    return {name: spec for name, spec in (DISPARITIES | reported()).items() if name != "DEO"}


def rate_tables(measured: Measured, *, brief: bool = False) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield titles and tables of the groups' rates for each model.

    Parameters
    ----------
    measured : Measured
    brief : bool
        Whether to leave out what a terminal has no room for.
    """
    shown = BINARY_RATES if measured.binary else CLASS_RATES
    if brief:
        shown = {"every group": shown["every group"][: 3 if measured.binary else 1]}
    for model in measured.models:
        for title, rates in shown.items():
            yield f"{model}: {title}, %", _rates(measured, model, rates)


def _rates(measured: Measured, model: str, rates: Sequence[str]) -> pd.DataFrame:
    """Return a row for all rows and for each group, with a column for each rate."""
    heads, small = {name: heading(name) for name in rates}, small_groups(measured)
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
    return pd.DataFrame(lines)


def gap_table(measured: Measured) -> pd.DataFrame:
    """Return what sets the groups apart: a row for each metric and column, a column for each model."""
    metrics, families = gap_metrics(), ("all", *measured.groups.families)
    rows = measured.table[measured.table["metric"].isin(list(metrics))]
    rows = _sorted(rows[~rows["group"].isin(measured.groups.names)], "metric", metrics)
    lines = []
    for (group, metric), found in rows.groupby(["group", "metric"], sort=False):
        cells = {row.model: f"{estimate_in(row):#}{_chance(row)}" for row in _records(found)}
        notes = "; ".join(
            dict.fromkeys(note for note in map(_note, found["note"][found["value"].notna()]) if note)
        )
        measure = ", ".join(filter(None, (readable(str(metric)), metrics[str(metric)].unit.name.strip())))
        lines.append({"between": group, "measure": measure, **cells, "note": notes})
    table = _sorted(pd.DataFrame(lines), "between", families)
    return table if table["note"].any() else table.drop(columns="note")


def reference_tables(measured: Measured, *, brief: bool = False) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a title and a table of the groups' ratios, and of their differences, to the reference group.

    Parameters
    ----------
    measured : Measured
    brief : bool
        Whether to leave out what a terminal has no room for.
    """
    shown = ("FNR", "FPR", "selection_rate", "FDR", "FOR", AUC) if measured.binary else ("accuracy",)
    kinds = {RATIO: ("/", PLAIN), DIFFERENCE: ("-", POINTS)}
    for kind, (sign, unit) in list(kinds.items())[: 1 if brief else 2]:
        for model in measured.models:
            for family, reference in measured.references.items():
                lines = []
                for name in measured.groups.names[measured.groups.families[family]]:
                    pair, line = f"{name} {sign} {reference}", {"group": name}
                    for rate in shown[: 3 if brief else None]:
                        found = measured.rows(model, f"{rate} {kind}")
                        if pair in found.index:
                            line[heading(rate)] = f"{Estimate.of(found.loc[pair], unit):#}"
                    lines += [line] if len(line) > 1 else []
                what = "ratio" if kind == RATIO else "difference in points"
                yield f"{model}: {what} to {reference}", pd.DataFrame(lines)


def own_tables(measured: Measured) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a title and a table of each of the user's own metrics: groups, gaps, models and differences."""
    for name in measured.own:
        names = (name, *(f"{name}_{gap}" for gap in GAPS))
        rows = _sorted(measured.table[measured.table["metric"].isin(names)], "metric", names)
        lines = []
        for (metric, group), found in rows.groupby(["metric", "group"], sort=False):
            what = "" if metric == name else f" ({str(metric).removeprefix(name + '_')})"
            units = {
                model: PLAIN if model in measured.models else PLAIN.difference for model in found["model"]
            }
            cells = {row.model: f"{Estimate.of(row, units[row.model]):#}" for row in _records(found)}
            lines.append({"group": f"{group}{what}", "rows": f"{found['n'].iloc[0]:,}", **cells})
        yield f"{name}: your own metric", pd.DataFrame(lines)


def rate_meanings(measured: Measured) -> dict[str, str]:
    """Return what the rates of the page's tables are, by their heading."""
    shown = BINARY_RATES if measured.binary else CLASS_RATES
    known = set(measured.table["metric"])
    rates = [rate for each in shown.values() for rate in each if rate in known]
    return {heading(rate): MEANING if rate == AUC else RATES[rate].meaning for rate in rates}


def heading(rate: str) -> str:
    """Return what a rate of a group is called in a table."""
    return LABEL if rate == AUC else RATES[rate].label


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


def _chance(row: Any) -> str:
    """Return the p-value of a row, Holm's if it has one."""
    p = next((p for p in (row.p_holm, row.p_value) if not pd.isna(p)), math.nan)
    if pd.isna(p):
        return ""
    return ", p < 0.001" if p < 0.001 else f", p = {p:.2g}"


def _cell(found: pd.DataFrame, group: str) -> str:
    return f"{Estimate.of(found.loc[group], PERCENT):#}" if group in found.index else "no rows"
