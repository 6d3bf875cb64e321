"""The paper's table: attributes in groups, their means, and the published means beside measured ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from fairlab.core.estimate import CORRECTED, markdown_table
from fairlab.core.files import write_text
from fairlab.data.attributes import REPORTING_GROUPS
from fairlab.figures.style import readable
from fairlab.figures.tables import BASELINE, DEBIASED, DIFFERENCE, WHOLE, estimate
from fairlab.metrics.spec import METRICS
from fairlab.metrics.two_groups.compare_attributes import MEAN

#: Mean over the attributes of each group, with the published error.
SOURCE = "Ramaswamy, Kim, Russakovsky, CVPR 2021: CelebA, protected attribute Male"
_GROUPS = ("inconsistently labelled", "gender-dependent", "gender-independent")
_PUBLISHED: dict[str, tuple[tuple[str, str], ...]] = {
    "AP": (("66.3 ± 1.8", "65.2 ± 1.9"), ("78.6 ± 1.4", "77.8 ± 1.4"), ("83.9 ± 1.5", "83.0 ± 1.6")),
    "DEO": (("21.5 ± 4.4", "16.5 ± 4.2"), ("25.7 ± 3.5", "23.4 ± 3.6"), ("16.7 ± 5.0", "13.9 ± 5.2")),
    "BA": (("2.1 ± 0.6", "0.5 ± 0.6"), ("2.3 ± 0.5", "1.6 ± 0.5"), ("0.3 ± 0.6", "0.0 ± 0.5")),
    "KL": (("1.7 ± 0.3", "1.3 ± 0.4"), ("1.3 ± 0.2", "1.2 ± 0.2"), ("1.1 ± 0.5", "0.9 ± 0.6")),
}
COLUMNS = (("baseline", BASELINE), ("de-biased", DEBIASED), ("difference", DIFFERENCE))


def published_table() -> pd.DataFrame:
    """Return the published means as text: a row for each metric and group of attributes.

    Returns
    -------
    DataFrame
        Index: metric, attributes. Columns baseline, de-biased, source. AP, DEO and BA in points, KL in nats.
    """
    rows = [
        {"metric": metric, "attributes": group, "baseline": before, "de-biased": after, "source": SOURCE}
        for metric, groups in _PUBLISHED.items()
        for group, (before, after) in zip(_GROUPS, groups, strict=True)
    ]
    return pd.DataFrame(rows).set_index(["metric", "attributes"])


def paper_table(
    table: pd.DataFrame, reporting: Mapping[str, Sequence[str]] = REPORTING_GROUPS, *, published: bool = True
) -> pd.DataFrame:
    """Return the tidy table of many attributes laid out as in the paper, as text.

    Parameters
    ----------
    table : DataFrame
        What `fairlab.metrics.compare_attributes` returned, of a baseline and a de-biased model.
    reporting : dict of str to sequence of str
        The groups of attributes, in order. Attributes in no group come last.
    published : bool
        Whether to show the published means, which are of the protected attribute Male.

    Returns
    -------
    DataFrame
        Index: (group, attribute); each group begins with its mean, and with the published mean where there
        is one. Columns: (metric, "baseline" | "de-biased" | "difference"), with 95% intervals; AP, DEO and
        BA in points, KL in nats.
    """
    measured = list(dict.fromkeys(table.loc[table["group"] == WHOLE, "attribute"]))
    inside = {name for names in reporting.values() for name in names}
    groups = {**reporting, "other": [name for name in measured if name not in inside]}
    rows: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for title, names in groups.items():
        shown = [name for name in names if name in measured]
        if title in set(table.loc[table["group"] == MEAN, "attribute"]):
            rows[title, f"mean of {len(shown)}"] = _cells(table, title, MEAN)
            if published and title in published_table().index.get_level_values("attributes"):
                rows[title, "published mean, CelebA"] = _published(title)
        rows |= {(title, readable(name)): _cells(table, name, WHOLE) for name in shown}
    index = pd.MultiIndex.from_tuples(list(rows), names=["group", "attribute"])
    frame = pd.DataFrame(list(rows.values()), index=index)
    frame.columns = pd.MultiIndex.from_tuples(next(iter(rows.values())), names=["metric", ""])
    return frame


def write_paper_table(folder: Path, table: pd.DataFrame, *, published: bool = True) -> list[Path]:
    """Write the paper's table as Markdown, LaTeX and HTML, and the tidy table as CSV; return the files."""
    laid_out = paper_table(table, published=published)
    note = f"95% intervals in square brackets. {CORRECTED}"
    if published:
        note += f" Published means: {SOURCE}; they are not of the data measured here."
    flat = laid_out.copy()
    flat.columns = [" ".join(filter(None, column)) for column in laid_out.columns]
    flat = flat.reset_index()
    texts = {
        "table.md": f"{markdown_table(list(flat.columns), flat.to_numpy().tolist())}\n\n{note}\n",
        "table.tex": f"{laid_out.to_latex(escape=True, multirow=False)}% {note}\n",
        "table.html": f"{laid_out.to_html()}\n<p>{note}</p>\n",
        "table.csv": table.to_csv(index=False),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def _shown() -> list[str]:
    return [name for name, spec in METRICS.items() if spec.headline]


def _cells(table: pd.DataFrame, attribute: str, group: str) -> dict[tuple[str, str], str]:
    return {
        (metric, title): f"{estimate(table, model, attribute, metric, group):#}"
        for metric in _shown()
        for title, model in COLUMNS
    }


def _published(title: str) -> dict[tuple[str, str], str]:
    figures = published_table().to_dict("index")
    return {
        (metric, column): str(figures.get((metric, title), {}).get(column, ""))
        for metric in _shown()
        for column, _ in COLUMNS
    }
