"""What the command prints of label files."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score

from fairlab.core.errors import UserError
from fairlab.metrics.tidy import COLUMNS
from fairlab.studies.leakage import measure as leakage_steps
from fairlab.studies.leakage.measure import leakage
from fairlab.studies.leakage.predictions import performance


@pytest.fixture
def imsitu(tmp_path: Path) -> Path:
    """600 images; the verb is the gender in four of five, and in two groups of verbs."""
    rng = np.random.default_rng(0)
    women = rng.integers(2, size=600)
    verbs = 2 * rng.integers(3, size=600) + np.where(rng.random(600) < 0.8, women, 1 - women)
    records = [
        {"gender": int(g), "verb": int(v), "image_name": "a.jpg"} for g, v in zip(women, verbs, strict=True)
    ]
    path = tmp_path / "train.data"
    path.write_bytes(pickle.dumps(records, 0))
    return path


def test_text_names_value_interval_chance_and_whose_labels_these_are(imsitu, tmp_path):
    text = leakage(imsitu, rounds=3, out=tmp_path / "leakage.csv")
    (row,) = pd.read_csv(tmp_path / "leakage.csv").to_dict("records")
    assert list(row) == list(COLUMNS)
    assert 0.7 < row["value"] < 0.9
    assert f"{100 * row['value']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]" in text
    assert "From 6 classes alone an attacker guesses man or woman right" in text
    assert "held-out images of the same file" in text
    assert "chance is 50%" in text
    assert "not told apart" not in text
    assert "annotators' impressions" in text
    assert "published (" not in text


def test_a_test_file_is_counted_on_and_ids_choose_training_rows(imsitu, tmp_path):
    ids = tmp_path / "train.ids"
    ids.write_bytes(pickle.dumps(set(range(100)), 0))
    text = leakage(imsitu, test=imsitu, valid=imsitu, ids=ids, rounds=1)
    assert "the test file" in text
    assert "standard deviation" not in text


def test_published_figure_stands_beside_the_original_training_set_only(imsitu, tmp_path, monkeypatch):
    monkeypatch.setattr(leakage_steps, "PUBLISHED", {("imSitu", 600): 68.35})
    text = leakage(imsitu, rounds=1)
    assert "published (Wang et al., ICCV 2019; recalled, not checked)" in text
    assert "68.35" in text
    ids = tmp_path / "train.ids"
    ids.write_bytes(pickle.dumps(list(range(600)), 0))
    assert "published (" not in leakage(imsitu, ids=ids, rounds=1)


def test_tables_of_your_own_and_chance_in_words(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mine.csv"
    pd.DataFrame(rng.integers(2, size=(400, 3)), columns=["Male", "Hat", "Smile"]).to_csv(path, index=False)
    text = leakage(path, protected="Male", labels=["Hat", "Smile"], rounds=2)
    assert "From 2 labels (Hat, Smile) alone an attacker guesses not Male or Male right" in text
    assert "That is not told apart from chance." in text


def test_validation_without_test_ends_in_a_sentence(imsitu):
    with pytest.raises(UserError, match="give both, or neither"):
        leakage(imsitu, valid=imsitu)


def shared_imsitu() -> Path:
    folder = os.environ.get("FAIRLAB_SHARED_DATA", "")
    if not folder or not (Path(folder) / "imsitu").is_dir():
        pytest.skip("FAIRLAB_SHARED_DATA does not name a folder with imsitu")
    return Path(folder) / "imsitu"


def test_original_imsitu_leaks_as_published():
    root = shared_imsitu()
    text = leakage(root / "train.data", valid=root / "val.data", test=root / "test.data")
    (value,) = [float(cell.split()[0]) for cell in text.splitlines()[2].split("|") if "[" in cell]
    assert value == pytest.approx(68.3, abs=1.0)
    assert "68.35" in text


@pytest.mark.slow
def test_original_imsitu_leaks_as_published_to_the_published_attacker():
    root = shared_imsitu()
    text = leakage(
        root / "train.data", valid=root / "val.data", test=root / "test.data", attacker="mlp", rounds=1
    )
    (value,) = [float(cell.split()[0]) for cell in text.splitlines()[2].split("|") if "[" in cell]
    assert value == pytest.approx(68.3, abs=1.0)


@pytest.fixture
def own(tmp_path: Path) -> pd.DataFrame:
    """Labels of 3,000 images, of which the first goes with the group, written as train.csv."""
    rng = np.random.default_rng(0)
    women = rng.integers(2, size=3000)
    table = pd.DataFrame({"name": [f"img{i:04}" for i in range(3000)], "woman": women})
    table["hat"] = np.where(rng.random(3000) < 0.7, women, 1 - women)
    table["car"] = rng.integers(2, size=3000)
    table.to_csv(tmp_path / "train.csv", index=False)
    return table


def predicted(table: pd.DataFrame, leak: float, seed: int = 1) -> pd.DataFrame:
    """Scores of a model that has learnt the group by `leak` beside the labels."""
    rng = np.random.default_rng(seed)
    scores = {
        name: np.clip(
            0.15 + 0.5 * table[name] + leak * table["woman"] + 0.2 * rng.standard_normal(len(table)), 0, 1
        )
        for name in ("hat", "car")
    }
    return pd.DataFrame({"name": table["name"]} | scores)


OWN = {"protected": "woman", "labels": ["hat", "car"], "rounds": 3}


@pytest.mark.parametrize("metric", ["F1", "mAP"])
def test_a_models_predictions_are_compared_with_labels_as_accurate(own, tmp_path, metric):
    files = {}
    for name, leak in (("fair", 0.0), ("leaky", 0.3)):
        files[name] = tmp_path / f"{name}.csv"
        predicted(own, leak).drop(columns="name").to_csv(files[name], index=False)
    tables, texts = {}, {}
    for name, path in files.items():
        out = tmp_path / f"{name}_out.csv"
        texts[name] = leakage(
            tmp_path / "train.csv", predictions=path, performance_metric=metric, out=out, **OWN
        )
        tables[name] = pd.read_csv(out).set_index("metric")
        assert list(tables[name].index) == [
            "dataset leakage", "dataset leakage at F", "model leakage", "bias amplification",
        ]  # fmt: skip
    leaky = tables["leaky"]["value"]
    change = leaky["model leakage"] - leaky["dataset leakage at F"]
    assert leaky["bias amplification"] == pytest.approx(change, abs=1e-9)
    assert tables["leaky"].loc["bias amplification", "low"] > 0
    assert tables["leaky"].loc["bias amplification", "p_value"] < 0.01
    assert "leak more than equally accurate labels" in texts["leaky"]
    scores = pd.read_csv(files["fair"])
    both = [(own[name], scores[name]) for name in ("hat", "car")]
    each = [f1_score(y, s > 0.5) if metric == "F1" else average_precision_score(y, s) for y, s in both]
    assert f"The model's {metric} is {100 * np.mean(each):.1f}%, the mean over 2 labels" in texts["fair"]


def test_predictions_are_matched_by_id_by_order_and_by_published_rows(own, tmp_path):
    scores = predicted(own, 0.2)
    scores.to_csv(tmp_path / "by_id.csv", index=False)
    scores.sample(frac=1, random_state=0).to_parquet(tmp_path / "shuffled.parquet")
    np.save(tmp_path / "array.npy", scores[["hat", "car"]].to_numpy())
    ids = tmp_path / "some.ids"
    chosen = list(range(0, 3000, 2))
    ids.write_bytes(pickle.dumps(chosen, 0))
    np.save(tmp_path / "half.npy", scores[["hat", "car"]].to_numpy()[chosen])
    by_order = leakage(tmp_path / "train.csv", predictions=tmp_path / "array.npy", **OWN)
    for name in ("by_id.csv", "shuffled.parquet"):
        assert (
            leakage(tmp_path / "train.csv", predictions=tmp_path / name, id_column="name", **OWN) == by_order
        )
    some = [
        leakage(tmp_path / "train.csv", ids=ids, predictions=tmp_path / name, **OWN)
        for name in ("array.npy", "half.npy")
    ]
    assert some[0] == some[1] != by_order


def test_labels_as_accurate_as_a_given_figure_and_subsets_of_the_test_file(own, tmp_path):
    ids = tmp_path / "test.ids"
    ids.write_bytes(pickle.dumps(list(range(1000)), 0))
    train = tmp_path / "train.csv"
    text = leakage(train, test=train, test_ids=ids, at_performance=0.8, **OWN)
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| woman")]
    assert [row[3].strip() for row in rows] == ["dataset leakage", "dataset leakage at F"]
    whole, corrupted = (float(row[4].split("[")[0]) for row in rows)
    assert 66 < whole < 74
    assert 50 < corrupted < whole - 3
    assert int(rows[0][7].replace(",", "")) == 2 * min(np.bincount(own["woman"][:1000]))


def test_a_balanced_file_leaks_nothing(tmp_path):
    rng = np.random.default_rng(0)
    half = pd.DataFrame({"verb": rng.integers(0, 80, 1500).astype(str)})
    both = pd.concat([half.assign(g="f"), half.assign(g="m")])
    both.to_csv(tmp_path / "balanced.csv", index=False)
    text = leakage(tmp_path / "balanced.csv", protected="g", labels=["verb"])
    assert "right in 50.0% of images" in text
    assert "That is not told apart from chance." in text


def test_one_blank_does_not_take_a_column_away(tmp_path):
    rng = np.random.default_rng(0)
    group, hat = rng.integers(0, 2, (2, 2000))
    lipstick = np.where(rng.random(2000) < 0.93, group, 1 - group).astype(str)
    lipstick[7] = "NA"
    table = pd.DataFrame(
        {"group": np.where(group, "w", "m"), "lipstick": lipstick, "hat": hat, "note": "text"}
    )
    table.to_csv(tmp_path / "blank.csv", index=False)
    text = leakage(tmp_path / "blank.csv", protected="group")
    value = float(text.split("right in ")[1].split("%")[0])
    assert value == pytest.approx(93, abs=3)
    assert "From 2 labels (lipstick, hat)" in text
    assert (
        "1 of 2,000 rows are left out, the first of them row 8: they have no value of 'lipstick' in 1."
        in text
    )
    assert "no labels of two values are left alone: 'note' (holds 'text' in row 1)." in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"test_ids": Path("x")}, "holds row numbers of test images, but there is no --test file"),
        ({"test_predictions": Path("x")}, "holds predictions of test images, but there is no --test file"),
        (
            {"test": "train.csv", "predictions": "scores.npy"},
            "predictions of the train images but none of the test",
        ),
        ({"predictions": "scores.npy", "at_performance": 0.5}, "leave --performance out"),
        ({"at_performance": 80.0}, "divide percentages by 100"),
        ({"performance_metric": "AUC"}, "choose F1 or mAP"),
        ({"predictions": "none.npy"}, "There is no file"),
        ({"predictions": "short.npy"}, "has 10 rows of predictions for 3,000 labelled images"),
        ({"predictions": "one.npy"}, "has 1 columns for 2 labels"),
        ({"predictions": "text.csv"}, "'hat' of .* holds 'a', which is no number"),
        ({"predictions": "holes.npy"}, r"missing or infinite \(first: row 3\)"),
        ({"predictions": "other.csv"}, "none named 'hat'"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(own, tmp_path, change, sentence):
    scores = predicted(own, 0.0)[["hat", "car"]].to_numpy()
    holes = scores.copy()
    holes[2, 1] = np.nan
    for name, values in {
        "scores": scores,
        "short": scores[:10],
        "one": scores[:, :1],
        "holes": holes,
    }.items():
        np.save(tmp_path / f"{name}.npy", values)
    pd.DataFrame({"hat": ["a"] * 3000, "car": ["b"] * 3000}).to_csv(tmp_path / "text.csv", index=False)
    pd.DataFrame(np.zeros((3000, 3)), columns=list("abc")).to_csv(tmp_path / "other.csv", index=False)
    given = {
        key: tmp_path / value if isinstance(value, str) and "." in value else value
        for key, value in change.items()
    }
    with pytest.raises(UserError, match=sentence):
        leakage(tmp_path / "train.csv", **OWN, **given)


@pytest.fixture
def with_scores(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """400 images with ids such as 000012, and a model's scores of the one label."""
    rng = np.random.default_rng(0)
    groups, hat = rng.integers(2, size=(2, 400))
    names = [f"{number:06d}" for number in range(400)]
    path = tmp_path / "labels.csv"
    pd.DataFrame({"image": names, "g": groups, "hat": hat}).to_csv(path, index=False)
    return path, pd.DataFrame({"image": names, "hat": hat + groups + rng.normal(size=400) / 4})


def test_ids_keep_their_zeros_and_the_order_of_rows_does_not_matter(with_scores, tmp_path):
    labels, scores = with_scores
    texts = []
    for order in (np.arange(400), np.random.default_rng(1).permutation(400)):
        scores.iloc[order].to_csv(tmp_path / "scores.csv", index=False)
        asked = {"protected": "g", "labels": ["hat"], "id_column": "image", "rounds": 2}
        texts.append(leakage(labels, predictions=tmp_path / "scores.csv", **asked))
    assert texts[0] == texts[1]
    assert "bias amplification" in texts[0]


def test_an_image_that_is_labelled_twice_is_refused(with_scores, tmp_path):
    labels, scores = with_scores
    labels.write_text(labels.read_text().replace("000005", "000004"))
    scores.to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(UserError, match="labels have the id '000004' twice"):
        leakage(labels, predictions=tmp_path / "scores.csv", protected="g", labels=["hat"], id_column="image")


@pytest.mark.parametrize("rows", [399, 401, 800])
def test_predictions_of_another_number_of_rows_are_refused(with_scores, tmp_path, rows):
    labels, scores = with_scores
    pd.concat([scores, scores])[["hat"]].head(rows).to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(UserError, match=f"{rows} rows of predictions for 400"):
        leakage(labels, predictions=tmp_path / "scores.csv", protected="g", labels=["hat"])


def test_predictions_of_a_list_that_is_not_rising_need_the_whole_file_or_ids(with_scores, tmp_path):
    labels, scores = with_scores
    chosen = np.random.default_rng(2).permutation(400)[:300].tolist()
    ids = tmp_path / "some.ids"
    ids.write_bytes(pickle.dumps(chosen, 0))
    asked = {"protected": "g", "labels": ["hat"], "ids": ids, "rounds": 2}
    scores[["hat"]].iloc[chosen].to_csv(tmp_path / "some.csv", index=False)
    with pytest.raises(UserError, match="not in rising order"):
        leakage(labels, predictions=tmp_path / "some.csv", **asked)
    scores[["hat"]].to_csv(tmp_path / "all.csv", index=False)
    scores.iloc[chosen].to_csv(tmp_path / "named.csv", index=False)
    whole = leakage(labels, predictions=tmp_path / "all.csv", **asked)
    assert whole == leakage(labels, predictions=tmp_path / "named.csv", id_column="image", **asked)


def test_row_numbers_may_name_a_last_row_that_lacks_a_label(with_scores, tmp_path):
    labels, _ = with_scores
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([*lines[:-1], lines[-1][:-1]]) + "\n")
    ids = tmp_path / "some.ids"
    ids.write_bytes(pickle.dumps(list(range(100, 400)), 0))
    text = leakage(labels, protected="g", labels=["hat"], ids=ids, rounds=2)
    assert "1 of 400 rows are left out" in text


@pytest.mark.parametrize("k", [1, 3])
def test_the_f1_of_one_label_and_of_several_is_counted_by_hand(k):
    rng = np.random.default_rng(4)
    truth, scores = rng.integers(2, size=(200, k)).astype(np.uint8), rng.random((200, k))
    yes = scores > 0.5
    right = (yes & (truth == 1)).sum(axis=0)
    found = performance(truth, scores, "F1").by_label
    assert found == pytest.approx(2 * right / (yes.sum(axis=0) + truth.sum(axis=0)))
