"""Methods side by side: their figures, their paired differences, and how each closes the gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.estimate import Estimate, markdown_table
from fairlab.figures.tables import WHOLE, estimate
from fairlab.metrics.intervals.multiple_testing import holm
from fairlab.metrics.two_groups.compare_attributes import MEAN

#: What tables of methods show, in order; then each group's true positive rate.
SHOWN = ("AP", "AP_balanced", "DEO", "BA", "KL", "WGA", "leakage")
#: A difference is marked where its p-value, by Holm for the number of methods, is below this.
LEVEL, MARK = 0.05, "*"

Move = Literal["lifts the worse", "pulls the better down", "both", "not clear", "none"]

#: Worst-group accuracy on CelebA (blond hair, Male) where the group is known in training, in per cent.
PUBLISHED_WGA = {
    "erm": 62.6, "mixup": 57.8, "focal": 59.1, "jtt": 70.0, "lisa": 86.5, "crt": 87.2, "oversampling": 87.4,
    "group_dro": 89.0, "reweighting": 89.7, "dfr": 90.4,
}  # fmt: skip
PUBLISHED_SOURCE = (
    "Published worst-group accuracy: Yang, Zhang, Katabi, Ghassemi, ICML 2023 (SubpopBench): photographs of "
    "CelebA, blond hair and Male, quoted second hand; not of the data measured here."
)

METHOD_NOTE = """\
95% intervals in square brackets; in round brackets the value without what chance alone adds. AP_balanced:
groups weighted equally. WGA: accuracy of the label and group that have the lowest. TPR: share of a group's
positives that is found. Leakage: how often the group is guessed right from the score, by a threshold chosen
on validation images; 50 is chance. A star: p below 0.05 by Holm for the number of methods.
"""

#: An attribute's own rows ("Smiling", "all"), or those of a mean ("all targets", "mean over attributes").
Subject = tuple[str, str]


class Facts(NamedTuple):
    """What a method needs, and what it costs."""

    needs: str  #: where the protected label must be known
    images: float = float("nan")  #: through the backbone for one classifier, in all trainings behind it
    seconds: float = float("nan")  #: of training it, generators and annotators apart


def method_table(
    table: pd.DataFrame, methods: Mapping[str, Facts], subject: Subject, groups: tuple[str, str]
) -> pd.DataFrame:
    """Return the figures of each method with their 95% intervals, as text.

    Parameters
    ----------
    table : DataFrame
        Tidy, with `fairlab.metrics.spec.METRICS`, `CELL_METRICS` and `LEAKAGE` of each model.
    methods : dict of model to Facts
        Models of the table, in order.
    subject : (str, str)
        Attribute and group of the rows.
    groups : (str, str)
        Names of the two protected groups.

    Returns
    -------
    DataFrame
        Index: method. Rates in per cent, DEO and BA in points, KL in nats.
    """
    rows = {
        readable_method(model): {"needs the protected label in": facts.needs}
        | {name: f"{estimate(table, model, *_at(subject, name)):#}" for name in SHOWN}
        | {f"TPR, {who}": f"{_rate(table, model, subject, who):#}" for who in groups}
        | {"WGA, published": str(PUBLISHED_WGA.get(readable_method(model), ""))}
        | {"images": _thousands(facts.images), "seconds": _thousands(facts.seconds, "")}
        for model, facts in methods.items()
    }
    return pd.DataFrame(rows).T.rename_axis("method")


def difference_table(
    table: pd.DataFrame, methods: Sequence[str], subject: Subject, groups: tuple[str, str], reference: str
) -> pd.DataFrame:
    """Return the paired differences from a reference with their 95% intervals, as text.

    Returns
    -------
    DataFrame
        Index: method. A star marks differences whose p-value is below 0.05 by Holm for the number of methods.
        The last column says how the gap came to be smaller: see `gap_move`.
    """
    others = [model for model in methods if model != reference]
    columns = {name: _marked(table, others, subject, name, reference) for name in SHOWN}
    moves = [gap_move(table, model, subject, groups, reference) for model in others]
    frame = pd.DataFrame({**columns, "the smaller gap": moves}, index=[readable_method(m) for m in others])
    return frame.rename_axis("method")


def gap_move(
    table: pd.DataFrame, model: str, subject: Subject, groups: tuple[str, str], reference: str
) -> Move:
    """Say whether a gap that is clearly smaller was closed from below or from above.

    "lifts the worse" if the true positive rate of the group that the reference finds less often clearly rises
    and the other does not clearly fall; "pulls the better down" the other way round; "none" if DEO is not
    clearly smaller. The question is that of Zietlow et al., CVPR 2022.
    """
    pair = f"{model} - {reference}"
    deo = estimate(table, pair, *_at(subject, "DEO"))
    if not (deo.defined and deo.certain and deo.value < 0):
        return "none"
    found = [_rate(table, reference, subject, who).value for who in groups]
    worse, better = (_rate(table, pair, subject, groups[i]) for i in np.argsort(found))
    lifts, pulls = worse.certain and worse.value > 0, better.certain and better.value < 0
    if lifts and pulls:
        return "both"
    return "lifts the worse" if lifts else "pulls the better down" if pulls else "not clear"


def as_markdown(frame: pd.DataFrame) -> str:
    """Return a table of text as Markdown, its index first."""
    flat = frame.reset_index()
    return markdown_table(list(flat.columns), flat.to_numpy().tolist())


def readable_method(model: str) -> str:
    """Return a model's name in tables: the baseline is plain training."""
    return "erm" if model == "baseline" else model


def _at(subject: Subject, metric: str) -> tuple[str, str, str]:
    return subject[0], metric, subject[1]


def _rate(table: pd.DataFrame, model: str, subject: Subject, who: str) -> Estimate:
    """Return a group's true positive rate."""
    group = who if subject[1] == WHOLE else f"{MEAN}: {who}"
    return estimate(table, model, subject[0], "TPR", group)


def _marked(
    table: pd.DataFrame, models: Sequence[str], subject: Subject, metric: str, reference: str
) -> list[str]:
    """Return one metric's differences of all models as text, starred where clear by Holm."""
    pairs = [f"{model} - {reference}" for model in models]
    rows = table[(table["attribute"] == subject[0]) & (table["group"] == subject[1])]
    p_values = rows[rows["metric"] == metric].set_index("model")["p_value"].reindex(pairs)
    clear = holm(p_values.to_numpy(dtype=float)) < LEVEL
    texts = [f"{estimate(table, pair, *_at(subject, metric)):#}" for pair in pairs]
    return [f"{text} {MARK}" if marked else text for text, marked in zip(texts, clear, strict=True)]


def _thousands(value: float, unit: str = " k") -> str:
    if np.isnan(value):
        return ""
    return f"{value / 1e3 if unit else value:,.0f}{unit}"
