"""Pairs of attributes from training to table: what is trained once, what is said, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.data import FaceData
from fairlab.experiments.presets import preset
from fairlab.experiments.run import workspace_of
from fairlab.metrics.two_groups.discriminability import pair_discriminability
from fairlab.studies.discriminability import measure as discriminability
from fairlab.studies.discriminability.measure import Result
from fairlab.workspace.source import Labelled

NAMES = ["Eyeglasses", "Wearing_Hat", "Male"]
SIZE = 32  # what the smoke classifier sees; faster to draw than the default


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("discriminability")


def run(home: Path, **changes) -> Result:
    """Measure drawn faces; networks this small are slower with several threads, which wait for each other."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return discriminability.discriminability(
            **{"attributes": NAMES, "preset": "smoke", "image_size": SIZE, "home": home, "device": "cpu"}
            | changes
        )
    finally:
        torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def first(home) -> Result:
    return run(home)


def prepared(home: Path) -> FaceData:
    return workspace_of(preset("smoke", image_size=SIZE), home).prepare()


def labels(home: Path, split: str) -> pd.DataFrame:
    data = prepared(home)
    return pd.DataFrame({name: data.label(name, split) for name in NAMES})


def test_a_hat_is_easier_than_eyeglasses(first):
    """A hat covers a quarter of a drawn face; eyeglasses are thin lines, hardly there at 32 pixels."""
    row = first.table.set_index(["first", "second"]).loc[("Eyeglasses", "Wearing_Hat")]
    assert row["ap_second"] > 0.8
    assert row["high"] < -0.1
    assert row["p_holm"] < 0.05
    assert list(first.ranking.index)[-1] == "Eyeglasses"


def test_the_table_counts_images_of_every_pair(home, first):
    train, test = labels(home, "train"), labels(home, "test")
    for row in first.table.to_dict("records"):
        pair = [row["first"], row["second"]]
        assert row["n_train"] == 1500
        assert row["n_train_both"] == min(750, train[pair].all(axis=1).sum())
        assert row["n_train_neither"] == min(750, (train[pair] == 0).all(axis=1).sum())
        assert row["n"] == len(test)
        assert row["n_positive_first"] == test[row["first"]].sum()
        assert row["n_smallest_cell"] == test[pair].value_counts().min()
        assert row["seeds"] == 1


def test_files_hold_what_the_text_says(first):
    assert first.folder.parent.name == "discriminability"
    pd.testing.assert_frame_equal(
        pd.read_csv(first.folder / "discriminability.csv", keep_default_na=False), first.table
    )
    with Image.open(first.folder / "discriminability.png") as picture:
        assert "From easiest to hardest" in picture.info["Description"]
    text = str(first)
    for row in first.table.to_dict("records"):
        value, low, high = (100 * abs(row[end]) for end in ("difference", "low", "high"))
        low, high = sorted([low, high]) if np.sign(row["low"]) == np.sign(row["high"]) else (low, high)
        if row["p_holm"] < 0.05:
            assert f"+{value:.1f} [+{low:.1f}, +{high:.1f}]" in text
    assert "one of each pair" in text
    assert "annotators' impressions" in text
    assert str(first.folder / "discriminability.csv") in text


def test_a_classifier_sees_only_images_that_agree_as_many_of_either_class(home, first, monkeypatch, tmp_path):
    seen = []

    def spy(folder, *, images, labels, **others):
        seen.append((images.rows, labels[:, 0], others))
        raise KeyboardInterrupt

    monkeypatch.setattr(discriminability, "train_classifier", spy)
    with pytest.raises(KeyboardInterrupt):
        run(home, images=400)
    ((rows, shown, others),) = seen
    y = labels(home, "train")[["Eyeglasses", "Wearing_Hat"]].to_numpy()
    assert np.array_equal(y[rows], np.stack([shown, shown], axis=1))  # the training split comes first
    assert np.bincount(shown).tolist() == [200, 200]
    repeats = np.bincount(rows, minlength=len(y))
    for value in (0, 1):
        times = repeats[(y == value).all(axis=1)]
        assert times.max() - times.min() <= 1
    assert repeats[y[:, 0] != y[:, 1]].sum() == 0
    valid = labels(home, "valid")[["Eyeglasses", "Wearing_Hat"]].to_numpy()
    agree = valid[:, 0] == valid[:, 1]
    assert np.array_equal(others["valid_labels"][:, 0], valid[agree, 0])
    assert others["recipe"].selection == "average_precision"


def test_what_is_trained_is_not_trained_again_whatever_is_named_first(home, first, monkeypatch, tmp_path):
    def refuse(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(discriminability, "train_classifier", refuse)
    again = run(home)
    pd.testing.assert_frame_equal(again.table, first.table)
    assert str(again) == str(first)
    turned = run(home, attributes=NAMES[:2][::-1], out=tmp_path / "mine")
    assert turned.folder == tmp_path / "mine"
    assert turned.table["difference"][0] == -first.table["difference"][0]
    assert turned.table["ap_first"][0] == first.table["ap_second"][0]
    assert {path.name for path in turned.folder.iterdir()} == {"discriminability.csv", "discriminability.png"}


@pytest.mark.slow
def test_an_interrupted_study_goes_on_to_the_same_numbers(home, first, monkeypatch, tmp_path):
    """Killed after the first epoch of the second training: the rest, and only the rest, is made."""
    train = discriminability.train_classifier
    begun: list[str] = []

    def killed(folder, **arguments):
        begun.append(folder.name)

        def stop(record):
            if len(begun) == 2:
                raise KeyboardInterrupt

        return train(folder, on_epoch=stop, **arguments)

    (tmp_path / "prepared").symlink_to(home / "prepared")
    monkeypatch.setattr(discriminability, "train_classifier", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    epochs: list[int] = []

    def counted(folder, **arguments):
        return train(folder, on_epoch=lambda record: epochs.append(record["epoch"]), **arguments)

    monkeypatch.setattr(discriminability, "train_classifier", counted)
    pd.testing.assert_frame_equal(run(tmp_path).table, first.table)
    assert epochs == [2, 1, 2]  # the second training's last epoch, and the third training


def test_several_trainings_are_all_measured(home, first):
    two = run(home, attributes=NAMES[:2], seeds=2)
    assert two.table["seeds"][0] == 2
    assert "cover test images and 2 trainings" in str(two)
    files = sorted((home / "discriminability" / "classifiers").glob("Eyeglasses+Wearing_Hat-seed*/test.npy"))
    assert len(files) == 2
    test = labels(home, "test")
    scores = np.stack([np.load(file) for file in files])
    expected = pair_discriminability(test["Eyeglasses"], test["Wearing_Hat"], scores, n_resamples=1)
    assert two.table["difference"][0] == pytest.approx(expected.difference.value)
    assert not np.array_equal(*scores)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"attributes": ["Male"]}, "give at least two"),
        ({"attributes": []}, "give at least two"),
        ({"attributes": ["Male", "Smilling"]}, "no attribute 'Smilling' here; did you mean 'Smiling'"),
        ({"attributes": ["Male", "Young", "Male"]}, "'Male' is given twice"),
        ({"preset": "smok"}, "no preset 'smok'"),
        ({"images": 3}, "give --images of at least 4"),
    ],
)
def test_what_cannot_be_measured_ends_in_a_sentence_before_training(home, changes, sentence, monkeypatch):
    monkeypatch.setattr(discriminability, "train_classifier", None)
    with pytest.raises(UserError, match=sentence):
        run(home, **changes)


@pytest.mark.parametrize(
    ("hat", "sentence"),
    [
        (lambda glasses: glasses, "cannot be told apart: their labels are the same"),
        (lambda glasses: 1 - glasses, "cannot be told apart: their labels are opposite"),
        (lambda glasses: glasses | 1, "label of 'Wearing_Hat' is 1 for all"),
    ],
    ids=["always agree", "never agree", "one label for all"],
)
def test_a_pair_with_an_empty_cell_ends_in_a_sentence_before_training(
    home, first, hat, sentence, monkeypatch
):
    data = prepared(home)
    data.labels["Wearing_Hat"] = hat(data.labels["Eyeglasses"])
    monkeypatch.setattr(discriminability, "labels_of", lambda *_: Labelled.of(data))
    monkeypatch.setattr(discriminability, "prepare_data", None)
    with pytest.raises(UserError, match=sentence):
        run(home)


def test_a_split_without_an_image_of_both_is_told_before_training(home, first, monkeypatch):
    data = prepared(home)
    train = data.split == "train"
    data.labels.loc[train, "Wearing_Hat"] = 1 - data.labels.loc[train, "Eyeglasses"]
    monkeypatch.setattr(discriminability, "labels_of", lambda *_: Labelled.of(data))
    with pytest.raises(UserError, match="train split has no image with both 'Eyeglasses' and 'Wearing_Hat'"):
        run(home)
