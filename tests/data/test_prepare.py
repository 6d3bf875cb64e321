"""Preparation: parallel equals serial, nothing half-done is visible, and an interrupted run goes on."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from fairlab.core.errors import UserError
from fairlab.core.files import read_json
from fairlab.data import FaceData
from fairlab.data import prepare as prepare_module
from fairlab.data.facedata import IMAGES, LABELS, MANIFEST
from fairlab.data.plan import CHUNK, Plan
from fairlab.data.prepare import prepare

SIZE = 8
CHUNKS = 6
ROWS = CHUNK * (CHUNKS - 1) + 5


def plan(rows: int = ROWS, fingerprint: str = "made up") -> Plan:
    labels = pd.DataFrame(
        {"Smiling": np.arange(rows) % 2}, dtype=np.uint8, index=[f"{r}.png" for r in range(rows)]
    )
    split = np.resize(["train", "train", "valid", "test"], rows)
    return Plan("folder", fingerprint, SIZE, labels, np.sort(split), {"note": "made up"})


def pixels(rows: range) -> np.ndarray:
    values = np.arange(SIZE * SIZE * 3, dtype=np.uint32)
    return (np.array(rows)[:, None] * 7 + values).astype(np.uint8).reshape(-1, SIZE, SIZE, 3)


def decode(rows: range) -> tuple[np.ndarray, dict[int, str]]:
    return pixels(rows), {}


class Recorder:
    """A decoder that remembers which chunks it was asked for and may fail for some rows."""

    def __init__(self, broken: tuple[int, ...] = ()) -> None:
        self.broken, self.chunks = broken, []

    def __call__(self, rows: range) -> tuple[np.ndarray, dict[int, str]]:
        self.chunks.append(rows.start // CHUNK)
        return pixels(rows), {row: "made up" for row in self.broken if row in rows}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_parallel_equals_serial_and_the_decoder(tmp_path: Path):
    prepare(tmp_path / "serial", plan(), decode, workers=1)
    data = prepare(tmp_path / "parallel", plan(), decode, workers=4)
    assert contents(tmp_path / "serial") == contents(tmp_path / "parallel")
    np.testing.assert_array_equal(data.images, pixels(range(ROWS)))
    pd.testing.assert_frame_equal(data.labels, plan().labels)
    np.testing.assert_array_equal(data.split, plan().split)


def test_a_complete_folder_is_opened_without_decoding(tmp_path: Path):
    prepare(tmp_path / "out", plan(), decode)
    recorder = Recorder()
    assert len(prepare(tmp_path / "out", plan(), recorder)) == ROWS
    assert recorder.chunks == []


def test_broken_rows_are_left_out_in_order_and_listed(tmp_path: Path):
    broken = (0, 3, CHUNK - 1, CHUNK, ROWS - 1)
    data = prepare(tmp_path / "out", plan(), Recorder(broken))
    good = [row for row in range(ROWS) if row not in broken]
    np.testing.assert_array_equal(data.images, pixels(range(ROWS))[good])
    assert list(data.labels.index) == [f"{row}.png" for row in good]
    np.testing.assert_array_equal(data.split, plan().split[good])
    manifest = read_json(tmp_path / "out" / "prepared.json")
    assert manifest["broken"] == [{"file": f"{row}.png", "reason": "made up"} for row in broken]
    assert (manifest["counts"]["broken"], manifest["counts"]["images"]) == (5, len(good))


def test_all_broken(tmp_path: Path):
    with pytest.raises(UserError, match=r"None of the 5 images can be read.*0\.png: made up"):
        prepare(tmp_path / "out", plan(5), Recorder(tuple(range(5))))
    assert not (tmp_path / "out").exists()
    prepare(tmp_path / "out", plan(5), decode)  # once the images can be read again, so can the folder be made


SCRIPT = """
import time, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_prepare as t
def slowly(rows):
    time.sleep(0.3)
    return t.decode(rows)
t.prepare(Path({folder!r}), t.plan(), slowly, workers=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_process_goes_on_and_ends_the_same(tmp_path: Path, blow: signal.Signals):
    script = SCRIPT.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "out"))
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)
    record = tmp_path / "out.partial" / "finished.jsonl"
    while not (record.exists() and record.read_text().count("\n") >= 2):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(blow)
    process.communicate()
    assert process.returncode == -blow
    assert not (tmp_path / "out").exists()
    recorder = Recorder()
    prepare(tmp_path / "out", plan(), recorder)
    prepare(tmp_path / "whole", plan(), decode)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert 0 < len(recorder.chunks) < CHUNKS


@pytest.mark.parametrize("moment", ["_manifest", "_npy_header", "write_json", "write_record"])
def test_interrupted_while_finishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    broken = (3, CHUNK)
    prepare(tmp_path / "whole", plan(), Recorder(broken))
    with monkeypatch.context() as patch:
        patch.setattr(prepare_module, moment, stop)
        with pytest.raises(KeyboardInterrupt):
            prepare(tmp_path / "out", plan(), Recorder(broken))
    prepare(tmp_path / "out", plan(), Recorder(broken))
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def interrupted(folder: Path, chunk: int = 3, fingerprint: str = "made up") -> Path:
    """Prepare up to `chunk` and stop; return the work folder."""

    def stop(rows: range) -> tuple[np.ndarray, dict[int, str]]:
        if rows.start >= chunk * CHUNK:
            raise KeyboardInterrupt
        return decode(rows)

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, plan(fingerprint=fingerprint), stop, workers=1)
    return folder.with_name(folder.name + ".partial")


def test_only_unfinished_chunks_are_decoded_again(tmp_path: Path):
    interrupted(tmp_path / "out")
    recorder = Recorder()
    data = prepare(tmp_path / "out", plan(), recorder)
    assert sorted(recorder.chunks) == [3, 4, 5]
    np.testing.assert_array_equal(data.images, pixels(range(ROWS)))


def test_a_chunk_whose_pixels_did_not_reach_the_disk_is_decoded_again(tmp_path: Path):
    partial = interrupted(tmp_path / "out")
    with open(partial / "images.npy", "r+b") as stream:
        stream.seek(plan().offset(CHUNK))
        stream.write(bytes(100))
    with open(partial / "finished.jsonl", "a") as stream:
        stream.write('{"chunk": 4, "chec')
    recorder = Recorder()
    data = prepare(tmp_path / "out", plan(), recorder)
    assert sorted(recorder.chunks) == [1, 3, 4, 5]
    np.testing.assert_array_equal(data.images, pixels(range(ROWS)))


def test_work_begun_for_another_plan_is_not_used(tmp_path: Path):
    interrupted(tmp_path / "out", fingerprint="another")
    recorder = Recorder()
    prepare(tmp_path / "out", plan(), recorder)
    assert sorted(recorder.chunks) == list(range(CHUNKS))


def test_a_folder_prepared_from_other_settings_is_not_overwritten(tmp_path: Path):
    prepare(tmp_path / "out", plan(fingerprint="another"), decode)
    before = contents(tmp_path / "out")
    with pytest.raises(UserError, match="prepared from other images, labels or settings"):
        prepare(tmp_path / "out", plan(), decode)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("damage", ["flip", "empty", "gone"])
@pytest.mark.parametrize("file", [IMAGES, LABELS, MANIFEST])
def test_a_damaged_folder_is_prepared_again(tmp_path: Path, capsys, file: str, damage: str):
    folder = tmp_path / "prepared"
    prepare(folder, plan(), decode)
    before, path = contents(folder), folder / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content if damage == "flip" else b"")
    if damage == "gone":
        path.unlink()
    if (file, damage) == (MANIFEST, "gone"):  # whose files these are cannot be told
        with pytest.raises(UserError, match="already holds other files"):
            prepare(folder, plan(), decode)
        return
    assert len(prepare(folder, plan(), decode)) == ROWS
    assert "prepared again" in capsys.readouterr().err
    assert contents(folder) == before


def test_a_damaged_folder_with_a_file_of_the_user_is_left_alone(tmp_path: Path):
    folder = tmp_path / "prepared"
    prepare(folder, plan(), decode)
    (folder / LABELS).write_bytes(b"")
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="delete the folder and prepare again"):
        prepare(folder, plan(), decode)
    assert (folder / "notes.txt").exists()


def test_a_folder_with_other_files_is_not_touched(tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("ten years")
    with pytest.raises(UserError, match="already holds other files"):
        prepare(tmp_path / "out", plan(), decode)
    assert contents(tmp_path / "out") == {"thesis.tex": b"ten years"}


def test_an_empty_folder_is_filled(tmp_path: Path):
    (tmp_path / "out").mkdir()
    assert len(prepare(tmp_path / "out", plan(), decode)) == ROWS


def test_two_processes(tmp_path: Path):
    with FileLock(tmp_path / ".out.lock"), pytest.raises(UserError, match="Another process is preparing"):
        prepare(tmp_path / "out", plan(), decode)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a file system in memory, or skip where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting a small disk needs the administrator's rights")
        return place

    yield mount
    if os.path.ismount(place):
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_too_small_is_found_before_the_work(small_disk: Callable[[str], Path]):
    recorder = Recorder()
    with pytest.raises(UserError, match=r"need 0\.1 MB, but the disk of .* has only 0\.0 MB free"):
        prepare(small_disk("size=32k") / "out", plan(), recorder)
    assert recorder.chunks == []


def test_a_disk_that_fills_up_leaves_work_to_go_on_with(
    small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    disk = small_disk("size=64k")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 0, 10**9))
    with pytest.raises(UserError, match=r"disk of .* is full; .* goes on"):
        prepare(disk / "out", plan(), decode)
    assert not (disk / "out").exists()
    subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
    np.testing.assert_array_equal(prepare(disk / "out", plan(), decode).images, pixels(range(ROWS)))


def test_a_read_only_disk(small_disk: Callable[[str], Path]):
    with pytest.raises(UserError, match=r"cannot be written \(Read-only file system\)"):
        prepare(small_disk("ro") / "out", plan(), decode)


@pytest.mark.parametrize(
    ("code", "message"), [(errno.ENOSPC, "is full"), (errno.EACCES, "cannot be written")]
)
def test_errors_of_the_disk_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, message: str
):
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(prepare_module, "_write_at", fail)
    with pytest.raises(UserError, match=message):
        prepare(tmp_path / "out", plan(), decode)


def test_errors_of_the_decoder_are_not_swallowed(tmp_path: Path):
    def fail(rows: range) -> tuple[np.ndarray, dict[int, str]]:
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        prepare(tmp_path / "out", plan(), fail)


def test_the_result_opens_as_face_data(tmp_path: Path):
    prepare(tmp_path / "deep" / "out", plan(), decode)
    assert FaceData.open(tmp_path / "deep" / "out").fingerprint == "made up"
