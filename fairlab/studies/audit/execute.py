"""Audit of anyone's predictions, from the file to the table and the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import fairlab
from fairlab.core.errors import UserError, nearest_names
from fairlab.core.files import write_text
from fairlab.metrics.groups.custom import Metric
from fairlab.metrics.groups.named_groups import Groups
from fairlab.studies.audit.additions import check_metrics, known_metrics, with_metrics, with_references
from fairlab.studies.audit.bins import parse_bins
from fairlab.studies.audit.clusters import read_clusters
from fairlab.studies.audit.conditions import (
    JUDGED_ON,
    ConditionsBroken,
    JudgedOn,
    check_conditions,
    judge,
    parse_conditions,
)
from fairlab.studies.audit.formats import FORMATS, Format, Told
from fairlab.studies.audit.measure import MOST_ROWS, Measured, groups_of, measure
from fairlab.studies.audit.predictions import Columns, Predictions
from fairlab.studies.audit.read import read_models
from fairlab.studies.audit.references import reference_sentence, references_of
from fairlab.studies.audit.summary import summarise
from fairlab.studies.audit.text import class_tables, gap_table, own_tables, rate_tables, reference_tables
from fairlab.studies.audit.weights import read_weights

if TYPE_CHECKING:
    from fairlab.studies.audit.page import AuditReport

TABLE, PAGE = "metrics.csv", "report.html"
GAPS_TITLE = (
    "What sets the groups apart (in round brackets: without what chance alone adds; p: Holm's, of no gap)"
)


def audit(
    file: Path | str,
    *,
    label: str,
    score: str | None = None,
    prob_prefix: str | None = None,
    predicted: str | None = None,
    positive: str | None = None,
    protected: Sequence[str],
    compare: Path | str | Sequence[Path | str] = (),
    threshold: float | None = None,
    id_column: str | None = None,
    weight: str | None = None,
    cluster: str | None = None,
    reference: Sequence[str] = (),
    bins: Sequence[str] = (),
    fail_if: Sequence[str] = (),
    fail_on: JudgedOn = "value",
    metrics: Mapping[str, Metric] | None = None,
    out: Path | str | None = None,
    form: Format = "text",
    n_resamples: int = 1000,
    seed: int = 0,
) -> str:
    """Measure the predictions in a file group by group, and write a table and a page.

    Parameters
    ----------
    file : path
        CSV, TSV or Parquet with one row per prediction.
    label : str
        Column of true labels: binary with `score`, classes with `prob_prefix`.
    score : str, optional
        Column of scores in [0, 1].
    prob_prefix : str, optional
        How the names of the columns of class probabilities begin; the rest is the class.
    predicted : str, optional
        Column of what is predicted, 0/1 or a class, where there are no scores.
    positive : str, optional
        Which of two texts in `label` (and `predicted`) is the positive one.
    protected : sequence of str
        Columns that form groups; of several, intersections are measured too.
    compare : path, or sequence of paths
        The same rows with the predictions of other models; differences are from `file`.
    threshold : float, optional
        A score above it is predicted positive; None calibrates it on these very rows.
    id_column : str, optional
        What names a row in all files; without it they are matched in order.
    weight : str, optional
        Column of what each row weighs, finite and not below 0.
    cluster : str, optional
        Column that tells which rows belong together, such as those of one person: intervals draw these.
    reference : sequence of str
        Groups to compare the others with, ``"gender = Male"``, or ``"largest"``; see `references_of`.
    bins : sequence of str
        Edges of bins for protected columns of numbers, ``"age=0,18,30,inf"``; see `parse_bins`.
    fail_if : sequence of str
        Conditions that must not hold, ``"FNR[gender = Female] > 0.2"``; see `parse_conditions`.
    fail_on : {"value", "interval"}
        Whether a condition is judged on the value or on the nearer end of its interval.
    metrics : mapping of name to function, optional
        Metrics of your own; see `with_metrics`.
    out : path, optional
        Folder for ``metrics.csv`` and ``report.html``; by default the file's name and "-audit", here.
        An earlier audit there is replaced, anything else refused.
    form : {"text", "json", "markdown", "latex"}
        The form of what is returned.
    n_resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    str
        Sentences, tables, and where the files are.

    Raises
    ------
    UserError
        If the arguments do not fit, or a file has a fault.
    ConditionsBroken
        If a condition of `fail_if` holds, or what it is about is undefined; table and page are written.
    """
    file, own = Path(file), metrics or {}
    folder = Path(f"{file.stem}-audit") if out is None else Path(out)
    columns = Columns(
        label, score, prob_prefix, predicted, positive, tuple(dict.fromkeys(protected)), id_column
    )
    others = [compare] if isinstance(compare, Path | str) else compare
    conditions, edges = parse_conditions(fail_if), parse_bins(bins, columns.protected)
    _check(columns, threshold, n_resamples, weight)
    _check_choices(fail_on, form)
    check_metrics(own, weighted=weight is not None, scored=score is not None)
    _check_folder(folder)
    models = read_models(file, list(map(Path, others)), columns, edges)
    weights = None if weight is None else read_weights(file, weight)
    clusters = None if cluster is None else read_clusters(file, cluster)
    first = models[next(iter(models))]
    groups = groups_of(first.protected)
    references = references_of(reference, groups)
    scored = all(model.scores is not None for model in models.values())
    if threshold is not None and first.scores is None:
        raise UserError(f"A --threshold belongs to scores, and {file} has none but decisions; leave it out.")
    pairs = weight is None and any(len(column.names) == 2 for column in first.protected.values())
    known = known_metrics(
        binary=first.binary, scored=scored, pairs=pairs, references=bool(references), own=own
    )
    check_conditions(conditions, sorted(known), _names_of_groups(models, label, groups), list(models))

    measured = measure(
        models,
        label,
        threshold=threshold,
        weights=weights,
        clusters=clusters,
        n_resamples=n_resamples,
        seed=seed,
    )
    measured = with_references(measured, references)
    measured = with_metrics(measured, own, n_resamples=n_resamples, seed=seed)
    measured = measured.adjusted()
    verdicts = judge(conditions, measured.table, list(models), groups, fail_on)
    summary = [*summarise(measured), *_remarks(measured, fail_on if conditions else None)]
    page = _page(measured, [*summary, *(each.sentence for each in verdicts)], n_resamples, seed)
    from fairlab.reports.page import write_report

    write_report(folder / PAGE, page)  # it is what could fail
    write_text(folder / TABLE, measured.table.to_csv(index=False))
    files = [folder / PAGE, folder / TABLE]
    told = FORMATS[form](Told(summary, verdicts, _tables(measured), measured.table, files))
    if any(each.failed for each in verdicts):
        raise ConditionsBroken(told)
    return told


def _tables(measured: Measured) -> list[tuple[str, pd.DataFrame]]:
    """Return the tables that a terminal has room for."""
    tables = [(GAPS_TITLE, gap_table(measured)), *rate_tables(measured, brief=True)]
    tables += [*reference_tables(measured, brief=True), *own_tables(measured)]
    return tables if measured.binary else [*tables, *class_tables(measured)]


def _remarks(measured: Measured, fail_on: JudgedOn | None) -> list[str]:
    """Return what a reader must know of weights, references and conditions."""
    rows = [model.note for model in measured.models.values() if model.note]
    rows += [part.sentence for part in (measured.weights, measured.clusters) if part is not None]
    judged = {
        None: "",
        "value": "Conditions are judged on the values.",
        "interval": "Conditions are judged on the intervals: one fails only if its whole interval is beyond.",
    }
    remarks = (*rows, reference_sentence(measured.references, measured.groups), judged[fail_on])
    return [sentence for sentence in remarks if sentence]


def _names_of_groups(models: Mapping[str, Predictions], label: str, groups: Groups) -> list[str]:
    """Return all that a metric may be measured of."""
    first = next(iter(models.values()))
    classes = [] if first.binary else [f"{label} = {name}" for name in first.label.names]
    within = [f"{group} & {each}" for group in groups.names for each in classes]
    return ["all", *groups.families, *groups.names, *classes, *within]


def _check_choices(fail_on: str, form: str) -> None:
    for name, given, known in (("fail_on", fail_on, JUDGED_ON), ("form", form, tuple(FORMATS))):
        if given not in known:
            raise UserError(f"There is no {name} '{given}'; {nearest_names(given, known)}")


def _check(columns: Columns, threshold: float | None, n_resamples: int, weight: str | None) -> None:
    if not columns.protected:
        raise UserError("There is no protected column; name at least one with --protected.")
    taken = (columns.label, columns.score, columns.predicted, columns.id, weight)
    twice = [name for name in columns.protected if name in taken]
    if twice:
        raise UserError(
            f"The column '{twice[0]}' cannot form groups and be label, score, id or weight at once; "
            "name another one with --protected."
        )
    if threshold is not None and columns.score is None:
        raise UserError(
            "A --threshold belongs to a --score; with --prob-prefix the likeliest class is predicted, with "
            "--predicted what the column holds."
        )
    if threshold is not None and not (math.isfinite(threshold) and 0 <= threshold <= 1):
        raise UserError(f"The --threshold lies between 0 and 1, as scores do, but is {threshold}.")
    if n_resamples < 1:
        raise UserError(f"There must be at least 1 resample, not {n_resamples}.")


def _check_folder(folder: Path) -> None:
    """Raise a UserError if there is something at `folder` that is no audit."""
    is_audit = folder.is_dir() and {path.name for path in folder.iterdir()} <= {TABLE, PAGE}
    if folder.exists() and not is_audit:
        raise UserError(
            f"{folder} exists and is no audit, so it is left alone; choose another folder with --out."
        )


def _page(measured: Measured, summary: list[str], n_resamples: int, seed: int) -> AuditReport:
    from fairlab.studies.audit.page import (  # matplotlib: a mistake is told first
        LIMITS,
        AuditReport,
        sections,
    )

    first = measured.first
    by_bins = measured.binary and measured.scored and len(first) > MOST_ROWS
    facts = {
        "Files": ", ".join(str(model.path) for model in measured.models.values()),
        "Label": f"{measured.label}: {', '.join(first.label.names)}",
        "Groups": "; ".join(f"{name}: {', '.join(column.names)}" for name, column in first.protected.items()),
        "Intervals": "95%: Wilson's for shares, all pairs of groups at once for gaps; for other numbers "
        f"percentiles of {n_resamples:,} resamples of the rows, seed {seed}"
        + (", scores in bins" if by_bins else ""),
        "FairLab": fairlab.__version__,
    }
    if measured.weights is not None:
        facts["Weights"] = measured.weights.name
    if measured.clusters is not None:
        facts["Clusters"] = measured.clusters.name
    if measured.thresholds:
        facts["Threshold"] = ", ".join(f"{name} {value:.6g}" for name, value in measured.thresholds.items())
    return AuditReport(
        title=f"Audit of {' and '.join(measured.models)}",
        summary=summary,
        table=measured.table,
        sections=list(sections(measured)),
        facts=facts,
        limits=LIMITS,
        measured=measured,
    )
