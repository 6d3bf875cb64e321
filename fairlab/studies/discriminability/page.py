"""Text about attributes that were compared pair by pair: two tables and sentences."""

from typing import Any

import pandas as pd

from fairlab.core.estimate import PERCENT, POINTS, Estimate, markdown_table


def summarise(table: pd.DataFrame, ranking: pd.DataFrame) -> list[str]:
    """Return lines: the table of pairs, the ranking, and what they mean.

    Parameters
    ----------
    table, ranking : DataFrame
        As in `fairlab.studies.discriminability.measure.Result`.
    """
    pairs = sorted(map(_easier_first, _records(table)), key=lambda row: -row["difference"])
    header = ["easier", "harder", "AP easier (%)", "AP harder (%)", "difference (points)", "p (Holm)"]
    header += ["training images", "test images (rarest cell)", "seeds"]
    clear = [(row["first"], row["second"]) for row in pairs if row["p_holm"] < 0.05]
    means = [
        [row["name"], f"{_mean(row):#}", str(row["n_pairs"]), _names(clear, row["name"])]
        for row in _records(ranking.rename_axis("name").reset_index())
    ]
    return [
        markdown_table(header, [_cells(row) for row in pairs]),
        "",
        markdown_table(["attribute", "mean difference (points)", "pairs", "clearly easier than"], means),
        "",
        *_sentences(table, len(clear)),
    ]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _easier_first(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the table with the easier attribute as the first: what ends in either place swaps."""
    if row["difference"] >= 0:
        return row
    other = {"first": "second", "second": "first"}
    turned = {name: row["_".join(other.get(part, part) for part in name.split("_"))] for name in row}
    return turned | {"difference": -row["difference"], "low": -row["high"], "high": -row["low"]}


def _cells(row: dict[str, Any]) -> list[str]:
    precisions = [
        Estimate(row[f"ap_{place}"], row[f"ap_{place}_low"], row[f"ap_{place}_high"], unit=PERCENT)
        for place in ("first", "second")
    ]
    difference = Estimate(row["difference"], row["low"], row["high"], unit=POINTS)
    return [
        row["first"],
        row["second"],
        *(f"{precision:#}" for precision in precisions),
        f"{difference:#}",
        f"{row['p_holm']:.3f}" + ("" if row["p_holm"] < 0.05 else " (not told apart)"),
        f"{row['n_train']:,} ({row['n_train_both']:,} + {row['n_train_neither']:,})",
        f"{row['n']:,} ({row['n_smallest_cell']:,})",
        str(row["seeds"]),
    ]


def _mean(row: dict[str, Any]) -> Estimate:
    return Estimate(row["value"], row["low"], row["high"], unit=POINTS)


def _names(clear: list[tuple[str, str]], easier: str) -> str:
    return ", ".join(harder for first, harder in clear if first == easier) or "none"


def _sentences(table: pd.DataFrame, n_clear: int) -> list[str]:
    seeds = int(table["seeds"].iloc[0])
    varied = (
        "They do not cover how trainings vary, since there was one of each pair."
        if seeds == 1
        else f"They cover test images and {seeds} trainings of each pair."
    )
    return [
        "Each classifier was trained only on images in which the two labels agree, so that either would do; "
        "the one it then predicts better where they differ is the one it leans on. All four kinds of test "
        "image weigh the same: chance is 50%.",
        f"{n_clear} of {len(table)} pairs are told apart (Holm's method, 5%). Brackets: 95% intervals. "
        f"{varied}",
        "Training images: shown in an epoch (different ones with both labels + with neither); the rarer are "
        "repeated.",
        "Attributes are annotators' impressions of people in pictures, not who they are.",
    ]
