"""A step is complete or resumable; a folder belongs to one experiment and one process."""

import os
import signal
import subprocess
import sys

import pytest

from fairlab.core.errors import UserError
from fairlab.core.files import read_json
from fairlab.core.store import Store, fingerprint


def write_value(value):
    return lambda folder: (folder / "value").write_text(value)


def test_a_finished_step_is_not_made_again(tmp_path):
    store, calls = Store(tmp_path), []
    for _ in range(2):
        step = store.step("one", calls.append, config={"a": 1})
    assert len(calls) == 1
    assert step.folder == tmp_path / "one"


def test_an_interrupted_step_finds_its_files_again(tmp_path):
    store, found = Store(tmp_path), []

    def make(folder):
        found.append((folder / "checkpoint").exists())
        (folder / "checkpoint").touch()
        if len(found) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.step("one", make, config={})
    assert store.find("one") is None
    store.step("one", make, config={})
    assert found == [False, True]


def test_a_partial_folder_of_other_settings_is_dropped(tmp_path):
    store = Store(tmp_path)

    def fail(folder):
        (folder / "checkpoint").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.step("one", fail, config={"a": 1})
    found = []
    store.step("one", lambda folder: found.append((folder / "checkpoint").exists()), config={"a": 2})
    assert found == [False]


def test_other_settings_are_refused_by_name_and_nothing_is_lost(tmp_path):
    store = Store(tmp_path)
    store.step("one", write_value("kept"), config={"epochs": 3}, inputs={"data": "x"})
    with pytest.raises(UserError, match=r"config\.epochs: 3, now 4"):
        store.step("one", write_value("lost"), config={"epochs": 4}, inputs={"data": "x"})
    with pytest.raises(UserError, match=r"inputs\.data: x, now y"):
        store.step("one", write_value("lost"), config={"epochs": 3}, inputs={"data": "y"})
    assert (tmp_path / "one" / "value").read_text() == "kept"


def test_a_second_process_is_refused(tmp_path):
    code = f"""
from pathlib import Path
from fairlab.core.store import Store
with Store(Path({str(tmp_path)!r})).lock():
    pass
"""
    with Store(tmp_path).lock():
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Another process is working in" in other.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_killed_step_continues(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from fairlab.core.store import Store
def make(folder):
    (folder / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
Store(Path({str(tmp_path)!r})).step("one", make, config={{}})
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    found = []
    Store(tmp_path).step("one", lambda folder: found.append((folder / "half").exists()), config={})
    assert found == [True]


def test_a_step_records_its_settings_and_time(tmp_path):
    Store(tmp_path).step("one", write_value("v"), config={"a": 1}, inputs={"b": "2"})
    record = read_json(tmp_path / "one" / "step.json")
    assert record["config"] == {"a": 1}
    assert record["inputs"] == {"b": "2"}
    assert record["seconds"] >= 0


def test_the_fingerprint_ignores_the_order_of_keys():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_other_settings_of_a_shared_step_lie_beside(tmp_path):
    store = Store(tmp_path, shared=True)
    steps = [store.shared_step("one", write_value(str(a)), config={"a": a}) for a in (1, 2, 1)]
    other_input = store.shared_step("one", write_value("3"), config={"a": 1}, inputs={"data": "x"})
    assert steps[0] == steps[2]
    assert len({step.folder for step in (*steps, other_input)}) == 3
    assert all(step.name.startswith("one-") for step in steps)
    assert [(step.folder / "value").read_text() for step in (*steps, other_input)] == ["1", "2", "1", "3"]


SHARING = """
import sys, time
from pathlib import Path
from fairlab.core.store import Store
root, name, awaited = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
def make(folder):
    with (root / "made").open("a") as made:
        made.write(name + "\\n")
    (root / f"{name}-begun").touch()
    deadline = time.monotonic() + 120
    while not awaited.exists():
        assert time.monotonic() < deadline, "the other process does not come"
        time.sleep(0.01)
Store(root, shared=True).step(name, make, config={})
"""


def sharing(root, name, awaited):
    """Start a process that makes a step of a shared store, and in it waits for a file."""
    command = [sys.executable, "-u", "-c", SHARING, str(root), name, str(awaited)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_make_two_steps_of_a_shared_store_at_once(tmp_path):
    """Each step ends only after the other has begun."""
    pairs = (("one", "two-begun"), ("two", "one-begun"))
    processes = [sharing(tmp_path, name, tmp_path / awaited) for name, awaited in pairs]
    for process in processes:
        printed, error = process.communicate(timeout=240)
        assert process.returncode == 0, error
        assert "Waiting" not in printed
    assert {step.name for name in ("one", "two") if (step := Store(tmp_path).find(name))} == {"one", "two"}


def test_a_process_waits_where_another_makes_the_step_that_it_needs(tmp_path):
    first = sharing(tmp_path, "one", tmp_path / "go")
    while not (tmp_path / "one-begun").exists():
        assert first.poll() is None, first.communicate()
    second = sharing(tmp_path, "one", tmp_path / "go")
    assert "Waiting for another process" in second.stdout.readline()
    (tmp_path / "go").touch()
    for process in (first, second):
        _, error = process.communicate(timeout=240)
        assert process.returncode == 0, error
    assert (tmp_path / "made").read_text() == "one\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be"):
        Store(tmp_path / "below")


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(UserError, match="cannot be made"):
        Store(tmp_path / "runs")
