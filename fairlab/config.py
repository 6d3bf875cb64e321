"""One experiment, frozen, and the presets that fill it in.

Everything a result depends on is a field of `Experiment`; nothing is read from anywhere else.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlab.attributes import check_attribute
from fairlab.classifiers.recipe import PAPER, Recipe
from fairlab.data.sources import SOURCES
from fairlab.errors import UserError, nearest_names
from fairlab.generators.recipe import GANRecipe
from fairlab.latent import VARIANTS

#: Attributes of the default experiment: plainly drawn, associated, neither trivial nor hopeless.
DEFAULT_TARGET, DEFAULT_PROTECTED = "Eyeglasses", "Male"

#: Classifiers trained from scratch at 64 pixels: in seconds, in minutes on two cores, with more care.
SMOKE_CLASSIFIER = Recipe(
    backbone="resnet10",
    width=16,
    epochs=2,
    batch_size=64,
    resize=32,
    crop=32,
    padding=2,
    schedule="one_cycle",
)
QUICK_CLASSIFIER = Recipe(backbone="resnet10", width=32, epochs=5, learning_rate=3e-3, schedule="one_cycle")
PHOTO_CLASSIFIER = dataclasses.replace(QUICK_CLASSIFIER, epochs=20)
FULL_CLASSIFIER = Recipe(backbone="resnet18", epochs=15, schedule="one_cycle")

#: Generators: some hours on two cores, a first look in a quarter of an hour, and one that only shows that
#: training runs.
DEFAULT_GAN = GANRecipe(decay_images=250_000, ema_images=10_000)
QUICK_GAN = GANRecipe(
    fade_images=(0, 3_000, 4_000, 8_000, 8_000),
    stable_images=(1_500, 4_000, 15_000, 30_000, 20_000),
)
SMOKE_GAN = GANRecipe(
    channels=(16, 16, 8, 8),
    fade_images=(0, 200, 200, 200),
    stable_images=(200, 200, 200, 400),
    batch_sizes=(16,) * 4,
    ema_images=200,
)

#: A folder that holds this file is the project's.
_MARK_OF_PROJECT = Path("notebooks", "00_biased_faces.ipynb")

#: One half of the pairs alone, as the paper's ablations have it (with its own, mirrored partner).
HALVES = ("z_only", "z_prime_only")
#: The paper's ablations: four partner points and either half.
ABLATIONS = ("paired", "on_hyperplane", "perpendicular", "perpendicular_on_hyperplane", *HALVES)
#: What a gain is to be compared with: as many extra images as the pairs have, from elsewhere.
CONTROLS = ("unpaired", "oversampling", "unbiased_faces")
#: Everything that step 6 can add to the real images.
ADDITIONS = (*VARIANTS, *HALVES, *CONTROLS)

LABELLERS = ("per_attribute", "multi_label")
TARGET_PLANES = ("one", "by_group")

_NOT_IDENTITY = ("seeds", "n_resamples", "data_root", "table", "generator")


@dataclass(frozen=True)
class Experiment:
    """All settings of one run of the method.

    Attributes
    ----------
    data : str
        Source: "synthfaces", "celeba" or "folder".
    target, protected : str
        The attribute to classify, and the one whose influence is to be removed.
    data_root : str or None
        Folder of the source's files; None for SynthFaces.
    table : str or None
        CSV of a "folder" source; None means the only CSV in the root.
    image_size : int
        Side of the stored square images, in pixels.
    synthfaces_counts : tuple of int
        Faces drawn for train, valid and test.
    synthfaces_association : float or None
        The bias dial: phi between target and protected; None keeps CelebA's.
    classifier : Recipe
        Recipe of every classifier (steps 1 and 6).
    generated_epochs : int
        Epochs of step 6, over real and generated images together.
    gan : GANRecipe
        Recipe of a generator trained here.
    train_gan : bool
        Whether to train a generator even where a shipped one fits.
    generator : str or None
        File of a generator to use instead: one saved by FairLab (.safetensors), or a checkpoint of
        pytorch_GAN_zoo's progressive GAN.
    n_fit, n_held_out, n_pairs : int
        Latents to fit the hyperplanes on, to test them on, and to build partners for.
    variant : str
        What step 6 adds to the real images: every z and the partner of that name, see
        `fairlab.latent.partner` (the presets but "paper" take the one that was measured to keep and flip
        most often); "z_only" or "z_prime_only", one half of the pairs; or a control with as many images as
        the pairs: see `fairlab.training_sets`.
    labeller : {"per_attribute", "multi_label"}
        Who labels generated images: the target's and the protected attribute's own classifiers (the paper),
        or one network for all attributes, which serves every target and training seed.
    also_protected : tuple of str
        Further protected attributes: partners then flip every combination of them.
    target_planes : {"one", "by_group"}
        One hyperplane for the target, or one fitted within each protected group.
    positive_share : float or None
        Fit hyperplanes to a subset of the latents of which this share, 0..1, is positive; None takes all.
    n_inverted : int
        Real training images whose counterparts are added, instead of pairs of random latents; 0 for none.
    seed : int
        Seed of data, generator and latents; training seed `k` is ``seed + k``.
    seeds : int
        How many times both classifiers are trained.
    n_resamples : int
        Bootstrap resamples of the evaluation set.
    """

    data: str = "synthfaces"
    target: str = DEFAULT_TARGET
    protected: str = DEFAULT_PROTECTED
    data_root: str | None = None
    table: str | None = None
    image_size: int = 64
    synthfaces_counts: tuple[int, int, int] = (162_770, 19_867, 19_962)
    synthfaces_association: float | None = None
    classifier: Recipe = PAPER
    generated_epochs: int = 20
    gan: GANRecipe = DEFAULT_GAN
    train_gan: bool = False
    generator: str | None = None
    n_fit: int = 10_000
    n_held_out: int = 5_000
    n_pairs: int = 160_000
    variant: str = "paired"
    labeller: str = "per_attribute"
    also_protected: tuple[str, ...] = ()
    target_planes: str = "one"
    positive_share: float | None = None
    n_inverted: int = 0
    seed: int = 0
    seeds: int = 1
    n_resamples: int = 1_000

    def __post_init__(self) -> None:
        self._check_source()
        self._check_attributes()
        self._check_method()
        for name in ("n_fit", "n_held_out", "n_pairs", "n_resamples"):
            if getattr(self, name) < 24:
                raise UserError(f"{name} is {getattr(self, name)}; at least 24 are needed.")
        if self.seed < 0:
            raise UserError(f"The seed is {self.seed}; it must not be negative.")
        if self.seeds < 1:
            raise UserError(f"--seeds is {self.seeds}; at least one training seed is needed.")

    def _check_source(self) -> None:
        _check_name("data source", self.data, SOURCES)
        if self.data != "synthfaces" and self.data_root is None:
            raise UserError(f"The source '{self.data}' needs a folder; name it with --data-root DIR.")
        if self.data == "synthfaces" and self.image_size not in (32, 64, 128):
            raise UserError(f"SynthFaces are drawn at 32, 64 or 128 pixels, not {self.image_size}.")
        if self.image_size < 16 or self.image_size % self.gan.resolution:
            raise UserError(
                f"Images of {self.image_size} pixels do not fit a generator of {self.gan.resolution}; "
                f"choose an --image-size that is a multiple of {self.gan.resolution}."
            )
        if self.generator is not None and self.train_gan:
            raise UserError("Both --generator and --train-gan were given; choose one of them.")

    def _check_attributes(self) -> None:
        if self.data == "synthfaces":
            for attribute in self.attributes:
                check_attribute(attribute)
        if self.target == self.protected:
            raise UserError(
                f"Target and protected attribute are both '{self.target}'; choose two different ones."
            )
        if twice := [name for name in self.attributes if self.attributes.count(name) > 1]:
            raise UserError(f"The attribute '{twice[0]}' is named more than once; name each of them once.")

    def _check_method(self) -> None:
        _check_name("variant", self.variant, ADDITIONS)
        _check_name("labeller", self.labeller, LABELLERS)
        _check_name("kind of target planes", self.target_planes, TARGET_PLANES)
        if self.variant == "unbiased_faces" and self.data != "synthfaces":
            raise UserError("Unbiased faces must be drawn, by --data synthfaces; choose another variant.")
        if self.positive_share is not None and not 0 < self.positive_share < 1:
            raise UserError(f"The share of positives is {self.positive_share}; it must lie between 0 and 1.")
        if self.n_inverted and self.n_inverted < 24:
            raise UserError(f"--inverted is {self.n_inverted}; invert at least 24 images, or none.")
        if self.also_protected and self.target_planes == "by_group":
            raise UserError(
                "Target planes by group need one protected attribute; name one, or leave --target-planes out."
            )

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the target and of every protected attribute."""
        return (self.target, self.protected, *self.also_protected)

    @property
    def n_partners(self) -> int:
        """Number of partners built for one training seed: one for each combination of flips."""
        combinations = 2 ** (1 + len(self.also_protected)) - 1
        return (self.n_inverted or self.n_pairs) * combinations if self.has_partners else 0

    @property
    def n_added(self) -> int:
        """Number of images that step 6 adds to the real ones."""
        if self.variant in CONTROLS:
            return 2 * self.n_pairs
        z_is_added = self.variant != "z_prime_only" and not self.n_inverted
        return self.n_partners + self.n_pairs * z_is_added

    @property
    def has_partners(self) -> bool:
        """Whether step 6 adds partners, so that planes and pairs matter to the result."""
        return self.variant in (*VARIANTS, "z_prime_only")

    @property
    def has_generated(self) -> bool:
        """Whether step 6 adds generated images."""
        return self.variant not in ("oversampling", "unbiased_faces")

    @property
    def partner_variant(self) -> str:
        """Which partner point is meant, by a half of the pairs or beside a control: the paper's."""
        return self.variant if self.variant in VARIANTS else "paired"

    @property
    def n_latents(self) -> int:
        """Number of latents sampled in all."""
        return self.n_fit + self.n_held_out + self.n_pairs

    def identity(self) -> dict[str, Any]:
        """Return the settings that tie a run folder to this experiment.

        Left out are the number of training seeds and of resamples, since a run can be given more of either
        without repeating what is done, and paths, since fingerprints stand for their content.
        """
        settings = dataclasses.asdict(self)
        return {name: value for name, value in settings.items() if name not in _NOT_IDENTITY}


#: What each preset sets; a preset's entry for a source overrides its general one.
PRESETS: dict[str, dict[str, Any]] = {
    "smoke": {
        "variant": "just_across",
        "synthfaces_counts": (3_000, 1_000, 1_500),
        "classifier": SMOKE_CLASSIFIER,
        "generated_epochs": 1,
        "gan": SMOKE_GAN,
        "n_fit": 600,
        "n_held_out": 300,
        "n_pairs": 600,
        "n_resamples": 200,
    },
    "quick": {
        "variant": "just_across",
        "synthfaces_counts": (16_000, 3_000, 20_000),
        "classifier": QUICK_CLASSIFIER,
        "generated_epochs": 3,
        "gan": QUICK_GAN,
        "n_fit": 10_000,
        "n_held_out": 2_000,
        "n_pairs": 6_000,
        "seeds": 3,
    },
    "full": {
        "variant": "just_across",
        "synthfaces_counts": (60_000, 10_000, 20_000),
        "classifier": FULL_CLASSIFIER,
        "generated_epochs": 10,
        "gan": DEFAULT_GAN,
        "n_fit": 10_000,
        "n_held_out": 5_000,
        "n_pairs": 30_000,
        "seeds": 3,
    },
    "paper": {"gan": GANRecipe.paper(), "image_size": 128},
}

#: Photographs are harder than drawings: the quick preset gives them more epochs, and one seed.
REAL_IMAGES: dict[str, dict[str, Any]] = {
    "quick": {"classifier": PHOTO_CLASSIFIER, "generated_epochs": 8, "n_pairs": 8_000, "seeds": 1},
}


def preset(name: str, **changes: Any) -> Experiment:
    """Return the experiment of a named preset, with some fields changed.

    Parameters
    ----------
    name : {"smoke", "quick", "full", "paper"}
        smoke: does it run (under a minute); quick: a result in minutes on two cores; full: a careful
        result on a workstation; paper: the published constants (wants a GPU).
    **changes
        Fields of `Experiment` to replace; None keeps the preset's value.

    Raises
    ------
    UserError
        If there is no such preset, or a field's value makes no sense.
    """
    if name not in PRESETS:
        raise UserError(f"There is no preset '{name}'; {nearest_names(name, PRESETS)}")
    given = {key: value for key, value in changes.items() if value is not None}
    real = REAL_IMAGES.get(name, {}) if given.get("data", "synthfaces") != "synthfaces" else {}
    return Experiment(**{**PRESETS[name], **real, **given})


def _check_name(kind: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise UserError(f"There is no {kind} '{name}'; {nearest_names(name, known)}")


def default_name(experiment: Experiment, preset_name: str) -> str:
    """Return the run folder's name: source, preset, attributes, and what was changed from the preset."""
    e = experiment
    plain = preset(preset_name, data=e.data, data_root=e.data_root)
    changed = [f"{e.image_size}px"] if e.image_size != plain.image_size else []
    changed += [e.variant] if e.variant != plain.variant else []
    changed += ["multi-label"] if e.labeller != plain.labeller else []
    changed += ["planes-by-group"] if e.target_planes != plain.target_planes else []
    changed += [f"{100 * e.positive_share:g}pc-positive"] if e.positive_share is not None else []
    changed += [f"{e.n_inverted}-inverted"] if e.n_inverted else []
    changed += ["own-gan"] if e.train_gan != plain.train_gan else []
    changed += [Path(e.generator).stem] if e.generator else []
    return "-".join([e.data, preset_name, *e.attributes, *changed])


def home_folder(given: str | os.PathLike[str] | None = None) -> Path:
    """Return where prepared data, generators and runs live: `given`, $FAIRLAB_HOME, or ``data``.

    ``data`` lies in the working folder, or in the project that the working folder is part of: a notebook,
    which runs in ``notebooks``, finds what the command line made one folder above.
    """
    chosen = given or os.environ.get("FAIRLAB_HOME")
    if chosen:
        return Path(chosen)
    projects = (folder for folder in Path.cwd().parents if (folder / _MARK_OF_PROJECT).is_file())
    return next((folder / "data" for folder in projects), Path("data"))
