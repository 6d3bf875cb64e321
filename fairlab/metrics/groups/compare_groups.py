"""Accuracy, error rates and disparities of any number of groups, with intervals, of one or several models."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.metrics.groups.named_groups import GroupNames, Protected
from fairlab.metrics.groups.rates import GroupedModels, Key, warn_of_undefined
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.validation import check_resamples


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
        balanced_accuracy and, of 0/1 labels, selection_rate, TPR, FPR, FNR, PPV, FDR, NPV, FOR; ECE if there
        are scores.
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

    Examples
    --------
    >>> table = group_metrics([1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0], ["f", "m"] * 3, n_resamples=0)
    >>> table.set_index(["metric", "group"])["value"][["accuracy", "worst_group_accuracy"]]
    metric                group
    accuracy              all      0.833333
                          f        1.000000
                          m        0.666667
    worst_group_accuracy  all      0.666667
    Name: value, dtype: float64
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
    """
    check_resamples(n_resamples, least=0)
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
    rows: list[dict[str, object]] = []
    counts = models.class_counts()
    for (metric, group), drawn in measured.items():
        n = counts.get(group, counts["all"])
        found = estimate_of(drawn[0], drawn[1:], n=int(n.sum()))
        notes = [remarks[metric, group], found.note if found.defined else ""]
        if found.value < found.low or found.value > found.high:
            notes.append("chance pulls small groups apart: the value lies outside its interval")
        who = {"model": model, "group": group, "metric": metric}
        n_positive = int(n[1]) if models.labels.binary else pd.NA
        note = "; ".join(filter(None, notes))
        rows.append(who | found._asdict() | {"n_positive": n_positive, "note": note})
    return rows
