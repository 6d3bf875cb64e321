"""Bad input is one clear sentence and exit code 2; nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings

import nbformat
import numpy as np
import pandas as pd
import pytest

from fairlab import cli
from fairlab.cli import main
from fairlab.methods import METHODS
from fairlab.methods.settings import FORMER_VARIANTS


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
        (["--method", "latent_pairs:n_pear=50"], "did you mean 'n_pairs'"),
        (["--method", "erm", "--set", "n_pairs=50"], "no setting 'n_pairs'"),
        (["--set", "multi_label=perhaps"], "which is no bool"),
        (["--set", "multi_label"], "write field=value"),
        (["--set", "target_planes=group"], "did you mean 'by_group'"),
        (["--protected", "Male", "Young", "--set", "target_planes=by_group"], "one protected attribute"),
        (["--set", "positive_share=1.5"], "must lie between 0 and 1"),
        (["--set", "positive_share=0.1", "target_planes=by_group"], "leave positive_share or"),
        (["--set", "n_inverted=3"], "at least 24"),
    ],
)
def test_bad_arguments(capsys, tmp_path, arguments, sentence):
    assert sentence in refused(capsys, "run", "--home", str(tmp_path), *arguments)


@pytest.fixture
def asked(monkeypatch):
    """Return a function from a command line to the runs that it would execute."""
    made = []
    monkeypatch.setattr("fairlab.studies.run.execute.execute", made.append)

    def ask(home, *arguments):
        assert main(["run", "--preset", "smoke", "--home", str(home), *arguments]) == 0
        return made.pop()

    return ask


def test_run_takes_several_protected_attributes_a_method_and_its_settings(tmp_path, asked):
    settings = ["multi_label=true", "positive_share=0.25", "--set", "n_inverted=50"]
    wide = asked(tmp_path, "--protected", "Male", "Young", "--method", "latent_pairs", "--set", *settings)
    e, method = wide.experiment, wide.experiment.method
    assert (e.protected, e.also_protected) == ("Male", ("Young",))
    assert (method.multi_label, method.positive_share, method.n_inverted) == (True, 0.25, 50)
    plain = asked(tmp_path).experiment
    assert (plain.protected, plain.also_protected, plain.method.name) == ("Male", (), "latent_pairs")
    text = asked(tmp_path, "--method", "latent_pairs:use=z,n_fit=30", "--set", "n_held_out=31")
    assert (text.experiment.method.use, text.experiment.method.n_fit) == ("z", 30)
    assert text.experiment.method.n_held_out == 31
    assert len({run.folder for run in (wide, text, asked(tmp_path))}) == 3


@pytest.mark.parametrize(
    ("former", "now"),
    [
        *((["--variant", old], ["--method", new]) for old, new in FORMER_VARIANTS.items()),
        (["--labeller", "multi_label"], ["--set", "multi_label=true"]),
        (["--labeller", "per_attribute"], ["--set", "multi_label=false"]),
        (["--target-planes", "by_group"], ["--set", "target_planes=by_group"]),
        (["--positive-share", "0.25"], ["--set", "positive_share=0.25"]),
        (["--inverted", "50"], ["--set", "n_inverted=50"]),
    ],
)
def test_a_former_argument_still_works_and_one_line_says_what_it_is_now(tmp_path, asked, capsys, former, now):
    run = asked(tmp_path, *former)
    said = capsys.readouterr().err
    assert said == f"fairlab: {' '.join(former)} is now {' '.join(now)}; the old name will go.\n"
    again = asked(tmp_path, *now)
    assert (again.experiment, again.folder) == (run.experiment, run.folder)
    assert capsys.readouterr().err == ""


def test_former_arguments_may_stand_together_with_today_s(tmp_path, asked, capsys):
    run = asked(
        tmp_path, "--variant", "paired", "--inverted", "50", "--set", "n_fit=30", "--labeller", "multi_label"
    )
    method = run.experiment.method
    assert (method.partner, method.n_inverted, method.n_fit, method.multi_label) == ("mirrored", 50, 30, True)
    assert capsys.readouterr().err.count("\n") == 3


def test_a_misspelt_former_name_is_only_refused(tmp_path, capsys):
    assert "did you mean 'oversampling'" in refused(
        capsys, "run", "--home", str(tmp_path), "--variant", "oversample"
    )


def test_methods_lists_each_or_one(capsys):
    assert main(["methods"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{name}: " in listed for name in METHODS)
    assert main(["methods", "erm"]) == 0
    assert capsys.readouterr().out.strip() in listed
    assert "did you mean 'erm'" in refused(capsys, "methods", "erms")


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "table",
        "prepare",
        "truth",
        "discriminability Male Young",
        "notebooks",
        "gan train",
        "gan report",
    ],
)
def test_every_command_with_a_preset_hands_its_arguments_on(capsys, tmp_path, command):
    said = refused(capsys, *command.split(), "--preset", "quik", "--home", str(tmp_path))
    assert said == "fairlab: There is no preset 'quik'; did you mean 'quick'?"


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


@pytest.fixture
def given(monkeypatch):
    """What the command table hands on."""
    given = {}
    monkeypatch.setattr(
        "fairlab.studies.table.execute.table", lambda **arguments: given.update(arguments) or "the table"
    )
    return given


def test_table_hands_its_arguments_on(tmp_path, given, capsys):
    methods = ["controls", "latent_pairs:partner=mirrored"]
    asked = ["--targets", "Smiling", "Bangs", "--methods", *methods, "--jobs", "3", "--seeds", "2"]
    asked += ["--protected", "Young", "--set", "positive_share=0.25", "--preset", "smoke"]
    assert main(["table", *asked, "--home", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == "the table\n"
    expected = {
        "targets": ["Smiling", "Bangs"],
        "methods": methods,
        "jobs": 3,
        "seeds": 2,
        "protected": "Young",
        "also_protected": None,
        "positive_share": "0.25",
        "multi_label": "true",
        "preset": "smoke",
        "home": tmp_path,
        "out": tmp_path / "out",
        "data": "synthfaces",
    }
    assert given | expected == given


def test_a_table_is_of_all_targets_and_pairs_unless_told_otherwise(given):
    assert main(["table", "--set", "multi_label=false"]) == 0
    assert (given["targets"], given["methods"], given["jobs"]) == (["all"], None, None)
    assert given["multi_label"] == "false"


def test_former_variants_of_a_table_are_methods(given, capsys):
    assert main(["table", "--variants", "controls", "paired", "--labeller", "per_attribute"]) == 0
    assert given["methods"] == ["controls", "latent_pairs:partner=mirrored"]
    assert given["multi_label"] == "false"
    assert "--methods controls latent_pairs:partner=mirrored;" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--targets", "Smilling"], "did you mean 'Smiling'"),
        (["--targets", "evidance"], "did you mean 'evidence'"),
        (["--methods", "ablation"], "There is no method 'ablation'; did you mean 'ablations'"),
        (["--methods", "latent_pairs", "oversamplin"], "did you mean 'oversampling'"),
        (["--methods", "erm"], "No method is left"),
        (["--protected", "Mal"], "did you mean 'Male'"),
        (["--set", "multi_label=multi"], "which is no bool"),
        (["--methods", "oversampling", "--set", "partner=margin"], "None of the methods has a setting"),
        (["--set", "n_pear=50"], "did you mean 'n_pairs'"),
        (["--preset", "quik"], "did you mean 'quick'"),
        (["--seeds", "0"], "at least one"),
        (["--protected", "Male", "Young", "--set", "target_planes=by_group"], "one protected attribute"),
        (["--jobs", "0"], "--jobs is 0"),
    ],
)
def test_a_table_of_nonsense_is_refused_before_images_are_made(capsys, tmp_path, arguments, sentence):
    assert sentence in refused(capsys, "table", "--home", str(tmp_path), *arguments)
    assert not list(tmp_path.glob("prepared/*"))


def test_a_run_folder_of_another_experiment_is_refused_and_left_alone(capsys, tmp_path):
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    (folder / "experiment.json").write_text(json.dumps({"target": "Bangs"}))
    sentence = refused(capsys, "run", "--home", str(tmp_path), "--run", "mine", "--target", "Smiling")
    assert "--target Bangs, now Smiling" in sentence
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
    while not list((prepared_home / "classifiers").glob("erm-*.partial")) and time.monotonic() < deadline:
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
    for name in ("00_a", "01_b"):
        values = nbformat.v4.new_code_cell("preset = None\nsettings = {}\nhome = None")
        values.metadata["tags"] = ["parameters"]
        shown = nbformat.v4.new_code_cell("import json\nprint(json.dumps([preset, settings, home]))")
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        made = nbformat.v4.new_notebook(cells=[values, shown], metadata={"kernelspec": kernel})
        nbformat.write(made, folder / f"{name}.ipynb")
    monkeypatch.setattr("fairlab.studies.notebooks.execute.notebooks_folder", lambda: folder)
    return folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "00", "07"], "begins with '07'; choose from 00_a, 01_b"),
        (["--target", "Smilling"], "did you mean 'Smiling'"),
        (["--set", "parner=margin"], "did you mean 'partner'"),
        (["--preset", "quik"], "did you mean 'quick'"),
    ],
)
def test_notebooks_are_refused_what_makes_no_sense(capsys, tmp_path, notebooks, arguments, sentence):
    assert sentence in refused(capsys, "notebooks", "--home", str(tmp_path), *arguments)
    assert not list(tmp_path.glob("runs/*/notebooks"))


@pytest.mark.slow
def test_notebooks_run_into_the_run_folder_with_absolute_paths(capsys, tmp_path, monkeypatch, notebooks):
    monkeypatch.chdir(tmp_path)
    arguments = ["--preset", "smoke", "--home", "here", "--run", "mine", "--seeds", "2"]
    assert main(["notebooks", "--only", "01", *arguments]) == 0
    out = tmp_path / "here" / "runs" / "mine" / "notebooks"
    assert str(out / "index.html") in capsys.readouterr().out
    settings = {"name": "mine", "data": "synthfaces", "seeds": 2}
    shown = nbformat.read(out / "01_b.ipynb", as_version=4).cells[-1].outputs[0].text
    assert json.loads(shown) == ["smoke", settings, str(tmp_path / "here")]
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
    assert "right (%)" in capsys.readouterr().out
    assert 0.8 < pd.read_csv(tmp_path / "leakage.csv")["value"].iloc[0] <= 1.0
    assert "no.csv" in refused(capsys, "leakage", str(tmp_path / "no.csv"), "--protected", "age")


@pytest.mark.parametrize("arguments", [["methods"], ["--help"], ["run", "--help"]])
def test_a_reader_that_has_had_enough_is_no_error(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "fairlab", *arguments]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode in (0, 141)  # argparse itself takes no notice


def test_a_warning_is_a_sentence_without_where_in_the_source_it_arose(capsys, monkeypatch):
    monkeypatch.setattr(
        "fairlab.studies.methods.command.run", lambda _: warnings.warn("Few\n rows.", stacklevel=1)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["methods"]) == 0
    assert capsys.readouterr().err == "fairlab: Few rows.\n"
