import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from fairlab.core.errors import UserError
from fairlab.metrics import UndefinedMetricWarning, compare, compare_attributes
from fairlab.metrics.intervals.proportion import wilson
from fairlab.metrics.spec import CELL_METRICS, LEAKAGE
from fairlab.metrics.two_groups.compare_attributes import MEAN

from .examples import simulate

MEANS = {"both": ("Bangs", "Young"), "one": ("Bangs",), "absent": ("Smiling",)}


@pytest.fixture
def made():
    """Labels, scores of two models with two seeds, and the protected label of 400 images."""
    rng = np.random.default_rng(0)
    first = simulate(400, rng)
    y = pd.DataFrame({"Bangs": first.y, "Young": rng.integers(0, 2, 400)})
    scores = {
        model: {name: np.clip(0.5 * y[name].to_numpy() + 0.5 * rng.random((2, 400)), 0, 1) for name in y}
        for model in ("baseline", "debiased")
    }
    return y, scores, first.a


def test_each_attribute_has_the_rows_of_compare(made):
    labels, scores, a = made
    table = compare_attributes(labels, scores, a, means=MEANS, n_resamples=50, seed=3)
    for name in labels:
        given = {model: values[name] for model, values in scores.items()}
        alone = compare(labels[name], given, a, n_resamples=50, seed=3, attribute=name)
        rows = table[(table["attribute"] == name) & (table["group"] == "all")].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, alone)


def test_a_mean_is_the_mean_of_values_and_counts_common_errors(made):
    labels, scores, a = made
    scores = {model: dict.fromkeys(labels, values["Bangs"]) for model, values in scores.items()}
    same = labels.assign(Young=labels["Bangs"])  # twice the same attribute: its errors do not average out
    table = compare_attributes(same, scores, a, means=MEANS, n_resamples=80)
    mean = table[table["attribute"] == "both"].set_index(["model", "metric"])
    one = table[table["attribute"] == "Bangs"].set_index(["model", "metric"])
    assert (mean["group"] == MEAN).all()
    for column in ("value", "low", "high"):
        kept = mean.index.get_level_values("metric") != "DEO" if column != "value" else slice(None)
        np.testing.assert_allclose(mean[column][kept], one[column][kept], atol=1e-12)
    gaps = [table.xs("DEO", level="metric") for table in (mean, one)]  # a mean of gaps allows for chance
    assert (gaps[0]["low"] <= gaps[1]["low"]).all()
    assert (mean["n_positive"] == 2 * same["Bangs"].sum()).all()
    assert mean["note"].str.startswith("mean of 2 attributes").all()
    assert "absent" not in set(table["attribute"])


def test_a_mean_skips_what_is_undefined_and_says_so(made):
    labels, scores, a = made
    labels = labels.assign(Young=labels["Young"].where(a == 0, 0))  # nobody in group 1 is Young
    with pytest.warns(UndefinedMetricWarning):
        table = compare_attributes(labels, scores, a, means=MEANS, n_resamples=50)
    rows = table.set_index(["attribute", "model", "metric"])
    assert rows.loc[("both", "baseline", "DEO"), "value"] == rows.loc[("Bangs", "baseline", "DEO"), "value"]
    assert "1 skipped (undefined)" in rows.loc[("both", "baseline", "DEO"), "note"]
    assert np.isnan(rows.loc[("Young", "baseline", "DEO"), "value"])


def test_a_model_without_an_attribute_is_named(made):
    labels, scores, a = made
    del scores["debiased"]["Young"]
    with pytest.raises(UserError, match="'debiased' has no scores for Young"):
        compare_attributes(labels, scores, a)


def test_cells_are_measured_beside_the_metrics_when_asked_for(made):
    labels, scores, a = made
    table = compare_attributes(
        labels, scores, a, means=MEANS, thresholds={m: dict.fromkeys(labels, 0.5) for m in scores},
        n_resamples=50, groups=("women", "men"), specs=tuple(CELL_METRICS.values()),
    )  # fmt: skip
    rows = table.set_index(["model", "attribute", "metric", "group"])["value"]
    y = labels["Bangs"].to_numpy()
    for model in scores:
        flagged = scores[model]["Bangs"] > 0.5  # (seeds, n)
        right = np.array(
            [[(one == y)[(y == k) & (a == g)].mean() for k in (0, 1) for g in (0, 1)] for one in flagged]
        )
        assert rows[model, "Bangs", "WGA", "all"] == pytest.approx(right.min(axis=1).mean())
        for place, group in enumerate(("women", "men")):
            assert rows[model, "Bangs", "TPR", group] == pytest.approx(right[:, 2 + place].mean())
            pair = [rows[model, name, "TPR", group] for name in labels]
            assert rows[model, "both", "TPR", f"{MEAN}: {group}"] == pytest.approx(np.mean(pair))


def test_a_group_of_which_everybody_is_found_has_an_interval_of_some_width():
    y, a = np.tile([0, 1], 40), np.repeat([0, 1], 40)
    scores = {"baseline": {"y": np.where(y == 1, 0.9, 0.1)}}
    table = compare_attributes(
        pd.DataFrame({"y": y}), scores, a, thresholds={"baseline": {"y": 0.5}}, n_resamples=100,
        specs=(CELL_METRICS["TPR of group 0"],),
    )  # fmt: skip
    low, high = wilson(1.0, 20)
    found = table.iloc[0][["value", "low", "high"]].tolist()
    assert found == pytest.approx([1.0, float(low), float(high)], abs=0.02)


def test_leakage_is_how_often_the_group_is_guessed(made):
    labels, scores, a = made
    guesses = (scores["baseline"]["Bangs"] > 0.6).astype(float)  # (seeds, n): an attacker's threshold
    table = compare_attributes(
        pd.DataFrame({"Bangs": a}), {"baseline": {"Bangs": guesses}}, labels["Bangs"],
        thresholds={"baseline": {"Bangs": 0.5}}, n_resamples=50, specs=(LEAKAGE,),
    )  # fmt: skip
    expected = np.mean([balanced_accuracy_score(a, one) for one in guesses])
    assert table["value"].iloc[0] == pytest.approx(expected)
