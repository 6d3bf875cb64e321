"""Mistakes of the user, in one sentence each."""

import difflib
import errno
import sys
from collections.abc import Iterable
from typing import TextIO

#: Numbers of classes above this, handed in or read from a file, are not classes but, say, numbers of images.
MOST_CLASSES = 100_000


class UserError(Exception):
    """A mistake the user can mend: one sentence saying what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2; notebooks show it as text.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback."""
        return [f"FairLab: {self}"]


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


def storage_sentence(error: OSError) -> str | None:
    """Return in one sentence what the disk refused; None for an error that is no user's mistake."""
    where = error.filename or "A file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full while writing {where}; free some space and run again: finished steps are kept."
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{where} cannot be used ({error.strerror}); check its permissions, or choose another --home."
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
