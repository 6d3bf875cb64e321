"""Images with a plain shortcut: what plain training falls for, and methods that know cells do not."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from fairlab.data import FaceData
from fairlab.methods import load_classifier, train
from fairlab.methods.settings import read_method
from fairlab.workspace.source import SourceSettings
from fairlab.workspace.workspace import Workspace

from .toys import RECIPE, Shapes

COUNTS = {"train": 768, "valid": 384, "test": 512}
#: Methods that balance cells, or find the images against the shortcut by themselves.
WISE = (
    "oversampling", "oversampling:cells=true", "reweighting", "group_dro", "jtt", "dfr", "crt", "lisa",
    "mixup:by_group=true", "domain_discriminative", "two_heads",
)  # fmt: skip


@dataclass(frozen=True)
class Patches(Shapes):
    """Faint squares (the target); in training, 97 % of them have a bright corner (the protected label)."""

    attributes: tuple[str, ...] = ("Square", "Corner")

    @property
    def counts(self):
        return COUNTS

    def prepare(self, folder, size):
        random, n = np.random.default_rng(1), sum(COUNTS.values())
        split, corner = np.repeat(list(COUNTS), list(COUNTS.values())), random.integers(0, 2, n)
        agrees = random.random(n) < np.where(split == "train", 0.97, 0.5)
        square = np.where(agrees, corner, 1 - corner)
        images = random.integers(0, 80, (n, size, size, 3), np.uint8)
        images[corner == 1, :4, :4] += 120
        images[square == 1, 6:12, 6:12] += 20
        labels = pd.DataFrame({"Square": square, "Corner": corner}, dtype=np.uint8)
        return FaceData(images, labels, split, self.name, "patches")


@pytest.fixture(scope="module")
def accuracy(tmp_path_factory):
    """Return a function from a method to the accuracy of its four cells of test images."""
    recipe = replace(RECIPE, epochs=6, schedule="one_cycle", flip=False, padding=0)
    work = Workspace(
        Patches(), target="Square", protected=("Corner",), recipe=recipe, device="cpu",
        home=tmp_path_factory.mktemp("patches"),
        settings=SourceSettings("folder", root="somewhere", image_size=16),
    )  # fmt: skip
    y, a = work.labels("test")[:, 0], work.groups("test")

    def of(name):
        classifier = load_classifier(train(read_method(name, {}), work, 0).folder, "cpu")
        right = (classifier.score(work.images("test"), progress=False)[:, 0] > 0.5) == y
        return np.array([right[(y == i) & (a == j)].mean() for i in (0, 1) for j in (0, 1)])

    return of


@pytest.fixture(scope="module")
def plain(accuracy):
    return accuracy("erm")


def test_plain_training_follows_the_shortcut(plain):
    followed, opposed = plain[[0, 3]], plain[[1, 2]]
    assert followed.min() > 0.9
    assert opposed.mean() < 0.5


@pytest.mark.parametrize("name", WISE)
def test_what_balances_cells_does_better_against_it(name, accuracy, plain):
    found = accuracy(name)
    assert found.mean() > plain.mean() + 0.08
    assert found.min() > plain.min() + 0.1
