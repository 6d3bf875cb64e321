"""Predictions as people have them: decisions without scores, rounded, written in words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from fairlab.core.errors import UserError
from fairlab.studies.audit.execute import audit


@pytest.fixture
def decided() -> pd.DataFrame:
    """Return 400 rows: what is true, what was decided, and a group."""
    rng = np.random.default_rng(0)
    y, group = (rng.random(400) < 0.4).astype(int), rng.choice(["f", "m"], 400)
    wrong = rng.random(400) < np.where(group == "f", 0.15, 0.08)
    return pd.DataFrame({"y": y, "decided": np.where(wrong, 1 - y, y), "gender": group})


def measured(folder, table, name="model.csv", **options):
    path = folder / name
    table.to_csv(path, index=False)
    out = folder / f"{path.stem}-{len(list(folder.iterdir()))}"
    told = audit(
        path, label=options.pop("label", "y"), protected=["gender"], out=out, n_resamples=100, **options
    )
    rows = pd.read_csv(out / "metrics.csv")
    return told, rows.set_index(["metric", "group"])["value"], (out / "report.html").read_text("utf-8")


def by_hand(table, predicted="decided"):
    """Return FNR and FPR of each group from scikit-learn."""
    found = {}
    for group, rows in table.groupby("gender"):
        tn, fp, fn, tp = confusion_matrix(rows["y"], rows[predicted]).ravel()
        found["FNR", f"gender = {group}"], found["FPR", f"gender = {group}"] = fn / (fn + tp), fp / (fp + tn)
    return found


@pytest.mark.parametrize("option", ["predicted", "score"])
def test_decisions_are_measured_as_they_are(tmp_path, decided, option):
    told, values, page = measured(tmp_path, decided, **{option: "decided"})
    assert values["accuracy", "all"] == pytest.approx((decided["y"] == decided["decided"]).mean())
    for key, expected in by_hand(decided).items():
        assert values[key] == pytest.approx(expected)
    assert {"AP", "KL", "AUC", "ECE", "BA"}.isdisjoint(values.index.get_level_values("metric"))
    assert "threshold" not in told.split("\n")[0]
    assert ("holds only 0 and 1, so these are taken as decisions" in told) == (option == "score")
    assert "Scores by" not in page
    assert "Who is missed" in page


@pytest.mark.parametrize(
    ("no", "yes", "positive"),
    [("0.0", "1.0", None), ("no", "yes", None), ("-1", "1", None), ("Man", "Woman", "Woman")],
)
def test_decisions_in_words_have_the_same_numbers(tmp_path, decided, no, yes, positive):
    words = decided.assign(**{name: np.where(decided[name], yes, no) for name in ("y", "decided")})
    _, values, _ = measured(tmp_path, words, predicted="decided", positive=positive)
    for key, expected in by_hand(decided).items():
        assert values[key] == pytest.approx(expected)


def test_a_label_in_words_with_a_score(tmp_path, decided):
    rng = np.random.default_rng(1)
    table = decided.assign(y=np.where(decided["y"], "Woman", "Man"), s=rng.random(400).round(3))
    _, values, _ = measured(tmp_path, table, score="s", positive="Woman", threshold=0.5)
    expected = by_hand(decided.assign(high=(table["s"] > 0.5).astype(int)), "high")
    for key, value in expected.items():
        assert values[key] == pytest.approx(value)
    with pytest.raises(UserError, match="say which of two values is positive with --positive"):
        measured(tmp_path, table, score="s")
    with pytest.raises(UserError, match="never holds 'woman', which --positive names; did you mean 'Woman'"):
        measured(tmp_path, table, score="s", positive="woman")


def test_any_number_of_predicted_classes(tmp_path, decided):
    rng = np.random.default_rng(2)
    races = np.array(["asian", "black", "white"])
    truth = rng.choice(races, 400)
    guess = np.where(rng.random(400) < 0.8, truth, rng.choice([*races, "latino"], 400))  # one that nobody is
    table = decided.assign(race=truth, dominant=guess)
    told, values, page = measured(tmp_path, table, label="race", predicted="dominant")
    for group, rows in table.groupby("gender"):
        assert values["accuracy", f"gender = {group}"] == pytest.approx(
            (rows["race"] == rows["dominant"]).mean()
        )
    black = table[table["race"] == "black"]
    assert values["recall", "race = black"] == pytest.approx((black["dominant"] == "black").mean())
    assert "Every class by gender" in page
    other = table.assign(dominant=np.where(rng.random(400) < 0.9, truth, "other"))
    other.to_csv(tmp_path / "other.csv", index=False)
    told, values, _ = measured(
        tmp_path, table, label="race", predicted="dominant", compare=tmp_path / "other.csv"
    )
    assert "other is right in" in told


def test_decisions_of_one_model_and_scores_of_none_are_compared(tmp_path, decided):
    better = decided.assign(decided=decided["y"])
    better.to_csv(tmp_path / "better.csv", index=False)
    told, _, _ = measured(tmp_path, decided, predicted="decided", compare=tmp_path / "better.csv")
    assert "better is right in 100.0%" in told


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "NA", "N/A", "None", "null"])
def test_a_missing_group_is_refused_however_it_is_written(tmp_path, decided, missing):
    table = decided.assign(gender=decided["gender"].where(decided.index >= 10, missing))
    with pytest.raises(UserError, match=r"'gender' of .* has no value .* in 10 of 400 rows \(first: row 1\)"):
        measured(tmp_path, table, predicted="decided")


@pytest.mark.parametrize("decimals", [2, 3])
def test_rounded_class_probabilities_are_read(tmp_path, decided, decimals):
    rng = np.random.default_rng(3)
    names = list("abcdefg")
    chances = rng.dirichlet(np.ones(7), 400).round(decimals)
    table = pd.DataFrame(chances, columns=[f"p_{name}" for name in names])
    assert (np.abs(chances.sum(axis=1) - 1) > 1e-3).any()
    table = table.assign(race=rng.choice(names, 400), gender=decided["gender"])
    _, values, _ = measured(tmp_path, table, label="race", prob_prefix="p_")
    likeliest = np.array(names)[chances.argmax(axis=1)]
    assert values["accuracy", "all"] == pytest.approx((likeliest == table["race"]).mean())


def test_what_single_precision_adds_is_cut_off_and_more_is_told_with_all_digits(tmp_path, decided):
    scores = np.random.default_rng(4).random(400).round(4)
    scores[3] = 1.0000001
    _, values, _ = measured(tmp_path, decided.assign(s=scores), score="s", threshold=0.5)
    assert values["accuracy", "all"] == pytest.approx((decided["y"] == (scores > 0.5)).mean())
    for strange, sentence in (
        (1.0001, "holds 1.0001 in row 4"),
        (42.308, "if these are percentages, divide them by 100"),
    ):
        scores[3] = strange
        with pytest.raises(UserError, match=sentence):
            measured(tmp_path, decided.assign(s=scores), score="s")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "one of the three"),
        ({"predicted": "decided", "score": "decided"}, "one of the three"),
        ({"predicted": "decided", "threshold": 0.5}, "A --threshold belongs to a --score"),
        ({"score": "decided", "threshold": 0.5}, "has none but decisions; leave it out"),
        ({"predicted": "gender"}, "cannot form groups and be label"),
        ({"predicted": "absent"}, "no column 'absent'"),
        ({"predicted": "decided", "metrics": {"mine": lambda y_true, y_score: 0.0}}, "takes scores"),
        ({"predicted": "decided", "fail_if": ["AUC < 0.9"]}, "AUC"),
        ({"predicted": "blank"}, "'blank' of .* has no value"),
        ({"predicted": "three", "positive": "a"}, "has two values, but it has"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(tmp_path, decided, options, sentence):
    table = decided.assign(
        blank=np.where(decided.index == 0, "", "1"), three=np.array(["a", "b", "c", "d"] * 100)
    )
    with pytest.raises(UserError, match=sentence):
        measured(tmp_path, table, **options)
