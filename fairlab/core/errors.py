"""Mistakes of the user, in one sentence each."""

import difflib
import errno
import re
import sys
from collections.abc import Iterable
from typing import TextIO

#: Numbers of classes above this, handed in or read from a file, are not classes but, say, numbers of images.
MOST_CLASSES = 100_000

#: Letters of the longest word (a path, say) and of the longest sentence that are printed whole.
LONGEST_WORD, LONGEST_SENTENCE = 300, 1_500
#: Letters that Python calls not printable although they are text: hard blanks, joiners of letters.
TEXT = "\u00a0\u202f\u200c\u200d"


class UserError(Exception):
    """A mistake the user can mend: one sentence saying what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2; notebooks show it as text. However
    long or odd the names in it are, it is `printable`.
    """

    def __str__(self) -> str:
        return printable(super().__str__())

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback."""
        return [f"FairLab: {self}"]


class DamagedError(UserError):
    """A file that is gone, or not as it was written. What is made from other files is made again instead."""


def printable(sentence: str) -> str:
    r"""Return a sentence as one line for a terminal: the middle of long words cut out, control codes escaped.

    >>> print(printable("There is no '\x1b[31mred'."))
    There is no '\x1b[31mred'.
    """
    line = re.sub(r"\s*[\t\n\v\f\r\x85\u2028\u2029]\s*", " ", sentence)
    line = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: _shortened(word[0], LONGEST_WORD), line)
    line = _shortened(line, LONGEST_SENTENCE)
    return "".join(sign if sign.isprintable() or sign in TEXT else ascii(sign)[1:-1] for sign in line)


def _shortened(text: str, most: int) -> str:
    """Return a text without its middle if it has more than `most` letters."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]}…{text[-most // 4 :]}"


def nearest_names(name: str, known: Iterable[str]) -> str:
    """Return a clause that suggests the known names closest to a misspelt one.

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        The names that exist.

    Returns
    -------
    str
        ``"did you mean 'Smiling'?"``, or the list of known names when none is close.
    """
    known = list(known)
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{by_folded[match]}'" for match in close) + "?"
    return "choose one of " + ", ".join(known)


#: What comes of names that are too long, of a file where a folder should be, of a disk that cannot be read.
_OF_NAMES = (
    errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOENT, errno.ELOOP, errno.EINVAL,
    errno.EIO,
)  # fmt: skip


def storage_sentence(error: OSError) -> str | None:
    """Return in one sentence what the disk refused; None for an error that is no user's mistake."""
    where = printable(str(error.filename or "A file"))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full while writing {where}; free some space and run again: finished steps are kept."
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{where} cannot be used ({error.strerror}); check its permissions, or choose another --home."
    if error.errno in _OF_NAMES:
        return f"{where} cannot be used ({error.strerror}); check the name, or choose another."
    return None


def say_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning as one sentence for people, in the place of `warnings.showwarning`.

    Where in the source it arose is of no use to who gave a command.
    """
    print(f"fairlab: {' '.join(str(message).split())}", file=file or sys.stderr)
