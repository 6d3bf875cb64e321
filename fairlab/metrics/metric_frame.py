"""Tables of metrics from and to the form of fairlearn's ``MetricFrame``, without fairlearn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.tidy import COLUMNS

Method: TypeAlias = Literal["between_groups", "to_overall"]
_UNNAMED = "sensitive_feature_0"  # what fairlearn calls a feature without a name
_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True)
class GroupFrame:
    """Metrics of all images and of each group, with the names and rules of fairlearn's ``MetricFrame``.

    Attributes
    ----------
    overall : Series
        Index: the metrics.
    by_group : DataFrame
        Index: the values of the sensitive features, a level for each; a column for each metric.
    """

    overall: pd.Series
    by_group: pd.DataFrame

    @property
    def sensitive_levels(self) -> list[str]:
        """Names of the sensitive features."""
        return [str(name) for name in self.by_group.index.names]

    def group_min(self) -> pd.Series:
        """Return the smallest value of a group, undefined ones (NaN) left out."""
        return self.by_group.min()

    def group_max(self) -> pd.Series:
        """Return the largest value of a group, undefined ones (NaN) left out."""
        return self.by_group.max()

    def difference(self, method: Method = "between_groups") -> pd.Series:
        """Return largest - smallest, or ("to_overall") the largest distance from all images."""
        if _check(method) == "between_groups":
            return self.group_max() - self.group_min()
        return (self.by_group - self.overall).abs().max()

    def ratio(self, method: Method = "between_groups") -> pd.Series:
        """Return smallest / largest, or ("to_overall") the smallest quotient with all images, below 1."""
        if _check(method) == "between_groups":
            return self.group_min() / self.group_max()
        quotients = self.by_group / self.overall
        return quotients.where(quotients <= 1, 1 / quotients).min()


def to_metric_frame(
    table: pd.DataFrame, *, model: str | None = None, family: str | None = None
) -> GroupFrame:
    """Return the values of a tidy table as fairlearn's ``MetricFrame`` has them.

    Parameters
    ----------
    table : DataFrame
        As `group_metrics`, `group_differences` or `disaggregate`.
    model : str, optional
        Whose rows to take; by default the first model's.
    family : str, optional
        Which groups: a protected column, or an intersection such as ``"gender & race"``; by default those of
        most columns.

    Returns
    -------
    GroupFrame
        Undefined values are NaN, where fairlearn's own metrics would give 0.

    Raises
    ------
    UserError
        If there are no rows of the model, or no such groups.

    Examples
    --------
    >>> from fairlab.metrics import group_metrics
    >>> gender = pd.Series(["f", "m"] * 3, name="gender")
    >>> table = group_metrics([1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0], gender, n_resamples=0)
    >>> to_metric_frame(table).by_group["FPR"].to_dict()
    {'f': 0.0, 'm': 0.5}
    """
    models = list(dict.fromkeys(table["model"]))
    name = models[0] if model is None and models else model
    if name not in models:
        raise UserError(f"The table has no rows of the model '{name}'; {nearest_names(str(name), models)}")
    rows = table[(table["model"] == name) & ~table["metric"].str.endswith((" difference", " ratio"))]
    features = {group: _features(group) for group in dict.fromkeys(rows["group"]) if group != "all"}
    families = {group: " & ".join(found) for group, found in features.items() if found}
    if not families:  # the groups of an array without a name
        features = {group: {_UNNAMED: group} for group in features}
        families = dict.fromkeys(features, _UNNAMED)
    wanted = family or max(families.values(), key=lambda each: each.count(" & "), default="")
    groups = [group for group, own in families.items() if own == wanted]
    if not groups:
        raise UserError(f"The table has no groups by '{wanted}'; {nearest_names(wanted, families.values())}")
    inside = rows[rows["group"].isin(groups)]
    metrics = {
        metric: rows.set_index("group")["value"] for metric, rows in inside.groupby("metric", sort=False)
    }
    by_group = pd.DataFrame(metrics).reindex(groups)
    by_group.index = _index([features[group] for group in groups])
    overall = rows[rows["group"] == "all"].set_index("metric")["value"].reindex(by_group.columns)
    return GroupFrame(overall.rename(None), by_group)


def from_metric_frame(frame: Any, *, model: str = "model", attribute: str = "") -> pd.DataFrame:
    """Return fairlearn's ``MetricFrame`` as a tidy table, such as `group_metrics` returns.

    Parameters
    ----------
    frame : fairlearn.metrics.MetricFrame, GroupFrame, or the like
        What has ``by_group`` (Series or DataFrame, indexed by the features) and ``overall`` (a number, or a
        Series of one for each metric). With control features, ``overall`` is indexed by them.
    model, attribute : str
        Names for the table.

    Returns
    -------
    DataFrame
        The columns of `compare`. Groups are named ``"gender = Female & race = Black"``. low and high are
        those of the frame's own bootstrap if it has the quantiles 0.025 and 0.975, else NaN; n is the metric
        ``count`` if there is one, else <NA>.

    Raises
    ------
    UserError
        If the frame lacks ``by_group`` or ``overall``.
    """
    for part in ("by_group", "overall"):
        if not hasattr(frame, part):
            raise UserError(f"{type(frame).__name__} has no '{part}'; pass a MetricFrame of fairlearn.")
    parts = [_cells(frame, part) for part in ("overall", "by_group")]
    table = pd.concat(parts, ignore_index=True).reindex(columns=["group", "metric", "value", "low", "high"])
    counted = table[table["metric"] == "count"].set_index("group")["value"]
    return table.assign(
        model=model,
        attribute=attribute,
        n=table["group"].map(counted).astype("Int64"),
        n_positive=pd.array([pd.NA] * len(table), dtype="Int64"),
        seeds=1,
        note=np.where(table["value"].isna(), "undefined in the frame", ""),
    ).reindex(columns=list(COLUMNS))


def _cells(frame: Any, part: str) -> pd.DataFrame:
    """Return one part of a frame, and its interval, as columns group, metric, value, low and high."""
    values = _by_group(frame, part, getattr(frame, part))
    ends = _ends(frame, part)
    columns = {"value": values} | {name: _by_group(frame, part, end) for name, end in ends.items()}
    tidy = {
        name: each.rename_axis("group").melt(ignore_index=False, var_name="metric", value_name=name)
        for name, each in columns.items()
    }
    return pd.DataFrame(
        {name: each.set_index("metric", append=True)[name] for name, each in tidy.items()}
    ).reset_index()


def _by_group(frame: Any, part: str, values: Any) -> pd.DataFrame:
    """Return a part of a frame with the names of groups as index and a column for each metric."""
    single = getattr(frame.by_group, "name", None)  # a Series is of one metric
    over_metrics = part == "overall" and not getattr(frame, "control_levels", None)
    if over_metrics:
        series = values if isinstance(values, pd.Series) else pd.Series({str(single): values})
        return series.to_frame("all").T
    table = values.to_frame(str(single)) if isinstance(values, pd.Series) else values
    names = [str(name) for name in table.index.names]
    texts = [key if isinstance(key, tuple) else (key,) for key in table.index]
    groups = [
        " & ".join(f"{name} = {value}" for name, value in zip(names, key, strict=True)) for key in texts
    ]
    return table.set_axis(groups, axis=0)


def _ends(frame: Any, part: str) -> dict[str, Any]:
    """Return the frame's own 2.5% and 97.5% quantiles, if it has them."""
    quantiles = list(getattr(frame, "ci_quantiles", None) or ())
    if not {_LOW, _HIGH} <= set(quantiles):
        return {}
    found = getattr(frame, f"{part}_ci")
    return {name: found[quantiles.index(q)] for name, q in (("low", _LOW), ("high", _HIGH))}


def _features(group: str) -> dict[str, str]:
    """Return the columns and values in a name such as ``"gender = Female & race = Black"``; else none."""
    parts = [part.split(" = ", 1) for part in re.split(r" & (?=[^&]+ = )", group)]
    return {part[0]: part[1] for part in parts} if all(len(part) == 2 for part in parts) else {}


def _index(features: Sequence[Mapping[str, str]]) -> pd.Index:
    names, values = list(features[0]), [tuple(each.values()) for each in features]
    if len(names) == 1:
        return pd.Index([value for (value,) in values], name=names[0])
    return pd.MultiIndex.from_tuples(values, names=names)


def _check(method: str) -> str:
    known = ("between_groups", "to_overall")
    if method not in known:
        raise UserError(f"There is no method '{method}'; {nearest_names(method, known)}")
    return method
