"""Accuracy, error rates and disparities of any number of groups: with intervals, or as plain numbers.

Names and values are those of fairlearn. `protected` is anything that `Groups.of` takes. Labels are 0 and 1;
accuracy also takes classes as integers or strings. Groups whose rate is undefined are skipped, and where
fewer than two are left a disparity is NaN; both with an `UndefinedMetricWarning`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.cells import N_BINS
from fairlab.metrics.groups.named_groups import GroupNames, Protected
from fairlab.metrics.groups.rates import GroupedModels, Key, bins_and_gaps, warn_of_undefined
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.validation import UndefinedMetricWarning, check_labels


def group_metrics(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: Protected,
    *,
    y_score: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    groups: GroupNames | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    stratified: bool = False,
    model: str = "model",
    attribute: str = "",
) -> pd.DataFrame:
    """Return accuracy and error rates of every group, and what sets the groups apart, with 95% intervals.

    Parameters
    ----------
    y_true, y_pred : arrays of shape (n,)
        True and predicted labels: 0 and 1, or classes as integers or strings.
    protected : array of shape (n,), Series, DataFrame, mapping of name to array, or Groups
        See `Groups.of`; several columns also give their intersections. For other choices pass `Groups`.
    y_score : array of shape (n,), optional
        Scores in [0, 1], for the ECE: of label 1, or with several classes that the prediction is right.
    sample_weight : array of shape (n,), optional
        Weight of each image.
    groups : sequence of str or mapping of value to str, optional
        Names of the groups of a single column, as in `Groups.of`.
    n_resamples : int
        Number of bootstrap resamples; 0 gives no intervals.
    seed : int
        Seed of the resampling.
    stratified : bool
        Whether resamples keep the number of images of each combination of protected values and label.
    model, attribute : str
        Names for the table.

    Returns
    -------
    DataFrame
        The columns of `compare`. For all images (group ``"all"``) and each group: accuracy,
        balanced_accuracy and, of 0/1 labels, selection_rate, TPR, FPR, FNR, PPV; ECE if there are scores.
        For each protected column and for the intersections (group ``"gender"``, ``"gender & race"``; of an
        array without a name ``"all"``): demographic_parity_difference, demographic_parity_ratio,
        equalized_odds_difference, equal_opportunity_difference (0/1 labels only), worst_group_accuracy,
        accuracy_difference. Fractions; n_positive is missing (<NA>) for several classes. What is undefined
        is NaN with the reason in the note, and an `UndefinedMetricWarning` is given.

    Raises
    ------
    UserError
        If shapes differ, values are missing or out of range, or there are too many groups.

    Notes
    -----
    Disparities are the largest minus the smallest rate (ratio: smallest over largest), those of fairlearn;
    equalized odds takes the larger of the differences in TPR and FPR. They skip groups whose rate is
    undefined, and so do resamples. Being extremes they are too large in small samples: with many small
    groups the percentile interval can lie above the truth.

    Percentile intervals over resamples of the images. Images alike in group, label, prediction and weight
    are counted as one cell, and the counts are drawn from the multinomial distribution: the same as drawing
    images, and independent of their number. With weights an image is drawn with its weight, whatever it is;
    if all weights differ every image is a cell of its own, which takes as long as drawing rows.

    ECE: 15 equal bins, ``Σ_bins |Σ w (outcome - score)| / Σ w``. In resamples the scores of a cell are
    replaced by the cell's mean, which leaves out how they vary within one bin. Few images make it too large.

    Sources: Hardt et al., NeurIPS 2016 (equalized odds); Guo et al., ICML 2017 (ECE); Sagawa et al., ICLR
    2020 (worst-group accuracy).
    """
    return group_differences(
        y_true,
        {model: y_pred},
        protected,
        y_scores=None if y_score is None else {model: y_score},
        sample_weight=sample_weight,
        groups=groups,
        n_resamples=n_resamples,
        seed=seed,
        stratified=stratified,
        attribute=attribute,
    )


def group_differences(
    y_true: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    protected: Protected,
    *,
    y_scores: Mapping[str, ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    groups: GroupNames | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    stratified: bool = False,
    attribute: str = "",
) -> pd.DataFrame:
    """Return `group_metrics` of several models and their paired differences from the first.

    Parameters
    ----------
    y_true, protected, sample_weight, groups, n_resamples, seed, stratified, attribute
        As `group_metrics`.
    predictions : mapping of model name to array of shape (n,)
        Predicted labels of each model for the same images.
    y_scores : mapping of model name to array of shape (n,), optional
        Scores of each model in [0, 1], for the ECE.

    Returns
    -------
    DataFrame
        As `group_metrics` for each model, and then, with model ``"<name> - <first model>"``, for each
        difference. It is taken on common resamples of the images, so its interval is that of the change.

    Raises
    ------
    UserError
        As `group_metrics`, and if there is no model or scores of one are missing.
    """
    if n_resamples < 0:
        raise UserError(f"n_resamples must not be negative, not {n_resamples}.")
    models = GroupedModels.of(
        y_true, predictions, protected, y_scores=y_scores, sample_weight=sample_weight, names=groups
    )
    drawn = [models.measure(counts) for counts in models.cells.draws(n_resamples, seed, stratified)]
    measured, remarks = {}, {}
    for name in models.labels.models:
        measured[name] = {key: np.concatenate([part[name][key] for part in drawn]) for key in drawn[0][name]}
        values = {key: float(numbers[0]) for key, numbers in measured[name].items()}
        remarks[name] = models.notes(values)
        warn_of_undefined(name, values, remarks[name])
    first, *others = models.labels.models
    for name in others:
        pair = f"{name} - {first}"
        measured[pair] = {key: values - measured[first][key] for key, values in measured[name].items()}
        remarks[pair] = {key: remarks[first][key] or note for key, note in remarks[name].items()}
    rows = [row for name in measured for row in _rows(name, measured[name], remarks[name], models)]
    table = pd.DataFrame(rows).assign(attribute=attribute, seeds=1)[list(COLUMNS)]
    return table.astype({"n_positive": "int64" if models.labels.binary else "Int64"})


def _rows(
    model: str, measured: Mapping[Key, np.ndarray], remarks: Mapping[Key, str], models: GroupedModels
) -> list[dict[str, object]]:
    """Return a row for each metric and group of one model or difference; disparities count all images."""
    rows, counts = [], models.class_counts()
    for (metric, group), drawn in measured.items():
        n = counts.get(group, counts["all"])
        found = estimate_of(drawn[0], drawn[1:], n=int(n.sum()))
        said = [remarks[metric, group], found.note if found.defined else ""]
        if found.value < found.low or found.value > found.high:
            said.append("chance pulls small groups apart: the value lies outside its interval")
        who = {"model": model, "group": group, "metric": metric}
        n_positive = int(n[1]) if models.labels.binary else pd.NA
        note = "; ".join(filter(None, said))
        rows.append(who | found._asdict() | {"n_positive": n_positive, "note": note})
    return rows


def demographic_parity_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the largest minus the smallest share predicted positive of a group: 0..1, 0 is fair.

    Parameters
    ----------
    y_true, y_pred : arrays of shape (n,)
        True and predicted labels, 0 or 1; the true ones have no influence.
    protected : array of shape (n,), Series, DataFrame, mapping of name to array, or Groups
        As `Groups.of`; of several columns the intersections are compared.
    sample_weight : array of shape (n,), optional
        Weight of each image.

    Returns
    -------
    float
        NaN, with a warning, if there are fewer than two groups.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1 or values are missing.
    """
    return _value("demographic_parity_difference", y_true, y_pred, protected, sample_weight)


def demographic_parity_ratio(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the smallest over the largest share predicted positive of a group: 0..1, 1 is fair.

    Parameters, result and errors as `demographic_parity_difference`; NaN also if none is predicted positive.
    """
    return _value("demographic_parity_ratio", y_true, y_pred, protected, sample_weight)


def equalized_odds_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the larger of the differences in TPR and in FPR between groups: 0..1, 0 is fair.

    Parameters, result and errors as `demographic_parity_difference`. Source: Hardt et al., *Equality of
    Opportunity in Supervised Learning*, NeurIPS 2016.
    """
    return _value("equalized_odds_difference", y_true, y_pred, protected, sample_weight)


def true_positive_rate_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the largest minus the smallest TPR of a group: 0..1, 0 is fair.

    `equal_opportunity_difference` of any number of groups. Parameters, result and errors as
    `demographic_parity_difference`.
    """
    return _value("equal_opportunity_difference", y_true, y_pred, protected, sample_weight)


def worst_group_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the accuracy of the group that has the lowest: 0..1, higher is better.

    Parameters, result and errors as `demographic_parity_difference`, but labels may be classes. Source:
    Sagawa et al., *Distributionally Robust Neural Networks for Group Shifts*, ICLR 2020.
    """
    return _value("worst_group_accuracy", y_true, y_pred, protected, sample_weight)


def accuracy_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the largest minus the smallest accuracy of a group: 0..1, 0 is fair.

    Parameters, result and errors as `demographic_parity_difference`, but labels may be classes.
    """
    return _value("accuracy_difference", y_true, y_pred, protected, sample_weight)


def balanced_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: Protected | None = None,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean of the shares right of each class: 0..1, higher is better.

    Parameters
    ----------
    y_true, y_pred : arrays of shape (n,)
        True and predicted labels: 0 and 1, or classes as integers or strings.
    protected : optional
        Has no influence; accepted so that every metric is called alike.
    sample_weight : array of shape (n,), optional
        Weight of each image.

    Returns
    -------
    float
        Classes that only occur among the predictions do not count. NaN, with a warning, if 0/1 labels hold
        only one class.

    Raises
    ------
    UserError
        If shapes differ or values are missing.
    """
    one_group = np.zeros(len(np.asarray(y_true)), dtype=np.uint8)
    return _value("balanced_accuracy", y_true, y_pred, one_group, sample_weight, "all")


def expected_calibration_error(y_true: ArrayLike, y_score: ArrayLike, n_bins: int = N_BINS) -> float:
    """Return how far scores are from the share of positives: 0..1, 0 is calibrated.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, 0 or 1.
    y_score : array of shape (n,)
        Scores in [0, 1] of label 1.
    n_bins : int
        Number of equal bins over [0, 1].

    Returns
    -------
    float

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, scores are outside [0, 1] or there is no bin.

    Notes
    -----
    ``Σ_b |Σ_{i in b} (y_i - s_i)| / n``. Source: Guo et al., *On Calibration of Modern Neural Networks*,
    ICML 2017, there for the score of the predicted class.
    """
    if n_bins < 1:
        raise UserError(f"n_bins must be at least 1, not {n_bins}.")
    y = check_labels(y_true, "y_true")
    bins, gaps = bins_and_gaps(y, y_score, n_bins, "y_score")
    return float(np.abs(np.bincount(bins, weights=gaps)).sum() / len(y))


def _value(
    metric: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: Protected,
    sample_weight: ArrayLike | None,
    group: str | None = None,
) -> float:
    """Return a rate of a group, or a disparity of the finest family; warn if it skips groups or is NaN."""
    models = GroupedModels.of(y_true, {"y_pred": y_pred}, protected, sample_weight=sample_weight)
    found = models.measure(models.cells.counts[None])["y_pred"]
    key = metric, group or models.groups.finest
    if key not in found:
        raise UserError(f"{metric} needs labels 0 and 1; of several classes only accuracy can be compared.")
    values = {key: float(drawn[0]) for key, drawn in found.items()}
    note = models.notes(values)[key]
    if note:
        warnings.warn(f"{metric}: {note}.", UndefinedMetricWarning, stacklevel=3)
    return values[key]
