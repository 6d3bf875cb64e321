"""Accuracy of the classes that several labels form (gender, race), and how even it is."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.core.estimate import Estimate
from fairlab.metrics.groups.cells import Cells, encode, joint_cells
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.intervals.extremes import Shares, lowest_share, without_chance
from fairlab.metrics.intervals.multiple_testing import paired_p_value
from fairlab.metrics.intervals.proportion import wilson
from fairlab.metrics.tidy import tidy, with_differences
from fairlab.metrics.validation import as_numbers

#: Attribute of the rows that count an image as right if all its labels are.
JOINT = "joint"
#: Group of the rows that summarise the classes.
CLASSES = "all classes"
_SUMMARY = ("mean_accuracy", "standard_deviation", "worst_class_accuracy")


def most_likely(probabilities: pd.DataFrame, columns: Sequence[str] = ("race", "gender")) -> pd.DataFrame:
    """Return the label with the largest probability for each column.

    Parameters
    ----------
    probabilities : DataFrame
        Columns ``p_<column>_<label>``, as in the prediction files of FairFace classifiers.
    columns : sequence of str

    Returns
    -------
    DataFrame
        The labels, with the same index.

    Raises
    ------
    UserError
        If a column has no probabilities, or some are missing.
    """
    labels = {}
    for column in columns:
        start = f"p_{column}_"
        found = probabilities.loc[:, [str(name).startswith(start) for name in probabilities.columns]]
        if found.shape[1] == 0:
            raise UserError(
                f"There are no probabilities of {column}; they need columns named {start}<label>."
            )
        if found.isna().to_numpy().any():
            raise UserError(
                f"Some probabilities of {column} are missing; give all or leave those images out."
            )
        names = np.array([str(name).removeprefix(start) for name in found.columns], dtype=object)
        labels[column] = names[found.to_numpy().argmax(axis=1)]
    return pd.DataFrame(labels, index=probabilities.index)


def class_accuracies(truth: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Return the per cent right of each class; parameters and errors as `per_class_table`.

    Returns
    -------
    DataFrame
        Index: the classes. Columns: each label column, ``"joint"`` (all labels right), and n, the images.
    """
    table = per_class_table(truth, predicted, n_resamples=0)
    rows = table[(table["metric"] == "accuracy") & (table["group"] != "all")]
    wide = 100 * rows.pivot_table(index="group", columns="attribute", values="value", sort=False)
    return wide.assign(n=rows.groupby("group")["n"].first()).rename_axis(index="class", columns=None)


def per_class_table(
    truth: pd.DataFrame,
    predicted: pd.DataFrame,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    model: str = "model",
) -> pd.DataFrame:
    """Return how many of each class are right, and how evenly, with 95% intervals.

    Parameters
    ----------
    truth : DataFrame
        True labels of n images, a column for each (such as race and gender). Its index names the images.
        Classes are the combinations of labels that occur, named ``"White Male"`` in the order of the columns.
    predicted : DataFrame
        Predicted labels: the same columns, perhaps others, and the same images in any order.
    n_resamples, seed : int
        Number of bootstrap resamples of the images (0: no intervals), and their seed.
    model : str
        Name for the table.

    Returns
    -------
    DataFrame
        The columns of `compare`; attribute is the label column or ``"joint"`` (all labels right). For each
        class, and for all images as group ``"all"``, the metric accuracy; for the group ``"all classes"``
        mean_accuracy, standard_deviation (population, over classes) and worst_class_accuracy. Fractions;
        n_positive counts the images that are right.

    Raises
    ------
    UserError
        If columns, images or labels are missing, or an image occurs twice.

    Notes
    -----
    Accuracies have Wilson's intervals, means and differences percentiles of resamples. Chance pulls classes
    apart: standard deviations come out too large and the worst class too bad. The interval of the worst is
    that of all classes at once (Šidák), that of the standard deviation has its percentiles mirrored in the
    variance, and "corrected" has what chance alone sets apart taken out.
    """
    return compare_classes(truth, {model: predicted}, n_resamples=n_resamples, seed=seed)


def compare_classes(
    truth: pd.DataFrame, predicted: Mapping[str, pd.DataFrame], *, n_resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return `per_class_table` of several models, and their paired differences from the first.

    Parameters
    ----------
    truth, n_resamples, seed
        As `per_class_table`.
    predicted : mapping of model name to DataFrame
        Predicted labels of each model for the same images; rows are matched by index.

    Returns
    -------
    DataFrame
        As `per_class_table` for each model and then, with model ``"<name> - <first model>"``, for each
        difference, taken on common resamples of the images; its n_positive is the difference, too.
    """
    if not predicted:
        raise UserError("There are no predictions to compare; give those of at least one model.")
    codes, names = _classes(truth)
    attributes = [*map(str, truth.columns), JOINT] if truth.shape[1] > 1 else [str(truth.columns[0])]
    right = [part for name, table in predicted.items() for part in _right(truth, table, name)]
    cells = Cells.count(codes, np.zeros_like(codes), right, None)
    parts = [_measure(cells, draws, len(names)) for draws in cells.draws(n_resamples, seed, False)]
    shape = (len(predicted), len(attributes), -1, 1 + len(names) + len(_SUMMARY))
    values = np.concatenate(parts, axis=1).reshape(shape)  # (models, attributes, 1 + resamples, numbers)
    measured = with_differences(dict(zip(predicted, values, strict=True)), next(iter(predicted)))
    n = np.bincount(codes)
    tables = [_rows(model, drawn, attributes, names, n) for model, drawn in measured.items()]
    return pd.concat(tables, ignore_index=True)


def _classes(truth: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return the class of each image, (n,), and the classes' names."""
    if truth.index.has_duplicates:
        twice = truth.index[truth.index.duplicated()][0]
        raise UserError(f"The image {twice} occurs twice in the true labels; keep one row for each image.")
    if truth.shape[1] == 0:
        raise UserError("The true labels have no column; give at least one, such as gender.")
    encoded = [encode(truth[column].to_numpy(), f"The true {column}") for column in truth.columns]
    codes, table = joint_cells([ranks for ranks, _ in encoded])
    labels = [values for _, values in encoded]
    return codes, [
        " ".join(str(one[i]) for one, i in zip(labels, row, strict=True)) for row in table.tolist()
    ]


def _right(truth: pd.DataFrame, predicted: pd.DataFrame, name: str) -> list[np.ndarray]:
    """Return whether each label column, and then all of several, are right, each (n,) bool."""
    missing = [str(column) for column in truth.columns if column not in predicted.columns]
    if missing:
        raise UserError(f"The predictions of '{name}' have no column {', '.join(missing)}.")
    matched = _matched(truth.index, predicted[list(truth.columns)], name)
    if matched.isna().to_numpy().any():
        raise UserError(f"Some predictions of '{name}' are missing; give a label for every image.")
    right = [(matched[column].to_numpy() == truth[column].to_numpy()) for column in truth.columns]
    return [*right, np.logical_and.reduce(right)] if len(right) > 1 else right


def _matched(images: pd.Index, predicted: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the predictions in the order of the images."""
    if predicted.index.has_duplicates:
        twice = predicted.index[predicted.index.duplicated()][0]
        raise UserError(f"The image {twice} occurs twice in the predictions of '{name}'; keep one row.")
    absent, extra = images.difference(predicted.index), predicted.index.difference(images)
    if len(absent) or len(extra):
        what, who = ("lack", absent) if len(absent) else ("have no true labels for", extra)
        raise UserError(
            f"The predictions of '{name}' {what} {len(who)} images (first: {who[0]}); compare models on the "
            "same images, with the image's name as index."
        )
    return predicted.loc[images]


def _measure(cells: Cells, draws: np.ndarray, n_classes: int) -> np.ndarray:
    """Return accuracy of all images and each class, and `_SUMMARY`: (parts, rows, 1 + classes + 3)."""
    counts = cells.by_class(draws, np.eye(n_classes, dtype=bool), 1)
    mass, found = (
        counts[0].mass[..., 0],
        np.stack([one.right[..., 0] for one in counts]),
    )  # found: (parts, rows, classes)
    with np.errstate(invalid="ignore"):
        accuracy = found / mass
    overall = found.sum(axis=-1) / mass.sum(axis=-1)
    present = ~np.isnan(accuracy)  # a resample may lack a class
    share = present / present.sum(axis=-1, keepdims=True)
    mean = (np.nan_to_num(accuracy) * share).sum(axis=-1)
    spread = np.sqrt((np.nan_to_num(accuracy - mean[..., None]) ** 2 * share).sum(axis=-1))
    worst = np.fmin.reduce(accuracy, axis=-1)
    return np.concatenate([overall[..., None], accuracy, np.stack([mean, spread, worst], axis=-1)], axis=-1)


def _rows(
    model: str, values: np.ndarray, attributes: Sequence[str], names: Sequence[str], n: np.ndarray
) -> pd.DataFrame:
    """Return the rows of one model from its numbers, (attributes, 1 + resamples, 1 + classes + 3)."""
    keys = [("all", "accuracy"), *((name, "accuracy") for name in names), *((CLASSES, m) for m in _SUMMARY)]
    counts = [n.sum(), *n, *[n.sum()] * len(_SUMMARY)]
    rows = []
    for attribute, drawn in zip(attributes, values, strict=True):
        accuracies = Shares(drawn[0, 1 : 1 + len(names)], n)
        for (group, metric), numbers, count in zip(keys, drawn.T, counts, strict=True):
            found = _estimate(metric, numbers, int(count), accuracies, is_difference=" - " in model)
            share = numbers[0] if metric == "accuracy" else drawn[0, 0]
            who = {"model": model, "attribute": attribute, "group": group, "metric": metric}
            rows.append(who | found._asdict() | {"n_positive": round(share * count)})
    return tidy(pd.DataFrame(rows).assign(seeds=1))


def _estimate(
    metric: str, numbers: np.ndarray, n: int, accuracies: Shares, *, is_difference: bool
) -> Estimate:
    """Return one number of the table with its interval, from itself and its resamples (1 + resamples,)."""
    value, draws = float(numbers[0]), numbers[1:]
    found = estimate_of(value, draws, n=n)
    if len(draws) == 0:
        return found
    if is_difference:
        return found._replace(p_value=paired_p_value(draws))
    if metric == "accuracy":
        low, high = wilson(value, n)
        return found._replace(low=float(low), high=float(high))
    if metric == "standard_deviation":  # a resample adds as much variance by chance as the sample did
        low, high = np.sqrt(np.maximum(2 * value**2 - np.nanquantile(draws, (0.975, 0.025)) ** 2, 0))
        corrected = float(without_chance(accuracies).std()) if len(accuracies.value) > 1 else 0.0
        return found._replace(low=float(low), high=float(high), corrected=corrected)
    if metric == "worst_class_accuracy":
        picked = lowest_share(accuracies)
        worst = float(without_chance(accuracies).min()) if len(accuracies.value) > 1 else value
        return found._replace(low=picked.low, high=picked.high, corrected=worst)
    return found


def class_attention(accuracy_percent: ArrayLike, *, decimals: int | None = 1) -> np.ndarray:
    """Return the weight of each class in training: above 1 for classes that do worse than the mean.

    Parameters
    ----------
    accuracy_percent : array of shape (classes,)
        Per cent of each class that are right, 0..100, on validation images.
    decimals : int, optional
        Digits that accuracies are rounded to first, as published; None leaves them as they are.

    Returns
    -------
    array of shape (classes,)
        Positive weights; all 1 if the classes do equally well.

    Raises
    ------
    UserError
        If an accuracy is no number from 0 to 100, or all look like fractions.

    Notes
    -----
    ``w_c = 2 ** ((mean - acc_c) / (2 std))`` with the population standard deviation over classes.

    Examples
    --------
    >>> class_attention([40.0, 60.0]).round(3).tolist()
    [1.414, 0.707]
    """
    accuracy = as_numbers(accuracy_percent, "accuracy_percent")
    if accuracy.ndim != 1 or len(accuracy) == 0 or not ((accuracy >= 0) & (accuracy <= 100)).all():
        raise UserError(
            f"accuracy_percent must hold one number from 0 to 100 for each class, but is {accuracy.tolist()}."
        )
    if 0 < accuracy.max() <= 1:
        raise UserError(f"accuracy_percent reaches only {accuracy.max():g}; give per cent, not fractions.")
    if decimals is not None:
        accuracy = accuracy.round(decimals)
    if np.ptp(accuracy) == 0:
        return np.ones(len(accuracy))
    return np.exp2((accuracy.mean() - accuracy) / (2 * accuracy.std()))
