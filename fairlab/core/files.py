"""Files that appear whole or not at all, in open formats: NumPy, JSON, JSON Lines.

Nothing here is pickled, so a file from a stranger can be read without running their code.
"""

import errno
import hashlib
import io
import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fairlab.core.errors import DamagedError

_UMASK = os.umask(0o022)
os.umask(_UMASK)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` when the block ends without error.

    A process killed inside the block leaves the old file, or none, but never half of one.
    """
    path = Path(path)
    if not path.name:  # a blank, or the root
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        with open(partial, "rb") as stream:
            os.fsync(stream.fileno())
        partial.chmod(0o666 & ~_UMASK)  # safetensors makes files that only their owner can read
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def save_array(path: Path, values: np.ndarray) -> None:
    """Write an array as .npy without pickling, whole or not at all."""
    with atomic_path(path) as partial, open(partial, "wb") as stream:
        # Not np.save: on a full disk it raises an error that does not say so.
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(values))
        stream.write(np.ascontiguousarray(values).data)


def load_array(path: Path, *, mapped: bool = False) -> np.ndarray:
    """Read a .npy file, or map it into memory.

    Raises
    ------
    DamagedError
        If the file is missing, cut short or no array.
    """
    try:
        values: np.ndarray = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedError(
            f"{path} is missing or damaged ({error}); delete the folder {path.parent} and run again."
        ) from error
    return values


def write_rows(
    path: Path, shape: tuple[int, ...], make: Callable[[slice], np.ndarray], chunk: int = 2048
) -> None:
    """Fill a uint8 .npy file some rows at a time, or go on with a file that was left unfinished.

    Plain writes, not a memory map: a full disk then raises an error where a map would kill the process.

    Parameters
    ----------
    path : Path
        The file; its header is written first, so it is not readable before the last row.
    shape : tuple of int
        Of the whole array.
    make : callable
        Given a slice of rows, returns them. Rows already on disk are not asked for again.
    chunk : int
        Rows at a time.
    """
    header = io.BytesIO()
    descriptor = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(header, descriptor)
    start, row_bytes = len(header.getvalue()), int(np.prod(shape[1:]))
    with open(path, "ab") as stream:
        done = max(0, stream.tell() - start) // row_bytes
        done -= done % chunk if done < shape[0] else 0  # the same chunks again, and so the same numbers
        if done:
            stream.truncate(start + done * row_bytes)
        else:
            stream.truncate(0)
            stream.write(header.getvalue())
        for first in range(done, shape[0], chunk):
            rows = slice(first, min(first + chunk, shape[0]))
            stream.write(np.ascontiguousarray(make(rows)).data)
            stream.flush()


def weights_folder() -> Path:
    """Return the folder of shipped weights, in an installed package or in a source checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "weights"
    return installed if installed.is_dir() else package.parent / "data" / "weights"


def sha256(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal text."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON from `path`; a damaged file is one sentence, not a traceback."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} is not readable as JSON ({error}); delete it and run again.") from error


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a mapping as JSON with its own checksum, whole or not at all."""
    write_json(path, record | {"checksum": _checksum_of_record(record)})


def read_record(path: Path) -> dict[str, Any]:
    """Read what `write_record` wrote; one without a checksum, of an earlier version, is taken as it is.

    Raises
    ------
    DamagedError
        If the file is missing, no mapping, or other than it was written.
    """
    record = read_json(path)
    if not isinstance(record, dict):
        raise DamagedError(f"{path} is damaged (it is no record); delete it and run again.")
    expected = record.pop("checksum", None)
    if expected is not None and expected != _checksum_of_record(record):
        raise DamagedError(f"{path} is damaged (its checksum is wrong); delete it and run again.")
    return record


def _checksum_of_record(record: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(record, sort_keys=True).encode()):08x}"


def append_json_line(path: Path, record: dict[str, Any]) -> None:
    """Append one record to a JSON Lines file."""
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(record) + "\n")


def write_json_lines(path: Path, records: list[dict[str, Any]]) -> None:
    """Write a JSON Lines file (a training's curve), whole or not at all."""
    write_text(path, "".join(json.dumps(record) + "\n" for record in records))


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read all records of a JSON Lines file; an absent file has none.

    Raises
    ------
    DamagedError
        If a line is no record.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        # A process killed while appending leaves a torn last line: it was never read, so nothing is lost.
        return [dict(json.loads(line)) for line in lines if line.endswith("\n")]
    except (OSError, ValueError, TypeError) as error:
        raise DamagedError(f"{path} is damaged ({error}); delete its folder and run again.") from error
