"""What all of these checks share: tried, held, fell short; and a toy run in a process that may die."""

import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fairlab.core.errors import UserError

from ..experiments.toy_run import toy_run

#: Files whose every byte is determined by the settings, below a home.
RESULTS = (
    "classifiers/*/weights.safetensors", "classifiers/*/classifier.json", "*/*/*.npy", "latents/planes-*/*_*",
    "generators/*/generator.*", "prepared/*/*", "classifiers/*/thresholds.json", "runs/toy/metrics.csv",
    "runs/toy/truth.json",
)  # fmt: skip


@dataclass
class Counts:
    """How often something was tried, and when it fell short."""

    what: str
    tried: int = 0
    shortfalls: list[str] = field(default_factory=list)

    def add(self, case: str, shortfall: str | None) -> None:
        """Count one case; None means that it held."""
        self.tried += 1
        if shortfall:
            self.shortfalls.append(f"{case}: {shortfall}")
            print(f"  fell short: {self.shortfalls[-1]}", file=sys.__stdout__, flush=True)

    def check(self) -> None:
        """Print the counts, and fail unless everything held."""
        held = self.tried - len(self.shortfalls)
        print(
            f"\n{self.what}: {self.tried} tried, {held} held, {len(self.shortfalls)} fell short",
            file=sys.__stdout__,
            flush=True,
        )
        assert self.tried > 0
        assert self.shortfalls == []


def contents(home: Path) -> dict[str, bytes]:
    """Return the determined files of a home."""
    found = {path for pattern in RESULTS for path in home.glob(pattern) if path.is_file()}
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in sorted(found)}


def differing(home: Path, expected: dict[str, bytes]) -> str | None:
    """Name the determined files that are missing, added or other than expected."""
    found = contents(home)
    names = [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]
    return f"other files: {', '.join(sorted(names))}" if names else None


class Forked:
    """A function's work in a process of its own: `outcome` is "done", a sentence, or what went wrong."""

    def __init__(self, work: Callable[[], object], log: Path) -> None:
        self.log = log
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            os._exit(self._run(work))

    def _run(self, work: Callable[[], object]) -> int:
        with open(self.log, "w") as log, redirect_stdout(log), redirect_stderr(log):
            try:
                work()
            except UserError as error:
                log.write(f"\nSENTENCE {error}")
                return 2
            except BaseException:
                traceback.print_exc(file=log)
                return 1
        return 0

    def kill_after(self, seconds: float) -> None:
        """Kill the process as a power cut would, if it has not ended by then."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, self.process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.005)
        os.kill(self.process, signal.SIGKILL)

    def outcome(self) -> str:
        """Wait for the end; return how it ended."""
        _, status = os.waitpid(self.process, 0)
        if os.WIFSIGNALED(status):
            return "killed"
        text = self.log.read_text(errors="replace")
        endings = {0: "done", 2: text.rpartition("SENTENCE ")[2]}
        return endings.get(os.WEXITSTATUS(status), f"traceback: {text[-600:]}")


def toy(home: Path, log: Path, *, pictures: bool = False) -> Forked:
    """Begin the toy run of `home` in a process of its own; without pictures, which take most of its time."""
    return Forked(lambda: _toy(home, pictures), log)


def _toy(home: Path, pictures: bool) -> None:
    from matplotlib.figure import Figure

    from fairlab.methods.latent_pairs.pseudo_labels import PseudoLabels
    from fairlab.studies.run.execute import execute

    # Networks that learnt next to nothing still give either label to some.
    PseudoLabels.labels = property(lambda given: (given.scores > np.median(given.scores)).astype(np.uint8))
    if not pictures:
        Figure.savefig = _no_picture
    execute(toy_run(home))


def _no_picture(_figure: object, stream: Path | io.BytesIO, **_: object) -> None:
    stream.write(b"no picture") if isinstance(stream, io.BytesIO) else Path(stream).write_bytes(b"no picture")


def below(home: Path, left_out: Iterable[str] = (".lock",)) -> list[Path]:
    """Return all files below a home, but locks."""
    files = (path for path in sorted(home.rglob("*")) if path.is_file())
    return [path for path in files if not path.name.endswith(tuple(left_out))]
