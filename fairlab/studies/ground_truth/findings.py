"""Findings: each assumption of the method, beside what is measured of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.estimate import PERCENT, PLAIN, POINTS, Estimate, Unit
from fairlab.core.text import markdown_table
from fairlab.figures.style import readable
from fairlab.studies.ground_truth.directions import INVERTED, PARTIAL
from fairlab.studies.ground_truth.fidelity import EXACT, PARTNERS, RANDOM

#: Units of findings by the name that the table gives them.
UNITS: dict[str, Unit] = {
    "share": PERCENT,
    "points": POINTS,
    "number": Unit(digits=1),
    "cosine": PLAIN,
    "correlation": PLAIN,
}
#: Models of the table of flips, and how readers know them.
MODEL_TITLES: dict[str, str] = {
    "baseline": "baseline",
    "debiased": "de-biased",
    "debiased - baseline": "paired difference",
}


class Finding(NamedTuple):
    """One measured number: see `findings`."""

    assumption: str
    measured: str
    value: float
    low: float
    high: float
    n: int
    unit: str
    note: str


def findings(tables: Mapping[str, pd.DataFrame], target: str, protected: str) -> pd.DataFrame:
    """Return the numbers that say whether the method's assumptions hold.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        As `fairlab.studies.ground_truth.execute.measure`.
    target, protected : str

    Returns
    -------
    DataFrame
        Columns assumption (in words), measured, value, low, high (95%), n, unit (a key of `UNITS`), note.
    """
    t, a = readable(target), readable(protected)
    rows = [
        *_fidelity(tables["pairs"], t, a),
        *_nuisance(tables["nuisance"]),
        *_directions(tables["directions"]),
        *_linearity(tables["linearity"]),
        *_label_noise(tables["label_noise"], protected),
        *_flips(tables["classifiers"], a),
    ]
    return pd.DataFrame(rows, columns=Finding._fields)


def findings_text(table: pd.DataFrame) -> str:
    """Return `findings` as a Markdown table that also reads as plain text."""
    header = ["the method assumes", "measured", "found [95% interval]", "n"]
    return markdown_table(header, findings_rows(table))


def findings_rows(table: pd.DataFrame) -> list[list[str]]:
    """Return `findings` as rows of text; an assumption is named once."""
    named = table["assumption"].where(table["assumption"] != table["assumption"].shift(), "")
    return [
        [assumption, str(row.measured), _text(row), f"{row.n:,}"]
        for assumption, row in zip(named, table.itertuples(), strict=True)
    ]


def sentences(table: pd.DataFrame, target: str, protected: str) -> list[str]:
    """Say in short what `findings` found; arguments as there."""
    found = {row.measured: _text(row) for row in table.itertuples()}
    t, a = readable(target), readable(protected)
    kept, flipped = (
        {kind: found[f"{what}, {kind}"] for kind in (PARTNERS, EXACT)}
        for what in (f"{t} kept", f"{a} flipped")
    )
    others = {kind: found[f"other attributes changed, {kind}"] for kind in (PARTNERS, EXACT, RANDOM)}
    wrong = [found[f"wrong labels of {faces}, all"] for faces in ("z", "z'")]
    flips = [found[f"predictions that flip with it, {name}"] for name in MODEL_TITLES.values()]
    return [
        f"{kept[PARTNERS]} of the partners show {t} as z does, {flipped[PARTNERS]} show the other {a}; of "
        f"exact counterfactuals, seen by the same oracle, it is {kept[EXACT]} and {flipped[EXACT]}.",
        f"{others[PARTNERS]} other attributes change from z to z', {others[EXACT]} between exact "
        f"counterfactuals, {others[RANDOM]} between random pairs.",
        f"The label given to z is wrong for {wrong[0]} of the z and for {wrong[1]} of the z'.",
        f"When only {a} changes in a face, {flips[0]} of the baseline's predictions flip, {flips[1]} of the "
        f"de-biased classifier's (paired difference {flips[2]}).",
    ]


def _text(row: Any) -> str:
    return str(Estimate.of(row, UNITS[row.unit]))


def _fidelity(table: pd.DataFrame, target: str, protected: str) -> Iterator[Finding]:
    asked = {
        "target kept": (f"z' shows {target} as z does", f"{target} kept", "share"),
        "protected flipped": (f"z' shows the other {protected}", f"{protected} flipped", "share"),
        "other attributes changed": ("z' changes no other attribute", "other attributes changed", "number"),
    }
    for metric, (assumption, measured, unit) in asked.items():
        for kind in (PARTNERS, EXACT, RANDOM):
            row = _one(table, pairs=kind, metric=metric)
            yield _finding(row, assumption, f"{measured}, {kind}", unit)


def _nuisance(table: pd.DataFrame) -> Iterator[Finding]:
    """Yield what stays least, measured by how far partners fall below exact counterfactuals."""
    kept = table[table["metric"] == "correlation"].pivot_table(
        index="nuisance", columns="pairs", values="value"
    )
    least = str((kept[EXACT] - kept[PARTNERS]).idxmax())
    for kind in (PARTNERS, EXACT):
        row = _one(table, pairs=kind, metric="correlation", nuisance=least)
        measured = f"correlation of {readable(least)} (the least kept of {len(kept)}), {kind}"
        yield _finding(row, "z' changes nothing but attributes", measured, "correlation")


def _directions(table: pd.DataFrame) -> Iterator[Finding]:
    names = {INVERTED: "from drawn counterfactuals", PARTIAL: "all other attributes held"}
    found = table[(table["metric"] == "corrected cosine") & table["direction"].isin(list(names))]
    for row in found.itertuples():
        measured = f"cosine with {readable(str(row.plane))}, {names[str(row.direction)]}"
        yield _finding(row, "a plane's normal is its attribute's direction", measured, "cosine")


def _linearity(table: pd.DataFrame) -> Iterator[Finding]:
    gains = table[(table["model"] == "network - plane") & (table["metric"] == "ROC AUC")]
    for row in gains.itertuples():
        measured = f"{readable(str(row.attribute))}: ROC AUC of a network minus a plane's"
        yield _finding(row, "one plane is enough", measured, "points")


def _label_noise(table: pd.DataFrame, protected: str) -> Iterator[Finding]:
    for faces in ("z", "z'"):
        for group in ("all", f"not {protected}", protected):
            row = _one(table, faces=faces, seed="all", group=group, metric="wrong")
            measured = f"wrong labels of {faces}, {readable(group)}"
            yield _finding(row, "the label given to z is right for z and z'", measured, "share")


def _flips(table: pd.DataFrame, protected: str) -> Iterator[Finding]:
    for model, name in MODEL_TITLES.items():
        row = _one(table, model=model, group="all", metric="flip_rate")
        unit = "points" if " - " in model else "share"
        yield _finding(
            row, f"the classifier then looks past {protected}", f"predictions that flip with it, {name}", unit
        )


def _one(table: pd.DataFrame, **wanted: str) -> Any:
    """Return the one row that has these values."""
    here = np.logical_and.reduce([table[column] == value for column, value in wanted.items()])
    (row,) = table[here].itertuples()
    return row


def _finding(row: Any, assumption: str, measured: str, unit: str) -> Finding:
    return Finding(assumption, measured, row.value, row.low, row.high, int(row.n), unit, row.note)
