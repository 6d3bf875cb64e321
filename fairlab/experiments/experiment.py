"""One experiment, frozen: everything that a result depends on."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from fairlab.classifiers.recipe import PAPER, Recipe
from fairlab.core.errors import UserError
from fairlab.data.attributes import check_attribute
from fairlab.methods import LatentPairs, Method, describe
from fairlab.workspace.generator import GeneratorSettings
from fairlab.workspace.source import SourceSettings

#: Attributes of the default experiment: plainly drawn, associated, neither trivial nor hopeless.
DEFAULT_TARGET, DEFAULT_PROTECTED = "Eyeglasses", "Male"


@dataclass(frozen=True)
class Experiment:
    """All settings of one run: a baseline against one method, on one target."""

    source: SourceSettings = field(default_factory=SourceSettings)
    target: str = DEFAULT_TARGET  # the attribute to classify
    protected: str = DEFAULT_PROTECTED  # the one whose influence is to be removed
    also_protected: tuple[str, ...] = ()  # further ones
    recipe: Recipe = PAPER  # of every classifier
    generator: GeneratorSettings = field(default_factory=GeneratorSettings)
    method: Method = field(default_factory=LatentPairs)  # stands beside the baseline
    pairs: LatentPairs = field(default_factory=LatentPairs)  # shown where the method makes none
    seed: int = 0  # of data, generator and latents; training seed `k` is ``seed + k``
    seeds: int = 1  # how many times both classifiers are trained
    n_resamples: int = 1_000  # bootstrap resamples of the evaluation set
    trial: bool = False  # asks only whether everything runs: classifiers that learnt nothing are used, too

    def __post_init__(self) -> None:
        self.generator.check_size(self.source.image_size)
        if self.source.is_drawn:
            for attribute in self.attributes:
                check_attribute(attribute)
        if self.target == self.protected:
            raise UserError(
                f"Target and protected attribute are both '{self.target}'; choose two different ones."
            )
        if twice := [name for name in self.attributes if self.attributes.count(name) > 1]:
            raise UserError(f"The attribute '{twice[0]}' is named more than once; name each of them once.")
        if self.n_resamples < 24:
            raise UserError(f"n_resamples is {self.n_resamples}; at least 24 are needed.")
        if self.seed < 0:
            raise UserError(f"The seed is {self.seed}; it must not be negative.")
        if self.seeds < 1:
            raise UserError(f"--seeds is {self.seeds}; at least one training seed is needed.")

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the target and of every protected attribute."""
        return (self.target, self.protected, *self.also_protected)

    @property
    def makes_pairs(self) -> bool:
        """Whether the method adds partners, so that planes and pairs matter to the result."""
        return isinstance(self.method, LatentPairs) and self.method.use != "z"

    @property
    def shown_pairs(self) -> LatentPairs:
        """The pairs of the method, or those that notebooks show beside it."""
        return self.method if isinstance(self.method, LatentPairs) else self.pairs

    def describe(self) -> dict[str, Any]:
        """Return all settings as JSON values."""
        return dataclasses.asdict(self) | {"method": describe(self.method), "pairs": describe(self.pairs)}

    def identity(self) -> dict[str, Any]:
        """Return the settings that tie a run folder to this experiment.

        Left out are the number of training seeds and of resamples, since a run can be given more of either
        without repeating what is done; whether it is a trial, and paths, since fingerprints stand for what
        comes of them.
        """
        settings = self.describe()
        for name in ("seeds", "n_resamples", "pairs", "trial"):
            del settings[name]
        for group, name in (("source", "root"), ("source", "labels_csv"), ("generator", "file")):
            del settings[group][name]
        for name in ("split", "split_by"):  # older folders do not have them
            if settings["source"][name] is None:
                del settings["source"][name]
        return settings
