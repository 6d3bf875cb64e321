"""One experiment: its settings, presets, and the run that answers for it."""

from fairlab.experiments.experiment import Experiment
from fairlab.experiments.presets import home_folder, preset
from fairlab.experiments.run import Run

__all__ = ["Experiment", "Run", "home_folder", "preset"]
