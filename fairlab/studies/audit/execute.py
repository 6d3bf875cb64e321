"""Audit of anyone's predictions, from the file to the table and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import fairlab
from fairlab.core.files import write_text
from fairlab.data.tables import plain
from fairlab.metrics.groups.custom import Metric
from fairlab.studies.audit.additions import check_metrics, with_metrics, with_references
from fairlab.studies.audit.bins import parse_bins
from fairlab.studies.audit.checks import check_arguments, check_choices, check_folder, check_read
from fairlab.studies.audit.conditions import ConditionsBroken, JudgedOn, judge, parse_conditions
from fairlab.studies.audit.formats import FORMATS, Format, Told
from fairlab.studies.audit.measure import MOST_ROWS, Measured, measure
from fairlab.studies.audit.predictions import Columns
from fairlab.studies.audit.read import Others, Read
from fairlab.studies.audit.references import reference_sentence, references_of
from fairlab.studies.audit.summary import summarise
from fairlab.studies.audit.text import class_tables, gap_table, own_tables, rate_tables, reference_tables

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
    logits: bool = False,
    compare: Path | str | Sequence[Path | str] = (),
    compare_score: str | Sequence[str] = (),
    compare_prob_prefix: str | Sequence[str] = (),
    compare_predicted: str | Sequence[str] = (),
    compare_id: str | Sequence[str] = (),
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
        A table with one row per prediction; see `fairlab.data.tables`.
    label : str
        Column of true labels: binary with `score`, classes with `prob_prefix`.
    score : str, optional
        Column of scores in [0, 1], or of percentages.
    prob_prefix : str, optional
        How the names of the columns of class probabilities begin; the rest is the class.
    predicted : str, optional
        Column of what is predicted, 0/1 or a class, where there are no scores.
    positive : str, optional
        Which of two texts in `label` (and `predicted`) is the positive one.
    protected : sequence of str
        Columns that form groups; of several, intersections are measured too.
    logits : bool
        Whether scores (or the columns of classes) are logits: they become probabilities, in all files.
    compare : path, or sequence of paths
        The same rows with the predictions of other models; differences are from `file`. With `id_column`
        they need neither label nor groups.
    compare_score, compare_prob_prefix, compare_predicted, compare_id : str, or sequence of str
        What these columns are called in the files of `compare`, if otherwise: one name for all, or one each.
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
    named = None if positive is None else plain(positive)
    asked = tuple(dict.fromkeys(protected))
    columns = Columns(label, score, prob_prefix, predicted, named, asked, id_column, logits)
    others = Others(
        tuple(map(Path, _listed(compare))),
        *map(_listed, (compare_score, compare_prob_prefix, compare_predicted, compare_id)),
    )
    conditions, edges = parse_conditions(fail_if), parse_bins(bins, columns.protected)
    check_arguments(columns, threshold, n_resamples, weight)
    check_choices(fail_on, form)
    check_metrics(own, weighted=weight is not None)
    check_folder(folder, {TABLE, PAGE})

    read = Read.of(file, others, columns, edges, weight, cluster)
    references = references_of(reference, read.groups)
    check_read(read, conditions, label, threshold, references, own)

    measured = measure(
        read.models,
        label,
        threshold=threshold,
        weights=read.weights,
        clusters=read.clusters,
        n_resamples=n_resamples,
        seed=seed,
    )
    measured = with_references(measured, references)
    measured = with_metrics(measured, own, n_resamples=n_resamples, seed=seed).adjusted()
    verdicts = judge(conditions, measured.table, list(read.models), read.groups, fail_on)
    summary = [*summarise(measured), *_remarks(measured, fail_on if conditions else None)]

    page = _page(measured, [*summary, *(each.sentence for each in verdicts)], n_resamples, seed)
    files = [folder / PAGE, folder / TABLE]
    told = _write(page, Told(summary, verdicts, _tables(measured), measured.table, files), form)
    if any(each.failed for each in verdicts):
        raise ConditionsBroken(told)
    return told


def _write(page: AuditReport, told: Told, form: Format) -> str:
    """Write page and table, and return what is printed."""
    from fairlab.reports.page import write_report

    report, table = told.files
    write_report(report, page)  # it is what could fail
    write_text(table, told.metrics.to_csv(index=False))
    return FORMATS[form](told)


def _listed(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, Path | str) else tuple(given)


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


def _page(measured: Measured, summary: list[str], n_resamples: int, seed: int) -> AuditReport:
    from fairlab.studies.audit.page import LIMITS, AuditReport, sections  # matplotlib comes last

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
