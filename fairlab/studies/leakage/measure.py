"""Leakage: how well a protected label can be guessed from labels, and from a model's predictions of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, POINTS, Estimate, markdown_table
from fairlab.core.files import write_text
from fairlab.data.label_columns import LabelTable
from fairlab.data.label_files import align, read_labels
from fairlab.metrics.leakage.balanced import Sample
from fairlab.metrics.leakage.corruption import ChanceWarning
from fairlab.metrics.leakage.leakage import (
    Leakage,
    corrupted_dataset_leakage,
    dataset_leakage,
    leakage_amplification,
    leakage_table,
    model_leakage,
)
from fairlab.studies.leakage.predictions import Performance, check_measure, performance, read_predictions

#: Images of the original training sets, and their published leakage in per cent.
PUBLISHED = {("imSitu", 24_301): 68.35, ("COCO", 22_826): 67.72}
SOURCE = "Wang et al., ICCV 2019; recalled, not checked"

DATASET, CORRUPTED = "dataset leakage", "dataset leakage at F"
MODEL, AMPLIFICATION = "model leakage", "bias amplification"
PARTS = ("train", "valid", "test")
Part = Literal["train", "valid", "test"]


class Files(NamedTuple):
    """The files of one part: labels, published row numbers, and a model's predictions."""

    labels: Path | None = None
    ids: Path | None = None
    predictions: Path | None = None


def leakage(
    train: Path,
    *,
    valid: Path | None = None,
    test: Path | None = None,
    ids: Path | None = None,
    valid_ids: Path | None = None,
    test_ids: Path | None = None,
    predictions: Path | None = None,
    valid_predictions: Path | None = None,
    test_predictions: Path | None = None,
    performance_metric: str | None = None,
    at_performance: float | None = None,
    protected: str | None = None,
    labels: Sequence[str] | None = None,
    id_column: str | None = None,
    attacker: str = "logistic",
    rounds: int = 5,
    seed: int = 0,
    out: Path | None = None,
) -> str:
    """Measure how well the protected label can be guessed from a data set's labels and a model's predictions.

    Parameters
    ----------
    train : Path
        What attackers learn from; see `fairlab.data.label_files.read_labels` for the formats.
    valid, test : Path, optional
        What they are chosen by and counted on. Without `test`, each round's balanced sample is split,
        80/10/10.
    ids, valid_ids, test_ids : Path, optional
        Row numbers of `train`, `valid` and `test` to keep, such as those of a published subset.
    predictions, valid_predictions, test_predictions : Path, optional
        A model's predictions of the same images; see `read_predictions`. They give model leakage λ_M, the
        model's performance F, labels as accurate as that λ_D(F), and bias amplification Δ = λ_M - λ_D(F).
    performance_metric : "F1" or "mAP", optional
        What F is; F1 by default.
    at_performance : float, optional
        F, in 0..1, where there are no predictions to compute it from.
    protected : str, optional
        Column of the protected label, in tables.
    labels : sequence of str, optional
        Columns of the labels, in tables.
    id_column : str, optional
        Column that names the images, in tables and predictions; else rows are matched by their order.
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
        If a file cannot be read or measured, or one is given without another that it needs.
    """
    files = {
        "train": Files(train, ids, predictions),
        "valid": Files(valid, valid_ids, valid_predictions),
        "test": Files(test, test_ids, test_predictions),
    }
    measure = performance_metric or "F1"
    check_measure(measure)
    _check(files, at_performance, performance_metric)
    tables = _read(files, protected, labels, id_column)
    scores, notes = _scores(files, tables, id_column)
    counted = "test" if test is not None else "train"
    known: Performance | float | None = at_performance
    if scores:
        known = performance(tables[counted].labels, scores[counted], measure)  # type: ignore[arg-type]
    options: dict[str, Any] = {"attacker": attacker, "rounds": rounds, "seed": seed}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ChanceWarning)
        found = _measure(tables, scores, known, measure, options)
    notes += _said(caught)
    original = PUBLISHED.get((tables["train"].kind, len(tables["train"]))) if ids is None else None
    table = leakage_table(found, model=attacker, attribute=protected or "gender")
    if out is not None:
        write_text(out, table.to_csv(index=False))
    return "\n".join([_table(table, original), "", *_sentences(found, tables, known, notes)])


def _scores(
    files: Mapping[str, Files], tables: Mapping[str, LabelTable], id_column: str | None
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the predictions of each part that has some, and notes on how they were read."""
    read = {
        part: read_predictions(given.predictions, tables[part], id_column=id_column)
        for part, given in files.items()
        if given.predictions is not None
    }
    notes = [note for given in read.values() for note in given.notes]
    return {part: given.numbers for part, given in read.items()}, notes


def _said(caught: Sequence[warnings.WarningMessage]) -> list[str]:
    """Return what Python's warnings say, without the places in our source; of chance once for all rounds."""
    chance = [str(each.message) for each in caught if issubclass(each.category, ChanceWarning)]
    others = [str(each.message) for each in caught if not issubclass(each.category, ChanceWarning)]
    return [*chance[:1], *dict.fromkeys(others)]


def _check(files: Mapping[str, Files], at_performance: float | None, measure: str | None) -> None:
    """Raise a UserError if a file lacks another that it needs, or F is out of range."""
    if files["test"].labels is None and files["valid"].labels is not None:
        raise UserError("Validation labels without test labels are of no use; give both, or neither.")
    for part, given in files.items():
        for what, path in (("row numbers", given.ids), ("predictions", given.predictions)):
            if path is not None and given.labels is None:
                raise UserError(
                    f"{path} holds {what} of {part} images, but there is no --{part} file of labels."
                )
    predicted = [part for part, given in files.items() if given.predictions is not None]
    labelled = [part for part, given in files.items() if given.labels is not None]
    if predicted and predicted != labelled:
        lacking = next(part for part in labelled if part not in predicted)
        raise UserError(
            f"There are predictions of the {' and '.join(predicted)} images but none of the {lacking} ones; "
            "an attacker learns from predictions and is counted on predictions, so give them for every file."
        )
    if measure is not None and not predicted and at_performance is None:
        raise UserError(
            "A --performance-metric says what F is, and there is none; give --predictions or --performance."
        )
    if predicted and at_performance is not None:
        raise UserError("The performance is computed from the predictions; leave --performance out.")
    if at_performance is not None and not 0 <= at_performance <= 1:
        raise UserError(
            f"--performance lies between 0 and 1, but is {at_performance}; divide percentages by 100."
        )


def _read(
    files: Mapping[str, Files], protected: str | None, labels: Sequence[str] | None, id_column: str | None
) -> dict[str, LabelTable]:
    """Return the tables of labels that are given, with the same columns or classes."""
    read = {
        part: read_labels(
            given.labels, protected=protected, labels=labels, ids=given.ids, id_column=id_column
        )
        for part, given in files.items()
        if given.labels is not None
    }
    return dict(zip(read, align(list(read.values())), strict=True))


def _measure(
    tables: Mapping[str, LabelTable],
    scores: Mapping[str, np.ndarray],
    known: Performance | float | None,
    measure: str,
    options: Mapping[str, Any],
) -> dict[str, Leakage]:
    """Return every leakage that there are files for."""
    truth: dict[str, Sample] = {part: (table.labels, table.protected) for part, table in tables.items()}
    labels, groups = truth["train"]
    others: dict[str, Any] = dict(options) | {"evaluation": truth.get("test"), "valid": truth.get("valid")}
    found = {DATASET: dataset_leakage(labels, groups, **others)}
    if known is None:
        return found
    wanted = known.by_label if isinstance(known, Performance) else known
    found[CORRUPTED] = corrupted_dataset_leakage(labels, groups, wanted, metric=measure, **others)
    if scores:
        given: dict[str, Sample] = {part: (values, tables[part].protected) for part, values in scores.items()}
        found[MODEL] = model_leakage(
            given["train"][0],
            groups,
            evaluation=given.get("test"),
            valid=given.get("valid"),
            labels=labels,
            **options,
        )
        found[AMPLIFICATION] = leakage_amplification(found[MODEL], found[CORRUPTED])
    return found


def _table(table: pd.DataFrame, original: float | None) -> str:
    """Return a row for each leakage, in per cent; a published figure in a column of its own."""
    lines = []
    for row in table.to_dict("records"):
        unit = POINTS if row["metric"] == AMPLIFICATION else PERCENT
        found = Estimate(row["value"], row["low"], row["high"], unit=unit)
        lines.append(
            {
                "protected": str(row["attribute"]),
                "attacker": str(row["model"]),
                "measure": str(row["metric"]),
                "right (%)": f"{found:#}",
                "p": "< 0.001" if row["p_value"] < 0.001 else f"{row['p_value']:.3f}",
                "rounds": str(row["seeds"]),
                "test images": f"{row['n']:,}",
            }
        )
        if original is not None:
            lines[-1][f"published ({SOURCE})"] = f"{original:.2f}" if row["metric"] == DATASET else ""
    return markdown_table(list(lines[0]), [list(line.values()) for line in lines])


def _sentences(
    found: Mapping[str, Leakage],
    tables: Mapping[str, LabelTable],
    known: Performance | float | None,
    notes: Sequence[str],
) -> list[str]:
    train, data = tables["train"], found[DATASET]
    what = f"{len(train.names)} {'classes' if train.labels.ndim == 1 else 'labels'}"
    if train.labels.ndim == 2 and len(train.names) <= 5:
        what += f" ({', '.join(train.names)})"
    verdict = "" if data.p_value < 0.05 else " That is not told apart from chance."
    spread = f", {100 * data.std:.1f} points of standard deviation" if len(data.rounds) > 1 else ""
    where = "the test file" if "test" in tables else "held-out images of the same file"
    told = [
        f"From {what} alone an attacker guesses {' or '.join(train.groups)} right in "
        f"{100 * data.value:.1f}% of images, as many of one as of the other ({where}){spread}; chance is "
        f"50%.{verdict}",
        f"The published measure turns rounds below 50% round: {100 * data.published:.1f}%.",
    ]
    if isinstance(known, Performance):
        told.append(known.sentence)
    if AMPLIFICATION in found:
        told.append(_amplified(found[AMPLIFICATION]))
    told += dict.fromkeys(note for table in tables.values() for note in table.notes)
    told += dict.fromkeys(notes)
    told += [data.note] if data.note else []
    return [*told, "These group labels are annotators' impressions of people in pictures, not who they are."]


def _amplified(change: Leakage) -> str:
    low, high = change.interval
    size = f"{Estimate(change.value, low, high, unit=POINTS)}"
    if low <= 0 <= high:
        return f"The model's predictions leak about as much as equally accurate labels: {size}."
    more = "more" if change.value > 0 else "less"
    return f"The model's predictions leak {more} than equally accurate labels: {size}."
