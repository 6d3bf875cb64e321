"""Independent pieces of work in several processes, or one after the other in this one."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from tqdm.auto import tqdm

from fairlab.core.devices import usable_cores
from fairlab.core.errors import UserError

R = TypeVar("R")


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
        Importable by name, as its arguments are pickled for other processes.
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
        What a call raised; calls that had not begun are dropped.
    """
    check_jobs(jobs)
    with tqdm(total=len(pieces), desc=label, unit=unit) as bar:
        if jobs == 1:
            return [_counted(function(*piece), bar) for piece in pieces]
        try:
            with _children_of(jobs), _pool(jobs) as pool:
                futures = [pool.submit(function, *piece) for piece in pieces]
                for future in as_completed(futures):
                    _counted(future.result(), bar)
                return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise UserError(
                "A process ended before its work was done, perhaps because the memory is full; "
                "run again with fewer --jobs: finished steps are kept."
            ) from error


def _counted(result: R, bar: tqdm[Any]) -> R:
    bar.update()
    return result


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Not fork: torch's threads do not survive it.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_child)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _children_of(jobs: int) -> Iterator[None]:
    """Give processes that are started inside the block their share of the cores."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(max(1, torch.get_num_threads() // jobs))
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _begin_child() -> None:
    _end_with_parent()
    _silence_bars()


def _silence_bars() -> None:
    """Drop the progress bars of this process, which would overwrite each other; warnings are still shown."""
    stderr = sys.stderr

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        stderr.write(warnings.formatwarning(message, category, filename, lineno))

    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (for the life of the process)
    warnings.showwarning = show  # type: ignore[assignment]


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, killed perhaps: nobody waits for its work."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
