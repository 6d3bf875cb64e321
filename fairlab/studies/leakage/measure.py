"""Dataset leakage: how well a protected label can be guessed from the other labels."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, Estimate, markdown_table
from fairlab.core.files import write_text
from fairlab.data.label_files import LabelTable, align, read_labels
from fairlab.metrics.leakage.balanced import Sample
from fairlab.metrics.leakage.leakage import Leakage, dataset_leakage, leakage_table

#: Images of the original training sets, and their published leakage in per cent.
PUBLISHED = {("imSitu", 24_301): 68.35, ("COCO", 22_826): 67.72}
SOURCE = "Wang et al., ICCV 2019; recalled, not checked"


def leakage(
    train: Path,
    *,
    valid: Path | None = None,
    test: Path | None = None,
    ids: Path | None = None,
    protected: str | None = None,
    labels: Sequence[str] | None = None,
    attacker: str = "logistic",
    rounds: int = 5,
    seed: int = 0,
    out: Path | None = None,
) -> str:
    """Measure how well the protected label can be guessed from a data set's labels.

    Parameters
    ----------
    train : Path
        What attackers learn from; see `fairlab.data.label_files.read_labels` for the formats.
    valid, test : Path, optional
        What they are chosen by and counted on. Without `test`, each round's balanced sample is split at
        random, 80/10/10.
    ids : Path, optional
        Row numbers of `train` to keep.
    protected : str, optional
        Column of the protected label, in tables.
    labels : sequence of str, optional
        Columns of the labels, in tables.
    attacker : "logistic" or "mlp"
    rounds, seed : int
    out : Path, optional
        Where to write the tidy table as CSV.

    Returns
    -------
    str
        A table, and what it means in sentences.

    Raises
    ------
    UserError
        If a file cannot be read or measured.
    """
    if test is None and valid is not None:
        raise UserError("Validation labels without test labels are of no use; give both, or neither.")
    given = {"train": train, "test": test, "valid": valid}
    read = {
        name: read_labels(path, protected=protected, labels=labels, ids=ids if name == "train" else None)
        for name, path in given.items()
        if path is not None
    }
    tables = dict(zip(read, align(list(read.values())), strict=True))
    samples: dict[str, Sample] = {name: (table.labels, table.protected) for name, table in tables.items()}
    measured = dataset_leakage(
        *samples["train"],
        attacker=attacker,
        rounds=rounds,
        seed=seed,
        evaluation=samples.get("test"),
        valid=samples.get("valid"),
    )
    original = PUBLISHED.get((tables["train"].kind, len(tables["train"]))) if ids is None else None
    table = leakage_table({"dataset leakage": measured}, model=attacker, attribute=protected or "gender")
    if out is not None:
        write_text(out, table.to_csv(index=False))
    return "\n".join([_table(table, original), "", *_sentences(measured, tables["train"], test is None)])


def _table(table: pd.DataFrame, original: float | None) -> str:
    """Return the one row in per cent; a published figure in a column of its own."""
    (row,) = table.to_dict("records")
    found = Estimate(row["value"], row["low"], row["high"], unit=PERCENT)
    cells = {
        "protected": str(row["attribute"]),
        "attacker": str(row["model"]),
        "leakage (%)": f"{found:#}",
        "rounds": str(row["seeds"]),
        "test images": f"{row['n']:,}",
    }
    if original is not None:
        cells[f"published ({SOURCE})"] = f"{original:.2f}"
    return markdown_table(list(cells), [list(cells.values())])


def _sentences(measured: Leakage, train: LabelTable, split: bool) -> list[str]:
    low, _ = measured.interval
    what = f"{len(train.names)} {'classes' if train.labels.ndim == 1 else 'labels'}"
    if train.labels.ndim == 2 and len(train.names) <= 5:
        what += f" ({', '.join(train.names)})"
    verdict = "" if low > 0.5 else " That is not told apart from chance."
    spread = f", {100 * measured.std:.1f} points of standard deviation" if len(measured.rounds) > 1 else ""
    where = "held-out images of the same file" if split else "the test file"
    return [
        f"From {what} alone an attacker guesses {' or '.join(train.groups)} right in "
        f"{100 * measured.value:.1f}% of images, as many of one as of the other ({where}){spread}; chance is "
        f"50%.{verdict}",
        "These group labels are annotators' impressions of people in pictures, not who they are.",
    ]
