"""Any metric by group: scikit-learn and fairlearn's MetricFrame, intervals, notes, and refusals."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, mean_absolute_error, precision_score, roc_auc_score

from fairlab.core.errors import UserError
from fairlab.metrics import disaggregate, group_metrics
from fairlab.metrics.tidy import COLUMNS


def accuracy(y_true, y_pred, sample_weight=None):
    return float(np.average(y_true == y_pred, weights=sample_weight))


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"gender": rng.choice(["f", "m"], 300), "race": rng.choice(list("abc"), 300)})
    frame["y"] = rng.integers(0, 2, 300)
    frame["s"] = (0.3 + 0.2 * frame["y"] + 0.5 * rng.random(300)).round(3)
    return frame.assign(p=(frame["s"] > 0.55).astype(int), w=rng.random(300) + 0.1)


def test_values_and_gaps_are_those_of_fairlearns_metric_frame(people):
    fairlearn = pytest.importorskip("fairlearn.metrics")
    metrics = {"f1": f1_score, "precision": precision_score}
    params = {name: {"sample_weight": people["w"]} for name in metrics}
    features = people[["gender", "race"]]
    frame = fairlearn.MetricFrame(
        metrics=metrics,
        y_true=people["y"],
        y_pred=people["p"],
        sensitive_features=features,
        sample_params=params,
    )
    table = disaggregate(
        metrics, people["y"], people["p"], features, sample_params=params, n_resamples=0
    ).set_index(["metric", "group"])["value"]
    for name in metrics:
        assert table[name, "all"] == pytest.approx(frame.overall[name])
        for (gender, race), value in frame.by_group[name].items():
            assert table[name, f"gender = {gender} & race = {race}"] == pytest.approx(value)
        assert table[f"{name}_difference", "gender & race"] == pytest.approx(frame.difference()[name])
        assert table[f"{name}_ratio", "gender & race"] == pytest.approx(frame.ratio()[name])


def test_the_table_and_its_intervals_are_those_of_group_metrics(people):
    table = disaggregate(accuracy, people["y"], people["p"], people["gender"], n_resamples=400)
    assert tuple(table.columns) == COLUMNS
    known = group_metrics(people["y"], people["p"], people["gender"], n_resamples=400).set_index("group")
    known = known[known["metric"] == "accuracy"]
    found = table[table["metric"] == "accuracy"].set_index("group")
    assert list(found["n"]) == list(known["n"])
    assert list(found["n_positive"]) == list(known["n_positive"])
    for end in ("value", "low", "high"):
        np.testing.assert_allclose(found[end], known[end], atol=0 if end == "value" else 0.02)


def test_several_models_have_paired_differences(people):
    models = {"one": people["s"], "two": 1 - people["s"], "same": people["s"]}
    table = disaggregate(roc_auc_score, people["y"], models, people["gender"], n_resamples=50)
    by = table.set_index(["model", "metric", "group"])
    both = by.loc[("two - one", "roc_auc_score", "all")]
    expected = 1 - 2 * roc_auc_score(people["y"], people["s"])
    assert both["value"] == pytest.approx(expected)
    assert both["low"] < expected < both["high"]
    same = by.loc["same - one"]
    assert (same[["value", "low", "high"]] == 0).all(axis=None)


def test_a_group_without_positives_is_skipped_and_named(people):
    y = people["y"].where(people["race"] != "c", 0)
    table = disaggregate(roc_auc_score, y, people["s"], people["race"], n_resamples=20).set_index(
        ["metric", "group"]
    )
    row = table.loc[("roc_auc_score", "race = c")]
    assert math.isnan(row["value"])
    assert row["note"]
    gap = table.loc[("roc_auc_score_difference", "race")]
    assert gap["value"] >= 0
    assert "skips 1 of 3 groups: race = c" in gap["note"]


def test_what_a_metric_warns_of_is_in_the_note(people):
    p = people["p"].where(people["gender"] == "f", 0)
    table = disaggregate(precision_score, people["y"], p, people["gender"], n_resamples=0)
    row = table[(table["group"] == "gender = m") & (table["metric"] == "precision_score")].iloc[0]
    assert row["value"] == 0  # scikit-learn's convention
    assert "ill-defined" in row["note"]


def test_numbers_below_zero_have_no_ratio(people):
    def loss(y_true, y_pred):
        return -mean_absolute_error(y_true, y_pred)

    table = disaggregate({"loss": loss}, people["y"], people["s"], people["gender"], n_resamples=0)
    ratio = table[table["metric"] == "loss_ratio"].iloc[0]
    assert math.isnan(ratio["value"])
    assert ratio["note"] == "negative numbers have no ratio"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"metrics": {}}, "no metric; give at least one"),
        ({"metrics": {"auc": "roc"}}, "'auc' is 'roc', no function"),
        ({"metrics": {"auc": lambda y: 0.5}}, "'auc' fails on all images .TypeError"),
        ({"metrics": {"auc": lambda y, p: "high"}}, "'auc' fails on all images .ValueError"),
        ({"metrics": accuracy, "sample_params": {"sample_weight": [1]}}, "must have 300 values"),
        ({"metrics": {"acc": accuracy}, "sample_params": {"ac": {}}}, "for 'ac'; did you mean 'acc'"),
        ({"metrics": {"acc": accuracy}, "sample_params": {"acc": [1]}}, "must map names of parameters"),
        ({"y_pred": [1]}, "predictions of 'model' must have 300 values"),
        ({"protected": ["f", "m"]}, "300 values, but there are 2 protected"),
        ({"n_resamples": -1}, "n_resamples must be at least 0"),
    ],
)
def test_arguments_that_do_not_fit(people, options, sentence):
    usual = {"metrics": accuracy, "y_pred": people["p"], "protected": people["gender"], "n_resamples": 0}
    with pytest.raises(UserError, match=sentence):
        disaggregate(y_true=people["y"], **usual | options)
