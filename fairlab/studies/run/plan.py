"""Plan of a run: the work and the time of each step, estimated before any heavy work.

Operations are counted; how many this machine does in a second is measured on one batch of training.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from fairlab.classifiers.augmentation import training_batch
from fairlab.classifiers.networks import build_network
from fairlab.core.errors import UserError
from fairlab.experiments.run import Run
from fairlab.generators import ProgressiveGenerator
from fairlab.generators.sampling import generator_device
from fairlab.methods.base import schedule

#: Images per second at which a source is prepared on two cores, as measured; photographs vary with the disk.
PREPARATION_SPEED = {"synthfaces": 800.0, "celeba": 5_000.0, "folder": 300.0}

#: Images per second whose latents are sought on one core, as measured with the shipped generator.
INVERSION_SPEED = 3.0

#: Training a generator on an image costs as much as drawing so many: a pass forth and back of the generator
#: and three of the critic, its mirror image. Early images are smaller and cost less.
DRAWINGS_PER_TRAINED = 12


class PlannedStep(NamedTuple):
    """One line of the plan: a step, how much it works through, and the estimated seconds."""

    name: str
    size: str
    seconds: float


class Costs(NamedTuple):
    """Seconds on this machine for one image that is trained on, scored, drawn."""

    train: float
    score: float
    draw: float


def measure(run: Run) -> Costs:
    """Return what one image costs here with the run's own networks."""
    recipe, gan, device = run.experiment.recipe, run.experiment.generator.recipe, run.device
    network = build_network(recipe, 1, seed=0, imagenet=False).to(device)
    random, side = torch.Generator(), run.work.image_size
    images = torch.zeros((recipe.batch_size, side, side, 3), dtype=torch.uint8, device=device)

    def train() -> None:
        network(training_batch(images, recipe, random)).sum().backward()

    operations, few = _operations(train), training_batch(images[:8], recipe, random)
    second = _seconds(train) / operations
    generator = (
        ProgressiveGenerator(gan.latent_dim, gan.channels) if run.work.trains_generator else run.generator
    )
    z = torch.zeros(8, generator.latent_dim, device=generator_device(generator))
    return Costs(
        train=second * operations / len(images),
        score=second * _operations(lambda: network(few)) / len(few),
        draw=second * _operations(lambda: generator(z)) / len(z),
    )


def plan(run: Run, n_images: Mapping[str, int], costs: Costs) -> list[PlannedStep]:
    """Return the steps of a run with their sizes and estimated times; nothing of it is made."""
    experiment, work, seeds, real = run.experiment, run.work, run.experiment.seeds, n_images
    counts = experiment.method.counts(work)
    epochs = schedule(experiment.method, work, counts.trained).epochs
    to_train = experiment.generator.recipe.total_images * run.work.trains_generator

    def training(name: str, epochs: int, images: int, times: int = 1) -> PlannedStep:
        size = f"{epochs} epochs of {images:,} images" + (f" × {times} seeds" if times > 1 else "")
        epoch = images * costs.train + real["valid"] * costs.score if images else 0
        return PlannedStep(name, size, times * epochs * epoch)

    def each(name: str, images: int, seconds: float) -> PlannedStep:
        return PlannedStep(name, f"{images:,} images", images * seconds)

    steps = [
        each("prepare images", sum(real.values()), 1 / PREPARATION_SPEED[experiment.source.name]),
        training("train annotators", experiment.recipe.epochs, counts.annotated),
        training("train the baseline", experiment.recipe.epochs, real["train"], seeds),
        each("train a generator", to_train, DRAWINGS_PER_TRAINED * costs.draw),
        each("invert real images", counts.inverted, 1 / INVERSION_SPEED),
        each("generate faces", counts.generated, costs.draw),
        each("label them", counts.scored, costs.score),
        each("generate partners", seeds * counts.generated_per_seed, costs.draw),
        training("train with the method", epochs, counts.trained, seeds),
        each("score test images", 2 * seeds * (real["valid"] + real["test"]), costs.score),
        PlannedStep("measure, report", "", 10),
    ]
    return [step for step in steps if step.seconds]


def check_disk(run: Run, n_images: Mapping[str, int]) -> str:
    """Say how much disk space the images of a new run need and have; weights and tables need little.

    Raises
    ------
    UserError
        If there is not enough.
    """
    counts, side = run.experiment.method.counts(run.work), run.work.image_size
    images = sum(n_images.values()) + counts.generated + run.experiment.seeds * counts.generated_per_seed
    needed, free = 3 * side**2 * images / 1e9, shutil.disk_usage(run.folder).free / 1e9
    if needed > free:
        raise UserError(
            f"The run needs about {needed:.1f} GB for images, but the disk of {run.folder} has {free:.1f} GB "
            "free; free some space, name another --home, or choose a smaller --preset."
        )
    return f"disk: about {needed:.1f} GB for images, {free:.1f} GB free"


def plan_text(steps: list[PlannedStep]) -> str:
    """Return the plan as aligned lines with a total."""
    total = PlannedStep("about", "in all; finished steps are skipped", sum(step.seconds for step in steps))
    width = max(len(step.name) for step in steps)
    lines = (f"  {s.name:<{width}}  {duration(s.seconds):>8}   {s.size}" for s in (*steps, total))
    return "\n".join(line.rstrip() for line in lines)


def duration(seconds: float) -> str:
    """Return seconds as ``45 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _operations(work: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started
