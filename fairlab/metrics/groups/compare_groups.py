"""Accuracy, error rates and disparities of any number of groups, with intervals, of one or several models."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.estimate import Estimate
from fairlab.metrics.groups import uncertainty
from fairlab.metrics.groups.named_groups import GroupNames, Protected
from fairlab.metrics.groups.rates import GroupedModels, Key, warn_of_undefined
from fairlab.metrics.groups.uncertainty import Drawn
from fairlab.metrics.spec import RATES
from fairlab.metrics.tidy import tidy
from fairlab.metrics.validation import check_resamples


def group_metrics(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: Protected,
    *,
    y_score: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
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
    clusters : array of shape (n,), optional
        Whose image each is, as `bootstrap`: people are then drawn, each with all images.
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
    undefined.

    A share has Wilson's (1927) interval, which has a width at 0 and 1 too; with weights or clusters of as
    many images as would vary as much (Korn and Graubard, 1998). For two groups, rows of metrics such as
    "FNR difference" and the group "Male - Female" hold the signed difference of each share with Newcombe's
    (1998) interval. Being picked among groups, disparities are too large by chance: their intervals cover all
    pairs of groups at once (Tukey's studentized range on Newcombe's intervals; of the lowest, Šidák's),
    p_value is that of no gap between any two groups, and "corrected" is the value after the groups' rates
    were drawn together by what chance alone sets them apart. Changes between two models are bounded by all
    pairs at once, too: `intervals.extremes`. Coverage was simulated: `docs/coverage`.

    What is no share, and differences of rates between models, have percentile intervals over resamples.
    Images alike in group, label, prediction and weight are counted as one cell, and the counts are drawn
    from the multinomial distribution: the same as drawing images, and independent of their number. With
    weights an image is drawn with its weight, whatever it is; if all weights differ every image is a cell of
    its own, which takes as long as drawing rows.

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
        clusters=clusters,
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
    clusters: ArrayLike | None = None,
    groups: GroupNames | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    stratified: bool = False,
    attribute: str = "",
) -> pd.DataFrame:
    """Return `group_metrics` of several models and their paired differences from the first.

    Parameters
    ----------
    y_true, protected, sample_weight, clusters, groups, n_resamples, seed, stratified, attribute
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
        y_true,
        predictions,
        protected,
        y_scores=y_scores,
        sample_weight=sample_weight,
        clusters=clusters,
        names=groups,
    )
    parts = [models.measure(counts) for counts in models.cells.draws(n_resamples, seed, stratified)]
    whole, bases = sample_weight is None and clusters is None, models.bases()
    drawn, remarks = {}, {}
    for name in models.labels.models:
        measured = {key: np.concatenate([part[name][key] for part in parts]) for key in parts[0][name]}
        drawn[name] = Drawn(measured, bases[name], whole)
        values = {key: float(numbers[0]) for key, numbers in measured.items()}
        remarks[name] = models.notes(values)
        warn_of_undefined(name, values, remarks[name])
    first, *others = models.labels.models
    rows = [
        row for name in drawn for row in _rows(name, _estimates(models, drawn[name]), remarks[name], models)
    ]
    for name in others:
        notes = {key: remarks[first][key] or note for key, note in remarks[name].items()}
        rows += _rows(f"{name} - {first}", _changes(models, drawn[first], drawn[name]), notes, models)
    table = tidy(pd.DataFrame(rows).assign(attribute=attribute, seeds=1))
    return table.astype({"n_positive": "int64" if models.labels.binary else "Int64"})


def _estimates(models: GroupedModels, drawn: Drawn) -> dict[Key, Estimate]:
    """Return every metric of one model by metric and group."""
    found = {}
    for metric, group in drawn.numbers:
        if metric in RATES:
            found[metric, group] = uncertainty.rate(drawn, (metric, group))
        else:
            found[metric, group] = uncertainty.disparity(drawn, metric, group, _names(models, group))
    pairs = _pairs(models)
    return found | {
        (f"{name} difference", f"{b} - {a}"): uncertainty.signed(drawn, name, (a, b))
        for a, b in pairs
        for name in _shares(drawn)
    }


def _changes(models: GroupedModels, first: Drawn, second: Drawn) -> dict[Key, Estimate]:
    """Return the paired difference of every metric from one model to another."""
    found = {}
    for metric, group in second.numbers:
        if metric in RATES:
            found[metric, group] = uncertainty.rate_change(first, second, (metric, group))
        else:
            names = _names(models, group)
            found[metric, group] = uncertainty.disparity_change(first, second, metric, group, names)
    return found | {
        (f"{name} difference", f"{b} - {a}"): uncertainty.signed_change(first, second, name, (a, b))
        for a, b in _pairs(models)
        for name in _shares(second)
    }


def _names(models: GroupedModels, family: str) -> tuple[str, ...]:
    return models.groups.names[models.groups.families[family]]


def _pairs(models: GroupedModels) -> list[tuple[str, str]]:
    """Return the two groups of every family that has just two."""
    families = (_names(models, family) for family in models.groups.families)
    return [(names[0], names[1]) for names in families if len(names) == 2]


def _shares(drawn: Drawn) -> list[str]:
    return list(dict.fromkeys(metric for metric, _ in drawn.bases))


def _rows(
    model: str, found: Mapping[Key, Estimate], remarks: Mapping[Key, str], models: GroupedModels
) -> list[dict[str, object]]:
    """Return a row for each metric and group of one model or difference; disparities count all images."""
    rows: list[dict[str, object]] = []
    counts = models.class_counts()
    for (metric, group), one in found.items():
        n = counts.get(group, counts["all"])
        who = {"model": model, "group": group, "metric": metric}
        n_positive = int(n[1]) if models.labels.binary else pd.NA
        note = "; ".join(filter(None, [remarks.get((metric, group), ""), one.note if one.defined else ""]))
        rows.append(who | one._asdict() | {"n": int(n.sum()), "n_positive": n_positive, "note": note})
    return rows
