"""Findings: each assumption of the method, beside what is measured of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.estimate import PERCENT, PLAIN, POINTS, Estimate, Unit, markdown_table
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
    rows: list[Finding] = []

    def add(table: pd.DataFrame, assumption: str, measured: str, unit: str, **wanted: str) -> None:
        """Add the one row of a table that has the wanted values."""
        here = np.logical_and.reduce([table[column] == value for column, value in wanted.items()])
        (row,) = table[here].itertuples()
        found: Any = row
        numbers = found.value, found.low, found.high, int(found.n)
        rows.append(Finding(assumption, measured, *numbers, unit, found.note))

    for metric, assumption, measured, unit in (
        ("target kept", f"z' shows {t} as z does", f"{t} kept", "share"),
        ("protected flipped", f"z' shows the other {a}", f"{a} flipped", "share"),
        ("other attributes changed", "z' changes no other attribute", "other attributes changed", "number"),
    ):
        for kind in (PARTNERS, EXACT, RANDOM):
            add(tables["pairs"], assumption, f"{measured}, {kind}", unit, pairs=kind, metric=metric)

    # Of the nuisance only what is kept least: where partners fall farthest below exact counterfactuals.
    nuisance = tables["nuisance"][tables["nuisance"]["metric"] == "correlation"]
    kept = nuisance.pivot_table(index="nuisance", columns="pairs", values="value")
    least = str((kept[EXACT] - kept[PARTNERS]).idxmax())
    assumption = "z' changes nothing but attributes"
    for kind in (PARTNERS, EXACT):
        measured = f"correlation of {readable(least)} (the least kept of {len(kept)}), {kind}"
        add(nuisance, assumption, measured, "correlation", pairs=kind, nuisance=least)

    directions = tables["directions"][tables["directions"]["metric"] == "corrected cosine"]
    estimates = {INVERTED: "from drawn counterfactuals", PARTIAL: "all other attributes held"}
    assumption = "a plane's normal is its attribute's direction"
    for plane, direction in zip(directions["plane"], directions["direction"], strict=True):
        if direction in estimates:
            measured = f"cosine with {readable(plane)}, {estimates[direction]}"
            add(directions, assumption, measured, "cosine", plane=plane, direction=direction)

    gains = tables["linearity"][tables["linearity"]["metric"] == "ROC AUC"]
    for attribute in gains["attribute"].unique():
        measured = f"{readable(attribute)}: ROC AUC of a network minus a plane's"
        wanted = {"model": "network - plane", "attribute": attribute}
        add(gains, "one plane is enough", measured, "points", **wanted)

    noise, assumption = tables["label_noise"], "the label given to z is right for z and z'"
    for faces in ("z", "z'"):
        for group in ("all", f"not {protected}", protected):
            wanted = {"faces": faces, "seed": "all", "group": group, "metric": "wrong"}
            add(noise, assumption, f"wrong labels of {faces}, {readable(group)}", "share", **wanted)

    for model, name in MODEL_TITLES.items():
        assumption, measured = f"the classifier then ignores {a}", f"predictions that flip with it, {name}"
        wanted = {"model": model, "group": "all", "metric": "flip_rate"}
        add(tables["classifiers"], assumption, measured, "points" if " - " in model else "share", **wanted)
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
