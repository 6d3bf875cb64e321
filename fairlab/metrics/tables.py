"""Tables for people."""

from __future__ import annotations

import pandas as pd

#: Metrics shown in percent; KL is shown in nats as it is.
_PERCENT = ("AP", "AP_balanced", "DEO", "BA")


def format_comparison(table: pd.DataFrame) -> str:
    """Return the table of `compare` (or `bootstrap`) as a Markdown table that also reads as plain text.

    Parameters
    ----------
    table : DataFrame
        What `compare` returned; several attributes may be concatenated.

    Returns
    -------
    str
        A line for each attribute and metric, a column for each model and each paired difference with its
        95% interval, and the numbers of images, positives and training seeds. AP, DEO and BA in percent
        (differences in points), KL in nats; undefined values as ``n/a (0 positives in Male)``.
    """
    models = list(dict.fromkeys(table["model"]))
    with_attribute = len(table["attribute"].unique()) > 1
    header = ["attribute"] * with_attribute + ["metric", *models, "images (positive)", "seeds"]
    lines = []
    for (attribute, metric), rows in table.groupby(["attribute", "metric"], sort=False):
        by_model = rows.set_index("model")
        first = rows.iloc[0]
        label = f"{metric} (%)" if metric in _PERCENT else str(metric)
        cells = [_cell(by_model.loc[model], str(metric), " - " in model) for model in models]
        counts = [f"{first['n']:,} ({first['n_positive']:,})", str(first["seeds"])]
        lines.append([str(attribute)] * with_attribute + [label, *cells, *counts])
    return markdown_table(header, lines)


def _cell(row: pd.Series, metric: str, is_difference: bool) -> str:
    if pd.isna(row["value"]):
        return f"n/a ({row['note']})"
    scale, digits = (100, 1) if metric in _PERCENT else (1, 2)
    sign = "+" if is_difference else ""
    value, low, high = (f"{scale * row[name]:{sign}.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def markdown_table(header: list[str], lines: list[list[str]]) -> str:
    """Return rows of cells as a Markdown table whose columns also line up as plain text."""
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in [header, rule, *lines]
    )
