"""Curves over thresholds: the table of each threshold by itself, and fairlearn."""

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.metrics import Groups, group_metrics, group_threshold_curves
from fairlab.metrics.spec import DISPARITIES, RATES

GRID = [0.7, 0.2, 0.5, 0.33]  # in no order, and a score is exactly at some of them


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"gender": rng.choice(["f", "m"], 600), "race": rng.choice(list("abc"), 600)})
    frame["y"] = rng.integers(0, 2, 600)
    frame["s"] = np.clip(0.35 + 0.2 * frame["y"] + 0.2 * rng.normal(size=600), 0, 1).round(2)
    return frame.assign(w=rng.random(600) + 0.1)


@pytest.mark.parametrize("weighted", [False, True])
def test_every_threshold_gives_the_numbers_of_its_own_table(people, weighted):
    groups, weights = Groups.of(people[["gender", "race"]]), people["w"] if weighted else None
    names = [name for name in (*RATES, *DISPARITIES) if name != "ECE"]
    curves = group_threshold_curves(
        people["y"], people["s"], groups, GRID, metrics=names, sample_weight=weights
    )
    for threshold in GRID:
        predicted = people["s"] > threshold
        table = group_metrics(people["y"], predicted, groups, sample_weight=weights, n_resamples=0).set_index(
            ["metric", "group"]
        )["value"]
        table = table[table.index.get_level_values("metric").isin(names)]  # no signed differences
        found = curves[curves["threshold"] == threshold].set_index(["metric", "group"])["value"]
        assert len(found) == len(table)
        pd.testing.assert_series_equal(found.sort_index(), table.sort_index(), check_exact=False)


def test_a_gap_is_fairlearns(people):
    curves = group_threshold_curves(people["y"], people["s"], people["race"], [0.4])
    expected = fairlearn.equalized_odds_difference(
        people["y"], people["s"] > 0.4, sensitive_features=people["race"]
    )
    found = curves[curves["metric"] == "equalized_odds_difference"]["value"]
    assert found.tolist() == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"grid": [0.1, np.nan]}, "finite thresholds"),
        ({"grid": []}, "finite thresholds"),
        ({"metrics": ["FNRR"]}, "no metric 'FNRR'; did you mean 'FNR'"),
        ({"metrics": ["ECE"]}, "no metric 'ECE'"),
        ({"protected": [0, 1]}, "600 labels, but there are 2"),
    ],
)
def test_arguments_that_do_not_fit(people, options, sentence):
    with pytest.raises(UserError, match=sentence):
        group_threshold_curves(
            people["y"], people["s"], **{"protected": people["race"], "grid": GRID} | options
        )
