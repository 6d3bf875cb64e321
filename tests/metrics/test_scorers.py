"""Disparities as scorers: a real cross-validation and search, against folds measured by hand."""

import pickle

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate

from fairlab.core.errors import UserError
from fairlab.metrics.scorers import make_fairness_scorer
from fairlab.metrics.spec import DISPARITIES

FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def people():
    """Return features, labels and groups; the index is in no order."""
    rng = np.random.default_rng(0)
    index = rng.permutation(np.arange(1000, 1600))
    gender = pd.Series(rng.choice(["f", "m"], 600), index, name="gender")
    X = pd.DataFrame({"x": rng.normal(size=600) + (gender == "m"), "z": rng.normal(size=600)}, index)
    y = (X["x"] + 0.5 * X["z"] + rng.normal(size=600) > 0).astype(int)
    return X, y, gender


def by_hand(people, function):
    X, y, gender = people
    found = []
    for train, test in FOLDS.split(X, y):
        predicted = LogisticRegression().fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test])
        found.append(function(y.iloc[test], predicted, sensitive_features=gender.iloc[test]))
    return np.array(found)


def test_cross_validation_gives_fairlearns_numbers_of_every_fold(people):
    X, y, gender = people
    names = ["demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference",
             "equal_opportunity_difference"]  # fmt: skip
    scoring = {name: make_fairness_scorer(name, protected=gender) for name in names}
    found = cross_validate(LogisticRegression(), X, y, scoring=scoring, cv=FOLDS)
    for name in names:
        sign = 1 if name.endswith("ratio") else -1
        expected = sign * by_hand(people, getattr(fairlearn, name))
        np.testing.assert_allclose(found[f"test_{name}"], expected)


def test_groups_may_be_a_column_of_x(people):
    X, y, gender = people
    with_groups = X.assign(male=(gender == "m").astype(int))
    by_name = make_fairness_scorer("accuracy_difference", protected="male")
    by_number = make_fairness_scorer("accuracy_difference", protected=2)
    frame = cross_validate(LogisticRegression(), with_groups, y, scoring=by_name, cv=FOLDS)["test_score"]
    array = cross_validate(LogisticRegression(), with_groups.to_numpy(), y, scoring=by_number, cv=FOLDS)
    np.testing.assert_allclose(frame, array["test_score"])


def test_groups_may_come_by_metadata_routing(people):
    X, y, gender = people
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_fairness_scorer("equalized_odds_difference")
        found = cross_validate(
            LogisticRegression(), X, y, scoring=scorer, cv=FOLDS, params={"protected": gender}
        )
    np.testing.assert_allclose(found["test_score"], -by_hand(people, fairlearn.equalized_odds_difference))


def test_a_search_chooses_the_fairest(people):
    X, y, gender = people
    scorer = make_fairness_scorer("demographic_parity_difference", protected=gender)
    search = GridSearchCV(LogisticRegression(), {"C": [1e-6, 1.0]}, scoring=scorer, cv=FOLDS).fit(X, y)
    # Hardly any weight on x predicts hardly any difference between groups in x.
    assert search.best_params_ == {"C": 1e-6}
    assert search.best_score_ <= 0


def test_scorers_can_be_sent_to_other_processes(people):
    X, y, gender = people
    scorer = make_fairness_scorer("worst_group_accuracy", protected=gender)
    model = clone(LogisticRegression()).fit(X, y)
    assert pickle.loads(pickle.dumps(scorer))(model, X, y) == scorer(model, X, y) > 0.5


def test_every_disparity_is_a_scorer(people):
    X, y, gender = people
    model = LogisticRegression().fit(X, y)
    for name, spec in DISPARITIES.items():
        value = make_fairness_scorer(name, protected=gender)(model, X, y)
        assert -1 <= value <= 0 if spec.best == "zero" else 0 <= value <= 1


def test_what_does_not_fit_is_one_sentence(people):
    X, y, gender = people
    model = LogisticRegression().fit(X, y)
    with pytest.raises(UserError, match="no disparity 'equalised_odds_difference'; did you mean 'equalized"):
        make_fairness_scorer("equalised_odds_difference", protected=gender)
    with pytest.raises(UserError, match="metadata routing, which is off"):
        make_fairness_scorer("accuracy_difference")

    def scored(protected, features=X):
        return make_fairness_scorer("accuracy_difference", protected=protected)(model, features, y)

    with pytest.raises(UserError, match="X has no column 'zz'; did you mean"):
        scored("zz")
    with pytest.raises(UserError, match=r"300 of 600 rows of X have no protected group \(first: index"):
        scored(gender.iloc[:300])
    with pytest.raises(UserError, match="index of the protected groups repeats"):
        scored(pd.concat([gender, gender]))
    with pytest.raises(UserError, match="but X is an array"):
        scored(gender, X.to_numpy())
    with pytest.raises(UserError, match="must be numbers of columns, not 'gender'"):
        scored("gender", X.to_numpy())
