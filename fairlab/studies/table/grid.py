"""Grid of runs: many targets and methods against one protected attribute.

Every cell is a `Run` in its usual folder. Runs share images, generator, latents, classifiers trained on real
images, and labels, so each is made once; what is finished is never made again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fairlab.core.errors import UserError, nearest_names
from fairlab.data import SPLITS
from fairlab.data.attributes import REPORTED, check_attribute
from fairlab.data.groups import require_groups
from fairlab.experiments.experiment import Experiment
from fairlab.experiments.presets import OF_SOURCE, home_folder, preset
from fairlab.experiments.run import Run, workspace_of
from fairlab.methods import ERM, METHODS, LatentPairs
from fairlab.methods.settings import read_method, settings_of
from fairlab.workspace.source import Labelled

#: The paper's method and its ablations: four partner points and either half.
ABLATIONS = (
    "latent_pairs:partner=mirrored",
    "latent_pairs:partner=on_hyperplane",
    "latent_pairs:partner=perpendicular",
    "latent_pairs:partner=perpendicular_on_hyperplane",
    "latent_pairs:partner=mirrored,use=z",
    "latent_pairs:partner=mirrored,use=z_prime",
)
#: What a gain is to be compared with: as many extra images as the pairs have, from elsewhere.
CONTROLS = ("unpaired_faces", "added_oversampling", "unbiased_faces")

#: Eight targets of all three reporting groups, named before any of them was measured with controls.
EVIDENCE = (
    "Big_Nose", "Wavy_Hair", "Arched_Eyebrows", "Young",
    "Bags_Under_Eyes", "Blond_Hair", "Eyeglasses", "Smiling",
)  # fmt: skip

#: Settings of methods unless told otherwise: one network labels for all targets.
USUAL = {"multi_label": "true"}


@dataclass(frozen=True)
class Grid:
    """Targets times methods, against one protected attribute.

    Attributes
    ----------
    preset : str
        See `fairlab.experiments.presets.preset`.
    home : Path
        Where data, classifiers and runs live.
    targets, methods : tuple of str
        Attributes to classify, and texts of `fairlab.methods.settings.read_method`.
    changes : dict
        Settings of `fairlab.experiments.presets.preset` that all runs share, as far as a method has them.
    device : str or None
        Torch device of all runs.
    """

    preset: str
    home: Path
    targets: tuple[str, ...]
    methods: tuple[str, ...]
    changes: dict[str, Any] = field(default_factory=dict)
    device: str | None = None

    def settings(self, target: str, method: str) -> dict[str, Any]:
        """Return the settings of one cell: those of methods only where the method has them."""
        own, of_methods = settings_of(read_method(method, {})), self.method_settings
        shared = {k: v for k, v in self.changes.items() if k in own or k not in of_methods}
        return shared | {"target": target, "method": method}

    @property
    def method_settings(self) -> dict[str, Any]:
        """The changes that are fields of methods."""
        known = {field for method in METHODS.values() for field in settings_of(method())}
        return {name: value for name, value in self.changes.items() if name in known}

    def experiment_of(self, target: str, method: str) -> Experiment:
        """Return the settings of one cell's run."""
        return preset(self.preset, **self.settings(target, method))

    def run(self, target: str, method: str) -> Run:
        """Return the run of one cell, in the folder that ``fairlab run`` uses for it."""
        return Run.of_preset(self.preset, self.home, device=self.device, **self.settings(target, method))

    @cached_property
    def first(self) -> Run:
        """The run of the first cell: what all have in common is its."""
        return self.run(self.targets[0], self.methods[0])

    @property
    def experiment(self) -> Experiment:
        """The settings of the first cell."""
        return self.first.experiment

    @property
    def seeds(self) -> range:
        """Training seeds, counted from 0."""
        return range(self.experiment.seeds)

    @property
    def reference(self) -> str:
        """What methods are compared with beside the baseline: over-sampling if it is there, or the first."""
        return "oversampling" if "oversampling" in self.methods else self.methods[0]

    @property
    def groups(self) -> tuple[str, str]:
        """Names of the two groups of the first protected attribute."""
        return f"not {self.experiment.protected}", self.experiment.protected

    def cells(self) -> Iterator[tuple[str, str]]:
        """Yield every target with every method."""
        return ((target, method) for target in self.targets for method in self.methods)

    @property
    def n_trainings(self) -> int:
        """Number of classifiers trained for the targets."""
        return len(self.targets) * (1 + len(self.methods)) * len(self.seeds)


def choose_targets(named: Sequence[str], experiment: Experiment, home: Path) -> tuple[str, ...]:
    """Return the attributes meant by names and by "all" or "evidence"; print which ones are left out.

    Parameters
    ----------
    named : sequence of str
        "all": the paper's 26 targets, or of a source with other attributes every one of them; "evidence":
        `EVIDENCE`. Of both, protected attributes and those with an empty group are left out. Else attributes.
    experiment : Experiment
        Names source and protected attributes.
    home : Path
        Where prepared images live; they are prepared when missing.

    Raises
    ------
    UserError
        If a name is no attribute, a protected one, or has a group without positives or negatives.
    """
    work, protected = workspace_of(experiment, home), experiment.attributes[1:]
    source = work.source
    known = set(REPORTED) <= set(source.attributes)
    sets = {"all": REPORTED if known else source.attributes, "evidence": EVIDENCE}
    for name in named:  # before the images are decoded, which takes long
        check_attribute(name, (*sets, *source.attributes), source.left_out)
    labelled = work.labelled
    for target in (name for name in named if name not in sets):
        _require_groups(labelled, target, protected)
    meant = dict.fromkeys(target for name in named for target in sets.get(name, (name,)))
    of_others = [target for target in meant if target not in protected]
    chosen = tuple(target for target in of_others if _usable(labelled, target, protected))
    if not chosen:
        raise UserError("No target is left; name attributes whose groups all have positives and negatives.")
    return chosen


def _usable(labelled: Labelled, target: str, protected: Sequence[str]) -> bool:
    """Whether no group of the target is empty; print why not."""
    try:
        _require_groups(labelled, target, protected)
    except UserError as error:
        print(f"{target} is left out: {error}")
        return False
    return True


def _require_groups(labelled: Labelled, target: str, protected: Sequence[str]) -> None:
    for attribute in protected:
        require_groups(labelled.labels, labelled.split, target, attribute, SPLITS)


def choose_methods(named: Sequence[str] | None, data: str) -> tuple[str, ...]:
    """Return the methods meant by names, by "all", "ablations" (the paper's) or "controls".

    Raises
    ------
    UserError
        If there is no such method or setting.
    """
    fitting = [name for name in CONTROLS if data == "synthfaces" or name != "unbiased_faces"]
    usable = [name for name in METHODS if name in fitting or name not in CONTROLS]
    sets: dict[str, Sequence[str]] = {
        "all": usable, "ablations": ABLATIONS, "controls": (LatentPairs.name, *fitting),
    }  # fmt: skip
    wanted = [text for name in named or (LatentPairs.name,) for text in sets.get(name, (name,))]
    for text in wanted:
        name = text.partition(":")[0]
        if name not in METHODS:
            raise UserError(f"There is no method '{name}'; {nearest_names(name, (*sets, *METHODS))}")
        read_method(text, {})
    return tuple(dict.fromkeys(text for text in wanted if text != ERM.name))  # that is the baseline


def open_grid(
    *,
    preset_name: str,
    targets: Sequence[str],
    methods: Sequence[str] | None,
    home: Path | None,
    device: str | None,
    **changes: Any,
) -> Grid:
    """Return the grid of named targets and methods; see `choose_targets` and `choose_methods`."""
    place, given = home_folder(home), {key: value for key, value in changes.items() if value is not None}
    chosen = choose_methods(methods, given.get("data", "synthfaces"))
    if not chosen:
        raise UserError("No method is left beside the baseline, erm; name another.")
    stand_in = _stand_in(preset_name, given)
    grid = Grid(preset_name, place, (stand_in,), chosen, given, device)
    for name, value in grid.method_settings.items():
        if value != USUAL.get(name) and not any(name in settings_of(read_method(m, {})) for m in chosen):
            raise UserError(
                f"None of the methods has a setting '{name}'; name one that has, or leave it out."
            )
    for method in chosen:  # what does not go with a setting is refused before anything is made
        experiment = grid.experiment_of(stand_in, method)
        experiment.method.check(workspace_of(experiment, place, device))
    return replace(grid, targets=choose_targets(targets, experiment, place))


def _stand_in(preset_name: str, given: dict[str, Any]) -> str:
    """Return an attribute that stands for any target: of the source, and not a protected one."""
    named = given.get("protected"), *given.get("also_protected", ())
    usual = next(name for name in REPORTED if name not in named)
    experiment = preset(preset_name, **{k: v for k, v in given.items() if k in OF_SOURCE}, target=usual)
    if experiment.source.is_drawn:
        return usual
    source = experiment.source.open(usual, experiment.protected, experiment.seed)
    known = source.attributes
    return next((name for name in (usual, *known) if name in known and name not in named), usual)
