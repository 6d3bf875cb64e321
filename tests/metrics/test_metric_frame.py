"""To and from fairlearn's MetricFrame: its own numbers, and back again."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from fairlab.core.errors import UserError
from fairlab.metrics import from_metric_frame, group_differences, group_metrics, to_metric_frame
from fairlab.metrics.tidy import COLUMNS

fairlearn = pytest.importorskip("fairlearn.metrics")
NAMES = {
    "accuracy": accuracy_score,
    "selection_rate": fairlearn.selection_rate,
    "FPR": fairlearn.false_positive_rate,
}


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"gender": rng.choice(["f", "m"], 400), "race": rng.choice(list("abc"), 400)})
    return frame.assign(y=rng.integers(0, 2, 400), p=rng.integers(0, 2, 400))


def frame_of(people, features, **options):
    return fairlearn.MetricFrame(
        metrics=options.pop("metrics", NAMES),
        y_true=people["y"],
        y_pred=people["p"],
        sensitive_features=people[features],
        **options,
    )


@pytest.mark.parametrize("features", [["gender"], ["gender", "race"]])
def test_a_table_becomes_the_frame_of_fairlearn(people, features):
    expected = frame_of(people, features)
    table = group_metrics(people["y"], people["p"], people[features], n_resamples=0)
    found = to_metric_frame(table)
    pd.testing.assert_frame_equal(found.by_group[list(NAMES)], expected.by_group)
    pd.testing.assert_series_equal(found.overall[list(NAMES)], expected.overall, check_names=False)
    assert found.sensitive_levels == expected.sensitive_levels
    for method in ("between_groups", "to_overall"):
        for gap in ("difference", "ratio"):
            own, theirs = (getattr(each, gap)(method=method) for each in (found, expected))
            pd.testing.assert_series_equal(own[list(NAMES)], theirs, check_names=False)
    for extreme in ("group_min", "group_max"):
        own, theirs = (getattr(each, extreme)() for each in (found, expected))
        pd.testing.assert_series_equal(own[list(NAMES)], theirs, check_names=False, check_dtype=False)


def test_a_family_and_a_model_can_be_chosen(people):
    models = {"one": people["p"], "two": 1 - people["p"]}
    table = group_differences(people["y"], models, people[["gender", "race"]], n_resamples=0)
    found = to_metric_frame(table, model="two", family="race")
    expected = accuracy_score(people["y"], 1 - people["p"])
    assert found.overall["accuracy"] == pytest.approx(expected)
    assert list(found.by_group.index) == ["a", "b", "c"]
    assert found.by_group.index.name == "race"
    with pytest.raises(UserError, match="no rows of the model 'tw'; did you mean 'two'"):
        to_metric_frame(table, model="tw")
    with pytest.raises(UserError, match="no groups by 'rac'; did you mean 'race'"):
        to_metric_frame(table, family="rac")
    with pytest.raises(UserError, match="no method 'between'"):
        found.difference("between")


def test_groups_of_an_array_have_fairlearns_name_for_them(people):
    table = group_metrics(people["y"], people["p"], people["gender"].to_numpy(), n_resamples=0)
    found = to_metric_frame(table)
    assert found.by_group.index.name == "sensitive_feature_0"
    assert list(found.by_group.index) == ["f", "m"]


@pytest.mark.parametrize("features", [["gender"], ["gender", "race"]])
def test_there_and_back(people, features):
    frame = frame_of(people, features)
    table = from_metric_frame(frame, model="m")
    assert tuple(table.columns) == COLUMNS
    back = to_metric_frame(table)
    pd.testing.assert_frame_equal(back.by_group, frame.by_group)
    pd.testing.assert_series_equal(back.overall, frame.overall, check_names=False)
    again = to_metric_frame(from_metric_frame(back))
    pd.testing.assert_frame_equal(again.by_group, frame.by_group)


def test_counts_intervals_and_control_features_are_kept(people):
    frame = frame_of(
        people,
        ["gender"],
        metrics=NAMES | {"count": fairlearn.count},
        control_features=people["race"],
        n_boot=20,
        ci_quantiles=[0.025, 0.5, 0.975],
        random_state=0,
    )
    table = from_metric_frame(frame).set_index(["metric", "group"])
    row = table.loc[("accuracy", "race = b & gender = f")]
    inside = people[(people["race"] == "b") & (people["gender"] == "f")]
    assert row["value"] == pytest.approx((inside["y"] == inside["p"]).mean())
    assert row["n"] == len(inside)
    assert row["low"] == frame.by_group_ci[0].loc[("b", "f"), "accuracy"]
    assert row["high"] == frame.by_group_ci[2].loc[("b", "f"), "accuracy"]
    assert table.loc[("accuracy", "race = b"), "n"] == (people["race"] == "b").sum()


def test_a_frame_of_one_metric(people):
    table = from_metric_frame(frame_of(people, "gender", metrics=accuracy_score))
    expected = accuracy_score(people["y"], people["p"])
    whole = table[(table["group"] == "all") & (table["metric"] == "accuracy_score")]
    assert whole["value"].tolist() == [pytest.approx(expected)]
    assert set(table["group"]) == {"all", "gender = f", "gender = m"}


def test_what_is_no_frame_is_refused():
    with pytest.raises(UserError, match="dict has no 'by_group'"):
        from_metric_frame({})
    with pytest.raises(UserError, match="has no 'overall'"):
        from_metric_frame(SimpleNamespace(by_group=pd.DataFrame()))
