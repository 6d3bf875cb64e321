"""What a run is going to do and how long that takes here, said before anything heavy starts.

Times are estimates from speeds measured for a few seconds on this machine with this run's own networks.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from fairlab.classifiers import Recipe
from fairlab.classifiers.augmentation import evaluation_batch, training_batch
from fairlab.classifiers.networks import build_network
from fairlab.core.devices import compute_dtype
from fairlab.core.errors import UserError
from fairlab.experiments.run import Run
from fairlab.generators import GANRecipe, Generator, ProgressiveGenerator, generate, sample_latents
from fairlab.generators.training import Trainer

#: Images per second at which a source is prepared on two cores, as measured; photographs vary with the disk.
PREPARATION_SPEED = {"synthfaces": 800.0, "celeba": 5_000.0, "folder": 300.0}

#: Images per second whose latents are sought on one core, as measured with the shipped generator.
INVERSION_SPEED = 3.0


@dataclass(frozen=True)
class PlannedStep:
    """One line of the plan: a step, how much it works through, and the estimated seconds."""

    name: str
    size: str
    seconds: float


@dataclass(frozen=True)
class Speeds:
    """Images per second of one machine with one run's networks; `gan` is seconds for the whole training."""

    training: float
    scoring: float
    generating: float
    gan_seconds: float


def measure(run: Run) -> Speeds:
    """Measure how fast this machine trains, scores and generates with the run's own networks."""
    e = run.experiment
    return Speeds(
        *_classifier_speeds(e.classifier, e.image_size, run.device),
        _generator_speed(run),
        _gan_seconds(e.gan, e.image_size, run.device) if run.trains_generator else 0.0,
    )


def plan(run: Run, n_images: Mapping[str, int], speeds: Speeds) -> list[PlannedStep]:
    """Return the steps of a run with their sizes and estimated times.

    Parameters
    ----------
    run : Run
        The run; nothing of it is made.
    n_images : mapping of str to int
        Real images in "train", "valid" and "test".
    speeds : Speeds
        From `measure`.
    """
    e, train, real = run.experiment, n_images["train"], sum(n_images.values())
    augmented = train + e.n_added
    labellers = 1 if e.labeller == "multi_label" else len(e.attributes) - 1 + e.seeds
    n_latents, n_planes = e.n_latents * e.has_generated, len(e.attributes) * e.has_partners
    validation = n_images["valid"] / speeds.scoring
    once = e.classifier.epochs * (train / speeds.training + validation)
    again = e.generated_epochs * (augmented / speeds.training + validation)
    drawing = real / PREPARATION_SPEED[e.data]
    labelling = labellers * (n_latents + n_images["valid"]) / speeds.scoring
    testing = 10 + 2 * e.seeds * (n_images["valid"] + n_images["test"]) / speeds.scoring
    rows = [
        ("prepare images", f"{real:,} images, {e.image_size} px", drawing),
        ("1 train the protected classifier", _epochs(e.classifier.epochs, train), once),
        ("1 train the baseline", _epochs(e.classifier.epochs, train, e.seeds), once * e.seeds),
        _generator_row(run, speeds),
        ("2 generate faces", f"{n_latents:,} latents", n_latents / speeds.generating),
        ("3 label them", f"{n_latents:,} faces × {labellers} classifiers", labelling),
        ("4 fit hyperplanes", f"{n_planes} × {e.seeds} on {e.n_fit:,} latents", 1.0 * n_planes * e.seeds),
        ("5 generate partners", f"{e.n_partners:,} × {e.seeds}", e.seeds * e.n_partners / speeds.generating),
        (
            "6 train the de-biased classifier",
            _epochs(e.generated_epochs, augmented, e.seeds),
            again * e.seeds,
        ),
        ("score, measure, report", f"{n_images['test']:,} test images", testing),
    ]
    if e.n_inverted:
        n = e.n_inverted + min(e.n_inverted, n_images["valid"])
        rows.insert(3, ("2 invert real images", f"{n:,} images", n / INVERSION_SPEED))
    if e.data == "synthfaces":
        asked = n_latents + e.seeds * e.n_partners
        rows.insert(-1, ("ask the oracle", f"{asked:,} faces", asked / speeds.scoring))
    return [PlannedStep(*row) for row in rows]


def bytes_needed(run: Run, n_images: Mapping[str, int]) -> int:
    """Return how many bytes of images the run writes at most; weights and tables are small beside them."""
    e = run.experiment
    pictures = sum(n_images.values()) + e.n_latents * e.has_generated + e.seeds * e.n_partners
    return pictures * e.image_size**2 * 3


def check_disk(run: Run, n_images: Mapping[str, int]) -> str:
    """Say how much disk space a new run needs and has.

    Raises
    ------
    UserError
        If there is not enough.
    """
    needed, free = (n / 1e9 for n in (bytes_needed(run, n_images), shutil.disk_usage(run.folder).free))
    if needed > free:
        raise UserError(
            f"The run needs about {needed:.1f} GB for images, but the disk of {run.folder} has {free:.1f} GB "
            "free; free some space, name another --home, or choose a smaller --preset."
        )
    return f"disk: about {needed:.1f} GB for images, {free:.1f} GB free"


def plan_text(steps: list[PlannedStep]) -> str:
    """Return the plan as aligned lines with a total."""
    width = max(len(step.name) for step in steps)
    lines = [f"  {step.name:<{width}}  {duration(step.seconds):>8}   {step.size}" for step in steps]
    total = sum(step.seconds for step in steps)
    return "\n".join(
        [*lines, f"  {'about':<{width}}  {duration(total):>8}   in all; finished steps are skipped"]
    )


def duration(seconds: float) -> str:
    """Return seconds as ``45 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _epochs(epochs: int, images: int, seeds: int = 1) -> str:
    times = f" × {seeds} seeds" if seeds > 1 else ""
    return f"{epochs} epochs of {images:,} images{times}"


def _generator_row(run: Run, speeds: Speeds) -> tuple[str, str, float]:
    if not run.trains_generator:
        which = "your" if run.experiment.generator else "the shipped"
        return f"2 load {which} generator", "nothing to train", 0.0
    gan = run.experiment.gan
    return (
        "2 train a generator",
        f"{gan.total_images:,} images, up to {gan.resolution} px",
        speeds.gan_seconds,
    )


def _seconds_each(work: Callable[[], object], at_least: float = 0.5) -> float:
    """Return the mean seconds of `work`, after one call to warm up."""
    work()
    started, calls = time.perf_counter(), 0
    while time.perf_counter() - started < at_least:
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        calls += 1
    return (time.perf_counter() - started) / calls


def _classifier_speeds(recipe: Recipe, size: int, device: torch.device) -> tuple[float, float]:
    network = build_network(recipe, 1, seed=0, imagenet=False).to(device)
    dtype, random = compute_dtype(recipe.precision, device), torch.Generator()
    batch = torch.zeros((recipe.batch_size, size, size, 3), dtype=torch.uint8, device=device)

    def train() -> None:
        network.train()(training_batch(batch, recipe, random), dtype).sum().backward()
        network.zero_grad()

    @torch.inference_mode()
    def score() -> None:
        network.eval()(evaluation_batch(batch, recipe), dtype).sum().item()

    return len(batch) / _seconds_each(train), len(batch) / _seconds_each(score)


def _generator_speed(run: Run) -> float:
    if not run.trains_generator:
        generator: Generator = run.generator
    else:
        gan = run.experiment.gan
        generator = ProgressiveGenerator(gan.latent_dim, gan.channels).to(run.device).eval()
    z = sample_latents(64, generator.latent_dim, 0)
    return len(z) / _seconds_each(lambda: generate(generator, z, progress=False))


def _gan_seconds(recipe: GANRecipe, size: int, device: torch.device) -> float:
    """Time one step at every resolution, and weigh each with its share of the schedule."""
    blank = np.zeros((64, size, size, 3), np.uint8)
    trainer = Trainer(blank, dataclasses.replace(recipe, penalty_interval=10**9), 0, device)
    seconds, seen = 0.0, 0
    for fade, stable, batch in zip(recipe.fade_images, recipe.stable_images, recipe.batch_sizes, strict=True):
        seen += fade + stable

        def step(seen: int = seen) -> None:
            trainer.images_seen = seen - 1
            trainer.step()

        seconds += (fade + stable) / batch * _seconds_each(step, at_least=0.3)
    return seconds
