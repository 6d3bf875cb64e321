"""The report of a generator: numbers against plain counts, and what the command line leaves behind."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fairlab.cli import main
from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.law import sample_factors
from fairlab.generators import ModuleGenerator, sample_latents, shipped_generator
from fairlab.studies.generator.measure import COLUMNS, Sample, Samples, measure_generator
from fairlab.studies.generator.page import summarise, write_generator_report
from fairlab.workspace.reader import shipped_oracle


class Redraw(nn.Module):
    """Draws known faces: the sign of a latent's first number decides whether they wear glasses."""

    def __init__(self):
        super().__init__()
        faces = sample_factors(100, seed=3, stream="test")
        sides = [draw(faces.with_attribute("Eyeglasses", worn), 64) for worn in (False, True)]
        self.pictures = (
            torch.from_numpy(np.stack(sides)).permute(0, 1, 4, 2, 3) / 127.5 - 1
        )  # (2, n, 3, h, w)

    def forward(self, z):
        return self.pictures[(z[:, 0] > 0).long(), (z[:, 1].abs() * 1000).long() % 100]


class Faces:
    """What `Samples.draw` needs of a data set."""

    size = 64

    def split_images(self, split):
        return draw(sample_factors(220, seed=4, stream=split), 64)


@pytest.fixture(scope="module")
def oracle():
    return shipped_oracle("cpu")


@pytest.fixture(scope="module")
def generator():
    return ModuleGenerator(Redraw(), latent_dim=4, resolution=64)


@pytest.fixture(scope="module")
def samples(generator, oracle):
    return Samples.draw(generator, Faces(), oracle, n_fit=200, n_held_out=100, seed=0)


@pytest.fixture(scope="module")
def table(samples, oracle):
    return measure_generator(samples, oracle)


def value(table, measure, attribute=""):
    row = table[(table["measure"] == measure) & (table["attribute"] == attribute)]
    assert len(row) == 1
    return row.iloc[0]


def test_every_number_has_a_count_and_an_interval(table):
    assert tuple(table.columns) == COLUMNS
    assert (table["n"] > 0).all()
    shares = table[table["unit"] == "share"].dropna(subset="value")
    assert (shares["low"] <= shares["value"]).all()
    assert (shares["value"] <= shares["high"]).all()


def test_frequencies_are_those_of_the_reader(table, samples):
    column = ATTRIBUTES.index("Smiling")
    for kind, sample in (("training", samples.training), ("generated", samples.generated)):
        row = value(table, f"frequency in {kind} images", "Smiling")
        assert (row["value"], row["n"]) == (sample.labels[:, column].mean(), len(sample.labels))
    gaps = np.abs(samples.generated.labels.mean(axis=0) - samples.training.labels.mean(axis=0))
    assert value(table, "attributes drawn as often")["value"] == (gaps <= 0.05).sum()


def test_a_direction_that_decides_an_attribute_is_found(table, samples):
    row = value(table, "held-out accuracy of a hyperplane", "Eyeglasses")
    assert row["value"] > 0.9
    assert row["n"] == len(samples.z) - 200
    assert value(table, "always guessing", "Eyeglasses")["value"] < 0.65


def test_copies_are_noticed(samples, oracle):
    """A generator that hands out training images makes near-copies only; real faces make one in a hundred."""
    rows = samples.training.images
    copier = Sample(rows, samples.training.labels, samples.training.features)
    copied = measure_generator(
        Samples(samples.training, samples.unseen, copier, samples.z[:220], 150), oracle
    )
    assert value(copied, "near-copies of training images")["value"] == 1
    assert value(copied, "Fréchet distance")["value"] == pytest.approx(0, abs=1e-6)
    assert value(copied, "precision")["value"] == 1


def test_an_attribute_that_is_never_drawn_is_undefined_and_says_so(samples, oracle):
    nobody = Sample(samples.generated.images, samples.generated.labels * 0, samples.generated.features)
    table = measure_generator(Samples(samples.training, samples.unseen, nobody, samples.z, 200), oracle)
    row = value(table, "held-out accuracy of a hyperplane", "Male")
    assert np.isnan(row["value"])
    assert row["note"] == "all generated images agree"
    assert summarise(table)


def test_the_page_tells_it_in_words(tmp_path, generator, samples, table):
    write_generator_report(tmp_path, generator, samples, table, {"Generator": "<made here>"})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == 5
    for words in (
        "Nearest training images",
        "Wearing Hat",
        "&lt;made here&gt;",
        "Heusel",
        "not anyone's identity",
    ):
        assert words in page or words.replace("'", "&#39;") in page
    assert pd.read_csv(tmp_path / "measures.csv")["measure"].tolist() == table["measure"].tolist()
    assert "attributes are drawn as often as" in summarise(table)[0]


def test_too_few_images_are_one_sentence(generator, oracle):
    with pytest.raises(UserError, match="at least 200 generated images, not 60"):
        Samples.draw(generator, Faces(), oracle, n_fit=40, n_held_out=20, seed=0)


@pytest.mark.slow
def test_the_command_line_trains_a_generator_and_measures_it(prepared_home):
    common = ["--preset", "smoke", "--home", str(prepared_home)]
    for action in (["train"], ["report", "--train-gan"]):
        done = subprocess.run(
            [sys.executable, "-m", "fairlab", "gan", *action, *common], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert "attributes are drawn as often as" in done.stdout
    (report,) = prepared_home.glob("generators/report-*/report.html")
    assert str(report) in done.stdout
    trained = list(prepared_home.glob("generators/*/generator.safetensors"))
    assert len(trained) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--generator", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--generator", "nowhere.pth"], "nowhere.pth"),
        (["--generator", "nowhere.pth", "--train-gan"], "choose one"),
        (["--preset", "hasty"], "hasty"),
        (["--data", "celeba"], "--data-root"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, capsys, arguments, words):
    assert main(["gan", "report", "--preset", "smoke", "--home", str(tmp_path), *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("fairlab: ")
    assert words in error
    assert error.count("\n") == 0


def test_inception_without_its_package_is_one_sentence(samples, oracle, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity.utils", None)
    with pytest.raises(UserError, match="pip install torch-fidelity"):
        measure_generator(samples, oracle, inception=True)


def test_inception_whose_weights_cannot_be_had_is_one_sentence(samples, oracle, monkeypatch):
    class Offline:
        @staticmethod
        def create_feature_extractor(*_, **__):
            raise OSError("no route to host")

    monkeypatch.setitem(sys.modules, "torch_fidelity", Offline)
    monkeypatch.setitem(sys.modules, "torch_fidelity.utils", Offline)
    with pytest.raises(UserError, match="leave --inception out"):
        measure_generator(samples, oracle, inception=True)


def test_the_shipped_generator_draws_what_it_was_shown(oracle):
    """The card's measures, roughly, on few faces: a lost or exchanged file would not pass."""
    samples = Samples.draw(shipped_generator(), Faces(), oracle, n_fit=400, n_held_out=100, seed=1)
    gaps = np.abs(samples.generated.labels.mean(axis=0) - samples.training.labels.mean(axis=0))
    assert (gaps < 0.12).sum() >= 34
    assert len(sample_latents(1, shipped_generator().latent_dim, 0)[0]) == 512
