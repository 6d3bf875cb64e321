"""The contract of all methods, and the one trainer.

A method answers at most four questions: what to learn from, which network, which loss, and what is done
after training. `Method` answers all four as plain training does, so a method is only what it changes; its
fields are its settings. To write one, see CONTRIBUTING.md.
"""

from __future__ import annotations

import dataclasses
import math
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fairlab import classifiers  # its networks are imported when one is asked for: methods are named at once
from fairlab.classifiers import Recipe, TrainingSet
from fairlab.core.errors import UserError, nearest_names
from fairlab.core.files import read_json
from fairlab.core.store import Step
from fairlab.workspace.workspace import Workspace

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from fairlab.classifiers import Batch, Classifier
    from fairlab.classifiers.networks import AttributeNetwork

#: Every class of methods that was defined, by name: a card finds its method, wherever that is written. Behind
#: them are those that the package knows, but has not imported yet.
CLASSES: ChainMap[str, type[Method]] = ChainMap()


@dataclass(frozen=True)
class Counts:
    """How many images a training needs, for the plan of a run."""

    trained: int = 0  # images of the training set
    generated: int = 0  # images drawn by the generator, once for all training seeds
    generated_per_seed: int = 0
    annotated: int = 0  # images that annotators beside the baseline are trained on, in an epoch of each
    scored: int = 0  # images that annotators label
    inverted: int = 0  # real images whose latents are sought


@dataclass(frozen=True)
class Method:
    """A way to train a classifier; this one is plain training, on real images.

    Attributes
    ----------
    epochs : int or None
        Passes over the training set. None: as many as show the backbone the number of images that the
        recipe's epochs of the real ones do, so that methods are compared at equal cost.
    """

    name: ClassVar[str] = "method"  # on the command line and in folders
    paper: ClassVar[str] = ""  # where it is from
    #: where the protected label must be known beside selection: "-", "training", "validation" or "test"
    protected_at: ClassVar[str] = "training"
    selection: ClassVar[str] = "group_balanced_average_precision"  # the figure whose best epoch is kept

    epochs: int | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise UserError(f"The method's epochs are {self.epochs}; at least one is needed.")

    def __init_subclass__(cls) -> None:
        if "name" in cls.__dict__:  # else it is what several methods share
            CLASSES[cls.name] = cls

    def require_above_0(self, *names: str) -> None:
        """Refuse settings that are not finite numbers above 0: raise UserError."""
        for name in names:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UserError(f"The method's {name} is {value}; give a finite number above 0.")

    def require_one_of(self, name: str, known: Iterable[str]) -> None:
        """Refuse a setting that is none of the known words: raise UserError."""
        value, known = getattr(self, name), list(known)
        if value not in known:
            raise UserError(f"The method's {name} is '{value}'; {nearest_names(value, known)}")

    def check(self, work: Workspace) -> None:
        """Refuse what cannot go well with these images, before anything is trained: raise UserError."""

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return what to learn from; other methods may be trained for it first."""
        return work.real("train")

    def network(
        self, recipe: Recipe, outputs: tuple[str, ...], work: Workspace | None, seed: int
    ) -> AttributeNetwork:
        """Return the untrained network: images to logits (n, k), at test time, too.

        Adversaries and the like are submodules; what must survive an interruption is a parameter or buffer.
        A part with an attribute ``rate`` learns at that share of the learning rate; a part of which no
        parameter requires a gradient stays in evaluation mode. `work` is for warm starts and constants from
        the data; it is None where weights and buffers are about to be loaded.
        """
        return classifiers.build_network(recipe, len(outputs), seed=seed, imagenet=work is not None)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor | tuple[Tensor, Mapping[str, Tensor]]:
        """Return one scalar for a batch, and perhaps named parts of it for the curves."""
        return classifiers.cross_entropy(network, batch)

    def refit(self, classifier: Classifier, work: Workspace, seed: int) -> Classifier:
        """Return what becomes of the trained classifier; it starts from the best epoch."""
        return classifier

    def counts(self, work: Workspace) -> Counts:
        """Return how many images a training needs, without making any."""
        return Counts(trained=work.source.counts["train"])


def train(
    method: Method,
    work: Workspace,
    seed: int,
    *,
    recipe: Recipe | None = None,
    data: TrainingSet | None = None,
) -> Step:
    """Train a classifier with a method, once for all runs; an interrupted training goes on.

    Parameters
    ----------
    method : Method
    work : Workspace
        Images, the outputs to learn, the usual recipe.
    seed : int
        Training seed, added to the workspace's.
    recipe : Recipe, optional
        Another recipe than the workspace's; its epochs then hold as they are.
    data : TrainingSet, optional
        Another training set than the method's: for loops that train again on what they made.

    Returns
    -------
    Step
        The folder holds what `fairlab.classifiers.fit` writes; open it with `load_classifier`.
    """
    data = data if data is not None else method.training_set(work, seed)
    recipe = schedule(method, work, len(data), recipe, images_before=data.images_before)
    described, seed_of_all = describe(method), work.seed + seed
    valid = work.selecting()
    groups = valid.groups if recipe.selection.startswith("group") else None

    def make(folder: Path) -> None:
        refits = type(method).refit is not Method.refit
        classifier = classifiers.fit(
            folder / "before_refit" if refits else folder,
            data,
            classifiers.Validation(valid.images, valid.labels, groups),
            attributes=work.outputs,
            recipe=recipe,
            seed=seed_of_all,
            network=lambda fresh: method.network(recipe, work.outputs, work if fresh else None, seed_of_all),
            loss=method.loss,
            facts={"method": described},
            device=work.device,
        )
        if refits:
            keep_refitted(folder, method.refit(classifier, work, seed))

    config = {
        "method": described,
        "outputs": list(work.outputs),
        "recipe": dataclasses.asdict(recipe),
        "seed": seed_of_all,
    } | ({"validation": dict(valid.inputs)} if work.halved else {})
    inputs = dict(data.inputs) | ({} if groups is None else {"groups": work.protected[0]})
    learnt = work.outputs[0] if len(work.outputs) == 1 else f"{len(work.outputs)}-attributes"
    name = f"{method.name}-{learnt}-seed{seed_of_all}"
    return work.store("classifiers").shared_step(name, make, config=config, inputs=inputs)


def schedule(
    method: Method, work: Workspace, n_images: int, recipe: Recipe | None = None, *, images_before: int = 0
) -> Recipe:
    """Return the recipe of a training: the epochs and the rule of selection are the method's.

    Unless epochs are set, all trainings behind a classifier show as many images as plain training does.
    """
    if recipe is None:
        recipe, n_real = work.recipe, work.source.counts["train"]
        left = recipe.epochs * n_real - images_before
        recipe = dataclasses.replace(recipe, epochs=method.epochs or max(1, round(left / n_images)))
    return dataclasses.replace(recipe, selection=method.selection)


def describe(method: Method) -> dict[str, Any]:
    """Return a method's name and settings as JSON values, from which `method_from` makes it.

    A setting that a method got later (``metadata={"later": True}``) is left out while it has its default, so
    that classifiers trained before are still found.
    """
    later = {f.name: f.default for f in dataclasses.fields(method) if f.metadata.get("later")}
    return {"name": method.name} | {
        name: describe(value) if isinstance(value, Method) else value
        for name, value in settings_of(method).items()
        if name not in later or value != later[name]
    }


def settings_of(method: Method) -> dict[str, Any]:
    """Return a method's fields by name."""
    return {field.name: getattr(method, field.name) for field in dataclasses.fields(method)}


def keep_refitted(folder: Path, classifier: Classifier) -> None:
    """Write a refitted classifier beside the curve and the card of the training before it."""
    before = folder / "before_refit"
    card = read_json(before / classifiers.CARD_FILE)
    (folder / "curve.jsonl").write_bytes((before / "curve.jsonl").read_bytes())
    facts = {key: card[key] for key in ("seed", "data", "facts", "best_epoch", "images_through_backbone")}
    classifier.save(folder, **facts)


def method_from(description: Mapping[str, Any]) -> Method:
    """Return the method that `describe` described.

    Raises
    ------
    UserError
        If it is not defined here, or has other settings by now.
    """
    values: dict[str, Any] = {
        name: method_from(value) if isinstance(value, Mapping) and "name" in value else value
        for name, value in description.items()
    }
    try:
        return CLASSES[values.pop("name")](**values)
    except (KeyError, TypeError) as error:
        raise UserError(
            f"The method {description} is not known here ({error}); import the module that defines it."
        ) from error


def load_classifier(folder: str | Path, device: str | torch.device | None = None) -> Classifier:
    """Load what `train` trained, whatever its network; arguments as for `Classifier.load`."""
    path = Path(folder) / classifiers.CARD_FILE
    described = read_json(path).get("facts", {}).get("method") if path.exists() else None
    if described is None:  # trained without a method, or not there: the message is `Classifier.load`'s
        return classifiers.Classifier.load(folder, device)
    card, method = read_json(path), method_from(described)
    network = method.network(Recipe.from_dict(card["recipe"]), tuple(card["attributes"]), None, 0)
    return classifiers.Classifier.load(folder, device, network=network)
