"""A whole run of seconds, a generator's training included; also one that is killed at every file it writes.

Usage: python toy_run.py HOME [killed]. Prints what the run prints, and at last how often it was killed.
"""

import fnmatch
import os
import signal
import sys
from pathlib import Path

from fairlab.classifiers import Recipe
from fairlab.experiments.run import Run
from fairlab.generators import GANRecipe
from fairlab.studies.run.execute import execute

CLASSIFIER = Recipe(
    backbone="resnet10", width=4, epochs=2, batch_size=32, resize=None, padding=2, crop=16,
    precision="float32",
)  # fmt: skip
GAN = GANRecipe(
    channels=(8, 8, 8, 8),
    fade_images=(0, 32, 32, 32),
    stable_images=(32, 32, 32, 32),
    batch_sizes=(16,) * 4,
    ema_images=32,
)
COUNTS, N_PAIRS, N_RESAMPLES = (400, 300, 400), 40, 50

#: Files that change while a step works, or that say nothing of how far it is.
NOT_RESULTS = ("*/progress.json", "*/step.json", "*/experiment.json", "*/curve.jsonl")


def toy_run(home: Path, **changes) -> Run:
    """Return a run of tiny networks on few drawn faces, with a generator of its own."""
    settings = {
        "target": "Smiling", "synthfaces_counts": COUNTS, "image_size": 32, "recipe": CLASSIFIER, "gan": GAN,
        "train_gan": True, "n_resamples": N_RESAMPLES, "partner": "mirrored", "n_fit": 60, "n_held_out": 24,
        "n_pairs": N_PAIRS, "epochs": 2, "name": "toy", "device": "cpu",
    }  # fmt: skip
    return Run.of_preset("smoke", home, **settings | changes)


def die_at_a_new_file(home: Path, seen: Path) -> None:
    """End this process as a power cut would, before a result gets its name for the first time."""

    def hook(event: str, arguments: tuple) -> None:
        if event != "os.rename" or not str(arguments[1]).startswith(str(home)):
            return
        name = os.path.relpath(arguments[1], home)
        if name in seen.read_text().splitlines() or any(fnmatch.fnmatch(f"/{name}", p) for p in NOT_RESULTS):
            return
        with open(seen, "a") as stream:
            print(name, file=stream)
        os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def run_killed(home: Path, seen: Path) -> bool:
    """Run in a forked process, which saves importing torch once more; whether it was killed."""
    process = os.fork()
    if process == 0:
        die_at_a_new_file(home, seen)
        execute(toy_run(home))
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL, status
    return status != 0


if __name__ == "__main__":
    home = Path(sys.argv[1])
    if sys.argv[2:] == ["killed"]:
        seen = home / "seen.txt"
        seen.touch()
        while run_killed(home, seen):
            pass
    else:
        execute(toy_run(home))
