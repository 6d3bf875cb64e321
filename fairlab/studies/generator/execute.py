"""Training and measuring a generator for the command line."""

from __future__ import annotations

from pathlib import Path

import fairlab
from fairlab.core.devices import choose_device
from fairlab.data import FaceData
from fairlab.experiments.experiment import Experiment
from fairlab.generators import Generator, load_generator
from fairlab.studies.generator.measure import Samples, measure_generator
from fairlab.studies.generator.page import summarise, write_generator_report
from fairlab.workspace.reader import READER_FILE
from fairlab.workspace.readers import reader_of
from fairlab.workspace.shared import (
    given_fingerprint,
    given_generator,
    prepare_data,
    source_of,
    trained_generator,
)


def train(experiment: Experiment, home: Path, device_name: str | None) -> str:
    """Train the experiment's generator, or go on with it; say where it is."""
    device = choose_device(device_name)
    data = prepare_data(source_of(experiment), home, experiment.image_size)
    step = trained_generator(data, experiment.gan, experiment.seed, home, device)
    return (
        f"The generator is {step.folder / 'generator.safetensors'} (trained in {step.seconds / 60:.0f} min)."
    )


def report(experiment: Experiment, home: Path, device_name: str | None, *, inception: bool = False) -> str:
    """Measure the experiment's generator; say what was found and where the report is.

    Raises
    ------
    UserError
        If inputs are wrong, or Inception's features are wanted and cannot be had.
    """
    e, device = experiment, choose_device(device_name)
    generator, mark = given_generator(e, device), given_fingerprint(e)
    data = prepare_data(source_of(e), home, e.image_size)
    if generator is None:
        step = trained_generator(data, e.gan, e.seed, home, device)
        generator, mark = load_generator(step.folder / "generator.safetensors", device), step.fingerprint
    reader = reader_of(e, data, home, device)
    sizes = {"n_fit": e.n_fit, "n_held_out": e.n_held_out}
    samples = Samples.draw(generator, data, reader, **sizes, seed=e.seed)
    table = measure_generator(samples, reader, seed=e.seed, inception=inception)
    folder = home / "generators" / f"report-{data.name}-{str(mark)[:8]}"
    write_generator_report(folder, generator, samples, table, _facts(e, data, generator, str(mark)))
    return "\n".join([*summarise(table), f"  {folder / 'report.html'}", f"  {folder / 'measures.csv'}"])


def _facts(e: Experiment, data: FaceData, generator: Generator, mark: str) -> dict[str, str]:
    read_by = (
        "the shipped oracle" if data.name == "synthfaces" else "a network trained on the images' own labels"
    )
    return {
        "Generator": f"{e.generator or 'shipped or trained here'}, fingerprint {mark[:16]}",
        "Images": f"{generator.resolution} pixels, compared at {data.size}",
        "Training images": f"{data.name}, fingerprint {data.fingerprint}",
        "Attributes read by": f"{read_by} ({READER_FILE} says how often it is right)",
        "Seed of latents": str(e.seed),
        "FairLab": fairlab.__version__,
    }
