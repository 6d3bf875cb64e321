"""Counterfactual flips: classifiers whose answer is known, and cases counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.metrics import compare_counterfactuals, counterfactual_flip_rate
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.two_groups.counterfactual import COUNTERFACTUAL_METRICS

Y, A = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 1, 0, 1, 1, 1])
ABSENT, PRESENT = np.array([0.1, 0.4, 0.6, 0.9, 0.2, 0.3]), np.array([0.2, 0.7, 0.4, 0.8, 0.2, 0.6])
NAMES = ("not Male", "Male")


def table_of(absent, present, y=Y, a=A, threshold=0.5, **more):
    settings = {"thresholds": dict.fromkeys(absent, threshold), "n_resamples": 100, "groups": NAMES} | more
    return compare_counterfactuals(y, absent, present, a, **settings)


def value(table, metric="flip_rate", group="all", model="baseline"):
    chosen = (table["metric"] == metric) & (table["group"] == group) & (table["model"] == model)
    assert chosen.sum() == 1
    return table.loc[chosen].iloc[0]


def test_a_case_counted_by_hand():
    table = table_of({"baseline": ABSENT}, {"baseline": PRESENT}, attribute="Smiling")
    assert list(table.columns) == list(COLUMNS)
    for group, flips, change, absolute, n, positive in (
        ("all", 3 / 6, 0.4 / 6, 1.0 / 6, 6, 3),
        ("negatives", 2 / 3, 0.7 / 3, 0.7 / 3, 3, 0),
        ("positives", 1 / 3, -0.3 / 3, 0.3 / 3, 3, 3),
        ("not Male", 1 / 2, -0.1 / 2, 0.3 / 2, 2, 1),
        ("Male", 2 / 4, 0.5 / 4, 0.7 / 4, 4, 2),
    ):
        rows = [value(table, metric, group) for metric in COUNTERFACTUAL_METRICS]
        assert [row["value"] for row in rows] == pytest.approx([flips, change, absolute])
        assert {(row["n"], row["n_positive"], row["attribute"]) for row in rows} == {(n, positive, "Smiling")}
    assert counterfactual_flip_rate(ABSENT, PRESENT, 0.5) == 0.5


def test_who_looks_only_at_the_protected_attribute_always_flips_and_who_ignores_it_never():
    n, rng = 60, np.random.default_rng(0)
    y, a, same = rng.integers(2, size=n), rng.integers(2, size=n), rng.random(n)
    absent = {"baseline": np.zeros(n), "blind": same}
    table = table_of(absent, {"baseline": np.ones(n), "blind": same}, y, a)
    for group in ("all", "negatives", "positives", *NAMES):
        assert value(table, group=group)["value"] == 1
        assert value(table, "score_change", group)["value"] == 1
        assert value(table, group=group, model="blind")["value"] == 0
        assert value(table, "absolute_score_change", group, "blind")["value"] == 0
        assert value(table, group=group, model="blind - baseline")["value"] == -1
    # 60 faces that never flip do not show that none ever would.
    assert 0.02 < value(table, model="blind")["high"] < 0.1
    assert value(table)["low"] > 0.9


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_exchanging_the_pictures_turns_changes_round_and_leaves_flips(seed, threshold):
    rng = np.random.default_rng(seed)
    absent, present = rng.random((2, 2, len(Y)))  # two training seeds
    forth = table_of({"baseline": absent}, {"baseline": present}, threshold=threshold, n_resamples=5)
    back = table_of({"baseline": present}, {"baseline": absent}, threshold=threshold, n_resamples=5)
    signs = np.where(forth["metric"] == "score_change", -1, 1)
    np.testing.assert_allclose(forth["value"], signs * back["value"], atol=1e-12)
    flips = [counterfactual_flip_rate(*pair, threshold) for pair in zip(absent, present, strict=True)]
    assert value(forth)["value"] == pytest.approx(np.mean(flips))
    assert value(forth)["seeds"] == 2


def test_each_seed_has_its_own_threshold():
    two = {"baseline": np.stack([ABSENT, ABSENT])}, {"baseline": np.stack([PRESENT, PRESENT])}
    table = table_of(*two, thresholds={"baseline": [0.5, 0.95]})
    assert value(table)["value"] == pytest.approx((3 / 6 + 0) / 2)


def test_a_paired_difference_is_surer_than_its_two_models():
    rng = np.random.default_rng(3)
    y, a, absent = rng.integers(2, size=500), rng.integers(2, size=500), rng.random(500)
    present = np.clip(absent + 0.3 * rng.normal(size=500), 0, 1)
    better = np.where(np.arange(500) < 20, absent, present)  # the same, but for 20 faces that never change
    table = table_of(
        {"baseline": absent, "other": absent}, {"baseline": present, "other": better}, y, a, n_resamples=400
    )
    width = {m: value(table, model=m)["high"] - value(table, model=m)["low"]
             for m in ("baseline", "other - baseline")}  # fmt: skip
    assert width["other - baseline"] < width["baseline"] / 2
    difference = value(table, model="other")["value"] - value(table)["value"]
    assert value(table, model="other - baseline")["value"] == pytest.approx(difference)


def test_a_group_without_faces_is_nan_with_a_reason():
    table = table_of({"baseline": ABSENT}, {"baseline": PRESENT}, y=np.zeros(6, int))
    assert np.isnan(value(table, group="positives")["value"])
    assert value(table, group="positives")["note"] == "no images"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"present": {}}, "needs scores of faces with and without"),
        ({"absent": {"other": ABSENT}}, "no scores of the baseline"),
        ({"absent": {"baseline": ABSENT * 9}}, "between 0 and 1"),
        ({"absent": {"baseline": ABSENT[:4]}}, "shape"),
        ({"absent": {"baseline": np.zeros((2, 6))}}, "2 and 1 training seeds"),
        ({"thresholds": {"baseline": [0.1, 0.2]}}, "shape"),
    ],
)
def test_what_does_not_fit_is_refused(change, sentence):
    given = {"absent": {"baseline": ABSENT}, "present": {"baseline": PRESENT}} | change
    thresholds = given.pop("thresholds", {"baseline": 0.5})
    with pytest.raises(UserError, match=sentence):
        compare_counterfactuals(Y, given["absent"], given["present"], A, thresholds=thresholds)


def test_models_with_other_numbers_of_seeds_cannot_be_paired():
    with pytest.raises(UserError, match="numbers of seeds differ"):
        table_of({"baseline": ABSENT, "b": np.zeros((2, 6))}, {"baseline": PRESENT, "b": np.zeros((2, 6))})
