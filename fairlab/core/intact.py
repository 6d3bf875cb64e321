"""Checksums: whether files on disk are still those that were written.

CRC-32 is made for this: every flip of up to 32 neighbouring bits changes it, other damage goes unnoticed once
in four thousand million times, and a core does some 3 GB a second. It keeps nobody from forging a file.
"""

import errno
import zlib
from collections.abc import Mapping
from pathlib import Path

CHUNK = 1 << 20  # bytes

#: What this process has read so far, by device and inode, with size and times.
_KNOWN: dict[tuple[int, int], tuple[tuple[int, ...], str]] = {}


def checksum(path: Path) -> str:
    """Return a file's CRC-32, 8 hexadecimal digits; a process reads an untouched file only once."""
    facts = Path(path).stat()
    file, stamp = (facts.st_dev, facts.st_ino), (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    if file not in _KNOWN or _KNOWN[file][0] != stamp:
        _KNOWN[file] = stamp, _read(path)
    return _KNOWN[file][1]


def _read(path: Path) -> str:
    value = 0
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            value = zlib.crc32(chunk, value)
    return f"{value:08x}"


def checksums(folder: Path, leave_out: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the checksums of a folder's files, by their path in it; hidden files are left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        file.relative_to(folder).as_posix(): checksum(file)
        for file in files
        if not file.name.startswith(".") and file.name not in leave_out
    }


def damaged_file(folder: Path, recorded: Mapping[str, str]) -> str | None:
    """Return the first file of a folder that is gone or not as it was written; None if all are.

    Raises
    ------
    OSError
        If a file may not be read: that says nothing of what is in it.
    """
    for name, expected in recorded.items():
        try:
            if checksum(folder / name) != expected:
                return name
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO):
                raise
            return name
    return None
