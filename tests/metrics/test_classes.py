"""How evenly classes are recognised: by hand, by a bootstrap of rows, and published figures."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from fairlab.core.errors import UserError
from fairlab.metrics import class_accuracies, class_attention, compare_classes, most_likely, per_class_table
from fairlab.metrics.tidy import COLUMNS

#: Of "Exploring Fairness in the Classification of Faces: FairFace", balanced test, without and with class
#: attention: per cent right of gender, race, both; standard deviation over classes; worst class.
PUBLISHED = ([91.9, 63.1, 58.4, 12.2, 30.2], [91.4, 62.7, 57.9, 5.8, 50.8])


def value(table, group, metric="accuracy", attribute="joint", model="model", column="value"):
    keys = {"group": group, "metric": metric, "attribute": attribute, "model": model}
    rows = table[np.logical_and.reduce([table[name] == key for name, key in keys.items()])]
    assert len(rows) == 1
    return rows.iloc[0][column]


def made_up(n=600, seed=0, quality=0.7):
    rng = np.random.default_rng(seed)
    truth = pd.DataFrame(
        {"race": rng.choice(["Black", "White"], n), "gender": rng.choice(["Female", "Male"], n)},
        index=[f"{i}.jpg" for i in range(n)],
    )
    predicted = truth.copy()
    for column in truth:
        other = truth[column].map(
            dict(zip(truth[column].unique(), truth[column].unique()[::-1], strict=True))
        )
        good = rng.random(n) < quality + 0.2 * (truth["race"] == "White")
        predicted[column] = truth[column].where(good, other)
    return truth, predicted


@pytest.fixture
def fairface():
    """Return a function from a file's name to true and predicted labels, and the folder of references."""
    folder = os.environ.get("FAIRLAB_SHARED_DATA")
    if not folder or not (Path(folder) / "fairface").is_dir():
        pytest.skip(
            "needs FairFace predictions; set FAIRLAB_SHARED_DATA to the data folder that holds fairface/"
        )

    def read(name):
        table = pd.read_csv(Path(folder) / "fairface" / f"predictions_balanced_{name}.csv").set_index("file")
        return table[["race", "gender"]], most_likely(table)

    return read, Path(folder).parent / "reference"


@pytest.mark.parametrize(("name", "row"), [("augmented", 0), ("augmented_attention", 1)])
def test_published_figures_of_fairface(fairface, name, row):
    table = per_class_table(*fairface[0](name), n_resamples=0)
    found = [value(table, "all", attribute=attribute) for attribute in ("gender", "race", "joint")]
    found += [
        value(table, "all classes", metric) for metric in ("standard_deviation", "worst_class_accuracy")
    ]
    assert [round(100 * number, 1) for number in found] == PUBLISHED[row]
    assert value(table, "all", column="n") == 5162


def test_published_class_attention(fairface):
    read, reference = fairface
    expected = json.loads((reference / "class_attention_balanced_cutmix.json").read_text())
    accuracy = class_accuracies(*read("cutmix"))["joint"]
    weights = dict(zip(accuracy.index, class_attention(accuracy), strict=True))
    assert weights == pytest.approx(expected, abs=1e-6)


def test_class_attention_by_hand():
    np.testing.assert_allclose(class_attention([40.0, 60.0]), [2**0.5, 2**-0.5])
    np.testing.assert_array_equal(class_attention([50.01, 49.99]), [1, 1])  # equal once rounded
    assert class_attention([50.01, 49.99], decimals=None)[0] < 1
    np.testing.assert_array_equal(class_attention([70.0]), [1])


@given(st.lists(st.integers(20, 1000), min_size=2, max_size=20))
def test_worse_classes_weigh_more_and_the_geometric_mean_is_1(tenths):
    accuracy = np.array(tenths) / 10
    weights = class_attention(accuracy)
    assert np.log(weights).sum() == pytest.approx(0, abs=1e-9)
    assert (np.diff(weights[np.argsort(accuracy)]) <= 1e-12).all()


@pytest.mark.parametrize(
    ("accuracy", "sentence"),
    [([0.4, 0.6], "not fractions"), ([40, 101], "0 to 100"), ([np.nan, 3], "0 to 100"), ([], "0 to 100")],
)
def test_bad_accuracies_are_one_sentence(accuracy, sentence):
    with pytest.raises(UserError, match=sentence):
        class_attention(accuracy)


def test_the_table_holds_each_class_and_how_even_they_are():
    truth, predicted = made_up()
    table = per_class_table(truth, predicted, n_resamples=50)
    assert tuple(table.columns) == COLUMNS
    assert (table["low"] <= table["high"]).all()
    right = (truth == predicted).assign(joint=(truth == predicted).all(axis=1))
    by_class = right.groupby(truth["race"] + " " + truth["gender"]).mean()
    for attribute in ("race", "gender", "joint"):
        assert value(table, "all", attribute=attribute) == pytest.approx(right[attribute].mean())
        for name, expected in by_class[attribute].items():
            assert value(table, name, attribute=attribute) == pytest.approx(expected)
        summary = {
            "mean_accuracy": by_class[attribute].mean(),
            "standard_deviation": by_class[attribute].std(ddof=0),
            "worst_class_accuracy": by_class[attribute].min(),
        }
        for metric, expected in summary.items():
            assert value(table, "all classes", metric, attribute) == pytest.approx(expected)
    wide = class_accuracies(truth, predicted)
    np.testing.assert_allclose(wide["joint"], 100 * by_class["joint"])
    assert wide["n"].sum() == len(truth)
    assert (
        value(table, "Black Male", column="n_positive")
        == right["joint"][(truth["race"] == "Black") & (truth["gender"] == "Male")].sum()
    )


def test_intervals_are_those_of_a_bootstrap_of_rows_of_proportions_and_of_all_classes_at_once():
    truth, predicted = made_up()
    codes = np.unique(truth["race"] + truth["gender"], return_inverse=True)[1]
    right = (truth == predicted).all(axis=1).to_numpy()
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(1500):
        rows = rng.integers(0, len(truth), len(truth))
        shares = np.bincount(codes[rows], right[rows]) / np.bincount(codes[rows])
        draws.append([shares.mean(), shares.var()])
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    counts, n = np.bincount(codes, right).astype(int), np.bincount(codes)
    spread = (counts / n).var()
    level = 0.95 ** (1 / len(n))
    ends = [binomtest(c, k).proportion_ci(level, method="wilson") for c, k in zip(counts, n, strict=True)]
    expected = {
        "mean_accuracy": (low[0], high[0]),
        "standard_deviation": tuple(np.sqrt(np.maximum(2 * spread - np.array([high[1], low[1]]), 0))),
        "worst_class_accuracy": (min(end.low for end in ends), min(end.high for end in ends)),
    }
    table = per_class_table(truth, predicted, n_resamples=3000)
    for metric, wanted in expected.items():
        found = [value(table, "all classes", metric, column=column) for column in ("low", "high")]
        assert found == pytest.approx(wanted, abs=0.12 * (wanted[1] - wanted[0])), metric
    whole = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    assert value(table, "all", column="low") == pytest.approx(whole.low)
    true = max(0, spread - np.mean(counts / n * (1 - counts / n) / n) * (len(n) - 1) / len(n))
    assert value(table, "all classes", "standard_deviation", column="corrected") == pytest.approx(
        np.sqrt(true)
    )


def test_models_are_compared_on_the_same_images_whatever_their_order():
    truth, first = made_up()
    second = made_up(quality=0.8)[1]
    models = {"first": first, "second": second.sample(frac=1, random_state=0), "same": first[::-1]}
    table = compare_classes(truth, models, n_resamples=100)
    for metric in ("mean_accuracy", "standard_deviation", "worst_class_accuracy"):
        values = [value(table, "all classes", metric, model=model) for model in ("first", "second")]
        change = value(table, "all classes", metric, model="second - first")
        assert change == pytest.approx(values[1] - values[0])
        for column in ("value", "low", "high"):
            assert value(table, "all classes", metric, model="same - first", column=column) == 0


def test_one_label_needs_no_joint_rows():
    truth, predicted = made_up()
    table = per_class_table(truth[["gender"]], predicted, n_resamples=0)
    assert set(table["attribute"]) == {"gender"}
    assert set(table["group"]) == {"all", "Female", "Male", "all classes"}


def test_the_most_likely_label():
    table = pd.DataFrame(
        {"p_gender_Male": [0.2, 0.9], "p_gender_Female": [0.8, 0.1], "other": 1}, index=["x", "y"]
    )
    assert most_likely(table, ["gender"])["gender"].to_dict() == {"x": "Female", "y": "Male"}
    with pytest.raises(UserError, match="columns named p_race_<label>"):
        most_likely(table)
    with pytest.raises(UserError, match="Some probabilities of gender are missing"):
        most_likely(table.assign(p_gender_Male=np.nan), ["gender"])


def test_bad_input_is_one_sentence():
    truth, predicted = made_up(20)
    twice = pd.concat([predicted, predicted.iloc[:1]])
    for mistake, sentence in (
        (twice, "0.jpg occurs twice in the predictions of 'model'"),
        (predicted.iloc[2:], r"lack 2 images \(first: 0.jpg\)"),
        (pd.concat([predicted, predicted.iloc[:1].set_axis(["new.jpg"])]), "no true labels for 1 images"),
        (predicted[["race"]], "'model' have no column gender"),
        (predicted.where(predicted["race"] == "Black"), "Some predictions of 'model' are missing"),
    ):
        with pytest.raises(UserError, match=sentence):
            per_class_table(truth, mistake)
    with pytest.raises(UserError, match="occurs twice in the true labels"):
        per_class_table(pd.concat([truth, truth]), predicted)
    with pytest.raises(UserError, match="The true race has missing values"):
        per_class_table(truth.assign(race=None), predicted)
    with pytest.raises(UserError, match="have no column"):
        per_class_table(truth[[]], predicted)
    with pytest.raises(UserError, match="at least one model"):
        compare_classes(truth, {})
