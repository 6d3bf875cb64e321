"""Training and measuring a generator for the command line."""

from pathlib import Path

import fairlab
from fairlab.data import FaceData
from fairlab.experiments.experiment import Experiment
from fairlab.experiments.run import workspace_of
from fairlab.generators import Generator
from fairlab.studies.generator.measure import Samples, measure_generator
from fairlab.studies.generator.page import summarise, write_generator_report
from fairlab.workspace.reader import READER_FILE, reader_of


def train(experiment: Experiment, home: Path, device: str | None) -> str:
    """Train the experiment's generator, or go on with it; return where it is."""
    step = workspace_of(experiment, home, device).trained_generator()
    return (
        f"The generator is {step.folder / 'generator.safetensors'} (trained in {step.seconds / 60:.0f} min)."
    )


def report(experiment: Experiment, home: Path, device: str | None, *, inception: bool = False) -> str:
    """Measure the experiment's generator; return what was found and where the report is.

    Raises
    ------
    UserError
        If inputs are wrong, or Inception's features are wanted and cannot be had.
    """
    work, seed, pairs = workspace_of(experiment, home, device), experiment.seed, experiment.shown_pairs
    generator, fingerprint, data = work.generator, work.generator_fingerprint, work.prepare()
    reader = reader_of(data, recipe=work.recipe, seed=seed, home=home, device=work.device)
    sizes = {"n_fit": pairs.n_fit, "n_held_out": pairs.n_held_out}
    samples = Samples.draw(generator, data, reader, **sizes, seed=seed)
    table = measure_generator(samples, reader, seed=seed, inception=inception)
    folder = home / "generators" / f"report-{data.name}-{fingerprint[:8]}"
    facts = _facts(experiment, data, generator, fingerprint)
    write_generator_report(folder, generator, samples, table, facts)
    return "\n".join([*summarise(table), f"  {folder / 'report.html'}", f"  {folder / 'measures.csv'}"])


def _facts(experiment: Experiment, data: FaceData, generator: Generator, fingerprint: str) -> dict[str, str]:
    read_by = (
        "the shipped oracle" if data.name == "synthfaces" else "a network trained on the images' own labels"
    )
    origin = experiment.generator.file or "shipped or trained here"
    return {
        "Generator": f"{origin}, fingerprint {fingerprint[:16]}",
        "Images": f"{generator.resolution} pixels, compared at {data.size}",
        "Training images": f"{data.name}, fingerprint {data.fingerprint}",
        "Attributes read by": f"{read_by} ({READER_FILE} says how often it is right)",
        "Seed of latents": str(experiment.seed),
        "FairLab": fairlab.__version__,
    }
