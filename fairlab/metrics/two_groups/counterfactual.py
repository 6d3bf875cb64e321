"""Counterfactual fairness: predictions for faces that differ in the protected attribute alone.

A classifier is counterfactually fair to a face if it says the same of the face with the protected attribute
present and absent, everything else equal: Kusner, Loftus, Russell, Silva, "Counterfactual Fairness",
NeurIPS 2017. Faces altered by a generator were used for it by Denton, Hutchinson, Mitchell, Gebru, Zaldivar,
"Detecting Bias with Generative Counterfactual Face Attribute Augmentation", 2019 (arXiv:1906.06439).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.intervals.bootstrap_means import bootstrap_means
from fairlab.metrics.tidy import tidy, with_differences
from fairlab.metrics.two_groups.compare import check_models, common_seeds
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

    Examples
    --------
    >>> counterfactual_flip_rate([0.1, 0.4, 0.6, 0.9], [0.2, 0.6, 0.7, 0.9], threshold=0.5)
    0.25
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
    thresholds, baseline, n_resamples, seed, attribute, groups
        As `compare`.

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
    common_seeds(effects)
    members = np.stack([np.ones(len(y), bool), y == 0, y == 1, a == 0, a == 1])  # (5, n)
    names = ("all", "negatives", "positives", *groups)
    means = {m: bootstrap_means(v, members, n_resamples=n_resamples, seed=seed) for m, v in effects.items()}
    tables = []
    for model, one in with_differences(means, baseline).items():
        shares = ("flip_rate",) if model in means else ()
        tables.append(one.table(COUNTERFACTUAL_METRICS, names, shares=shares).assign(model=model))
    positives = dict(zip(names, (int(y[group].sum()) for group in members), strict=True))
    whole = pd.concat(tables, ignore_index=True).assign(attribute=attribute)
    return tidy(whole.assign(n_positive=whole["group"].map(positives)))


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
