"""Several attributes at once: each one's metrics, and their means over groups of attributes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.clusters import check_clusters
from fairlab.metrics.intervals.seeds import BySeed
from fairlab.metrics.tidy import Resampled, group_of, metric_rows, tidy, tidy_table
from fairlab.metrics.two_groups.compare import resample_models
from fairlab.metrics.two_groups.ranked_cells import Specs
from fairlab.metrics.validation import GROUPS, check_labels

#: Value of the column "group" in rows that are means over attributes.
MEAN = "mean over attributes"


def compare_attributes(
    labels: pd.DataFrame,
    scores: Mapping[str, Mapping[str, ArrayLike]],
    protected: ArrayLike,
    *,
    thresholds: Mapping[str, Mapping[str, float | ArrayLike]] | None = None,
    means: Mapping[str, Sequence[str]] | None = None,
    baseline: str = "baseline",
    n_resamples: int = 1000,
    seed: int = 0,
    clusters: ArrayLike | None = None,
    groups: tuple[str, str] = GROUPS,
    specs: Specs = None,
) -> pd.DataFrame:
    """Return the metrics of several models for many attributes, and their means over groups of attributes.

    Parameters
    ----------
    labels : DataFrame, n rows
        A column of 0 and 1 for each attribute.
    scores : dict of model name to dict of attribute to array of shape (n,) or (seeds, n)
        Every model has every attribute of `labels`, all with the same number of seeds.
    protected : array of shape (n,)
        0 or 1.
    thresholds : like `scores`, optional
        Each a number or an array of shape (seeds,); see `compare`.
    means : dict of str to sequence of str, optional
        Named groups of attributes to average over, such as `fairlab.data.attributes.REPORTING_GROUPS`;
        attributes not in `labels` are left out.
    baseline, n_resamples, seed, clusters, groups
        As `compare`.
    specs : tuple of MetricSpec, optional
        What is measured; by default `fairlab.metrics.spec.METRICS`. Of a metric of one group the column
        "group" names it, in rows that are means after "mean over attributes: ".

    Returns
    -------
    DataFrame
        The rows of `compare` for each attribute, then rows with the group "mean over attributes", whose
        attribute is the name of a group of attributes and whose note says how many were averaged and how
        many skipped because the metric is undefined. Their n_positive is the sum over the attributes.

    Raises
    ------
    UserError
        If a model lacks an attribute, and as `compare`.

    Notes
    -----
    All attributes are measured on the same resamples of images and of training seeds, so the interval of a
    mean counts what errors have in common: averages of separate intervals would be too narrow. Means are
    those of the table in Ramaswamy et al., CVPR 2021, Section 4.
    """
    a = check_labels(protected, "protected", len(labels))
    together = check_clusters(clusters, len(labels))
    _check_attributes(labels, scores)
    resampled: dict[str, dict[str, Resampled]] = {}
    tables = []
    for name in labels.columns:
        y = check_labels(labels[name], name)
        given = {model: by_attribute[name] for model, by_attribute in scores.items()}
        limits = None if thresholds is None else {model: thresholds[model][name] for model in scores}
        resampled[name] = resample_models(
            y, given, a, limits, baseline, n_resamples, seed, clusters=together, specs=specs
        )
        tables.append(tidy_table(resampled[name], y, a, name, groups))
    chosen = {title: [name for name in names if name in resampled] for title, names in (means or {}).items()}
    tables += [
        _mean_rows(title, names, resampled, labels, groups) for title, names in chosen.items() if names
    ]
    return tidy(pd.concat(tables, ignore_index=True))


def _check_attributes(labels: pd.DataFrame, scores: Mapping[str, Mapping[str, ArrayLike]]) -> None:
    for model, by_attribute in scores.items():
        missing = [name for name in labels.columns if name not in by_attribute]
        if missing:
            raise UserError(
                f"The model '{model}' has no scores for {', '.join(missing)}; give scores for every column "
                "of the labels, or leave those columns out."
            )


def _mean_rows(
    title: str,
    names: Sequence[str],
    resampled: Mapping[str, Mapping[str, Resampled]],
    labels: pd.DataFrame,
    groups: tuple[str, str],
) -> pd.DataFrame:
    """Return the rows of one group of attributes, for every model and difference."""
    n_positive = int(labels[list(names)].to_numpy().sum())
    rows = []
    for model in resampled[names[0]]:
        parts = [resampled[name][model] for name in names]
        for column, row in enumerate(metric_rows(_mean(parts), {})):
            n_defined = sum(not np.isnan(part.value[column]) for part in parts)
            note = f"mean of {n_defined} attributes" + (
                f", {len(parts) - n_defined} skipped (undefined)" if n_defined < len(parts) else ""
            )
            notes = "; ".join(filter(None, [note, str(row["note"])]))
            group = group_of(parts[0].specs[column], groups)
            who = {
                "model": model,
                "attribute": title,
                "group": MEAN if group == "all" else f"{MEAN}: {group}",
            }
            rows.append({**row, **who, "note": notes})
    return pd.DataFrame(rows).assign(n=len(labels), n_positive=n_positive)


def _mean(parts: Sequence[Resampled]) -> Resampled:
    """Average resampled of several attributes over those in which each metric is defined."""
    defined = ~np.isnan([part.value for part in parts])  # (attributes, metrics)

    def mean(of: Callable[[Resampled], np.ndarray]) -> np.ndarray:
        """Average arrays (..., metrics)."""
        # An attribute that is defined on the images, but not on a resample, leaves that resample out.
        arrays = [np.where(here, of(part), 0.0) for here, part in zip(defined, parts, strict=True)]
        with np.errstate(invalid="ignore"):
            return np.asarray(
                np.sum(arrays, axis=0) / np.where(defined.any(axis=0), defined.sum(axis=0), np.nan)
            )

    return parts[0]._replace(
        value=mean(lambda part: part.value),
        by_seed=BySeed(mean(lambda part: part.by_seed.whole), mean(lambda part: part.by_seed.resampled)),
        chance=mean(lambda part: part.chance),
        corrected=mean(lambda part: part.corrected),
        signed=None,
    )
