"""Shares and diversity against scipy, hand-made numbers and published counts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, entropy

from fairlab.core.errors import UserError
from fairlab.metrics import (
    UndefinedMetricWarning,
    representation,
    shannon_diversity,
    shannon_evenness,
    simpson_diversity,
    simpson_evenness,
)
from fairlab.metrics.tidy import COLUMNS

COUNTS = (7027, 968, 953, 724, 584)  # annotated race of 10,256 CelebA images
INDICES = (shannon_diversity, shannon_evenness, simpson_diversity, simpson_evenness)


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=12).filter(any))
def test_indices_agree_with_scipy_and_with_their_formulas(counts):
    shares = np.array(counts) / sum(counts)
    assert shannon_diversity(counts) == pytest.approx(entropy(counts), abs=1e-12)
    assert shannon_evenness(counts) == pytest.approx(entropy(counts) / np.log(len(counts)), abs=1e-12)
    assert simpson_diversity(counts) == pytest.approx(1 / sum(shares**2))
    assert simpson_evenness(counts) == pytest.approx(1 / sum(shares**2) / len(counts))


def test_equal_categories_are_as_diverse_as_can_be_and_empty_ones_count():
    assert shannon_diversity([3, 3, 3]) == pytest.approx(np.log(3))
    assert (shannon_evenness([3, 3, 3]), simpson_evenness([3, 3, 3])) == pytest.approx((1, 1))
    assert simpson_diversity([3, 3, 0, 0]) == pytest.approx(2)
    assert simpson_evenness([3, 3, 0, 0]) == pytest.approx(0.5)
    assert shannon_evenness([3, 3, 0, 0]) == pytest.approx(0.5)
    assert str(shannon_diversity([5, 0])) == "0.0"


def test_a_single_category_has_no_shannon_evenness():
    with pytest.warns(UndefinedMetricWarning, match="Shannon evenness is undefined: 1 category"):
        assert np.isnan(shannon_evenness([5]))


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([3, -1], "category 1 has -1"),
        ([np.nan, 2], "category 0 has nan"),
        ([0, 0], "all zero"),
        ([], "shape"),
        ([[1, 2]], "shape"),
        (["a"], "must be numbers"),
    ],
)
def test_bad_counts_end_in_a_sentence(index, counts, words):
    with pytest.raises(UserError, match=words):
        index(counts)


def test_table_holds_shares_with_wilson_intervals_and_indices_with_theirs():
    races = ("white", "asian", "latino hispanic", "black", "middle eastern")
    table = representation(pd.Series(np.repeat(races, COUNTS), name="race"), n_resamples=300)
    assert list(table.columns) == list(COLUMNS)
    shares = table[table["metric"] == "share"].set_index("group")
    assert list(shares.index) == list(races)
    assert shares["n_positive"].tolist() == list(COUNTS)
    wilson = binomtest(968, 10_256).proportion_ci(method="wilson")
    assert shares.loc["asian", ["value", "low", "high"]].tolist() == pytest.approx(
        [968 / 10_256, wilson.low, wilson.high]
    )
    indices = table[table["group"] == "all"].set_index("metric")
    assert indices.loc["Shannon diversity", "value"] == pytest.approx(entropy(COUNTS))
    assert (indices["low"] < indices["value"]).all()
    assert (indices["value"] < indices["high"]).all()
    assert set(table["n"]) == {10_256}
    assert set(table["attribute"]) == {"race"}


def test_bootstrap_is_as_wide_as_theory_says_and_repeats():
    labels = np.repeat(np.arange(5), COUNTS)
    row = representation(labels, seed=1).set_index("metric").loc["Shannon diversity"]
    p = np.array(COUNTS) / sum(COUNTS)
    spread = np.sqrt(((p * np.log(p) ** 2).sum() - entropy(p) ** 2) / sum(COUNTS))  # the delta method
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * spread, rel=0.1)
    pd.testing.assert_frame_equal(representation(labels, seed=1), representation(labels, seed=1))


def test_categories_without_images_count_in_a_pandas_categorical():
    labels = pd.Series(pd.Categorical(["a", "b"] * 20, categories=["a", "b", "c", "d"]))
    table = representation(labels, n_resamples=50).set_index(["metric", "group"])
    assert table.loc[("share", "c"), "value"] == 0
    assert table.loc[("Simpson evenness", "all"), "value"] == pytest.approx(0.5)
    assert table.loc[("Simpson evenness", "all"), "note"] == ""


def test_one_category_is_noted_and_missing_labels_are_refused():
    with pytest.warns(UndefinedMetricWarning):
        table = representation(["a"] * 5).set_index("metric")
    assert np.isnan(table.loc["Shannon evenness", "value"])
    assert table.loc["Shannon evenness", "note"] == "1 category"
    for labels, words in [([], "0 of 0"), (pd.Series(["a", None]), "1 of 2"), ([["a"]], "shape")]:
        with pytest.raises(UserError, match=words):
            representation(labels)
    with pytest.raises(UserError, match="n_resamples"):
        representation(["a", "b"], n_resamples=0)


def test_published_annotations_of_celeba_have_the_counted_shares():
    folder = os.environ.get("FAIRLAB_SHARED_DATA", "")
    path = Path(folder) / "celeba_deepface" / "protected_attributes.csv"
    if not folder or not path.is_file():
        pytest.skip("FAIRLAB_SHARED_DATA does not name a folder with celeba_deepface")
    table = representation(pd.read_csv(path)["race"], n_resamples=20)
    assert table.loc[table["metric"] == "share", "n_positive"].tolist() == list(COUNTS)
