"""Generators: a progressive GAN, its training and its shipped weights, and a door for other people's models.

Every generator has ``.latent_dim``, ``.resolution`` and maps (n, latent_dim) latents to
(n, 3, resolution, resolution) images in [-1, 1].
"""

from typing import TYPE_CHECKING

from fairlab.core.lazy import lazy_names

if TYPE_CHECKING:
    from fairlab.generators.files import (
        generator_fingerprint,
        load_generator,
        open_generator,
        save_generator,
        shipped_fingerprint,
        shipped_generator,
    )
    from fairlab.generators.gan_zoo import load_gan_zoo
    from fairlab.generators.inversion import Inversion, classifier_features, invert
    from fairlab.generators.progressive import ProgressiveCritic, ProgressiveGenerator
    from fairlab.generators.recipe import GANRecipe
    from fairlab.generators.sampling import (
        Generator,
        ModuleGenerator,
        generate,
        interpolate,
        sample_latents,
        to_uint8,
    )
    from fairlab.generators.training import CHECKPOINT, export_snapshot, train_gan

__all__ = [
    "CHECKPOINT", "GANRecipe", "Generator", "Inversion", "ModuleGenerator", "ProgressiveCritic",
    "ProgressiveGenerator", "classifier_features", "export_snapshot", "generate", "generator_fingerprint",
    "interpolate", "invert", "load_gan_zoo", "load_generator", "open_generator", "sample_latents",
    "save_generator", "shipped_fingerprint", "shipped_generator", "to_uint8", "train_gan",
]  # fmt: skip

__getattr__, __dir__ = lazy_names(__name__, __file__)
