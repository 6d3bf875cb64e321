"""Bootstrap intervals for metrics and for differences between classifiers, as tidy tables."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.groups.clusters import check_clusters
from fairlab.metrics.intervals.seeds import BySeed
from fairlab.metrics.spec import METRICS
from fairlab.metrics.thresholds import threshold_note, thresholds_of
from fairlab.metrics.tidy import Resampled, tidy_table, with_differences
from fairlab.metrics.two_groups.ranked_cells import (
    RankedCells,
    Specs,
    allow_for_few,
    measured,
    resampled_metrics,
)
from fairlab.metrics.validation import GROUPS, check_labels, check_resamples, scores_by_seed


def bootstrap(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: ArrayLike,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    stratified: bool = False,
    clusters: ArrayLike | None = None,
    threshold: float | ArrayLike | None = None,
    model: str = "model",
    attribute: str = "",
    groups: tuple[str, str] = GROUPS,
) -> pd.DataFrame:
    """Return AP, group-balanced AP, DEO, BA and KL of one classifier with 95% intervals.

    Parameters
    ----------
    y_true, protected : arrays of shape (n,)
        Target and protected labels, 0 or 1.
    y_score : array of shape (n,) or (seeds, n)
        Scores in [0, 1]; one row for each training seed.
    n_resamples : int
        Number of bootstrap resamples.
    seed : int
        Seed of the resampling.
    stratified : bool
        Whether resamples keep the number of images of each label in each group, as if those were fixed by
        design and not by chance.
    clusters : array of shape (n,), optional
        Whose image each is, as numbers or strings: images of one person are no independent observations, so
        people are drawn, each with all images. scikit-learn calls this ``groups``.
    threshold : float or array of shape (seeds,), optional
        Scores above it are predicted positive, for DEO and BA; best calibrated on validation images. None
        calibrates it on these very images and says so in the note.
    model, attribute : str
        Names for the table.
    groups : pair of str
        Names of the groups with protected label 0 and 1, for notes and warnings.

    Returns
    -------
    DataFrame
        A row for each metric with columns model, attribute, group, metric, value, low, high, p_value,
        corrected, n, n_positive, seeds, note. Values are fractions, KL (`ScoreKL.symmetric_sum`) in nats.
        Undefined metrics are NaN with the reason in the note, and an `UndefinedMetricWarning` is given.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, or scores are NaN or outside [0, 1].

    Notes
    -----
    Percentile intervals over resamples of the images. The threshold stays fixed. Resamples that leave a
    metric undefined are skipped, and the note counts them.

    DEO is an absolute gap, which chance alone puts above 0. Its interval is that of the signed difference,
    folded at 0; where a group has hardly a miss or a hit, as wide as Newcombe's (1998). Differences of DEO,
    and its means, are counted in the observed direction, and widened by what chance may have added:
    `intervals.gaps`. KL has "basic" intervals, percentiles mirrored at the value and cut off at 0: a
    histogram of few images makes KL too large, in a resample once more than in the sample. Where chance
    adds, "corrected" is the value without it: of DEO ``sqrt(gap² - variance)``, of KL less the bootstrap's
    estimate of its bias (Efron and Tibshirani, 1993, Section 10).

    p_value is of a difference of 0, and of a fair 0: see `paired_p_value`.

    With several training seeds the interval covers how trainings and images vary: see
    `intervals.seeds.BySeed.draws`. Coverage was simulated: `docs/coverage`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y, a = rng.integers(0, 2, (2, 1000))
    >>> scores = np.clip(0.3 + 0.3 * y + 0.1 * a + 0.2 * rng.normal(size=1000), 0, 1)
    >>> bootstrap(y, scores, a, threshold=0.5).set_index("metric")["high"].round(2).to_dict()
    {'AP': 0.89, 'AP_balanced': 0.89, 'DEO': 0.21, 'BA': 0.08, 'KL': 0.4}
    """
    return compare(
        y_true,
        {model: y_score},
        protected,
        thresholds=None if threshold is None else {model: threshold},
        baseline=model,
        n_resamples=n_resamples,
        seed=seed,
        stratified=stratified,
        clusters=clusters,
        attribute=attribute,
        groups=groups,
    )


def compare(
    y_true: ArrayLike,
    scores: Mapping[str, ArrayLike],
    protected: ArrayLike,
    *,
    thresholds: Mapping[str, float | ArrayLike] | None = None,
    baseline: str = "baseline",
    n_resamples: int = 1000,
    seed: int = 0,
    stratified: bool = False,
    clusters: ArrayLike | None = None,
    attribute: str = "",
    groups: tuple[str, str] = GROUPS,
) -> pd.DataFrame:
    """Return the metrics of several classifiers, and their paired differences from a baseline.

    Parameters
    ----------
    y_true, protected : arrays of shape (n,)
        Target and protected labels, 0 or 1.
    scores : mapping of model name to array of shape (n,) or (seeds, n)
        Scores in [0, 1] of each model for the same images; one row for each training seed. All models
        have the same number of seeds, and differences pair them by row.
    thresholds : mapping of model name to float or array of shape (seeds,), optional
        As `bootstrap`, for each model.
    baseline : str
        The model that the others are compared with.
    n_resamples, seed, stratified, clusters, attribute, groups
        As `bootstrap`.

    Returns
    -------
    DataFrame
        As `bootstrap`, for each model and then, with model ``"<name> - <baseline>"``, for each
        difference. A difference is taken on the same resamples of images and seeds, so its interval is
        that of the change, much narrower than the two intervals suggest.

    Raises
    ------
    UserError
        As `bootstrap`, and if the baseline or a threshold is missing or numbers of seeds differ.

    Examples
    --------
    >>> from fairlab.metrics import compare, format_comparison
    >>> rng = np.random.default_rng(0)
    >>> y, a = rng.integers(0, 2, (2, 1000))
    >>> scores = np.clip(0.3 + 0.3 * y + 0.1 * a + 0.2 * rng.normal(size=1000), 0, 1)
    >>> table = compare(y, {"baseline": scores, "fairer": np.clip(scores - 0.1 * a, 0, 1)}, a)
    >>> print(format_comparison(table[table["metric"] == "AP"]))
    | metric | baseline          | fairer            | fairer - baseline | images (positive) | seeds |
    | ------ | ----------------- | ----------------- | ----------------- | ----------------- | ----- |
    | AP (%) | 86.7 [83.9, 89.0] | 87.3 [84.5, 89.6] | +0.6 [−0.1, +1.3] | 1,000 (537)       | 1     |
    """
    y = check_labels(y_true, "y_true")
    a = check_labels(protected, "protected", len(y))
    drawn_together = check_clusters(clusters, len(y), stratified=stratified)
    resampled = resample_models(
        y, scores, a, thresholds, baseline, n_resamples, seed, stratified, drawn_together
    )
    return tidy_table(resampled, y, a, attribute, groups)


def check_models(scores: Mapping[str, ArrayLike], baseline: str, n_resamples: int) -> None:
    """Raise a UserError unless there are scores of the baseline and resamples to draw."""
    if not scores:
        raise UserError("There are no scores to compare; give those of at least one model.")
    if baseline not in scores:
        raise UserError(
            f"There are no scores of the baseline '{baseline}'; {nearest_names(baseline, scores)}"
        )
    check_resamples(n_resamples)


def resample_models(
    y: np.ndarray,
    scores: Mapping[str, ArrayLike],
    a: np.ndarray,
    thresholds: Mapping[str, float | ArrayLike] | None,
    baseline: str,
    n_resamples: int,
    seed: int,
    stratified: bool = False,
    clusters: np.ndarray | None = None,
    specs: Specs = None,
) -> dict[str, Resampled]:
    """Measure every model and every difference from the baseline on common resamples; arguments as `compare`.

    The same seed and number of images give the same resamples, whatever the labels: draws of several
    attributes belong together.
    """
    check_models(scores, baseline, n_resamples)
    by_model = {name: scores_by_seed(s, f"scores of '{name}'", len(y)) for name, s in scores.items()}
    seeds = common_seeds(by_model)
    ranked = [
        RankedCells.build(y, s, a, threshold)
        for name, values in by_model.items()
        for s, threshold in zip(values, thresholds_of(name, values, y, thresholds), strict=True)
    ]
    shape = (len(by_model), seeds, -1, len(specs or METRICS))
    whole = [cells.counted(np.ones((1, len(y)), dtype=np.int32)) for cells in ranked]
    values = np.stack([measured(counted, specs) for counted in whole]).reshape(shape)[:, :, 0]
    draws = resampled_metrics(
        ranked, n_resamples, seed, stratified=stratified, clusters=clusters, specs=specs
    )
    draws = np.stack([allow_for_few(*one, specs) for one in zip(whole, draws, strict=True)]).reshape(shape)
    resampled = {
        name: Resampled.of(BySeed(value, draw), threshold=threshold_note(y, scored, thresholds), specs=specs)
        for (name, scored), value, draw in zip(by_model.items(), values, draws, strict=True)
    }
    return with_differences(resampled, baseline)


def common_seeds(by_model: Mapping[str, np.ndarray]) -> int:
    """Return the number of training seeds of arrays (seeds, ...) of models, which must all be the same."""
    n_seeds = {name: len(values) for name, values in by_model.items()}
    if len(set(n_seeds.values())) > 1:
        raise UserError(f"Models are paired by training seed, but their numbers of seeds differ: {n_seeds}.")
    return next(iter(n_seeds.values()))
