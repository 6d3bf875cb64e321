"""Bad input is one clear sentence and exit code 2; nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import numpy as np
import pandas as pd
import pytest

from fairlab import cli
from fairlab.cli import main

TABLE = "fairlab.studies.table.execute.table"


def refused(capsys, *arguments):
    """Run the command line in this process; return the sentence with which it refused."""
    assert main(list(arguments)) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("fairlab: ")
    assert "Traceback" not in error
    assert error.count("\n") == 0
    return error


def fairlab(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "fairlab", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert "fairlab run --data celeba --data-root DIR" in text
    assert "not" in text
    assert "identities" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--target", "Smilling"], "did you mean 'Smiling'"),
        (["--target", "Male", "--protected", "Male"], "both 'Male'"),
        (["--preset", "quik"], "did you mean 'quick'"),
        (["--data", "celebs"], "did you mean 'celeba'"),
        (["--data", "celeba"], "--data-root"),
        (["--data", "celeba", "--data-root", "no/such/root"], "no/such/root"),
        (["--data", "folder", "--data-root", "no/such/root"], "no/such/root"),
        (["--seeds", "0"], "at least one"),
        (["--device", "toaster"], "toaster"),
        (["--image-size", "70"], "70"),
        (["--protected", "Male", "Yong"], "did you mean 'Young'"),
        (["--protected", "Male", "Male"], "more than once"),
        (["--method", "oversample"], "did you mean 'oversampling'"),
        (["--set", "partner"], "'partner' is no setting"),
        (["--set", "partnr=margin"], "did you mean 'partner'"),
        (["--set", "multi_label=many"], "multi_label is 'many'"),
        (["--set", "target_planes=group"], "did you mean 'by_group'"),
        (["--protected", "Male", "Young", "--set", "target_planes=by_group"], "one protected attribute"),
        (["--set", "positive_share=1.5"], "must lie between 0 and 1"),
        (["--set", "positive_share=0.1", "target_planes=by_group"], "leave positive_share or"),
        (["--set", "n_inverted=3"], "at least 24"),
    ],
)
def test_bad_arguments(capsys, tmp_path, arguments, sentence):
    assert sentence in refused(capsys, "run", "--preset", "smoke", "--home", str(tmp_path), *arguments)


def test_run_takes_several_protected_attributes_and_the_settings_of_a_method(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr("fairlab.studies.run.execute.execute", made.append)
    asked = ["run", "--preset", "smoke", "--home", str(tmp_path), "--set", "partner=mirrored"]
    assert main([*asked, "multi_label=true", "n_inverted=50", "--protected", "Male", "Young"]) == 0
    assert main([*asked, "--set", "target_planes=by_group"]) == 0
    wide, grouped = (run.experiment for run in made)
    assert (wide.protected, wide.also_protected) == ("Male", ("Young",))
    assert (wide.method.partner, wide.method.multi_label, wide.method.n_inverted) == ("mirrored", True, 50)
    assert (grouped.protected, grouped.also_protected) == ("Male", ())
    assert (grouped.method.target_planes, grouped.method.multi_label) == ("by_group", False)
    assert made[0].folder != made[1].folder


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--variant", "z_only"], ["--method", "latent_pairs:partner=mirrored,use=z"]),
        (["--labeller", "multi_label"], ["--set", "multi_label=true"]),
        (["--inverted", "50"], ["--set", "n_inverted=50"]),
    ],
)
def test_former_variants_and_settings_name_the_new_ones(tmp_path, monkeypatch, capsys, old, new):
    made = []
    monkeypatch.setattr("fairlab.studies.run.execute.execute", made.append)
    for words in (old, new):
        assert main(["run", "--preset", "smoke", "--home", str(tmp_path), *words]) == 0
    assert made[0].experiment == made[1].experiment
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert " ".join(new) in error


@pytest.mark.parametrize(
    ("command", "old", "new", "value"),
    [("prepare", "--table", "--labels-csv", "x.csv"), ("truth", "--searched", "--inverted-faces", "7")],
)
def test_a_former_name_of_an_argument_still_works_and_says_the_new_one(
    monkeypatch, capsys, command, old, new, value
):
    given = []
    study = f"fairlab.studies.{cli.STUDIES[command]}.command.run"
    monkeypatch.setattr(study, given.append)
    assert main([command, old, value]) == main([command, new, value]) == 0
    assert vars(given[0]) == vars(given[1])
    assert value in map(str, vars(given[0]).values())
    assert capsys.readouterr().err.count("\n") == 1


def test_table_hands_its_arguments_on(tmp_path, monkeypatch, capsys):
    given = {}
    monkeypatch.setattr(TABLE, lambda **arguments: given.update(arguments) or "the table")
    asked = ["--targets", "Smiling", "Bangs", "--methods", "controls", "erm", "--jobs", "3", "--seeds", "2"]
    asked += ["--protected", "Young", "--set", "positive_share=0.25", "--preset", "smoke"]
    assert main(["table", *asked, "--home", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == "the table\n"
    expected = {
        "targets": ["Smiling", "Bangs"],
        "methods": ["controls", "erm"],
        "jobs": 3,
        "seeds": 2,
        "protected": "Young",
        "also_protected": None,
        "positive_share": "0.25",
        "preset": "smoke",
        "home": tmp_path,
        "out": tmp_path / "out",
        "multi_label": "true",
        "data": "synthfaces",
    }
    assert given | expected == given


def test_a_table_is_of_all_targets_and_the_usual_method_unless_asked_otherwise(monkeypatch):
    given = {}
    monkeypatch.setattr(TABLE, lambda **arguments: given.update(arguments))
    assert main(["table", "--set", "multi_label=false"]) == 0
    assert (given["targets"], given["methods"], given["jobs"]) == (["all"], None, None)
    assert given["multi_label"] == "false"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--targets", "Smilling"], "did you mean 'Smiling'"),
        (["--targets", "evidance"], "did you mean 'evidence'"),
        (["--methods", "ablation"], "did you mean 'ablations'"),
        (["--methods", "erm"], "beside the baseline"),
        (["--protected", "Mal"], "did you mean 'Male'"),
        (["--set", "multi_label=many"], "multi_label is 'many'"),
        (["--preset", "quik"], "did you mean 'quick'"),
        (["--seeds", "0"], "at least one"),
        (["--jobs", "0"], "--jobs is 0"),
    ],
)
def test_a_table_of_nonsense_is_refused_before_images_are_made(capsys, tmp_path, arguments, sentence):
    assert sentence in refused(capsys, "table", "--preset", "smoke", "--home", str(tmp_path), *arguments)
    assert not list(tmp_path.glob("prepared/*"))


def test_a_run_folder_of_another_experiment_is_refused_and_left_alone(capsys, tmp_path):
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    (folder / "experiment.json").write_text(json.dumps({"target": "Bangs"}))
    sentence = refused(capsys, "run", "--home", str(tmp_path), "--run", "mine", "--target", "Smiling")
    assert "target: Bangs, now Smiling" in sentence
    assert json.loads((folder / "experiment.json").read_text()) == {"target": "Bangs"}


def test_a_home_that_is_a_file_is_refused(capsys, tmp_path):
    (tmp_path / "home").touch()
    assert "cannot be made" in refused(capsys, "run", "--home", str(tmp_path / "home"))


def mounted_tmpfs(folder, options):
    folder.mkdir()
    result = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True
    )
    if result.returncode:
        pytest.skip("mounting a small file system needs root")


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_finished_work_is_kept(tmp_path):
    small = tmp_path / "small"
    mounted_tmpfs(small, "size=24m")
    try:
        process = fairlab("run", "--preset", "smoke", "--home", str(small))
        _, error = process.communicate(timeout=300)
        last = error.decode().replace("\r", "\n").strip().splitlines()[-1]
        assert process.returncode == 2, error.decode()
        assert last.startswith("fairlab: ")
        assert "full" in last or "free" in last
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_read_only_folder_is_one_sentence(tmp_path):
    sealed = tmp_path / "sealed"
    mounted_tmpfs(sealed, "size=1m,ro")
    try:
        process = fairlab("run", "--preset", "smoke", "--home", str(sealed))
        _, error = process.communicate(timeout=300)
        assert process.returncode == 2
        assert "Read-only" in error.decode()
        assert "Traceback" not in error.decode()
    finally:
        subprocess.run(["umount", str(sealed)], check=True)


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(prepared_home):
    process = fairlab(
        "run", "--preset", "smoke", "--home", str(prepared_home), env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    deadline = time.monotonic() + 240
    while not list((prepared_home / "classifiers").glob("Male-*.partial")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert cli.STOPPED in error.decode()
    assert "Traceback" not in error.decode()


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    """Two notebooks that only print their parameters, in place of ours."""
    folder = tmp_path / "source"
    folder.mkdir()
    names = ("preset", "data", "data_root", "home", "seeds", "run_name")
    for name, own in (("00_a", ()), ("01_b", ("steps",))):
        values = nbformat.v4.new_code_cell("\n".join(f"{n} = None" for n in (*names, *own)))
        values.metadata["tags"] = ["parameters"]
        shown = nbformat.v4.new_code_cell(f"print({', '.join((*names, *own))})")
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        made = nbformat.v4.new_notebook(cells=[values, shown], metadata={"kernelspec": kernel})
        nbformat.write(made, folder / f"{name}.ipynb")
    monkeypatch.setattr("fairlab.studies.notebooks.execute.notebooks_folder", lambda: folder)
    return folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "00", "07"], "begins with '07'; choose from 00_a, 01_b"),
        (["-p", "stepps", "3"], "no parameter 'stepps'; did you mean 'steps'?"),
        (["--only", "00", "-p", "steps", "3"], "no parameter 'steps'"),
        (["-p", "run_name", "mine"], "set with --run, not with -p"),
        (["-p", "data_root", "x"], "set with --data-root"),
        (["--target", "Smilling"], "did you mean 'Smiling'"),
        (["--target", "Smiling"], "no parameter 'target'"),
        (["--preset", "quik"], "did you mean 'quick'"),
    ],
)
def test_notebooks_are_refused_what_makes_no_sense(capsys, tmp_path, notebooks, arguments, sentence):
    assert sentence in refused(capsys, "notebooks", "--home", str(tmp_path), *arguments)
    assert not list(tmp_path.glob("runs/*/notebooks"))


@pytest.mark.slow
def test_notebooks_run_into_the_run_folder_with_absolute_paths(capsys, tmp_path, monkeypatch, notebooks):
    monkeypatch.chdir(tmp_path)
    arguments = ["--preset", "smoke", "--home", "here", "--run", "mine", "-p", "steps", "7"]
    assert main(["notebooks", "--only", "01", *arguments]) == 0
    out = tmp_path / "here" / "runs" / "mine" / "notebooks"
    assert str(out / "index.html") in capsys.readouterr().out
    assert f"smoke synthfaces None {tmp_path / 'here'} None mine 7" in (out / "01_b.ipynb").read_text()
    assert not (out / "00_a.ipynb").exists()


@pytest.fixture
def predictions(tmp_path):
    """A CSV of labels, scores and groups, such as anyone could bring."""
    rng = np.random.default_rng(0)
    y, group = rng.integers(0, 2, 300), rng.choice(["old", "young"], 300)
    table = pd.DataFrame({"y": y, "s": np.clip(0.5 * y + 0.5 * rng.random(300), 0, 1), "age": group})
    table["hat"] = np.where(rng.random(300) < 0.9, group == "old", group == "young").astype(int)
    table.to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path / "predictions.csv"


def test_audit_measures_a_file_and_writes_its_page(predictions, tmp_path, capsys):
    asked = ["--label", "y", "--score", "s", "--protected", "age", "--resamples", "50"]
    assert main(["audit", str(predictions), *asked, "--out", str(tmp_path / "out")]) == 0
    assert "equalized odds difference" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"metrics.csv", "report.html"}
    assert "did you mean 'age'" in refused(
        capsys, "audit", str(predictions), *asked[:4], "--protected", "agee"
    )


def test_leakage_measures_a_table_of_ones_own(predictions, tmp_path, capsys):
    asked = ["--protected", "age", "--labels", "hat", "--rounds", "2", "--out", str(tmp_path / "leakage.csv")]
    assert main(["leakage", str(predictions), *asked]) == 0
    assert "leakage (%)" in capsys.readouterr().out
    assert 0.8 < pd.read_csv(tmp_path / "leakage.csv")["value"].iloc[0] <= 1.0
    assert "no.csv" in refused(capsys, "leakage", str(tmp_path / "no.csv"), "--protected", "age")
