"""Audit of anyone's predictions, from the file to the table and the page."""

import math
from collections.abc import Sequence
from pathlib import Path

import fairlab
from fairlab.core.errors import UserError
from fairlab.core.files import write_text
from fairlab.reports.page import write_report
from fairlab.studies.audit.match import match
from fairlab.studies.audit.measure import MOST_ROWS, Measured, measure
from fairlab.studies.audit.page import LIMITS, AuditReport, sections
from fairlab.studies.audit.predictions import Columns, Predictions, read_predictions
from fairlab.studies.audit.summary import summarise
from fairlab.studies.audit.text import class_tables, gap_table, plain_table, rate_tables

TABLE, PAGE = "metrics.csv", "report.html"


def audit(
    file: Path | str,
    *,
    label: str,
    score: str | None = None,
    prob_prefix: str | None = None,
    protected: Sequence[str],
    compare: Path | str | None = None,
    threshold: float | None = None,
    id_column: str | None = None,
    out: Path | str | None = None,
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
    protected : sequence of str
        Columns that form groups; of several, intersections are measured too.
    compare : path, optional
        The same rows with the predictions of another model.
    threshold : float, optional
        A score above it is predicted positive; None calibrates it on these very rows.
    id_column : str, optional
        What names a row in both files; without it they are matched in order.
    out : path, optional
        Folder for ``metrics.csv`` and ``report.html``; by default the file's name and "-audit", here.
        An earlier audit there is replaced, anything else refused.
    n_resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    str
        Sentences, a table, and where the files are.

    Raises
    ------
    UserError
        If the arguments do not fit, or a file has a fault.
    """
    file = Path(file)
    folder = Path(f"{file.stem}-audit") if out is None else Path(out)
    columns = Columns(label, score, prob_prefix, tuple(dict.fromkeys(protected)), id_column)
    _check(columns, threshold, n_resamples)
    _check_folder(folder)
    models = _read(file, None if compare is None else Path(compare), columns)
    measured = measure(models, label, threshold=threshold, n_resamples=n_resamples, seed=seed)
    summary = summarise(measured)
    write_report(folder / PAGE, _page(measured, summary, n_resamples, seed))  # it is what could fail
    write_text(folder / TABLE, measured.table.to_csv(index=False))
    tables = [("What sets the groups apart", gap_table(measured)), *rate_tables(measured, brief=True)]
    if not measured.binary:
        tables += class_tables(measured)
    texts = [f"{title}\n{plain_table(table)}" for title, table in tables]
    return "\n\n".join(["\n".join(summary), *texts, f"  {folder / PAGE}\n  {folder / TABLE}"])


def _check(columns: Columns, threshold: float | None, n_resamples: int) -> None:
    if not columns.protected:
        raise UserError("There is no protected column; name at least one with --protected.")
    twice = [name for name in columns.protected if name in (columns.label, columns.score, columns.id)]
    if twice:
        raise UserError(
            f"The column '{twice[0]}' cannot form groups and be label, score or id at once; name another one "
            "with --protected."
        )
    if threshold is not None and columns.prefix is not None:
        raise UserError(
            "A --threshold belongs to a --score; with --prob-prefix the likeliest class is predicted."
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


def _read(file: Path, other: Path | None, columns: Columns) -> dict[str, Predictions]:
    """Return the predictions by the name of their model: the file's name, as short as it tells them apart."""
    first = read_predictions(file, columns)
    if other is None:
        return {file.stem: first}
    alone = Columns(columns.label, columns.score, columns.prefix, (), columns.id)
    second = match(first, read_predictions(other, alone), columns)
    for names in ((file.stem, other.stem), (file.name, other.name), (str(file), str(other))):
        if names[0] != names[1]:
            return dict(zip(names, (first, second), strict=True))
    raise UserError(f"{file} would be compared with itself; give the other model's file to --compare.")


def _page(measured: Measured, summary: list[str], n_resamples: int, seed: int) -> AuditReport:
    first = measured.first
    by_bins = measured.binary and len(first) > MOST_ROWS
    facts = {
        "Files": ", ".join(str(model.path) for model in measured.models.values()),
        "Label": f"{measured.label}: {', '.join(first.label.names)}",
        "Groups": "; ".join(f"{name}: {', '.join(column.names)}" for name, column in first.protected.items()),
        "Intervals": f"95% percentiles of {n_resamples:,} resamples of the rows, seed {seed}"
        + (", scores in bins" if by_bins else ""),
        "FairLab": fairlab.__version__,
    }
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
