"""Whether predictions change when only the protected attribute of a face does.

A classifier is counterfactually fair to a face if it says the same of the face with the protected attribute
present and absent, everything else equal: Kusner, Loftus, Russell, Silva, "Counterfactual Fairness",
NeurIPS 2017. Faces altered by a generator were used for it by Denton, Hutchinson, Mitchell, Gebru, Zaldivar,
"Detecting Bias with Generative Counterfactual Face Attribute Augmentation", 2019 (arXiv:1906.06439).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.intervals.bootstrap_means import Means, bootstrap_means
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.two_groups.compare import check_models
from fairlab.metrics.validation import GROUPS, as_numbers, check_labels, check_scores, scores_by_seed

#: What is measured of each face, in the order of the columns of `_effects`.
COUNTERFACTUAL_METRICS: tuple[str, ...] = ("flip_rate", "score_change", "absolute_score_change")


def counterfactual_flip_rate(absent: ArrayLike, present: ArrayLike, threshold: float) -> float:
    """Return the share of faces whose prediction depends on the protected attribute.

    Parameters
    ----------
    absent, present : arrays of shape (n,)
        Scores in [0, 1] of the same faces with the protected attribute absent and present.
    threshold : float
        Scores above it are predicted positive.

    Returns
    -------
    float
        In 0..1; 0 for a classifier that ignores the attribute.

    Raises
    ------
    UserError
        If shapes differ, or scores are NaN or outside [0, 1].
    """
    first = check_scores(absent, "absent")
    second = check_scores(present, "present", len(first))
    return float(np.mean((first > threshold) != (second > threshold)))


def compare_counterfactuals(
    y_true: ArrayLike,
    absent: Mapping[str, ArrayLike],
    present: Mapping[str, ArrayLike],
    protected: ArrayLike,
    *,
    thresholds: Mapping[str, float | ArrayLike],
    baseline: str = "baseline",
    n_resamples: int = 1000,
    seed: int = 0,
    attribute: str = "",
    groups: tuple[str, str] = GROUPS,
) -> pd.DataFrame:
    """Return how far several classifiers' answers depend on the protected attribute, and paired differences.

    Parameters
    ----------
    y_true, protected : arrays of shape (n,)
        True target and protected labels of the faces as they were, 0 or 1.
    absent, present : mappings of model name to array of shape (n,) or (seeds, n)
        Scores in [0, 1] of the same faces with the protected attribute absent and present; one row for each
        training seed. All models have the same number of seeds, and differences pair them by row.
    thresholds : mapping of model name to float or array of shape (seeds,)
        Scores above it are predicted positive.
    baseline : str
        The model that the others are compared with.
    n_resamples, seed : int
        Number and seed of the bootstrap resamples.
    attribute : str
        The target's name, for the table.
    groups : pair of str
        Names of the faces with protected label 0 and 1.

    Returns
    -------
    DataFrame
        Columns model, attribute, group, metric, value, low, high, n, n_positive, seeds, note. Metrics are
        flip_rate (share of faces, 0..1, whose prediction changes), score_change (mean of present minus
        absent, -1..1) and absolute_score_change (0..1). Groups are "all", "negatives" and "positives" of the
        target, and those of `groups`. Rows of each model come first, then those of each difference, with
        model ``"<name> - <baseline>"``.

    Raises
    ------
    UserError
        If shapes or numbers of seeds differ, labels are not 0/1, scores are NaN or outside [0, 1], or a
        model lacks scores or thresholds.

    Notes
    -----
    95% percentile intervals over resamples of the faces and, with several, of the training seeds, as in
    `compare`; differences are taken on the same resamples. A group without faces has NaN.
    """
    y = check_labels(y_true, "y_true")
    a = check_labels(protected, "protected", len(y))
    check_models(absent, baseline, n_resamples)
    effects = {model: _effects(model, absent, present, thresholds, len(y)) for model in absent}
    if len({len(values) for values in effects.values()}) > 1:
        seeds = {model: len(values) for model, values in effects.items()}
        raise UserError(f"Models are paired by training seed, but their numbers of seeds differ: {seeds}.")
    members = np.stack([np.ones(len(y), bool), y == 0, y == 1, a == 0, a == 1])  # (5, n)
    names = ("all", "negatives", "positives", *groups)
    means = {m: bootstrap_means(v, members, n_resamples=n_resamples, seed=seed) for m, v in effects.items()}
    tables = [
        table.assign(model=model, attribute=attribute) for model, table in _tables(means, baseline, names)
    ]
    positives = dict(zip(names, (int(y[group].sum()) for group in members), strict=True))
    whole = pd.concat(tables, ignore_index=True)
    return whole.assign(n_positive=whole["group"].map(positives))[list(COLUMNS)]


def _tables(
    means: Mapping[str, Means], baseline: str, groups: tuple[str, ...]
) -> list[tuple[str, pd.DataFrame]]:
    """Return a table for each model, and for each difference from the baseline."""
    alone = [
        (model, one.table(COUNTERFACTUAL_METRICS, groups, shares=("flip_rate",)))
        for model, one in means.items()
    ]
    return alone + [
        (f"{model} - {baseline}", one.minus(means[baseline]).table(COUNTERFACTUAL_METRICS, groups))
        for model, one in means.items()
        if model != baseline
    ]


def _effects(
    model: str,
    absent: Mapping[str, ArrayLike],
    present: Mapping[str, ArrayLike],
    thresholds: Mapping[str, float | ArrayLike],
    n: int,
) -> np.ndarray:
    """Return COUNTERFACTUAL_METRICS of each seed and face, (seeds, n, 3)."""
    if model not in present or model not in thresholds:
        raise UserError(
            f"The model '{model}' needs scores of faces with and without the attribute, and a threshold."
        )
    pair = [
        scores_by_seed(values[model], f"{name} scores of '{model}'", n)
        for name, values in (("absent", absent), ("present", present))
    ]
    limit = as_numbers(thresholds[model], f"the threshold of '{model}'")
    if len(pair[0]) != len(pair[1]) or limit.shape not in ((), (len(pair[0]),)):
        raise UserError(
            f"Scores of '{model}' come from {len(pair[0])} and {len(pair[1])} training seeds, thresholds "
            f"have shape {limit.shape}; give one row of each, and one threshold, for every seed."
        )
    before, after = pair
    cut = np.broadcast_to(limit, len(before))[:, None]  # (seeds, 1)
    change = after - before
    return np.stack([(before > cut) != (after > cut), change, np.abs(change)], axis=2)  # (seeds, n, 3)
