"""Weights, bins, reference groups, several models, forms of output and own metrics of an audit."""

import io
import json
import re

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, recall_score, roc_auc_score

from fairlab.core.errors import UserError
from fairlab.metrics.groups.named_groups import Groups
from fairlab.studies.audit.execute import audit
from fairlab.studies.audit.references import reference_sentence, references_of

OPTIONS = {"label": "y", "score": "s", "protected": ["gender"], "threshold": 0.5, "n_resamples": 30}
CLASSES = ["Asian", "Black", "White"]


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    gender, y, age = rng.choice(["F", "M"], 900), rng.integers(0, 2, 900), rng.integers(10, 80, 900)
    s = np.clip(0.4 + 0.2 * y + 0.1 * (gender == "M") + 0.15 * rng.normal(size=900), 0, 1).round(4)
    return pd.DataFrame({"y": y, "s": s, "gender": gender, "age": age, "w": rng.gamma(2, size=900).round(3)})


@pytest.fixture(scope="module")
def classes():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 500)
    chances = rng.dirichlet(np.ones(3), 500) + 1.0 * np.eye(3)[truth]
    table = pd.DataFrame(
        (chances / chances.sum(axis=1, keepdims=True)).round(5), columns=list(map("p_{}".format, CLASSES))
    )
    return table.assign(race=np.array(CLASSES)[truth], gender=rng.choice(["F", "M"], 500), w=rng.random(500))


def run(folder, table, name="model", **options):
    """Audit `table`; return what is printed, the table by model, metric and group, and the page."""
    path = folder / f"{name}.csv"
    table.to_csv(path, index=False)
    told = audit(path, out=folder / "out", **OPTIONS | options)
    found = pd.read_csv(folder / "out" / "metrics.csv", keep_default_na=False, na_values=[""])
    page = (folder / "out" / "report.html").read_text("utf-8")
    return told, found.set_index(["model", "metric", "group"]), page


def test_weighted_numbers_are_those_of_scikit_learn_and_fairlearn(tmp_path, people):
    told, table, page = run(tmp_path, people, weight="w")
    values, predicted, male = table.loc["model"]["value"], people["s"] > 0.5, people["gender"] == "M"
    weights = people["w"]
    missed = 1 - recall_score(people["y"][male], predicted[male], sample_weight=weights[male])
    assert values["FNR", "gender = M"] == pytest.approx(missed)
    auc = roc_auc_score(people["y"][male], people["s"][male], sample_weight=weights[male])
    assert values["AUC", "gender = M"] == pytest.approx(auc)
    gap = fl.equalized_odds_difference(
        people["y"], predicted, sensitive_features=people["gender"], sample_weight=weights
    )
    assert values["equalized_odds_difference", "gender"] == pytest.approx(gap)
    assert not {"AP", "KL", "BA", "DEO"} & set(table.index.get_level_values("metric"))
    for text in (told, page.replace("&#39;", "'")):
        assert "weighted by the column 'w'" in text
        assert "left out" in text
    assert table.loc[("model", "accuracy", "gender = M"), "n"] == male.sum()


def test_weights_of_classes(tmp_path, classes):
    _, table, _ = run(
        tmp_path, classes, label="race", score=None, prob_prefix="p_", threshold=None, weight="w"
    )
    right = np.array(CLASSES)[classes[[f"p_{name}" for name in CLASSES]].to_numpy().argmax(axis=1)]
    black = classes["race"] == "Black"
    expected = np.average((right == "Black")[black], weights=classes["w"][black])
    assert table.loc[("model", "recall", "race = Black"), "value"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([1, -2], "'w' of .* holds -2 in row 2; every row needs a finite weight"),
        ([1, ""], "'w' of .* is empty in row 2"),
        ([1, "heavy"], "'w' of .* holds 'heavy', which is no number, in row 2"),
        ([1, "inf"], "'w' of .* holds inf in row 2"),
        ([0, 0], "'w' of .* holds only 0"),
    ],
)
def test_weights_that_are_none(tmp_path, people, weights, sentence):
    with pytest.raises(UserError, match=sentence):
        run(tmp_path, people.assign(w=weights * 450), weight="w")


def test_groups_and_weights_are_different_columns(tmp_path, people):
    with pytest.raises(UserError, match="'age' cannot form groups and be label, score, id or weight"):
        run(tmp_path, people, weight="age", protected=["age"])


def test_numbers_are_put_into_bins(tmp_path, people):
    told, table, _ = run(tmp_path, people, protected=["gender", "age"], bins=["age=10,18,30,inf"])
    values = table.loc["model"]["value"]
    names = ["[10, 18)", "[18, 30)", "30 or more"]
    bins = pd.cut(people["age"], [10, 18, 30, np.inf], right=False, labels=names)
    right = (people["y"] == (people["s"] > 0.5)).groupby(bins, observed=True).mean()
    for name in names:
        assert values["accuracy", f"age = {name}"] == pytest.approx(right[name])
    inside = (bins == names[1]) & (people["gender"] == "F")
    assert table.loc[("model", "accuracy", "gender = F & age = [18, 30)"), "n"] == inside.sum()
    places = [told.index(f"\nage = {name}") for name in names]
    assert places == sorted(places)  # in the order of the edges, not of the letters


def test_open_ends_and_a_bin_without_rows(tmp_path, people):
    _, table, _ = run(tmp_path, people, protected=["age"], bins=["age=-inf,5,30,inf"])
    groups = set(table.index.get_level_values("group"))
    assert {"age = [5, 30)", "age = 30 or more"} <= groups
    assert "age = under 5" not in groups


@pytest.mark.parametrize(
    ("bins", "sentence"),
    [
        (["age"], "write COLUMN=EDGES"),
        (["=1,2,3"], "write COLUMN=EDGES"),
        (["age=1,x,3"], "an edge that is no number"),
        (["age=1,2"], "at least three edges that rise"),
        (["age=3,2,1"], "at least three edges that rise"),
        (["age=0,nan,9"], "at least three edges that rise"),
        (["ag=1,2,3"], "column 'ag', which is not --protected; did you mean 'age'"),
        (["age=0,50,99", "age=0,20,99"], "column 'age' twice"),
        (["age=0,20,50"], r"'age' of .* holds \d+ in row \d+; the --bins reach from 0 to below 50"),
        (["age=0,90,99"], r"All rows of the column 'age' of .* are in the bin \[0, 90\)"),
        (["gender=0,1,2"], "'gender' of .* holds '[FM]', which is no number, in row 1"),
    ],
)
def test_bins_that_do_not_fit(tmp_path, people, bins, sentence):
    with pytest.raises(UserError, match=sentence):
        run(tmp_path, people, protected=["age", "gender"], bins=bins)
    assert not (tmp_path / "out").exists()


def test_a_missing_number_is_in_no_bin(tmp_path, people):
    with pytest.raises(UserError, match=r"'age' of .* is empty in row 1; every row needs a number"):
        run(
            tmp_path,
            people.assign(age=people["age"].where(people.index > 0)),
            protected=["age"],
            bins=["age=0,20,99"],
        )


def test_every_group_against_a_reference(tmp_path, people):
    told, table, page = run(tmp_path, people, reference=["gender=M"])
    predicted, women = people["s"] > 0.5, people["gender"] == "F"
    rates = [predicted[mask].mean() for mask in (women, ~women)]
    row = table.loc[("model", "selection_rate ratio", "gender = F / gender = M")]
    assert row["value"] == pytest.approx(rates[0] / rates[1])
    assert row["low"] < row["value"] < row["high"]
    difference = table.loc[("model", "selection_rate difference", "gender = F - gender = M")]
    assert difference["value"] == pytest.approx(rates[0] - rates[1])
    assert "model: ratio to gender = M" in told
    assert "difference in points to gender = M" in page
    assert "AUC ratio" in set(table.index.get_level_values("metric"))


def test_references_of_columns_and_of_intersections():
    groups = Groups.of({"g": list("aabbb"), "r": list("xyxyy")})
    assert references_of(["g=b"], groups) == {"g": "g = b"}
    both = {"g": "g = b", "r": "r = y", "g & r": "g = b & r = y"}
    assert references_of(["g = b", "r = y"], groups) == both
    assert references_of(["largest"], groups) == both
    assert references_of(["largest", "g = a"], groups)["g"] == "g = a"
    assert references_of(["g=a & r=x"], groups) == {"g & r": "g = a & r = x"}
    assert references_of(["largest"], Groups.of({"g": list("aab")})) == {"g": "g = a"}
    assert reference_sentence({"g": "g = b"}, groups).endswith("No reference was given for r, g & r.")
    with pytest.raises(UserError, match="group 'g = c', which there is not; did you mean"):
        references_of(["g=c"], groups)
    with pytest.raises(UserError, match="both 'g = a' and 'g = b'"):
        references_of(["g=a", "g=b"], groups)


def test_three_models_differ_from_the_first(tmp_path, people):
    others = [tmp_path / "b.csv", tmp_path / "c.csv"]
    for shift, path in zip((0.1, -0.1), others, strict=True):
        people.assign(s=(people["s"] + shift).clip(0, 1)).to_csv(path, index=False)
    told, table, page = run(tmp_path, people, compare=others)
    models = list(dict.fromkeys(table.index.get_level_values("model")))
    assert models == ["model", "b", "c", "b - model", "c - model"]
    rates = [(people["s"] + shift > 0.5).mean() for shift in (0, 0.1, -0.1)]
    values = table["value"]
    assert values["b - model", "selection_rate", "all"] == pytest.approx(rates[1] - rates[0])
    assert values["c - model", "selection_rate", "all"] == pytest.approx(rates[2] - rates[0])
    assert "from model to c" in told
    assert "c - model" in page


def test_too_many_models_and_one_twice(tmp_path, people):
    with pytest.raises(UserError, match=r"At most 5 models .* there are 7"):
        run(tmp_path, people, compare=[tmp_path / f"{i}.csv" for i in range(6)])
    with pytest.raises(UserError, match=r"b.csv would be compared with itself"):
        run(tmp_path, people, compare=[tmp_path / "b.csv", tmp_path / "b.csv"])


def test_json_holds_every_row_unrounded(tmp_path, people):
    told, table, _ = run(tmp_path, people, form="json", reference=["gender=F"])
    found = json.loads(told)
    rows = pd.DataFrame(found["metrics"]).set_index(["model", "metric", "group"])
    np.testing.assert_array_equal(rows["value"].astype(float), table["value"])
    assert found["conditions"] == []
    assert found["files"] == [str(tmp_path / "out" / name) for name in ("report.html", "metrics.csv")]
    assert any("is right in" in sentence for sentence in found["summary"])


def test_what_is_undefined_is_null(tmp_path, people):
    few = people.assign(y=people["y"].where(people["gender"] == "M", 0))
    found = json.loads(run(tmp_path, few, form="json")[0])
    rows = {(row["metric"], row["group"]): row for row in found["metrics"]}
    assert rows["FNR", "gender = F"]["value"] is None
    assert rows["FNR", "gender = F"]["note"]


def test_markdown_is_tables(tmp_path, people):
    told, table, _ = run(tmp_path, people, form="markdown")
    block = told.split("## model: every group, %\n\n")[1].split("\n\n")[0]
    lines = [line for line in block.splitlines() if not set(line) <= set("| -")]
    read = pd.read_csv(io.StringIO("\n".join(line.strip("|") for line in lines)), sep="|")
    read.columns = read.columns.str.strip()
    accuracy = read["Accuracy"].str.strip().str.split(" ").str[0].astype(float)
    names = ["all", "gender = F", "gender = M"]
    expected = [100 * table.loc[("model", "accuracy", name), "value"] for name in names]
    np.testing.assert_allclose(accuracy, expected, atol=0.051)


def test_latex_is_escaped(tmp_path, people):
    told, _, _ = run(
        tmp_path, people.rename(columns={"gender": "is_male"}), form="latex", protected=["is_male"]
    )
    body = "\n".join(line for line in told.splitlines() if not line.startswith("%"))
    assert body.count(r"\begin{tabular}") == body.count(r"\end{tabular}") >= 2
    assert r"is\_male = F" in body or r"is male = F" in body
    assert not re.search(r"(?<!\\)[%_#]", body)
    assert "\N{MINUS SIGN}" not in body


def test_metrics_of_ones_own(tmp_path, people):
    metrics = {"F1": f1_score, "ROC": roc_auc_score}
    told, table, page = run(tmp_path, people, metrics=metrics, fail_if=["F1[gender = F] < 0.01"])
    values, women = table.loc["model"]["value"], people["gender"] == "F"
    assert values["F1", "gender = F"] == pytest.approx(f1_score(people["y"][women], people["s"][women] > 0.5))
    assert values["ROC", "gender = F"] == pytest.approx(values["AUC", "gender = F"])
    parts = [values["F1", f"gender = {value}"] for value in "FM"]
    assert values["F1_difference", "gender"] == pytest.approx(max(parts) - min(parts))
    for text in (told, page):
        assert "F1: your own metric" in text


def test_metrics_of_ones_own_are_weighted_and_take_classes(tmp_path, people, classes):
    _, table, _ = run(tmp_path, people, metrics={"F1": f1_score}, weight="w")
    expected = f1_score(people["y"], people["s"] > 0.5, sample_weight=people["w"])
    assert table.loc[("model", "F1", "all"), "value"] == pytest.approx(expected)

    def of_names(y_true, y_pred):
        return f1_score(y_true, y_pred, average="macro", labels=CLASSES)

    options = {"label": "race", "score": None, "prob_prefix": "p_", "threshold": None}
    _, table, _ = run(tmp_path, classes, metrics={"F1": of_names}, **options)
    predicted = np.array(CLASSES)[classes[[f"p_{name}" for name in CLASSES]].to_numpy().argmax(axis=1)]
    expected = of_names(classes["race"], predicted)
    assert table.loc[("model", "F1", "all"), "value"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"metrics": {"accuracy": f1_score}}, "'accuracy' is measured already"),
        ({"metrics": {"F1": "f1"}}, "'F1' is 'f1', no function"),
        ({"metrics": {"F1": lambda y, p: 1.0}, "weight": "w"}, "'F1' takes no sample_weight"),
    ],
)
def test_metrics_that_do_not_fit(tmp_path, people, options, sentence):
    with pytest.raises(UserError, match=sentence):
        run(tmp_path, people, **options)
    assert not (tmp_path / "out").exists()


def test_the_page_has_a_scan_of_thresholds(tmp_path, people):
    _, table, page = run(tmp_path, people)
    assert "Thresholds by gender" in page
    gap = table.loc[("model", "equalized_odds_difference", "gender"), "value"]
    assert f"Dotted: the threshold used, 0.5, with equalized odds difference {100 * gap:.1f}%" in page
