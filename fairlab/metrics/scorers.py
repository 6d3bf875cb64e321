"""Disparities as scorers of scikit-learn, for cross-validation and searches of parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.groups import disparities
from fairlab.metrics.spec import DISPARITIES

#: Columns of X by name (or number, in an array), or the groups of all rows by X's index.
ProtectedOf: TypeAlias = "str | int | Sequence[str] | Sequence[int] | pd.Series | pd.DataFrame"
#: Tables have the name of the notion, functions one that no function of two groups has.
_FUNCTIONS = {"equal_opportunity_difference": "true_positive_rate_difference"}


def make_fairness_scorer(metric: str, protected: ProtectedOf | None = None) -> Any:
    """Return a scorer ``f(estimator, X, y)`` for ``cross_validate``, ``GridSearchCV`` and the like.

    Parameters
    ----------
    metric : str
        demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference,
        equal_opportunity_difference, worst_group_accuracy or accuracy_difference.
    protected : optional
        What forms groups: the name of a column of X, or several; a number of a column where X is an array; or
        a Series or DataFrame with a row for each index of X, so that the classifier need not see the groups.
        None has them come by metadata routing as the parameter ``protected``.

    Returns
    -------
    scorer
        Higher is better: of a metric that is best at 0 the negative is returned, as with scikit-learn's
        ``neg_…`` scorers. NaN, with an `UndefinedMetricWarning`, where a fold leaves fewer than two groups.

    Raises
    ------
    UserError
        If the metric is unknown, or groups are to come by routing and it is not enabled; when scoring, if X
        has no such column or rows.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_validate
    >>> rng = np.random.default_rng(0)
    >>> gender = pd.Series(rng.choice(["f", "m"], 400), name="gender")
    >>> X = pd.DataFrame({"x": rng.normal(size=400) + (gender == "m")})
    >>> y = (X["x"] + rng.normal(size=400) > 0).astype(int)
    >>> scorer = make_fairness_scorer("demographic_parity_difference", protected=gender)
    >>> found = cross_validate(LogisticRegression(), X, y, scoring={"parity": scorer}, cv=3)
    >>> bool((found["test_parity"] < 0).all())
    True
    """
    if metric not in DISPARITIES:
        raise UserError(f"There is no disparity '{metric}'; {nearest_names(metric, DISPARITIES)}")
    if protected is not None:
        return FairnessScorer(metric, protected)
    import sklearn.metrics  # takes a second

    if not sklearn.get_config()["enable_metadata_routing"]:
        raise UserError(
            "Without 'protected' the groups come by metadata routing, which is off; call "
            "sklearn.set_config(enable_metadata_routing=True), or name a column or pass a Series."
        )
    scorer: Any = sklearn.metrics.make_scorer(_function(metric), greater_is_better=_sign(metric) > 0)
    return scorer.set_score_request(protected=True)


@dataclass(frozen=True)
class FairnessScorer:
    """A disparity of what an estimator predicts, higher being better; see `make_fairness_scorer`."""

    metric: str
    protected: Any

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the signed disparity of the estimator's predictions for X."""
        groups, function = _groups_of(self.protected, X), _function(self.metric)
        return _sign(self.metric) * function(
            np.asarray(y), estimator.predict(X), groups, sample_weight=sample_weight
        )


def _function(metric: str) -> Callable[..., float]:
    function: Callable[..., float] = getattr(disparities, _FUNCTIONS.get(metric, metric))
    return function


def _sign(metric: str) -> int:
    return -1 if DISPARITIES[metric].best == "zero" else 1


def _groups_of(protected: Any, X: Any) -> Any:
    """Return the protected columns of the rows of X."""
    if isinstance(protected, pd.Series | pd.DataFrame):
        return _by_index(protected, X)
    if isinstance(X, pd.DataFrame):
        names = [protected] if isinstance(protected, str | int) else list(protected)
        missing = [name for name in names if name not in X.columns]
        if missing:
            raise UserError(f"X has no column '{missing[0]}'; {nearest_names(str(missing[0]), map(str, X))}")
        return X[names]
    numbers = np.atleast_1d(protected)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1 or numbers.max() >= X.shape[1]:
        raise UserError(
            f"X is an array of {X.shape[1]} columns, so 'protected' must be numbers of columns, not "
            f"{protected!r}; or pass X as a DataFrame, with a name or a Series of groups."
        )
    return {f"column {number}": np.asarray(X[:, number]) for number in numbers}


def _by_index(protected: Any, X: Any) -> Any:
    """Return the rows of a Series or DataFrame of groups that belong to X."""
    if not isinstance(X, pd.DataFrame | pd.Series):
        raise UserError(
            "Groups in a Series are found by X's index, but X is an array; pass X as a DataFrame."
        )
    if not protected.index.is_unique:
        raise UserError("The index of the protected groups repeats; give every row one of its own.")
    absent = X.index.difference(protected.index)
    if len(absent):
        raise UserError(
            f"{len(absent)} of {len(X)} rows of X have no protected group (first: index {absent[0]!r}); give "
            "groups with X's index."
        )
    return protected.loc[X.index]
