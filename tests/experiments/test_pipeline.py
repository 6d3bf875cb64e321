"""A whole run: what it leaves behind, and that killing it changes nothing."""

import io
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.core.files import read_json
from fairlab.methods import method_from
from fairlab.studies.run.execute import execute

from .toy_run import COUNTS, N_PAIRS, N_RESAMPLES, toy_run

#: The end of a step's name.
MARK = 8 * "[0-9a-f]"
#: Every step of a run, as a pattern below the home: what is trained, drawn, labelled, fitted, scored.
STEPS = (
    "generators/synthfaces-32-*",
    f"classifiers/erm-Male-seed0-{MARK}",
    f"classifiers/erm-Smiling-seed0-{MARK}",
    "classifiers/erm-Male-seed0-*_generated-*",
    "classifiers/erm-Smiling-seed0-*_generated-*",
    f"classifiers/latent_pairs-Smiling-seed0-{MARK}",
    "classifiers/erm-Smiling-seed0-*_scores",
    "classifiers/latent_pairs-Smiling-seed0-*_scores",
    f"latents/124-seed0-{MARK}",
    "latents/planes-*",
    f"latents/partners-{MARK}",
    "latents/*-seed0-*_truth",
    "latents/partners-*_truth",
)
#: The last is asked for by the report, after the manifest is written.
ALL_STEPS = (*STEPS, "latents/pair_scores-*")
#: Files whose every byte is the same after interruptions.
RESULTS = (
    "classifiers/*/weights.safetensors", "generators/*/generator.*", "classifiers/*/classifier.json",
    "*/*/*.npy", "latents/planes-*/*_*", "runs/toy/metrics.csv", "runs/toy/truth.json",
)  # fmt: skip


def start(home, *more):
    """Run in a process of its own, with one thread: more of them round sums in another order."""
    script = Path(__file__).with_name("toy_run.py")
    command = [sys.executable, str(script), str(home), *more]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home folder with one finished run, and what that printed."""
    home = tmp_path_factory.mktemp("home")
    finished = start(home)
    assert finished.returncode == 0, finished.stderr
    (home / "printed.txt").write_text(finished.stdout)
    return home


@pytest.fixture(scope="module")
def folder(home):
    return home / "runs" / "toy"


@pytest.fixture
def run(home):
    return toy_run(home)


def test_the_plan_comes_first_and_the_table_last(home):
    printed = (home / "printed.txt").read_text()
    assert printed.index("train with the method") < printed.index("| DEO (%)")
    assert "debiased - baseline" in printed
    assert "report.html" in printed


def test_every_step_is_finished(home):
    for pattern in ALL_STEPS:
        (step,) = home.glob(pattern)
        assert (step / "step.json").is_file()
    assert not list(home.glob("**/*.partial"))


def test_the_table_has_every_metric_with_interval_and_count(folder):
    table = pd.read_csv(folder / "metrics.csv")
    assert set(table["model"]) == {"baseline", "debiased", "debiased - baseline"}
    for metric in ("AP", "AP_balanced", "DEO", "BA", "KL"):
        rows = table[table["metric"] == metric]
        assert len(rows) == 3
        assert (rows["low"] <= rows["high"]).all()
    assert (table["n"] == COUNTS[2]).all()
    difference = table.pivot_table(index="metric", columns="model", values="value")
    assert np.allclose(difference["debiased"] - difference["baseline"], difference["debiased - baseline"])


def test_the_manifest_says_what_is_needed_to_repeat_the_run(home, folder, run):
    manifest = read_json(folder / "manifest.json")
    e = manifest["experiment"]
    assert (e["target"], e["n_resamples"], e["source"]["counts"]) == ("Smiling", N_RESAMPLES, list(COUNTS))
    assert method_from(e["method"]) == run.experiment.method
    assert manifest["training_seeds"] == [0]
    assert {"torch", "numpy"} <= set(manifest["versions"])
    (made_with,) = manifest["made_with"]
    assert made_with.keys() >= {"fairlab", "python", "torch", "torchvision", "numpy", "processor", "threads"}
    assert made_with["threads"] == manifest["threads"] == 1
    timed = {home / name for name in manifest["seconds"]}
    assert all((step / "step.json").is_file() for step in timed)
    assert {step for pattern in STEPS for step in home.glob(pattern)} <= timed


def test_the_report_stands_alone(folder):
    report = (folder / "report.html").read_text()
    assert report.count("data:image/") >= 7
    assert "http://" not in report.replace("http://www.w3.org", "")
    for heading in ("Pairs", "Latents and hyperplanes", "Scores by group", "Metrics"):
        assert heading in report


def test_the_truth_of_the_pairs_is_reported(folder):
    truth = read_json(folder / "truth.json")
    kept = next(value for name, value in truth.items() if name.startswith("partner kept"))
    assert kept["n"] == N_PAIRS
    assert 0 <= kept["low"] <= kept["value"] <= kept["high"] <= 1


def test_the_pairs_of_a_run_are_those_that_its_classifier_learnt_from(run):
    pairs, data = run.pairs(0), run.experiment.method.training_set(run.work, 0)
    assert len(data) == COUNTS[0] + 2 * N_PAIRS
    added = data.images[np.arange(COUNTS[0], len(data))]
    assert np.array_equal(added[:N_PAIRS], pairs.images)
    assert np.array_equal(added[N_PAIRS:], np.load(pairs.partners.folder / "images.npy"))
    assert np.array_equal(data.labels[COUNTS[0] :, 0], np.tile(pairs.labels, 2))
    assert run.pairs(0) is pairs


def stamps_of_steps(home):
    return {path: path.stat().st_mtime_ns for path in home.glob("**/step.json")}


def test_running_again_changes_nothing(home, folder, run):
    before, stamps = (folder / "metrics.csv").read_bytes(), stamps_of_steps(home)
    with redirect_stdout(io.StringIO()):
        execute(run)
    assert (folder / "metrics.csv").read_bytes() == before
    assert stamps_of_steps(home) == stamps


def test_another_run_of_the_same_images_trains_only_what_it_needs_beyond(home):
    """One half of the pairs has baseline, latents and labels of the whole, and needs no partners."""
    before = stamps_of_steps(home)
    other = toy_run(home, name="other", use="z", partner="on_hyperplane")
    other.test_scores(other.baseline(0))
    other.test_scores(other.debiased(0))
    new = {path.parent.relative_to(home).as_posix() for path in stamps_of_steps(home).keys() - before.keys()}
    trained = other.debiased(0).folder.relative_to(home).as_posix()
    assert new == {trained, f"{trained}_scores"}


def test_a_run_folder_of_another_experiment_is_refused(home, folder):
    before = (folder / "experiment.json").read_bytes()
    with pytest.raises(UserError, match=r"--set partner mirrored, now margin"):
        toy_run(home, partner="margin")
    assert (folder / "experiment.json").read_bytes() == before


def test_more_seeds_resamples_or_other_paths_are_the_same_experiment(home, folder):
    assert toy_run(home, seeds=3, n_resamples=100).folder == folder


def test_with_a_corrupted_checkpoint_the_training_begins_again(run, tmp_path, home, capsys):
    shutil.copytree(home, tmp_path / "home")
    broken = toy_run(tmp_path / "home")
    finished = broken.debiased(0).folder
    before = (finished / "weights.safetensors").read_bytes()
    partial = finished.with_name(f"{finished.name}.partial")
    finished.rename(partial)
    (partial / "classifier.json").unlink()
    (partial / "step.json").rename(partial / "progress.json")
    (partial / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    assert (broken.debiased(0).folder / "weights.safetensors").read_bytes() == before
    assert "checkpoint.safetensors is damaged: this training begins again." in capsys.readouterr().out


@pytest.mark.slow
def test_killed_at_every_file_the_run_ends_with_the_same_numbers(home, tmp_path):
    """A generator is trained, too."""
    finished = start(tmp_path, "killed")
    assert finished.returncode == 0, finished.stderr
    kills = (tmp_path / "seen.txt").read_text().splitlines()
    assert len(kills) == len(set(kills)) > 2 * len(STEPS)
    for pattern in (*ALL_STEPS, "runs/toy/*", "prepared/*"):
        assert [kill for kill in kills if Path(kill).match(pattern)], pattern
    files = [path for name in RESULTS for path in tmp_path.glob(name)]
    assert len(files) > len(ALL_STEPS)
    for file in (path.relative_to(tmp_path) for path in files):
        assert (tmp_path / file).read_bytes() == (home / file).read_bytes(), file
