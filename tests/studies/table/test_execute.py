"""The table command: the same numbers from one process, from two, and after being killed."""

import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
import torch

from fairlab.core.errors import UserError
from fairlab.data.attributes import REPORTED
from fairlab.studies.table.execute import table
from fairlab.studies.table.grid import EVIDENCE

pytestmark = pytest.mark.slow

SHARED = ("prepared", "classifiers", "latents")
PAIRS_ONLY = {"n_fit": 200, "n_held_out": 40, "n_pairs": 60, "n_resamples": 50}
SMALL = PAIRS_ONLY | {"n_added": 120}
ASKED = {
    "preset": "smoke",
    "targets": ["Eyeglasses", "Wavy_Hair"],
    "methods": ["latent_pairs", "added_oversampling"],
}

#: What the command line does, of a smaller experiment than it has a preset for.
SCRIPT = """
import json, sys
from pathlib import Path
from fairlab.studies.table.grid import EVIDENCE
from fairlab.studies.table.execute import table
if __name__ == "__main__":
    home, jobs, asked = sys.argv[1:]
    print(table(home=Path(home), jobs=int(jobs), out=Path(home, "out"), **json.loads(asked)))
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    file = tmp_path_factory.mktemp("script") / "make_table.py"
    file.write_text(SCRIPT)
    return file


def started(script, home, jobs):
    """Start the script; one thread for each process, since more of them round sums in another order."""
    command = [sys.executable, str(script), str(home), str(jobs), json.dumps(ASKED | SMALL)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, **streams)


def copy_of(smoke_home, home):
    for name in SHARED:
        shutil.copytree(smoke_home / name, home / name)
    return home


@pytest.fixture(scope="module")
def whole(smoke_home, tmp_path_factory):
    """A home folder with a table that one process made, and what that printed."""
    home = copy_of(smoke_home, tmp_path_factory.mktemp("whole"))
    threads, printed = torch.get_num_threads(), io.StringIO()
    torch.set_num_threads(1)  # as in `started`
    with redirect_stdout(printed):
        print(table(home=home, jobs=1, out=home / "out", **ASKED, **SMALL))
    torch.set_num_threads(threads)
    (home / "printed.txt").write_text(printed.getvalue())
    return home


def test_the_results_are_complete_and_the_paper_s_table_is_named(whole):
    out = whole / "out"
    measured = pd.read_csv(out / "table.csv", keep_default_na=False)
    assert {"Eyeglasses", "Wavy_Hair", "all targets"} <= set(measured["attribute"])
    assert len(pd.read_csv(out / "pairs.csv").groupby(["target", "method"])) == 2
    for method in ASKED["methods"]:
        assert "Eyeglasses" in (out / method / "table.md").read_text()
    for figure in ("effects.png", "effects_by_target.png"):
        assert (out / figure).read_bytes().startswith(b"\x89PNG")
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["targets"], manifest["methods"]) == (ASKED["targets"], ASKED["methods"])
    assert all((whole / "runs" / name / "experiment.json").is_file() for name in manifest["runs"])
    assert len(manifest["runs"]) == 4

    printed = (whole / "printed.txt").read_text()
    assert "2 targets × 2 methods against Male: 6 trainings" in printed
    assert (out / "effects.md").read_text().strip() in printed
    assert str(out / "latent_pairs" / "table.md") in printed


def test_the_paper_s_table_of_a_method_has_its_numbers(whole):
    measured = pd.read_csv(whole / "out" / "table.csv", keep_default_na=False)
    of_one = pd.read_csv(whole / "out" / "added_oversampling" / "table.csv", keep_default_na=False)
    assert set(of_one["model"]) == {"baseline", "debiased", "debiased - baseline"}
    keys = ["attribute", "group", "metric"]
    for name, source in (
        ("debiased", "added_oversampling"),
        ("debiased - baseline", "added_oversampling - baseline"),
    ):
        found, expected = (
            t[t["model"] == m].set_index(keys).sort_index()["value"]
            for t, m in ((of_one, name), (measured, source))
        )
        assert len(found)
        assert found.equals(expected)


def children_of(pid):
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true, seconds=300):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def killed(smoke_home, script, tmp_path_factory):
    """A home folder in which two processes made the table, once killed with all that they had begun."""
    home = copy_of(smoke_home, tmp_path_factory.mktemp("killed"))
    process = started(script, home, 2)
    wait_until(lambda: process.poll() is not None or list(home.glob("classifiers/latent_pairs-*.partial")))
    assert process.poll() is None, process.communicate()[0]
    children = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)  # ends when nobody is left who could print
    (home / "children.json").write_text(json.dumps(children))
    wait_until(lambda: not any(is_alive(child) for child in children), seconds=60)
    (home / "partial.txt").write_text("\n".join(map(str, home.glob("classifiers/*.partial"))))
    process = started(script, home, 2)
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    return home


def test_children_end_with_the_process_that_started_them(killed):
    children = json.loads((killed / "children.json").read_text())
    assert len(children) >= 2
    assert not any(is_alive(child) for child in children)
    assert (killed / "partial.txt").read_text()  # they ended in the middle of their work


@pytest.mark.parametrize("file", ["table.csv", "pairs.csv", "effects.md"])
def test_two_processes_killed_and_started_again_end_with_the_same_numbers(whole, killed, file):
    assert (killed / "out" / file).read_bytes() == (whole / "out" / file).read_bytes()


def test_a_target_whose_images_all_get_one_label_is_left_out_and_the_rest_is_written(
    whole, one_label, capsys, tmp_path
):
    one_label("Wavy_Hair")
    asked = ASKED | PAIRS_ONLY | {"methods": ["latent_pairs:n_fit=100"]}
    table(home=whole, jobs=1, out=tmp_path, **asked)
    assert "Wavy_Hair is left out: Labels of 'Wavy_Hair' on generated faces: A hyperplane" in (
        capsys.readouterr().out
    )
    assert set(pd.read_csv(tmp_path / "table.csv")["attribute"]) == {
        "Eyeglasses", "gender-independent", "all targets",
    }  # fmt: skip
    assert json.loads((tmp_path / "manifest.json").read_text())["targets"] == ["Eyeglasses"]
    assert not (tmp_path / "effects_by_target.png").exists()


def test_no_target_left_is_one_sentence(whole, one_label, tmp_path):
    one_label("Wavy_Hair")
    asked = ASKED | PAIRS_ONLY | {"targets": ["Wavy_Hair"], "methods": ["latent_pairs:n_fit=101"]}
    with pytest.raises(UserError, match="No target could be de-biased"):
        table(home=whole, jobs=1, out=tmp_path, **asked)


@pytest.mark.parametrize("jobs", [1, 2])
def test_other_processes_are_not_sent_the_images(whole, monkeypatch, jobs):
    sizes = []
    monkeypatch.setattr("fairlab.studies.table.execute.make_common", lambda grid: grid.first.data)
    monkeypatch.setattr("fairlab.studies.table.execute.write_results", lambda grid, out: "")
    monkeypatch.setattr(
        "fairlab.studies.table.execute.run_all",
        lambda _, pieces, **how: (
            sizes.extend(len(pickle.dumps(piece)) for piece in pieces) or [""] * len(pieces)
        ),
    )
    table(home=whole, jobs=jobs, **ASKED, **SMALL)
    assert len(sizes) == 6
    assert max(sizes) < 10_000


def test_many_names_make_a_short_folder_name(whole, monkeypatch):
    made = []
    monkeypatch.setattr("fairlab.studies.table.execute.make_all", lambda grid, jobs: grid)
    monkeypatch.setattr(
        "fairlab.studies.table.execute.write_results", lambda grid, out: made.append(out.name)
    )
    for targets in (REPORTED, REPORTED[1:], REPORTED[:3]):
        table(preset="smoke", targets=targets, methods=None, home=whole)
    assert len(made[0]) < 60
    assert len(set(made)) == 3
    assert made[2].endswith("-".join(REPORTED[:3]))


def test_arguments_reach_the_experiment_and_name_the_folder(whole, monkeypatch):
    made = {}
    monkeypatch.setattr(
        "fairlab.studies.table.execute.make_all", lambda grid, jobs: made.update(jobs=jobs) or grid
    )
    monkeypatch.setattr(
        "fairlab.studies.table.execute.write_results", lambda grid, out: made.update(grid=grid, out=out)
    )
    changes = {"protected": "Young", "seeds": 2, "multi_label": "true", "positive_share": "0.25"}
    table(preset="smoke", targets=["evidence"], methods=["controls"], home=whole, jobs=7, **changes)
    e = made["grid"].experiment
    assert (e.protected, e.seeds, e.method.multi_label, e.method.positive_share) == ("Young", 2, True, 0.25)
    assert made["grid"].targets == tuple(name for name in EVIDENCE if name != "Young")
    assert made["jobs"] == 7
    folder = "synthfaces-smoke-Young-evidence-controls-2-seeds-positive_share-0.25"
    assert made["out"] == whole / "tables" / folder
