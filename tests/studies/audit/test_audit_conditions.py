"""Conditions that fail an audit: their grammar, what they judge, and the exit code."""

import json

import numpy as np
import pandas as pd
import pytest

from fairlab import cli
from fairlab.core.errors import UserError
from fairlab.metrics import Groups
from fairlab.studies.audit.conditions import ConditionsBroken, check_conditions, judge, parse_conditions
from fairlab.studies.audit.execute import audit

GROUPS = Groups.of({"gender": ["F", "M", "F", "M"], "age": ["[18, 30)", "[18, 30)", "old", "old"]})


def rows(*lines):
    """Return a tidy table of (model, metric, group, value, low, high, note)."""
    names = ["model", "metric", "group", "value", "low", "high", "note"]
    return pd.DataFrame([(*line, "")[: len(names)] for line in lines], columns=names)


TABLE = rows(
    ("m", "accuracy", "all", 0.9, 0.85, 0.95),
    ("m", "FNR", "gender = F", 0.3, 0.15, 0.45),
    ("m", "FNR", "gender = M", 0.1, 0.05, 0.15),
    ("m", "FNR", "age = [18, 30)", np.nan, np.nan, np.nan, "0 positives in age = [18, 30)"),
    ("m", "gap", "gender", 0.2, 0.1, 0.3),
    ("m", "gap", "age", 0.4, 0.3, 0.5),
    ("m", "FNR ratio", "gender = F / gender = M", 3.0, 1.1, 9.0),
    ("k", "accuracy", "all", 0.7, 0.6, 0.8),
    ("k - m", "accuracy", "all", -0.2, -0.3, -0.1),
)


def verdict(text, judged_on="value", models=("m",)):
    (found,) = judge(parse_conditions([text]), TABLE, models, GROUPS, judged_on)
    return found


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("accuracy < 0.9", False),
        ("accuracy <= 0.9", True),
        ("accuracy>0.89", True),
        ("accuracy >= 0.91", False),
        ("FNR[gender = F] > 0.2", True),
        ("FNR[gender = M] > 0.2", False),
        ("FNR[gender]>0.2", True),
        ("gap > 0.3", True),  # of age
        ("gap[gender] > 0.3", False),
        ("FNR ratio[gender = F] > 1.25", True),
        ("FNR ratio[gender = F / gender = M] > 1.25", True),
        ("FNR ratio[gender] > 4", False),
        ("FNR ratio > 2.5e0", True),
    ],
)
def test_values_are_judged(text, failed):
    assert verdict(text).failed == failed


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("FNR[gender = F] > 0.2", False),  # the interval begins at 0.15
        ("FNR[gender = F] > 0.1", True),
        ("accuracy < 0.94", False),  # the interval ends at 0.95
        ("accuracy < 0.96", True),
    ],
)
def test_intervals_are_judged_by_their_near_end(text, failed):
    found = verdict(text, "interval")
    assert found.failed == failed
    assert "whose near end" in found.sentence


def test_the_sentence_says_by_how_much_and_of_which_group():
    assert verdict("gap > 0.3").sentence == (
        "FAILED gap > 0.3: 0.4000 [0.3000, 0.5000] for age, 0.1000 beyond the limit (the worst of 2 judged)."
    )
    assert verdict("accuracy < 0.8").sentence == (
        "passed accuracy < 0.8: 0.9000 [0.8500, 0.9500], 0.1000 short of the limit."
    )


def test_what_is_undefined_fails_and_says_why():
    found = verdict("FNR[age = [18, 30)] > 0.9")
    assert found.failed
    assert "undefined for age = [18, 30) (0 positives in age = [18, 30))" in found.sentence


def test_without_an_interval_there_is_nothing_to_judge_by_it():
    table = rows(("m", "accuracy", "all", 0.9, np.nan, np.nan))
    (found,) = judge(parse_conditions(["accuracy < 0.5"]), table, ["m"], GROUPS, "interval")
    assert found.failed
    assert "without an interval" in found.sentence


def test_models_and_changes():
    both = ("m", "k")
    assert "of k" in verdict("accuracy < 0.8", models=both).sentence
    assert not verdict("m: accuracy < 0.8", models=both).failed
    assert verdict("k - m: accuracy < 0", models=both).failed
    assert verdict("change: accuracy < 0", models=both).failed
    assert not verdict("change: accuracy < -0.25", models=both).failed


@pytest.mark.parametrize(
    "text",
    ["", "accuracy", "accuracy = 0.1", "accuracy == 0.1", "> 0.1", "accuracy >", "FNR[] > 1", "a > b > 1"],
)
def test_other_forms_are_refused(text):
    with pytest.raises(UserError, match=r"--fail-if is .*write METRIC > NUMBER"):
        parse_conditions([text])


@pytest.mark.parametrize("limit", ["much", "nan", "inf", "0,1", "10%"])
def test_limits_are_numbers(limit):
    with pytest.raises(UserError, match=f"compares with '{limit}', which is no number"):
        parse_conditions([f"accuracy < {limit}"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("acuracy < 1", "metric 'acuracy', which is not measured; did you mean 'accuracy'"),
        ("FNR[gender = X] < 1", "group 'gender = X', which there is not; did you mean 'gender"),
        ("q: FNR < 1", "model 'q', which there is not"),
        ("change: FNR < 1", "model 'change', which there is not"),
    ],
)
def test_names_are_checked_before_anything_is_measured(text, sentence):
    known = ["all", *GROUPS.families, *GROUPS.names]
    with pytest.raises(UserError, match=sentence):
        check_conditions(parse_conditions([text]), ["accuracy", "FNR"], known, ["m"])
    check_conditions(
        parse_conditions(["FNR[gender] > 1", "change: FNR[gender = F / gender = M] > 1"]),
        ["accuracy", "FNR"],
        known,
        ["m", "k"],
    )


def test_a_metric_that_is_not_measured_of_a_group():
    with pytest.raises(UserError, match="'gap' is not measured of 'gender = F'"):
        verdict("gap[gender = F] > 0.1")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return 400 predictions that miss more of the group F."""
    rng = np.random.default_rng(0)
    gender, y = rng.choice(["F", "M"], 400), rng.integers(0, 2, 400)
    scores = np.clip(0.4 + 0.2 * y + 0.15 * (gender == "M") * y + 0.1 * rng.normal(size=400), 0, 1)
    path = tmp_path_factory.mktemp("conditions") / "model.csv"
    pd.DataFrame({"y": y, "s": scores, "gender": gender}).to_csv(path, index=False)
    return path


COLUMNS = {"label": "y", "score": "s", "protected": ["gender"], "threshold": 0.5, "n_resamples": 20}


def command(file, out, *more):
    words = ["audit", str(file), "--label", "y", "--score", "s", "--protected", "gender"]
    return [*words, "--threshold", "0.5", "--resamples", "20", "--out", str(out), *more]


def test_a_broken_condition_exits_with_1_and_results_are_written(file, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(command(file, tmp_path / "a", "--fail-if", "equal_opportunity_difference > 0.01"))
    assert left.value.code == 1
    told = capsys.readouterr().out
    assert "FAILED equal_opportunity_difference > 0.01" in told
    assert "judged on the values" in told
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"metrics.csv", "report.html"}
    assert "FAILED" in (tmp_path / "a" / "report.html").read_text("utf-8")


def test_conditions_that_do_not_hold_exit_with_0(file, tmp_path, capsys):
    more = ("--fail-if", "accuracy < 0.01", "--fail-if", "FNR[gender = F] > 0.99", "--fail-on", "interval")
    assert cli.main(command(file, tmp_path / "a", *more)) == 0
    told = capsys.readouterr().out
    assert told.count("passed ") == 2
    assert "judged on the intervals" in told


def test_a_misspelt_condition_exits_with_2_before_anything_is_written(file, tmp_path, capsys):
    assert cli.main(command(file, tmp_path / "a", "--fail-if", "accurracy < 0.5")) == 2
    assert "did you mean 'accuracy'" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_in_python_a_broken_condition_is_raised_with_the_text(file, tmp_path):
    with pytest.raises(ConditionsBroken) as broken:
        audit(file, out=tmp_path / "a", fail_if=["accuracy < 1"], form="json", **COLUMNS)
    (condition,) = json.loads(str(broken.value))["conditions"]
    assert condition["failed"]
    assert condition["condition"] == "accuracy < 1"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"fail_on": "values"}, "no fail_on 'values'; did you mean 'value'"),
        ({"form": "html"}, "no form 'html'"),
        ({"fail_if": ["KL > 1"], "weight": "s", "protected": ["gender"]}, "'KL', which is not measured"),
        ({"fail_if": ["FNR ratio > 1"]}, "'FNR ratio', which is not measured"),
    ],
)
def test_arguments_that_do_not_fit(file, tmp_path, options, sentence):
    with pytest.raises(UserError, match=sentence):
        audit(file, out=tmp_path / "a", **COLUMNS | options)
    assert not (tmp_path / "a").exists()
