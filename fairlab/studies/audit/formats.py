"""What an audit tells, as text, JSON, Markdown or LaTeX."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from fairlab.core.estimate import markdown_table
from fairlab.studies.audit.conditions import Verdict
from fairlab.studies.audit.text import plain_table

Format = Literal["text", "json", "markdown", "latex"]


@dataclass(frozen=True)
class Told:
    """What an audit tells: sentences, what became of conditions, tables for people, and all numbers."""

    summary: Sequence[str]
    verdicts: Sequence[Verdict]
    tables: Sequence[tuple[str, pd.DataFrame]]
    metrics: pd.DataFrame  #: tidy, fractions
    files: Sequence[Path]


def text(told: Told) -> str:
    """Return sentences, aligned tables, and where the files are."""
    tables = [f"{title}\n{plain_table(table)}" for title, table in told.tables]
    verdicts = "\n".join(each.sentence for each in told.verdicts)
    files = "\n".join(f"  {path}" for path in told.files)
    return "\n\n".join(filter(None, ["\n".join(told.summary), *tables, verdicts, files]))


def as_json(told: Told) -> str:
    """Return an object with summary, conditions, metrics (the tidy rows, unrounded) and files.

    What is no number, undefined values and ends that are infinite, is null.
    """
    conditions = [
        {"condition": each.condition.text, "failed": each.failed, "sentence": each.sentence}
        for each in told.verdicts
    ]
    rows = [{name: _plain(value) for name, value in row.items()} for row in told.metrics.to_dict("records")]
    found = {
        "summary": list(told.summary),
        "conditions": conditions,
        "metrics": rows,
        "files": list(map(str, told.files)),
    }
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False)


def markdown(told: Told) -> str:
    """Return a list of the sentences, and the tables below headings."""
    parts = ["\n".join(f"* {sentence}" for sentence in told.summary)]
    if told.verdicts:
        parts.append("## Conditions\n\n" + "\n".join(f"* {each.sentence}" for each in told.verdicts))
    for title, table in told.tables:
        lines = [[str(cell).replace("|", "\\|") for cell in line] for line in table.to_numpy()]
        parts.append(f"## {title}\n\n{markdown_table(list(map(str, table.columns)), lines)}")
    return "\n\n".join(parts)


def latex(told: Told) -> str:
    """Return a table environment for each table (package booktabs), after the sentences as comments."""
    sentences = [*told.summary, *(each.sentence for each in told.verdicts)]
    parts = ["\n".join(f"% {sentence}" for sentence in sentences)]
    for title, table in told.tables:
        escaped = table.astype(str).map(_latex).rename(columns=_latex)
        parts.append(escaped.to_latex(index=False, caption=_latex(title), position="htbp").rstrip())
    return "\n\n".join(parts)


FORMATS: Mapping[Format, Callable[[Told], str]] = {
    "text": text,
    "json": as_json,
    "markdown": markdown,
    "latex": latex,
}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    value = value.item() if hasattr(value, "item") else value
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _latex(cell: str) -> str:
    """Escape what LaTeX takes for commands."""
    names = {"\\": "textbackslash", "~": "textasciitilde", "^": "textasciicircum", "<": "textless",
             ">": "textgreater", "|": "textbar"}  # fmt: skip
    signs = {ord(sign): f"\\{name}{{}}" for sign, name in names.items()}
    signs |= {ord(sign): f"\\{sign}" for sign in "&%$#_{}"} | {ord("\N{MINUS SIGN}"): "$-$"}
    return cell.translate(signs)
