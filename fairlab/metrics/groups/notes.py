"""What a table of groups says of numbers that are undefined, or that leave groups or classes out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from fairlab.metrics.groups.named_groups import Groups
from fairlab.metrics.groups.rates import COMPARES
from fairlab.metrics.validation import UndefinedMetricWarning

#: A metric and the group, or family of groups, it belongs to.
Key = tuple[str, str]

#: What is missing where a rate is 0/0.
_MISSING = {"TPR": "positives", "FNR": "positives", "FPR": "negatives", "PPV": "images predicted positive"}
_SHOWN = 3  # reasons that a note lists


def notes(values: Mapping[Key, float], named: Groups, counts: Mapping[str, np.ndarray]) -> dict[Key, str]:
    """Return a note on each value of one model, empty where there is nothing to say.

    Parameters
    ----------
    values : mapping of (metric, group) to float
    named : Groups
    counts : mapping of group to array of shape (K,)
        Number of images of each class.
    """
    found = {key: _rate_note(key, values, counts) for key in values if key[0] not in COMPARES}
    apart = {
        (metric, family): _disparity_note(metric, values, found, named.names[named.families[family]])
        for metric, family in values
        if metric in COMPARES
    }
    return found | apart


def warn_of_undefined(model: str, values: Mapping[Key, float], found: Mapping[Key, str]) -> None:
    """Warn once for each reason why metrics of a model are NaN."""
    by_reason: dict[str, list[str]] = {}
    for key, value in values.items():
        if np.isnan(value):
            by_reason.setdefault(found[key], []).append(key[0])
    for reason, metrics in by_reason.items():
        said = f"{', '.join(dict.fromkeys(metrics))} of '{model}' undefined: {reason}."
        warnings.warn(said, UndefinedMetricWarning, stacklevel=4)


def _rate_note(key: Key, values: Mapping[Key, float], counts: Mapping[str, np.ndarray]) -> str:
    metric, group = key
    if metric == "balanced_accuracy" and ("TPR", group) not in values:
        absent = int((counts[group] == 0).sum())
        return f"mean without {absent} of {len(counts[group])} classes: 0 images in {group}" if absent else ""
    if not np.isnan(values[key]):
        return ""
    if metric == "balanced_accuracy":
        parts = [_rate_note((part, group), values, counts) for part in ("TPR", "FPR")]
        return " and ".join(filter(None, parts))
    return f"0 {_MISSING.get(metric, 'images')} {'among all images' if group == 'all' else f'in {group}'}"


def _disparity_note(
    metric: str, values: Mapping[Key, float], found: Mapping[Key, str], groups: Sequence[str]
) -> str:
    """Say how many groups a disparity skips and why, or why it is undefined."""
    reasons = {
        group: found[rate, group]
        for group in groups
        for rate in COMPARES[metric]
        if np.isnan(values[rate, group])
    }
    if not reasons:
        flagged = [values[rate, group] for group in groups for rate in COMPARES[metric]]
        if len(groups) < 2 and metric != "worst_group_accuracy":
            return f"only one group, {groups[0]}"
        return "0 images predicted positive" if metric.endswith("ratio") and not any(flagged) else ""
    listed = "; ".join(list(dict.fromkeys(reasons.values()))[:_SHOWN])
    more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return f"skips {len(reasons)} of {len(groups)} groups: {listed}{more}"
