"""The example: the six steps on few faces, with the shipped oracle in place of trained classifiers."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from fairlab.data.attributes import ATTRIBUTES
from fairlab.workspace.reader import shipped_oracle

FILE = Path(__file__).parents[2] / "examples" / "latent_pairs.py"


@pytest.fixture
def example():
    specification = importlib.util.spec_from_file_location("latent_pairs", FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Reader:
    """A classifier that was trained well."""

    def __init__(self, attribute):
        self.oracle, self.column = shipped_oracle("cpu"), ATTRIBUTES.index(attribute)

    def score(self, images):
        return self.oracle.classifier.score(images, progress=False)[:, [self.column]]


def test_the_six_steps_lead_from_drawn_faces_to_pairs_and_numbers(example, monkeypatch, capsys):
    trained = []

    def train(folder, *, images, labels, attributes, **_):
        trained.append((attributes[0], len(images), labels))
        return Reader(attributes[0])

    monkeypatch.setattr(example, "train_classifier", train)
    tables = example.main(n_train=400, n_latents=240)
    assert [(name, n) for name, n, _ in trained] == [
        ("Eyeglasses", 400), ("Male", 400), ("Eyeglasses", 400 + 240),
    ]  # fmt: skip
    labels = trained[2][2][:, 0]
    assert np.array_equal(labels[:400], trained[0][2][:, 0])
    assert np.array_equal(labels[400:520], labels[520:])  # both faces of a pair
    assert list(tables) == ["baseline", "de-biased"]
    assert tables["baseline"].loc["AP", "value"] > 0.5  # most positives are seen, far above their share
    assert set(tables["baseline"]["n"]) == {200}
    assert "de-biased" in capsys.readouterr().out


def test_it_is_short():
    assert len(FILE.read_text().splitlines()) < 80
