"""A step is complete or resumable; a folder belongs to one experiment and one process."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fairlab.core import environment
from fairlab.core import store as store_module
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


def damage(path, kind="flip"):
    """Flip one bit of a file, or cut it short, or empty it."""
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
    path.write_bytes({"flip": flipped, "cut": content[:middle], "empty": b""}[kind])


@pytest.mark.parametrize("kind", ["flip", "cut", "empty"])
@pytest.mark.parametrize("file", ["value", "step.json"])
def test_a_damaged_step_is_made_again_and_its_dependants_are_not(tmp_path, capsys, file, kind):
    calls = []

    def make(name):
        return lambda folder: (calls.append(name), (folder / "value").write_text("same"))

    def both():
        store = Store(tmp_path)
        one = store.step("one", make("one"), config={})
        return one, store.step("two", make("two"), config={}, inputs={"one": one.fingerprint})

    before = both()
    damage(tmp_path / "one" / file, kind)
    assert both()[0].fingerprint == before[0].fingerprint
    assert calls == ["one", "two", "one"]
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"The step {tmp_path / 'one'} is made again: {file} is damaged."
    assert both()
    assert capsys.readouterr().out == ""


def test_a_missing_file_is_damage_and_an_added_one_is_not(tmp_path):
    store, calls = Store(tmp_path), []

    def make(folder):
        calls.append(folder)
        (folder / "value").write_text("v")

    store.step("one", make, config={})
    (tmp_path / "one" / "note").write_text("mine")
    store.step("one", make, config={})
    (tmp_path / "one" / "value").unlink()
    store.step("one", make, config={})
    assert len(calls) == 2


@pytest.mark.parametrize("file", ["value", "step.json"])
def test_what_was_made_from_a_step_that_comes_out_otherwise_is_made_again(tmp_path, capsys, file):
    """Also when that happens twice; and a curve, which has seconds in it, is no content."""
    made = []

    def ask(value, seconds="1"):
        def one(folder):
            (folder / "value").write_text(value)
            (folder / "curve.jsonl").write_text(seconds)

        store = Store(tmp_path, shared=True)
        first = store.step("one", one, config={})
        inputs = {"one": first.fingerprint}
        copy = lambda folder: made.append((first.folder / "value").read_text())  # noqa: E731
        store.step("two", copy, config={}, inputs=inputs)
        store.shared_step("three", copy, config={}, inputs=inputs)
        return first

    ask("a")
    for value in ("b", "c"):
        damage(tmp_path / "one" / file)
        ask(value)
        ask(value)
        assert "The files of" in capsys.readouterr().out
    damage(tmp_path / "one" / "value")
    ask("c", seconds="2")
    assert made == ["a", "a", "b", "b", "c", "c"]
    with pytest.raises(UserError, match=r"config\.epochs: None, now 4"):
        Store(tmp_path).step("two", made.append, config={"epochs": 4}, inputs={"one": "x"})


def test_a_step_of_an_earlier_version_is_read(tmp_path):
    Store(tmp_path).step("one", write_value("old"), config={"a": 1})
    record = read_json(tmp_path / "one" / "step.json")
    for key in ("checksum", "files", "made_with"):
        del record[key]
    (tmp_path / "one" / "step.json").write_text(json.dumps(record))
    Store(tmp_path).step("one", write_value("new"), config={"a": 1})
    assert (tmp_path / "one" / "value").read_text() == "old"


def test_a_damaged_record_of_progress_begins_the_step_again(tmp_path, capsys):
    def fail(folder):
        (folder / "checkpoint").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).step("one", fail, config={})
    damage(tmp_path / "one.partial" / "progress.json")
    found = []
    Store(tmp_path).step("one", lambda folder: found.append((folder / "checkpoint").exists()), config={})
    assert found == [False]
    assert "begins again" in capsys.readouterr().out


@pytest.fixture
def elsewhere(monkeypatch):
    """Return a function after which this process is another one, with another number of threads."""
    here = environment.environment()

    def move(threads):
        monkeypatch.setattr(store_module, "MIXTURE", environment.Mixture())
        monkeypatch.setattr(environment, "_STARTED", time.time() + 1)
        for module in (environment, store_module):
            monkeypatch.setattr(module, "environment", lambda: here | {"threads": threads})

    return move


def test_a_run_that_goes_on_elsewhere_says_so_once(tmp_path, capsys, elsewhere):
    def ask(*names):
        return [Store(tmp_path).step(name, write_value("v"), config={}) for name in names]

    elsewhere(2)
    (one,) = ask("one")
    assert one.made_with[0]["threads"] == 2
    elsewhere(4)
    ask("one", "one")
    assert capsys.readouterr().out == ""  # nothing is made here
    ask("one", "two", "three")
    (line,) = capsys.readouterr().out.splitlines()
    assert "threads: 2, now 4" in line
    elsewhere(4)
    ask("two", "four")
    assert capsys.readouterr().out == ""


def test_a_step_that_was_interrupted_elsewhere_says_so_and_keeps_both(tmp_path, capsys, elsewhere):
    def fail(folder):
        raise KeyboardInterrupt

    elsewhere(2)
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).step("one", fail, config={})
    elsewhere(4)
    step = Store(tmp_path).step("one", write_value("v"), config={})
    assert [one["threads"] for one in step.made_with] == [2, 4]
    assert "threads: 2, now 4" in capsys.readouterr().out


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
