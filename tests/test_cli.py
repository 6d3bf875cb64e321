"""Bad input is one clear sentence and exit code 2; nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fairlab.cli import main


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
    ],
)
def test_bad_arguments(capsys, tmp_path, arguments, sentence):
    assert sentence in refused(capsys, "run", "--home", str(tmp_path), *arguments)


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
def test_ctrl_c_says_how_to_go_on(tmp_path):
    process = fairlab(
        "run", "--preset", "smoke", "--home", str(tmp_path), env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    deadline = time.monotonic() + 240
    while not list((tmp_path / "runs").glob("*/protected.partial")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same command goes on" in error.decode()
    assert "Traceback" not in error.decode()
