"""Pieces of work in several processes: their order, their errors, and their share of the machine."""

import math
import os
import subprocess

import pytest
import torch

from fairlab.core.errors import UserError
from fairlab.core.parallel import PROCESS_ENDED, default_jobs, run_all
from fairlab.experiments.presets import preset

CPU = torch.device("cpu")


def all_of(function, pieces, jobs):
    return run_all(function, pieces, jobs=jobs, label="Pieces", unit="piece")


def test_one_process_is_this_one_and_takes_any_function():
    seen = []
    assert all_of(lambda n: seen.append(n) or (n, os.getpid()), [(2,), (1,)], 1) == [
        (2, os.getpid()),
        (1, os.getpid()),
    ]
    assert seen == [2, 1]


def test_no_pieces_give_no_results():
    assert all_of(math.sqrt, [], 1) == all_of(math.sqrt, [], 2) == []


@pytest.mark.slow
def test_results_come_in_the_order_of_the_pieces_from_several_processes(monkeypatch):
    """The first piece ends last, since it waits for a file that the last one makes."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    script = "echo {n} $PPID $OMP_NUM_THREADS; {then}"
    wait = "until test -e $MARK; do sleep 0.05; done; rm $MARK"
    monkeypatch.setenv("MARK", f"mark-{os.getpid()}")
    commands = [script.format(n=n, then=then) for n, then in ((0, wait), (1, "true"), (2, "touch $MARK"))]
    answers = [answer.split() for answer in all_of(subprocess.getoutput, [(c,) for c in commands], 2)]
    assert [answer[0] for answer in answers] == ["0", "1", "2"]
    processes = {int(answer[1]) for answer in answers}
    assert len(processes) == 2
    assert os.getpid() not in processes
    threads = {int(answer[2]) for answer in answers}
    assert threads == {max(1, torch.get_num_threads() // 2)}
    assert "OMP_NUM_THREADS" not in os.environ


@pytest.mark.slow
def test_what_a_piece_raises_in_another_process_is_raised_here():
    with pytest.raises(UserError, match="did you mean 'quick'"):
        all_of(preset, [("quik",)], 2)


@pytest.mark.slow
def test_a_process_that_is_ended_is_one_sentence():
    with pytest.raises(UserError) as error:
        all_of(os._exit, [(1,), (1,)], 2)
    assert str(error.value) == PROCESS_ENDED


def test_what_a_piece_raises_in_this_process_is_raised_here():
    with pytest.raises(UserError, match="did you mean 'quick'"):
        all_of(preset, [("smoke",), ("quik",)], 1)


@pytest.mark.parametrize("jobs", [0, -2])
def test_fewer_than_one_process_is_refused(jobs):
    with pytest.raises(UserError, match=f"--jobs is {jobs}; at least one process is needed"):
        all_of(math.sqrt, [(4.0,)], jobs)


def test_by_default_there_are_as_many_processes_as_pieces_cores_and_eight_allow(monkeypatch):
    monkeypatch.setattr("fairlab.core.parallel.usable_cores", lambda: 6)
    assert [default_jobs(CPU, n) for n in (0, 1, 4, 6, 100)] == [1, 1, 4, 6, 6]
    monkeypatch.setattr("fairlab.core.parallel.usable_cores", lambda: 64)
    assert [default_jobs(CPU, n) for n in (3, 100)] == [3, 8]
    assert default_jobs(torch.device("cuda"), 100) == 1
