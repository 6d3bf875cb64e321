"""What the command prints of label files."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.metrics.tidy import COLUMNS
from fairlab.studies.leakage import measure as leakage_steps
from fairlab.studies.leakage.measure import leakage


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
    assert "published" not in text


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
    assert "published" not in leakage(imsitu, ids=ids, rounds=1)


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
