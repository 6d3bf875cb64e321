"""Mistakes of the user, in one sentence each."""

import difflib
import errno
from collections.abc import Iterable

#: Numbers of classes above this, handed in or read from a file, are not classes but, say, numbers of images.
MOST_CLASSES = 100_000


class UserError(Exception):
    """A mistake the user can mend: one sentence saying what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2; notebooks show it as text.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback."""
        return [f"FairLab: {self}"]


class DamagedError(UserError):
    """A file that is gone, or not as it was written. What is made from other files is made again instead."""


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
