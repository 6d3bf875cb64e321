"""Where numbers are made: sums are added in another order by other processors, threads and versions."""

import platform
import time
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

import fairlab

#: What a process made on one machine is made with, by name.
Environment = dict[str, str | int]

_STARTED = time.time()
#: Of what this process is not to be told: see `ignore`.
_IGNORED: set[str] = set()


@cache
def processor() -> str:
    """Return the processor's name, and the widest instructions that torch uses of it."""
    import torch  # a second: who only looks for a step does not wait for it

    found = platform.processor() or platform.machine() or "CPU"
    described = Path("/proc/cpuinfo")
    lines = described.read_text(errors="replace").splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else found}, {torch.backends.cpu.get_cpu_capability()}"


@cache
def _versions() -> Environment:
    packages = {name: metadata.version(name) for name in ("torch", "torchvision", "numpy")}
    return {"fairlab": fairlab.__version__, "python": platform.python_version(), **packages}


def environment() -> Environment:
    """Return what numbers depend on beside settings: versions, processor, GPU if any, number of threads."""
    import torch

    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {**_versions(), "processor": processor(), **gpu, "threads": torch.get_num_threads()}


def ignore(name: str) -> None:
    """Take no notice of one difference in this process: workers have fewer threads by design."""
    _IGNORED.add(name)


def differences(before: Sequence[Environment], made: float) -> str:
    """Say in what this process differs from where a step was made: ``threads: 2, now 4``.

    Parameters
    ----------
    before : sequence of environments
        A step that was interrupted may have been made in several.
    made : float
        When the step was finished, in seconds since 1970. What was made since this process began is of the
        same command: of a process that works beside it, perhaps.
    """
    if made > _STARTED:
        return ""
    here = environment()
    return "; ".join(
        f"{name}: {', '.join(others)}, now {here.get(name, 'none')}"
        for name in dict.fromkeys([*here, *(key for one in before for key in one)])
        if name not in _IGNORED
        and (others := [str(one.get(name, "none")) for one in before if one.get(name) != here.get(name)])
    )


class Mixture:
    """Whether what one process makes stands beside what was made elsewhere; said once."""

    def __init__(self) -> None:
        self.elsewhere, self.here, self.said = "", False, False

    def uses(self, found: str) -> None:
        """Note in what a step that is used was made otherwise; empty where it was not."""
        self.elsewhere = self.elsewhere or found
        self._say()

    def makes(self) -> None:
        """Note that a step is made here."""
        self.here = True
        self._say()

    def _say(self) -> None:
        if self.elsewhere and self.here and not self.said:
            self.said = True
            print(
                f"Goes on with steps that were made elsewhere ({self.elsewhere}): numbers may differ in the "
                "last digits, and after training by more, from those of a run that was made in one place.",
                flush=True,
            )


#: Of this process.
MIXTURE = Mixture()
