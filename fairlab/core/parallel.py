"""Independent pieces of work in several processes, or one after the other in this one."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from joblib import Parallel, delayed
from tqdm.auto import tqdm

from fairlab.core import environment
from fairlab.core.cores import usable_cores
from fairlab.core.errors import UserError, say_warning

if TYPE_CHECKING:
    import torch

R = TypeVar("R")

PROCESS_ENDED = (
    "A process ended before its work was done, perhaps because the memory is full; run again with fewer "
    "--jobs: finished steps are kept."
)


def default_jobs(device: torch.device, n_pieces: int) -> int:
    """Return how many processes to use: one on a GPU, else one for each core, up to 8.

    Small networks gain little from a second core, and everything from a second process.
    """
    return 1 if device.type == "cuda" else max(1, min(usable_cores(), 8, n_pieces))


def check_jobs(jobs: int | None) -> None:
    """Raise UserError if a wanted number of processes is below 1."""
    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs is {jobs}; at least one process is needed.")


def run_all(
    function: Callable[..., R], pieces: Sequence[tuple[Any, ...]], *, jobs: int, label: str, unit: str
) -> list[R]:
    """Call `function` with the arguments of every piece; return the results in their order.

    Parameters
    ----------
    function : callable
        With several processes it and its arguments are pickled.
    pieces : sequence of tuples
        Arguments of each call. The calls must not depend on one another.
    jobs : int
        Processes. With 1 everything happens in this one, with all its threads and progress bars.
    label, unit : str
        Of the progress bar.

    Raises
    ------
    UserError
        If `jobs` is below 1, or a process is ended from outside.
    Exception
        What a call raised; all other calls are ended.
    """
    import torch  # takes seconds, for which a mistake in the arguments need not wait

    check_jobs(jobs)
    processes = Parallel(
        jobs,
        backend="loky",
        batch_size=1,
        return_as="generator",
        inner_max_num_threads=max(1, torch.get_num_threads() // jobs),
        initializer=_begin_child,
        initargs=(os.getpid(),),
    )
    results = processes(delayed(function)(*piece) for piece in pieces)
    try:
        return list(tqdm(results, desc=label, total=len(pieces), unit=unit))
    except BrokenProcessPool as error:
        raise UserError(PROCESS_ENDED) from error


def _begin_child(parent: int) -> None:
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _silence_bars()
    environment.ignore("threads")  # fewer than in the process that started this one


def _end_with(parent: int, every: float = 0.2) -> None:
    """End this process when the one that started it is gone, killed perhaps: nobody waits for its work."""
    while os.getppid() == parent:
        time.sleep(every)
    os._exit(1)


def _silence_bars() -> None:
    """Drop the progress bars of this process, which would overwrite each other; warnings are still shown."""
    warnings.showwarning = partial(say_warning, file=sys.stderr)
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (for the life of the process)
