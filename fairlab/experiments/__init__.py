"""One experiment: its settings, presets, and the run that answers for it."""

from typing import TYPE_CHECKING

from fairlab.core.lazy import lazy_names

if TYPE_CHECKING:
    from fairlab.experiments.experiment import Experiment
    from fairlab.experiments.presets import home_folder, preset
    from fairlab.experiments.run import Run

__all__ = ["Experiment", "Run", "home_folder", "preset"]

__getattr__, __dir__ = lazy_names(__name__, __file__)
