"""Predictions as others write them: percentages, logits, classes as numbers, other names, orders and ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from fairlab.core.errors import UserError
from fairlab.studies.audit.bins import parse_bins
from fairlab.studies.audit.execute import audit
from fairlab.studies.audit.predictions import Columns, read_predictions
from fairlab.studies.audit.read import Others, read_models

N = 60
SCORED = Columns("y", "s", protected=("g",), id="id")
CLASSES = Columns("c", prefix="p_", protected=("g",), id="id")
NAMES = [f"p_{i}" for i in range(3)]


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Ids such as 0012, a label with scores, and classes 0, 1 and 2 with probabilities."""
    rng = np.random.default_rng(0)
    y, c = rng.integers(0, 2, N), rng.integers(0, 3, N)
    chances = rng.dirichlet(np.ones(3), N)
    table = pd.DataFrame(
        {"id": [f"{i:04}" for i in range(N)], "y": y, "c": c, "g": rng.choice(["f", "m"], N)}
    )
    table["s"] = np.clip(0.3 + 0.4 * y + 0.2 * rng.normal(size=N), 0.01, 0.99).round(3)
    return table.assign(**dict(zip(NAMES, chances.T, strict=True)), age=rng.integers(10, 80, N))


def written(folder: Path, table: pd.DataFrame, name: str = "a.csv", **options: Any) -> Path:
    table.to_csv(folder / name, index=False, **options)
    return folder / name


def test_percentages_are_divided_and_said(tmp_path, people):
    read = read_predictions(written(tmp_path, people.assign(s=(100 * people["s"]).round(1))), SCORED)
    np.testing.assert_allclose(read.scores, people["s"], atol=1e-12)
    assert "lies between 0 and 100, so it holds percentages, which are divided by 100." in read.note
    assert read_predictions(written(tmp_path, people), SCORED).note == ""


def test_percentages_of_one_of_two_texts(tmp_path, people):
    """As deepface writes them: the threshold 50 % divides men and women."""
    label = people["y"].map({0: "Man", 1: "Woman"})
    path = written(tmp_path, people.assign(label=label, woman_percent=(100 * people["s"]).round(3)))
    asked = {"label": "label", "score": "woman_percent", "positive": "Woman", "protected": ["g"]}
    told = audit(path, **asked, threshold=0.5, n_resamples=5, out=tmp_path / "out")
    right = ((people["s"] > 0.5) == people["y"]).mean()
    assert f"is right in {100 * right:.1f}% of 60 rows" in told
    assert told.count("holds percentages") == 1


@pytest.mark.parametrize("decimals", [None, 2, 1, 0])
def test_class_percentages_are_divided_and_said(tmp_path, people, decimals):
    percents = 100 * people[NAMES] if decimals is None else (100 * people[NAMES]).round(decimals)
    read = read_predictions(written(tmp_path, people.assign(**percents)), CLASSES)
    assert read.predicted.tolist() == percents.to_numpy().argmax(axis=1).tolist()
    np.testing.assert_allclose(read.scores, percents.max(axis=1) / 100, rtol=1e-6)
    assert "'p_…' of" in read.note
    assert "sum to 100, so they hold percentages" in read.note


DOUBTFUL = {
    "0, 1 and 2": ([0, 1, 2], "holds 2.0 in row 3; scores lie between 0 and 1"),
    "deciles": (list(range(1, 11)), "divide them by 100"),
    "marks": ([5, 20, 45], "divide them by 100"),
    "one among fractions": ([*[0.1, 0.9] * 5, 93], "holds 93.0 in row 11"),
    "a fraction each": ([0.2, 42, 0.7, 93], "divide them by 100"),
    "a third fractions": ([0.2, 0.7, 0.4, *np.linspace(11, 99, 7)], "divide them by 100"),
    "above 100": ([42, 93, 101], "logits need --logits"),
    "below 0": ([-3, 42, 93], "logits need --logits"),
    "-1 and 1": ([-1, 1], "name decisions with --predicted"),
    "words": (["yes", "No"], r"holds decisions \(No, yes\), no scores; name it with --predicted"),
    "empty": ([0.2, None, 0.5], "is empty in row 2; all rows need scores"),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_may_be_something_else_is_refused(tmp_path, people, case):
    scores, sentence = DOUBTFUL[case]
    table = people.assign(s=(scores * N)[:N])
    with pytest.raises(UserError, match=sentence):
        read_predictions(written(tmp_path, table), SCORED)


def test_all_of_0_and_100_are_decisions(tmp_path, people):
    read = read_predictions(written(tmp_path, people.assign(s=100 * (people["s"] > 0.5))), SCORED)
    assert read.scores is None
    assert read.predicted.tolist() == (people["s"] > 0.5).astype(int).tolist()
    assert "percentages" in read.note
    assert "taken as decisions" in read.note


def test_logits_become_probabilities_on_request(tmp_path, people):
    scores = people["s"]
    logits = people.assign(s=np.log(scores / (1 - scores)), **(3 * np.log(people[NAMES]) + 7))
    path = written(tmp_path, logits)
    read = read_predictions(path, Columns("y", "s", logits=True))
    np.testing.assert_allclose(read.scores, scores)
    read = read_predictions(path, Columns("c", prefix="p_", logits=True))
    chances = softmax(logits[NAMES].to_numpy(), axis=1)
    assert read.predicted.tolist() == chances.argmax(axis=1).tolist()
    np.testing.assert_allclose(read.scores, chances.max(axis=1), rtol=1e-6)
    with pytest.raises(UserError, match="logits need --logits"):
        read_predictions(path, SCORED)


@pytest.mark.parametrize(
    ("columns", "changes", "sentence"),
    [
        (Columns("y", "s", logits=True), {}, "lies between 0 and 1 throughout, .* leave --logits out"),
        (Columns("c", prefix="p_", logits=True), {}, "sum to 1 already, .* leave --logits out"),
        (Columns("y", "s", logits=True), {"s": np.inf}, "holds inf in row 1; logits are finite"),
        (Columns("y", predicted="y", logits=True), {}, "--logits belongs to --score"),
        (CLASSES, {"p_2": 0.0}, "class probabilities sum to 1, so check"),
        (CLASSES, {"p_1.0": 0.0}, "has 'p_1' and another column of that class"),
    ],
)
def test_logits_and_probabilities_are_not_mixed_up(tmp_path, people, columns, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        read_predictions(written(tmp_path, people.assign(**changes)), columns)


@pytest.mark.parametrize("way", ["label 1.0", "column p_1.0", "label 01", "both"])
def test_classes_match_as_numbers(tmp_path, people, way):
    table = people
    if way in ("label 1.0", "both"):
        table = table.assign(c=table["c"].astype(float))
    if way in ("column p_1.0", "both"):
        table = table.rename(columns={name: f"{name}.0" for name in NAMES})
    if way == "label 01":
        table = table.assign(c=table["c"].map("{:02}".format))
    read = read_predictions(written(tmp_path, table), CLASSES)
    assert read.label.names == ("0", "1", "2")
    assert read.label.codes.tolist() == people["c"].tolist()


@pytest.mark.parametrize("label", [["0", "1"], ["-1", "1"], ["no", "Yes"], ["False", "True"], ["0.0", "1.0"]])
@pytest.mark.parametrize("decided", [["0", "1"], ["-1", "1"], ["f", "t"]])
def test_labels_and_decisions_may_be_written_in_two_ways(tmp_path, people, label, decided):
    said = (people["s"] > 0.5).astype(int)
    table = people.assign(y=np.array(label)[people["y"]], d=np.array(decided)[said])
    read = read_predictions(written(tmp_path, table), Columns("y", predicted="d"))
    assert read.binary
    assert read.label.codes.tolist() == people["y"].tolist()
    assert read.predicted.tolist() == said.tolist()


def test_a_label_of_three_numbers_is_undecided_or_three_classes(tmp_path, people):
    label = np.where(people.index < 3, 0, 2 * people["y"] - 1)
    path = written(tmp_path, people.assign(y=label, d=2 * people["y"] - 1, e=label))
    for columns in (Columns("y", "s"), Columns("y", predicted="d"), Columns("d", predicted="y")):
        with pytest.raises(UserError, match=r"undecided, in 3 of 60 rows \(first: row 1\); decide these"):
            read_predictions(path, columns)
    classes = read_predictions(path, Columns("y", predicted="e"))
    assert classes.label.names == ("-1", "0", "1")
    assert (classes.predicted == classes.label.codes).all()


LAYOUTS: dict[str, Any] = {
    "scores only": lambda t: t[["id", "s"]],
    "ids without zeros": lambda t: t.assign(id=t["id"].astype(int)),
    "ids as floats": lambda t: t.assign(id=t["id"].astype(float)),
    "percentages": lambda t: t.assign(s=100 * t["s"]),
    "label in words": lambda t: t.assign(y=t["y"].map({0: "no", 1: "yes"})),
    "label as floats": lambda t: t.assign(y=t["y"].astype(float)),
    "groups missing in part": lambda t: t.assign(g=t["g"].where(t["y"] == 1, "NA")),
    "groups in capitals": lambda t: t.assign(g=t["g"].str.upper()),
}


@pytest.mark.parametrize("way", LAYOUTS)
def test_another_file_may_be_laid_out_otherwise(tmp_path, people, way):
    other = LAYOUTS[way](people.sample(frac=1, random_state=1))
    files = written(tmp_path, people), Others((written(tmp_path, other, "b.csv", sep=";", decimal=","),))
    first, second = read_models(*files, SCORED, {}).values()
    np.testing.assert_allclose(second.scores, first.scores, atol=1e-12)
    assert ("zeros at the beginning" in second.note) == way.startswith("ids")
    assert (second.label.codes == first.label.codes).all()


def test_other_names_of_columns(tmp_path, people):
    first = written(tmp_path, people)
    shuffled = people.sample(frac=1, random_state=1)[["id", "s", *NAMES]]
    named = [
        written(tmp_path, shuffled.rename(columns={"s": f"score{i}", "id": f"key{i}"}), f"b{i}.csv")
        for i in range(2)
    ]
    others = Others(tuple(named), scores=("score0", "score1"), ids=("key0", "key1"))
    for model in read_models(first, others, SCORED, {}).values():
        assert model.scores.tolist() == people["s"].tolist()
    turned = shuffled.rename(columns={name: f"q_{name[2:]}" for name in NAMES})
    others = Others((written(tmp_path, turned, "q.csv"),), prefixes=("q_",))
    one, two = read_models(first, others, CLASSES, {}).values()
    assert (one.predicted == two.predicted).all()
    decided = shuffled.assign(d=np.where(shuffled["s"] > 0.5, "yes", "no"))[["id", "d"]]
    others = Others((written(tmp_path, decided, "d.csv"),), predicted=("d",))
    _, two = read_models(first, others, SCORED, {}).values()
    assert two.predicted.tolist() == (people["s"] > 0.5).astype(int).tolist()


def test_predicted_classes_need_no_label_in_the_other_file(tmp_path, people):
    table = people.assign(c=people["c"].map("c{}".format), d=people["c"].map("c{}".format))
    other = table.assign(d=table["d"].where(table.index > 9, "c9"))[["id", "d"]]  # which nobody is
    columns = Columns("c", predicted="d", protected=("g",), id="id")
    one, two = read_models(
        written(tmp_path, table), Others((written(tmp_path, other, "b.csv"),)), columns, {}
    ).values()
    assert one.label.names == two.label.names == ("c0", "c1", "c2", "c9")
    assert (one.predicted == one.label.codes).all()
    assert two.predicted.tolist() == np.where(people.index > 9, people["c"], 3).tolist()


def test_classes_that_are_written_in_two_ways_are_refused(tmp_path, people):
    table = people.assign(
        y=people["y"].map({0: "Man", 1: "Woman"}), d=people["y"].map({0: "man", 1: "woman"})
    )
    sentence = r"'y' \('Man', 'Woman'\) and 'd' \('man', 'woman'\) of .* have no value in common"
    with pytest.raises(UserError, match=sentence):
        read_predictions(written(tmp_path, table), Columns("y", predicted="d"))


def test_two_columns_of_one_file_are_compared(tmp_path, people):
    path = written(tmp_path, people.assign(s2=1 - people["s"]))
    columns = Columns("y", "s", protected=("g",))
    models = read_models(path, Others((path,), scores=("s2",)), columns, {})
    assert list(models) == ["s", "s2"]
    np.testing.assert_allclose(models["s2"].scores, 1 - people["s"])
    other = written(tmp_path, people, "b.csv")
    models = read_models(path, Others((path, other), scores=("s2", "s")), columns, {})
    assert list(models) == ["a s", "a s2", "b s"]


def moved(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Return the table with other values in the sixth row."""
    return table.assign(
        **{name: table[name].where(table.index != 5, value) for name, value in values.items()}
    )


UNLIKE: dict[str, tuple[Any, dict[str, Any], dict[str, Any], str]] = {
    "label": (lambda t: t.assign(y=1 - t["y"]), {}, {}, r"row 1, but .* \(60 rows differ\)"),
    "group": (lambda t: moved(t, g="x"), {}, {}, r"'g' of .* in row 6, .* 'x' .* \(1 rows differ\)"),
    "age": (lambda t: moved(t, age=12), {}, {"protected": ("age",)}, r"'age' of .* in row 6.*\[0, 18\)"),
    "name": (lambda t: t.rename(columns={"s": "p"}), {}, {}, "'s'; say with --compare-score"),
    "ids": (lambda t: t.iloc[1:], {}, {}, r"1 of 60 ids .* \(first: '0000' in row 1\)"),
    "zeros": (lambda t: t.iloc[1:].assign(id=range(1, N)), {}, {}, "zeros at the beginning of ids alike"),
    "double": (lambda t: t.assign(id=["1", "01", *map(str, range(2, N))]), {}, {}, "60 of 60 ids"),
    "no ids": (lambda t: t[["s"]], {}, {"id": None}, "no column 'y', .* both .* with --id"),
    "names": (lambda t: t, {"scores": ("a", "b")}, {}, "has 2 names for 1 files to --compare; give one name"),
    "ways": (lambda t: t, {"scores": ("s",), "predicted": ("y",)}, {}, "exclude each other"),
    "id": (lambda t: t, {"ids": ("key",)}, {"id": None}, "name those of the first with --id"),
    "itself": (lambda t: None, {}, {}, "compared with itself"),
    "nothing": (lambda t: None, {"files": (), "scores": ("s",)}, {}, "give them with --compare"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNLIKE)
def test_files_that_do_not_go_together_end_in_one_sentence(tmp_path, people, case):
    change, names, columns, sentence = UNLIKE[case]
    first, changed = written(tmp_path, people), change(people)
    other = first if changed is None else written(tmp_path, changed, "b.csv")
    asked = Columns(**vars(SCORED) | columns)
    bins = parse_bins(["age=0,18,40,100"], ["age"]) if "age" in asked.protected else {}
    with pytest.raises(UserError, match=sentence) as raised:
        read_models(first, Others(**{"files": (other,)} | names), asked, bins)
    assert "\n" not in str(raised.value)


def test_all_paired_differences_of_the_same_scores_are_0(tmp_path, people):
    other = people.assign(id=people["id"].astype(int), prob=100 * people["s"])[["id", "prob"]]
    told = audit(
        written(tmp_path, people),
        label="y",
        score="s",
        protected=["g"],
        compare=written(tmp_path, other, "b.csv"),
        compare_score="prob",
        id_column="id",
        n_resamples=10,
        out=tmp_path / "out",
    )
    assert "The ids of" in told
    assert "percentages" in told
    table = pd.read_csv(tmp_path / "out" / "metrics.csv")
    differences = table.loc[table["model"] == "b - a", "value"].dropna()
    assert len(differences) > 5
    assert differences.abs().max() < 1e-12


def test_a_metric_that_takes_scores_is_refused_before_anything_is_measured(tmp_path, people, monkeypatch):
    def measure(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing is to be measured")

    monkeypatch.setattr("fairlab.studies.audit.execute.measure", measure)
    path = written(tmp_path, people.assign(s=(people["s"] > 0.5).astype(int)))
    own = {"mine": lambda y_true, y_score: 0.0}
    with pytest.raises(UserError, match="'mine' takes scores of one label, and some model has none"):
        audit(path, label="y", score="s", protected=["g"], metrics=own, out=tmp_path / "out")
