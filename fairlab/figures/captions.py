"""What the figures of `fairlab.figures.plots` show, in words and numbers, under the same names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fairlab.figures import tables
from fairlab.figures.plane import Line
from fairlab.figures.style import model_name, readable, with_or_without
from fairlab.figures.tables import percent


def face_grid(shown: int, total: int, what: str) -> str:
    """Say how many faces are shown, and of how many: ``"24 of 12,000 training faces."``."""
    return f"{shown:,} of {total:,} {what}."


def scores(named: Mapping[str, float]) -> str:
    """Return the words below one face, a line per attribute: ``"Smiling 0.93"``."""
    return "\n".join(f"{readable(name)} {score:.2f}" for name, score in named.items())


def pair_grid(labels: np.ndarray, partner_labels: np.ndarray, *, target: str, protected: str) -> str:
    """Say how often the classifiers see the partner's labels as intended.

    Parameters
    ----------
    labels, partner_labels : (n, 2) arrays of 0 and 1
        Target and protected label that classifiers give to z and to z', of all pairs, not only those shown.
    target, protected : str
    """
    same = labels == partner_labels  # (n, 2)
    both = same[:, 0] & ~same[:, 1]
    return (
        "z above, its partner z' below. By the classifiers' labels, "
        f"{percent(same[:, 0].mean())} of {len(labels):,} partners keep the label "
        f"{readable(target)}, {percent(1 - same[:, 1].mean())} change the label "
        f"{readable(protected)}, and {percent(both.mean())} do both."
    )


def latent_plane(
    coordinates: np.ndarray, target_labels: np.ndarray, protected_labels: np.ndarray, lines: tuple[Line, Line]
) -> str:
    """Say how well each line parts the labels, and the angle between the lines."""
    sides = []
    for line, labels in zip(lines, (target_labels, protected_labels), strict=True):
        positive = coordinates @ np.asarray(line.normal) + line.intercept > 0
        sides.append(f"{percent(float(np.mean(positive == (labels == 1))))} for {readable(line.name)}")
    cosine = float(np.dot(lines[0].normal, lines[1].normal))
    angle = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    return (
        f"Share of {len(coordinates):,} latents on the side of their label: {sides[0]}, {sides[1]}. "
        f"The normals are {angle:.0f}° apart (cosine {cosine:.2f}); at 90° neither direction changes the "
        "other attribute. Arrows lead from z to z'."
    )


def score_histograms(
    scores: Mapping[str, np.ndarray],
    y_true: np.ndarray,
    protected: np.ndarray,
    thresholds: Mapping[str, float],
    *,
    target: str,
    protected_name: str,
) -> str:
    """Say which share of each group's positives every model misses."""
    without, with_ = with_or_without(protected_name)
    sentences = []
    for model, values in scores.items():
        missed = [_missed(values, y_true, protected == a, thresholds[model]) for a in (0, 1)]
        sentences.append(
            f"The {model_name(model)} classifier misses {percent(missed[0])} of the {readable(target)} faces "
            f"labelled {without} and {percent(missed[1])} of those labelled {with_}."
        )
    return " ".join(sentences)


def distance_histograms(distances: np.ndarray, labels: np.ndarray, *, attribute: str) -> str:
    """Say how many latents with and without the label lie on their side of the hyperplane."""
    right = (distances > 0) == (labels == 1)
    parts = [f"{percent(_share(right[labels == k]))} of {int((labels == k).sum()):,}" for k in (1, 0)]
    return (
        f"Of the latents labelled {readable(attribute)}, {parts[0]} lie on the positive side; of the others, "
        f"{parts[1]} on the negative side."
    )


def dots(series: Mapping[str, pd.DataFrame], *, scale: float = 100.0, digits: int = 1, most: int = 3) -> str:
    """Say the largest numbers of each series, by size, with their 95% intervals."""
    sentences = []
    for name, table in series.items():
        sizes = table["value"].abs().dropna().sort_values(ascending=False, kind="stable")
        top = table.loc[sizes.index[:most]]
        numbers = scale * top[["value", "low", "high"]].to_numpy(dtype=float)
        parts = [
            "{} {} [{}, {}]".format(readable(str(label)), *(_rounded(x, digits) for x in row))
            for label, row in zip(top.index, numbers, strict=True)
        ]
        sentences.append(f"{name}: {', '.join(parts) or 'n/a'}.")
    return " ".join(sentences)


def _rounded(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def metric_bars(table: pd.DataFrame) -> str:
    """Say what each metric was before and after, one sentence per attribute."""
    sentences = []
    for attribute in dict.fromkeys(table["attribute"]):
        parts = ", ".join(map(_before_after, tables.changes(table, attribute)))
        sentences.append(f"{readable(attribute)}, baseline → de-biased: {parts}.")
    return " ".join([*sentences, "Whiskers are 95% intervals."])


def learning_curves(curves: Mapping[str, Sequence[Mapping[str, Any]]], score: str = "AP") -> str:
    """Say the best epoch of every model and its validation score."""
    sentences = []
    for model, records in curves.items():
        best = max(records, key=lambda record: -math.inf if math.isnan(record[score]) else record[score])
        sentences.append(
            f"The {model_name(model)} classifier is best after epoch {best['epoch']} of "
            f"{records[-1]['epoch']}, with a validation {readable(score)} of {percent(best[score])}."
        )
    return " ".join(sentences)


def label_table(
    target_labels: np.ndarray, protected_labels: np.ndarray, *, target: str, protected: str
) -> str:
    """Say the target's share in each protected group."""
    shares = [_share(target_labels[protected_labels == a]) for a in (0, 1)]
    without, with_ = with_or_without(protected)
    return (
        f"{percent(shares[0])} of the faces labelled {without} are labelled {readable(target)}, against "
        f"{percent(shares[1])} of those labelled {with_} ({len(target_labels):,} faces)."
    )


def _missed(scores: np.ndarray, y_true: np.ndarray, group: np.ndarray, threshold: float) -> float:
    return _share(scores[(y_true == 1) & group] <= threshold)


def _share(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _before_after(row: tables.Change) -> str:
    before, after = (tables.number(part.value, row.about) for part in (row.before, row.after))
    return f"{row.short} {before} → {after} ({row.verdict})"
