"""The whole method on the smoke preset: what it leaves behind, and that killing it changes nothing."""

import fnmatch
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlab.methods.controls import augmented

from fairlab.core.files import read_json
from fairlab.experiments.presets import preset
from fairlab.experiments.run import Run
from fairlab.latent import Hyperplane

pytestmark = pytest.mark.slow

#: Every step of a run, in order, as a pattern below the home; the kill test waits for each one's work folder.
#: Classifiers trained on real images, latents and what is said of them lie where other runs find them.
STEPS = (
    "classifiers/Male-seed0-*",
    "classifiers/Blond_Hair-seed0-*",
    "latents/*",
    "classifiers/Blond_Hair-seed0-*_generated-*",
    "classifiers/Male-seed0-*_generated-*",
    "runs/smoke/seed0/hyperplanes",
    "runs/smoke/seed0/partners",
    "runs/smoke/seed0/debiased",
    "classifiers/Blond_Hair-seed0-*_scores",
    "runs/smoke/seed0/debiased_scores",
    "latents/*_truth",
    "runs/smoke/seed0/partners_truth",
)

#: Folders that all runs share.
SHARED = ("classifiers", "latents")

#: Steps of which the manifest does not say how long they took.
UNTIMED = ("classifiers/Blond_Hair-seed0-*_scores", "latents/*_truth")


def command(home, *more):
    # Hair colour is what the tiny generators that these tests train draw first.
    fixed = ["run", "--preset", "smoke", "--target", "Blond_Hair", "--variant", "paired"]
    fixed += ["--home", str(home), "--run", "smoke"]
    return [sys.executable, "-m", "fairlab", *fixed, *more]


@pytest.fixture(scope="module")
def home(smoke_home, tmp_path_factory):
    """A home folder with one finished smoke run, which found images and latents that another had left."""
    home = tmp_path_factory.mktemp("home")
    for name in ("prepared", *SHARED):
        shutil.copytree(smoke_home / name, home / name)
    finished = subprocess.run(command(home), capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    (home / "printed.txt").write_text(finished.stdout)
    return home


@pytest.fixture
def run(home):
    return Run.of_preset("smoke", home, name="smoke", target="Blond_Hair", variant="paired")


def test_the_plan_comes_first_and_the_table_last(home):
    printed = (home / "printed.txt").read_text()
    assert printed.index("6 train the de-biased classifier") < printed.index("| DEO (%)")
    assert "debiased - baseline" in printed
    assert "report.html" in printed


def test_the_table_has_every_metric_with_interval_and_count(home):
    table = pd.read_csv(home / "runs/smoke/metrics.csv")
    assert set(table["model"]) == {"baseline", "debiased", "debiased - baseline"}
    for metric in ("AP", "AP_balanced", "DEO", "BA", "KL"):
        rows = table[table["metric"] == metric]
        assert len(rows) == 3
        assert (rows["low"] <= rows["high"]).all()
    assert (table["n"] == preset("smoke").synthfaces_counts[2]).all()
    difference = table.pivot_table(index="metric", columns="model", values="value")
    assert np.allclose(difference["debiased"] - difference["baseline"], difference["debiased - baseline"])


def test_the_manifest_says_what_is_needed_to_repeat_the_run(home):
    manifest = read_json(home / "runs/smoke/manifest.json")
    assert manifest["experiment"]["target"] == "Blond_Hair"
    assert manifest["training_seeds"] == [0]
    assert {"torch", "numpy"} <= set(manifest["versions"])
    timed = {name if name.startswith(SHARED) else f"runs/smoke/{name}" for name in manifest["seconds"]}
    for pattern in set(STEPS) - set(UNTIMED):
        assert fnmatch.filter(timed, pattern), pattern
    assert all((home / name / "step.json").is_file() for name in timed)


def test_the_report_stands_alone(home):
    report = (home / "runs/smoke/report.html").read_text()
    assert report.count("data:image/") >= 7
    assert "http://" not in report.replace("http://www.w3.org", "")
    for heading in ("Pairs", "Latents and hyperplanes", "Scores by group", "Metrics"):
        assert heading in report


def test_the_truth_of_the_pairs_is_reported(home):
    truth = read_json(home / "runs/smoke/truth.json")
    pairs = preset("smoke").n_pairs
    kept = next(value for name, value in truth.items() if name.startswith("partner kept"))
    assert kept["n"] == pairs
    assert 0 <= kept["low"] <= kept["value"] <= kept["high"] <= 1


def test_partners_flip_one_distance_and_keep_the_other(run):
    planes = run.pairs(0).planes
    z = run.pairs(0).all_z[run.pairs(0).rows]
    moved = np.load(run.pairs(0).partners.folder / "z.npy")
    assert np.allclose(planes["target"].distance(moved), planes["target"].distance(z), atol=1e-5)
    assert np.allclose(planes["protected"].distance(moved), -planes["protected"].distance(z), atol=1e-5)


def test_the_augmented_set_has_as_many_of_either_group_by_construction(run):
    planes = run.pairs(0).planes
    z, moved = run.pairs(0).all_z[run.pairs(0).rows], np.load(run.pairs(0).partners.folder / "z.npy")
    sides = np.concatenate([planes["protected"].distance(part) > 0 for part in (z, moved)])
    assert np.mean(sides) == pytest.approx(0.5, abs=1e-9)
    images, labels, _ = augmented(run, 0)
    assert len(images) == len(labels) == preset("smoke").synthfaces_counts[0] + 2 * preset("smoke").n_pairs


def test_hyperplanes_were_fitted_on_the_first_latents_and_measured_on_the_next(run):
    e, planes, labels = run.experiment, run.pairs(0).planes, run.pairs(0).all_labels
    again = Hyperplane.fit(run.pairs(0).all_z[: e.n_fit], labels["protected"][: e.n_fit])
    assert again.cosine(planes["protected"]) == pytest.approx(1, abs=1e-9)
    held_out = slice(e.n_fit, e.n_fit + e.n_held_out)
    right = (planes["protected"].distance(run.pairs(0).all_z[held_out]) > 0) == labels["protected"][held_out]
    assert planes["protected"].held_out_accuracy == pytest.approx(np.mean(right))


def test_running_again_changes_nothing_and_is_quick(home):
    before = (home / "runs/smoke/metrics.csv").read_bytes()
    stamps = stamps_of_steps(home)
    assert len(stamps) >= len(STEPS)
    subprocess.run(command(home), check=True, capture_output=True)
    assert (home / "runs/smoke/metrics.csv").read_bytes() == before
    assert stamps_of_steps(home) == stamps


def stamps_of_steps(home):
    return {path: path.stat().st_mtime_ns for path in home.glob("**/step.json")}


def test_another_run_of_the_same_images_trains_only_what_it_needs_beyond(home):
    """A further variant has the baseline, the latents and the labels of the first one."""
    before = {path: stamp for path, stamp in stamps_of_steps(home).items() if "runs" not in path.parts}
    other = Run.of_preset("smoke", home, target="Blond_Hair", variant="z_only")
    other.test_scores(other.baseline(0))
    assert other.labels(0).keys() == {"target", "protected"}
    assert len(augmented(other, 0).labels) == other.data.rows("train").size + preset("smoke").n_pairs
    assert {p: s for p, s in stamps_of_steps(home).items() if "runs" not in p.parts} == before


def test_a_corrupted_checkpoint_is_one_sentence(home, tmp_path):
    broken = tmp_path / "home"
    shutil.copytree(home, broken)
    finished = broken / "runs/smoke/seed0/debiased"
    partial = finished.with_name("debiased.partial")
    finished.rename(partial)
    record = json.loads((partial / "step.json").read_text())
    (partial / "step.json").unlink()
    (partial / "classifier.json").unlink()
    (partial / "progress.json").write_text(json.dumps({"fingerprint": record["fingerprint"], "seconds": 1}))
    (partial / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    result = subprocess.run(command(broken), capture_output=True, text=True)
    assert result.returncode == 2
    last = result.stderr.replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("fairlab: ")
    assert "checkpoint.safetensors" in last


def kill_when(home: Path, pattern: str) -> bool:
    """Start the run, kill -9 it once a file of that pattern is there; whether it was caught."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command(home, "--train-gan"), **quiet)
    while process.poll() is None and not list(home.glob(pattern)):
        time.sleep(0.005)
    caught = process.poll() is None
    if caught:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return caught


def test_killed_in_every_step_the_run_ends_with_the_same_numbers(home, tmp_path):
    """A generator is trained too, and killed both at its start and after a checkpoint."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for place in (whole, killed):
        shutil.copytree(home / "prepared", place / "prepared")
    subprocess.run(command(whole, "--train-gan"), check=True, capture_output=True)
    patterns = [f"{name}.partial" for name in STEPS]
    patterns[2:2] = ["generators/*.partial", "generators/*.partial/checkpoint.safetensors"]
    caught = [kill_when(killed, pattern) for pattern in patterns]
    assert sum(caught) >= len(patterns) - 2  # the shortest steps may be over before the signal
    subprocess.run(command(killed, "--train-gan"), check=True, capture_output=True)
    for file in ("metrics.csv", "truth.json"):
        assert (killed / "runs/smoke" / file).read_bytes() == (whole / "runs/smoke" / file).read_bytes()
