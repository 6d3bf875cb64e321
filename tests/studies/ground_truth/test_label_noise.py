"""Labels of generated faces against what is seen in them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from fairlab.evaluation.pair_truth import read_labels
from fairlab.experiments.run import Run
from fairlab.metrics.intervals.proportion import proportion
from fairlab.studies.ground_truth.label_noise import confusion, label_noise

GROUPS = ("all", "not Male", "Male")


def test_a_case_counted_by_hand():
    given = np.array([1, 0, 1, 1, 0, 0, 1])
    seen = np.array([1, 1, 0, 1, 0, 0, 0])
    male = np.array([1, 1, 1, 0, 0, 0, 0])
    table = confusion(given, seen, male, GROUPS).set_index(["group", "metric"])
    for group, counts in (("all", [(3, 7), (2, 4), (1, 3)]), ("not Male", [(1, 4), (1, 3), (0, 1)]),
                          ("Male", [(2, 3), (1, 1), (1, 2)])):  # fmt: skip
        for metric, (count, n) in zip(("wrong", "false positive", "false negative"), counts, strict=True):
            row = table.loc[(group, metric)]
            assert (row["value"], row["n"]) == (pytest.approx(count / n), n)
            assert (row["low"], row["high"]) == pytest.approx(proportion(count, n)[1:3])


def test_a_group_without_such_faces_says_so():
    table = confusion(np.ones(3), np.ones(3), np.ones(3), GROUPS).set_index(["group", "metric"])
    assert np.isnan(table.loc[("Male", "false positive"), "value"])
    assert table.loc[("Male", "false positive"), "note"] == "no such faces"
    assert table.loc[("Male", "wrong"), "value"] == 0


@pytest.mark.slow
def test_a_run_s_labels_are_counted_as_scikit_learn_does(smoke_home):
    run = Run.of_preset("smoke", smoke_home, device="cpu")
    table = label_noise(run)
    given = run.pairs(0).all_labels["target"][run.pairs(0).rows]
    for faces, step, rows in (
        ("z", run.pairs(0).faces, run.pairs(0).rows),
        ("z'", run.pairs(0).partners, slice(None)),
    ):
        seen = read_labels(run, step)["Eyeglasses"].to_numpy()[rows]
        (_, fp), (fn, _) = confusion_matrix(seen, given)
        own = table[(table["faces"] == faces) & (table["group"] == "all")].set_index(["seed", "metric"])
        for seed in ("0", "all"):
            assert own.loc[(seed, "wrong"), "value"] == pytest.approx((fp + fn) / 600)
            assert own.loc[(seed, "false positive"), "value"] == pytest.approx(fp / (seen == 0).sum())
            assert own.loc[(seed, "false negative"), "value"] == pytest.approx(fn / seen.sum())
            assert own.loc[(seed, "false negative"), "n"] == seen.sum()
    single, pooled = (table[table["seed"] == seed].reset_index(drop=True) for seed in ("0", "all"))
    pd.testing.assert_series_equal(single["value"], pooled["value"])
    assert ((pooled["low"] <= pooled["value"]) & (pooled["value"] <= pooled["high"])).all()
