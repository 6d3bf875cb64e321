"""Fill a prepared folder once: in parallel, resumably, and visible only when it is complete.

The work happens in ``<folder>.partial``. Threads make the pixels of one chunk of rows each (decoders and
torch release the interpreter lock, so threads scale and nothing has to be sent between processes) and
write them at their place in ``images.npy``; every finished chunk is then noted in ``finished.jsonl`` with its
checksum. A run that was killed goes on with the chunks that are not noted, whose checksum disagrees, or that
had broken images (which may have been out of reach only for a while).
"""

import errno
import io
import json
import os
import shutil
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from fairlab.core.cores import usable_cores
from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import append_json_line, read_json, write_json, write_record, write_text
from fairlab.core.intact import checksum
from fairlab.data.facedata import IMAGES, LABELS, MANIFEST, SPLITS, FaceData, read_manifest
from fairlab.data.plan import CHUNK, HEADER, Plan
from fairlab.data.repeats import repeated_pictures

PLANNED, FINISHED = "planned.json", "finished.jsonl"  # in the work folder only

#: Rows -> their pixels, (k, size, size, 3) uint8, and the reason for each row that could not be read.
Decode = Callable[[range], tuple[np.ndarray, dict[int, str]]]


def decode_each(
    rows: range, decode: Callable[[int], np.ndarray], size: int
) -> tuple[np.ndarray, dict[int, str]]:
    """Decode rows one by one; those that fail stay black and are returned with the reason."""
    pixels = np.zeros((len(rows), size, size, 3), dtype=np.uint8)
    broken = {}
    for place, row in enumerate(rows):
        try:
            pixels[place] = decode(row)
        except Exception as error:  # decoders meet damaged files with errors of every kind
            broken[row] = " ".join(str(error).split()) or type(error).__name__
    return pixels, broken


def prepare(folder: Path, plan: Plan, decode: Decode, *, workers: int | None = None) -> FaceData:
    """Fill `folder` as planned, or go on where an earlier call was interrupted, and open it.

    Parameters
    ----------
    folder : Path
        Appears complete or not at all. If it is there already with the plan's fingerprint, it is opened;
        with a damaged file in it, it is made again.
    plan : Plan
        What it shall hold.
    decode : callable
        Called from several threads with a range of rows; returns their pixels and the broken rows.
        Broken rows are left out and listed in ``prepared.json``.
    workers : int, optional
        Threads; by default one for each core this process may use.

    Raises
    ------
    UserError
        If the folder holds something else, cannot be written, the disk is too small, another process
        prepares it, or every image is broken.
    """
    folder = Path(folder)
    if not _is_complete(folder, plan):
        with _storage_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _only_process(folder):
                _build(folder, plan, decode, workers or usable_cores())
    return FaceData.open(folder)


def _is_complete(folder: Path, plan: Plan) -> bool:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / MANIFEST).is_file():
        raise UserError(f"{folder} already holds other files; name another folder for the prepared images.")
    try:
        other = read_manifest(folder)["fingerprint"] != plan.fingerprint
        if not other:
            FaceData.open(folder)
    except DamagedError:
        if {path.name for path in folder.iterdir()} <= {IMAGES, LABELS, MANIFEST}:
            return False
        raise
    if other:
        raise UserError(
            f"{folder} was prepared from other images, labels or settings; delete it or name another folder."
        )
    return True


def _build(folder: Path, plan: Plan, decode: Decode, workers: int) -> None:
    if _is_complete(folder, plan):  # another process finished it between our look and our lock
        return
    if (folder / MANIFEST).exists():
        tqdm.write(f"A file of {folder} is damaged: the images are prepared again.", file=sys.stderr)
    partial = _open_partial(folder, plan)
    broken = _fill(partial, plan, decode, workers)
    _finish(partial, plan, broken)
    if folder.exists():
        shutil.rmtree(folder)  # damaged or empty, or we would not be here
    os.replace(partial, folder)
    for note in (PLANNED, FINISHED):
        (folder / note).unlink()


def _open_partial(folder: Path, plan: Plan) -> Path:
    """Return the work folder; one that was begun for another plan is emptied."""
    partial = folder.with_name(folder.name + ".partial")
    planned = partial / PLANNED
    if partial.exists() and not (planned.exists() and _planned(planned) == plan.fingerprint):
        shutil.rmtree(partial)
    partial.mkdir(exist_ok=True)
    write_json(planned, plan.fingerprint)
    (partial / IMAGES).touch()
    return partial


def _planned(path: Path) -> Any:
    try:
        return read_json(path)
    except DamagedError:
        return None


def _fill(partial: Path, plan: Plan, decode: Decode, workers: int) -> dict[int, str]:
    """Write the pixels of all unfinished chunks; return the broken rows of all chunks."""
    chunks, images = plan.chunks(), partial / IMAGES
    finished = _finished_chunks(partial, plan)
    todo = [number for number in range(len(chunks)) if number not in finished]
    rows_todo = sum(len(chunks[number]) for number in todo)
    _check_space(partial, rows_todo * plan.image_bytes)

    def work(number: int) -> dict[str, Any]:
        pixels, broken = decode(chunks[number])
        data = np.ascontiguousarray(pixels).data.cast("B")
        _write_at(images, data, plan.offset(chunks[number].start))
        return {"chunk": number, "checksum": zlib.crc32(data), "broken": broken}

    total = len(plan.labels)
    progress = tqdm(total=total, initial=total - rows_todo, desc=f"Preparing {plan.name}", unit="image")
    with progress, _pool(workers) as pool:
        for future in as_completed([pool.submit(work, number) for number in todo]):
            note = future.result()
            append_json_line(partial / FINISHED, note)
            finished[note["chunk"]] = note
            progress.update(len(chunks[note["chunk"]]))
    return {row: why for note in finished.values() for row, why in note["broken"].items()}


def _finished_chunks(partial: Path, plan: Plan) -> dict[int, dict[str, Any]]:
    """Return the notes on chunks whose pixels are all on disk as noted, and forget all other notes."""
    record = partial / FINISHED
    chunks, finished = plan.chunks(), {}
    for line in record.read_text(encoding="utf-8", errors="replace").splitlines() if record.exists() else []:
        try:
            note = json.loads(line)
            rows = chunks[note["chunk"]]
            expected, clean = note["checksum"], not note["broken"]
        except (ValueError, LookupError, TypeError):  # cut short by a full disk, or damaged
            continue
        data = _read_at(partial / IMAGES, len(rows) * plan.image_bytes, plan.offset(rows.start))
        if zlib.crc32(data) == expected and clean:
            finished[note["chunk"]] = note
    write_text(record, "".join(json.dumps(note) + "\n" for note in finished.values()))
    return finished


def _check_space(partial: Path, needed: int) -> None:
    free = shutil.disk_usage(partial).free
    if needed > free:
        raise UserError(
            f"The prepared images need {needed / 1e6:,.1f} MB, but the disk of {partial.parent} has only "
            f"{free / 1e6:,.1f} MB free; free some space or name a folder on another disk."
        )


def _finish(partial: Path, plan: Plan, broken: dict[int, str]) -> None:
    """Close the gaps of broken rows and write header, labels and manifest."""
    rows = len(plan.labels)
    if len(broken) == rows:
        row, why = min(broken.items())
        raise UserError(
            f"None of the {rows} images can be read, so there is nothing to prepare; "
            f"the first is {plan.labels.index[row]}: {why}"
        )
    kept = _close_gaps(partial / IMAGES, plan, broken)
    table = plan.labels.iloc[kept].assign(split=plan.split[kept])
    if plan.identity is not None:
        table["identity"] = plan.identity[kept]
    stream = io.BytesIO()
    table.to_parquet(stream)
    (partial / LABELS).write_bytes(stream.getvalue())
    sums = {name: checksum(partial / name) for name in (IMAGES, LABELS)}
    repeated = repeated_pictures(np.load(partial / IMAGES, mmap_mode="r"), plan.split[kept])
    manifest = _manifest(plan, table, broken) | {"repeated": repeated, "checksums": sums}
    write_record(partial / MANIFEST, manifest)
    if broken:
        tqdm.write(f"{len(broken)} broken images left out; {MANIFEST} lists them.", file=sys.stderr)


def _close_gaps(images: Path, plan: Plan, broken: dict[int, str]) -> np.ndarray:
    """Move good rows up over the broken ones, in order; return each stored row's row in the plan."""
    good = np.setdiff1d(np.arange(len(plan.labels)), list(broken))
    if broken:
        # Killed in here, the chunks that were overwritten fail their checksum and are decoded again.
        rows = np.memmap(images, np.uint8, "r", HEADER, (len(plan.labels), plan.image_bytes))
        for start in range(min(broken), len(good), CHUNK):
            _write_at(images, rows[good[start : start + CHUNK]].data.cast("B"), plan.offset(start))
    _write_at(images, _npy_header((len(good), plan.size, plan.size, 3)), 0)
    os.truncate(images, plan.offset(len(good)))
    return good


def _manifest(plan: Plan, table: pd.DataFrame, broken: dict[int, str]) -> dict[str, Any]:
    counts = {"images": len(table)} | {split: int((table["split"] == split).sum()) for split in SPLITS}
    return {
        "name": plan.name,
        "fingerprint": plan.fingerprint,
        "size": plan.size,
        "settings": plan.settings,
        "counts": counts | {"broken": len(broken)},
        "broken": [{"file": plan.labels.index[row], "reason": broken[row]} for row in sorted(broken)],
    }


def _npy_header(shape: tuple[int, ...]) -> bytes:
    # numpy's own writer chooses the length by version; ours must be known before the rows are counted.
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    return (
        np.lib.format.magic(1, 0) + struct.pack("<H", HEADER - 10) + text.ljust(HEADER - 11).encode() + b"\n"
    )


def _write_at(path: Path, data: bytes | memoryview, offset: int) -> None:
    # Plain writes, not a memory map: a full disk then raises an error, where a map kills the process.
    with open(path, "r+b") as stream:
        stream.seek(offset)
        stream.write(data)


def _read_at(path: Path, length: int, offset: int) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(offset)
        return stream.read(length)


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """A thread pool that on an error or Ctrl-C drops the work that has not begun."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _only_process(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0):
            yield
    except Timeout as error:
        raise UserError(f"Another process is preparing {folder}; run again when it has finished.") from error


@contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    """Turn a disk that is full or cannot be written into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"The disk of {folder} is full; free some space and run again: it goes on where it stopped."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise UserError(f"{folder} cannot be written ({error.strerror}); name another folder.") from error
        raise
