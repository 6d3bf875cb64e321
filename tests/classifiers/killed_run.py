"""Train the toy task into a folder again and again, each time killed by SIGKILL at a read of training images.

Prints how many epochs each killed run left behind. Usage: python killed_run.py FOLDER READ [READ ...]
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np
from conftest import make_task

from fairlab.classifiers import train_classifier
from fairlab.core.files import read_json_lines


class Deadly:
    """Images whose n-th read kills the process, as a power cut would."""

    def __init__(self, images: np.ndarray, read: int) -> None:
        self.images, self.reads_left = images, read

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        self.reads_left -= 1
        if self.reads_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.images[rows]


def run_killed(folder: Path, read: int) -> None:
    """Train in a forked process, which saves importing torch once more, until it is killed."""
    process = os.fork()
    if process == 0:
        arguments = make_task()
        train_classifier(folder, **arguments | {"images": Deadly(arguments["images"], read)})
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status), "it ended before it was killed"
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert not (folder / "classifier.json").exists()


if __name__ == "__main__":
    for read in sys.argv[2:]:
        run_killed(Path(sys.argv[1]), int(read))
        print(len(read_json_lines(Path(sys.argv[1]) / "curve.jsonl")))
