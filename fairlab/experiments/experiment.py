"""One experiment, frozen: everything a result depends on is a field of `Experiment`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fairlab.classifiers.recipe import PAPER, Recipe
from fairlab.core.errors import UserError, nearest_names
from fairlab.data.attributes import check_attribute
from fairlab.data.sources import SOURCES
from fairlab.generators.recipe import GANRecipe
from fairlab.latent import VARIANTS
from fairlab.latent.flips import MOST_PROTECTED

#: Attributes of the default experiment: plainly drawn, associated, neither trivial nor hopeless.
DEFAULT_TARGET, DEFAULT_PROTECTED = "Eyeglasses", "Male"

#: The shipped generator's recipe: some hours on two cores.
DEFAULT_GAN = GANRecipe(decay_images=250_000, ema_images=10_000)

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
        the pairs: see `fairlab.methods.controls`.
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
        self._check_extensions()

    def _check_extensions(self) -> None:
        if self.n_inverted and self.n_inverted < 24:
            raise UserError(f"--inverted is {self.n_inverted}; invert at least 24 images, or none.")
        if self.n_inverted and not self.has_partners:
            raise UserError(f"--inverted adds counterparts, and the variant '{self.variant}' has none.")
        if self.also_protected and self.variant in CONTROLS:
            raise UserError(
                f"The control '{self.variant}' stands beside pairs of one protected attribute; name one, or "
                "choose another variant."
            )
        if len(self.attributes) - 1 > MOST_PROTECTED:
            raise UserError(
                f"{len(self.attributes) - 1} protected attributes would need a partner for each combination; "
                f"name at most {MOST_PROTECTED}."
            )
        if self.target_planes == "by_group" and self.also_protected:
            raise UserError(
                "Target planes by group need one protected attribute; name one, or leave --target-planes out."
            )
        if self.target_planes == "by_group" and self.positive_share is not None:
            raise UserError(
                "Target planes by group are fitted to all latents of a group; leave --positive-share or "
                "--target-planes out."
            )
        if self.target_planes == "by_group" and not VARIANTS[self.partner_variant].keeps_target:
            raise UserError(
                f"The variant '{self.variant}' ignores target planes, so they cannot depend on the group; "
                "choose another, or leave --target-planes out."
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


def _check_name(kind: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise UserError(f"There is no {kind} '{name}'; {nearest_names(name, known)}")
