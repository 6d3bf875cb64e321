"""The audit from file to page: numbers against scikit-learn and fairlearn, words, folders, refusals."""

import re

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, recall_score

from fairlab.core.errors import UserError
from fairlab.metrics.spec import DISPARITIES
from fairlab.studies.audit import execute as audit_module
from fairlab.studies.audit import measure as audit_measure
from fairlab.studies.audit.execute import audit

RACES = ["Asian", "Black", "White"]


@pytest.fixture(scope="module")
def binary():
    """Return 3,000 made-up predictions that miss more of the group F, and a column of three values."""
    rng = np.random.default_rng(0)
    gender, race = rng.choice(["F", "M"], 3000), rng.choice(RACES, 3000, p=[0.495, 0.5, 0.005])
    y = rng.random(3000) < 0.3 + 0.2 * (gender == "M")
    shared = rng.normal(size=3000) + 2 * y - 1 + 0.6 * (gender == "M")
    scores = 1 / (1 + np.exp(-shared))
    columns = {"name": np.arange(3000), "smiling": np.where(y, "yes", "no"), "score": scores}
    return pd.DataFrame(columns | {"gender": gender, "race": race})


@pytest.fixture(scope="module")
def classes():
    """Return 600 made-up class probabilities, good for one class and bad for another."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    logits = rng.normal(size=(600, 3)) + np.array([3.0, 1.5, 0.5])[truth][:, None] * np.eye(3)[truth]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(chances.round(5), columns=[f"p_{name}" for name in RACES])
    return table.assign(race=np.array(RACES)[truth], gender=rng.choice(["F", "M"], 600))


def run(folder, table, *, suffix="csv", out="result", **options):
    """Audit `table`; return what is printed, the table of metrics and the page."""
    path = folder / f"model.{suffix}"
    table.to_parquet(path) if suffix == "parquet" else table.to_csv(path, index=False)
    told = audit(path, out=folder / out, **{"n_resamples": 50} | options)
    written = pd.read_csv(folder / out / "metrics.csv", keep_default_na=False, na_values=[""])
    return told, written, (folder / out / "report.html").read_text(encoding="utf-8")


BINARY = {"label": "smiling", "score": "score", "protected": ["gender", "race"]}


def value(table, metric, group, model="model"):
    found = table[(table["metric"] == metric) & (table["group"] == group) & (table["model"] == model)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_numbers_are_those_of_scikit_learn_and_fairlearn(tmp_path, binary, suffix):
    _, table, _ = run(tmp_path, binary, suffix=suffix, threshold=0.5, **BINARY)
    y, predicted = binary["smiling"] == "yes", binary["score"] > 0.5
    black = (binary["gender"] == "F") & (binary["race"] == "Black")
    expected = {
        ("FNR", "gender = F"): 1
        - recall_score(y[binary["gender"] == "F"], predicted[binary["gender"] == "F"]),
        ("accuracy", "race = White"): (y == predicted)[binary["race"] == "White"].mean(),
        ("selection_rate", "gender = F & race = Black"): predicted[black].mean(),
        ("AP", "all"): average_precision_score(y, binary["score"]),
    }
    for metric in ("demographic_parity_difference", "equalized_odds_difference"):
        for family, columns in {"gender": ["gender"], "gender & race": ["gender", "race"]}.items():
            found = getattr(fl, metric)(y, predicted, sensitive_features=binary[columns])
            expected[metric, family] = found
    for key, number in expected.items():
        assert value(table, *key)["value"] == pytest.approx(number, abs=1e-12)
    assert value(table, "DEO", "gender")["value"] == pytest.approx(
        value(table, "equal_opportunity_difference", "gender")["value"]
    )
    inside = table.dropna(subset="low")
    kept = inside[~inside["metric"].isin(["KL"])]
    assert (kept["low"] <= kept["high"]).all()
    assert {"BA", "KL"} <= set(table.loc[table["group"] == "gender", "metric"])
    assert "KL" not in set(table.loc[table["group"] == "race", "metric"])  # it has three values


@pytest.fixture(scope="module")
def audited(tmp_path_factory, binary):
    """Return the folder of an audit, what it printed, its table and its page."""
    folder = tmp_path_factory.mktemp("audited")
    return folder, *run(folder, binary, **BINARY)


def test_it_says_the_gap_what_is_too_small_and_where_the_files_are(audited):
    folder, told, table, page = audited
    assert "calibrated on these very rows" in told
    assert re.search(r"By gender, the largest gap is in positives missed: \S+% for gender = M \(95%", told)
    assert re.search(r"\d of 11 groups have fewer than 50 positives or negatives.*race = White", told)
    assert "race = White (few)" in told
    assert "They do not cover wrong labels" in told
    assert str(folder / "result" / "report.html") in told
    assert "not anyone's identity" in page.replace("&#39;", "'")
    assert "decide about people" in page
    # Missed and false alarms for three families; scores, calibration and thresholds for two columns.
    assert page.count("<img") == 12
    n = table.set_index("group").loc["gender = F", "n"].iloc[0]
    assert f"{n:,}" in told


def test_groups_too_small_are_no_largest_gap(audited):
    _, told, _, _ = audited
    gaps = [line for line in told.splitlines() if "the largest gap" in line]
    assert len(gaps) == 3
    assert not any("White" in line for line in gaps)


def test_one_model_against_another(tmp_path, binary):
    better = binary.assign(score=np.where(binary["smiling"] == "yes", 0.5, 0) + binary["score"] / 2)
    better.sample(frac=1, random_state=0).to_csv(tmp_path / "better.csv", index=False)
    told, table, page = run(
        tmp_path, binary, compare=tmp_path / "better.csv", id_column="name", threshold=0.5, **BINARY
    )
    change = value(table, "equalized_odds_difference", "gender", "better - model")
    assert change["high"] < 0
    assert "The equalized odds difference by gender is smaller in better than in model" in told
    assert "better - model" in page
    assert value(table, "accuracy", "all", "better")["value"] == 1


def test_the_same_model_twice_shows_no_change(tmp_path, binary):
    binary.to_csv(tmp_path / "same.csv", index=False)
    told, table, _ = run(tmp_path, binary, compare=tmp_path / "same.csv", **BINARY)
    changes = table[table["model"] == "same - model"]
    assert (changes["value"].abs().fillna(0) < 1e-12).all()
    gaps = changes[changes["metric"].isin(list(DISPARITIES))]
    assert (gaps[["low", "high"]].abs() < 1e-12).all(axis=None)
    missed = changes[(changes["metric"] == "FNR") & (changes["group"] == "all")].iloc[0]
    assert missed["low"] < 0 < missed["high"]  # these rows tell nothing apart, others may
    assert "no clear change from model to same" in told


CLASSES = {"label": "race", "prob_prefix": "p_", "protected": ["gender"]}


def test_classes(tmp_path, classes):
    told, table, page = run(tmp_path, classes, **CLASSES)
    predicted = classes[[f"p_{name}" for name in RACES]].to_numpy().argmax(axis=1)
    right = np.array(RACES)[predicted] == classes["race"]
    for name in RACES:
        chosen = classes["race"] == name
        assert value(table, "recall", f"race = {name}")["value"] == pytest.approx(right[chosen].mean())
        women = chosen & (classes["gender"] == "F")
        found = value(table, "recall", f"gender = F & race = {name}")
        assert (found["value"], found["n"]) == (pytest.approx(right[women].mean()), women.sum())
    assert value(table, "accuracy", "gender = F")["value"] == pytest.approx(
        right[classes["gender"] == "F"].mean()
    )
    assert re.search(r"recognised least and most often: \S+% of race = White .* race = Asian", told)
    assert "The largest gap within a class" in told
    assert page.count("<img") == 2


def test_two_classes_are_not_taken_for_absence_and_presence(tmp_path, classes):
    two = pd.DataFrame({"p_F": classes["p_Asian"], "p_M": 1 - classes["p_Asian"], "sex": classes["gender"]})
    _, table, _ = run(
        tmp_path, two.assign(race=classes["race"]), label="sex", prob_prefix="p_", protected=["race"]
    )
    assert "TPR" not in set(table["metric"])


@pytest.mark.slow
def test_millions_of_rows_are_resampled_in_bins(tmp_path, binary, monkeypatch):
    _, rows, _ = run(tmp_path, binary, n_resamples=500, **BINARY)
    monkeypatch.setattr(audit_measure, "MOST_ROWS", 100)
    monkeypatch.setattr(audit_module, "MOST_ROWS", 100)
    _, bins, page = run(tmp_path, binary, n_resamples=500, **BINARY)
    assert "scores in bins" in page
    pd.testing.assert_series_equal(bins["value"], rows["value"], rtol=0, atol=1e-9)
    for metric in ("AP", "BA"):
        one, two = (table[table["metric"] == metric].iloc[0] for table in (rows, bins))
        width = one["high"] - one["low"]
        assert abs(one["low"] - two["low"]) < 0.2 * width
        assert abs(one["high"] - two["high"]) < 0.2 * width


def test_every_text_in_the_page_is_escaped(tmp_path, binary):
    wicked = binary.assign(gender=binary["gender"].replace("F", "<script>alert(1)</script>"))
    _, _, page = run(tmp_path, wicked, **BINARY)
    assert "<script" not in page


@pytest.mark.slow
def test_an_earlier_audit_is_replaced_and_anything_else_is_left_alone(tmp_path, binary):
    run(tmp_path, binary, **BINARY)
    before = (tmp_path / "result" / "metrics.csv").read_bytes()
    run(tmp_path, binary, **BINARY)
    assert (tmp_path / "result" / "metrics.csv").read_bytes() == before  # the same seed, the same numbers
    (tmp_path / "result" / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="is no audit, so it is left alone"):
        run(tmp_path, binary, **BINARY)
    assert {path.name for path in tmp_path.iterdir()} == {"model.csv", "result"}


def test_a_failure_leaves_nothing_behind(tmp_path, binary, monkeypatch):
    def full(path, page):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fairlab.reports.page.write_report", full)
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path, binary, **BINARY)
    assert [path.name for path in tmp_path.iterdir()] == ["model.csv"]


def test_the_folder_is_named_after_the_file(tmp_path, binary, monkeypatch):
    monkeypatch.chdir(tmp_path)
    binary.to_csv("mine.csv", index=False)
    audit("mine.csv", n_resamples=10, **BINARY)
    assert {path.name for path in (tmp_path / "mine-audit").iterdir()} == {"metrics.csv", "report.html"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"protected": []}, "no protected column"),
        ({"protected": ["smiling"]}, "'smiling' cannot form groups"),
        ({"threshold": 1.5}, "between 0 and 1, as scores do, but is 1.5"),
        ({"threshold": float("nan")}, "but is nan"),
        ({"score": None, "prob_prefix": "p_", "threshold": 0.5}, "--threshold belongs to a --score"),
        ({"n_resamples": 0}, "at least 1 resample"),
        ({"protected": ["gende"]}, "did you mean 'gender'"),
        ({"score": None}, "either the column of scores"),
    ],
)
def test_arguments_that_do_not_fit(tmp_path, binary, options, sentence):
    with pytest.raises(UserError, match=sentence):
        run(tmp_path, binary.head(100), **BINARY | options)
    assert not (tmp_path / "result").exists()


def test_a_file_against_itself(tmp_path, binary):
    with pytest.raises(UserError, match="compared with itself"):
        run(tmp_path, binary, compare=tmp_path / "model.csv", **BINARY)
