"""Ways to train a classifier: a new one is one file here, and one line in `METHODS`."""

from typing import TYPE_CHECKING

from fairlab.core.lazy import LazyMapping, lazy_names
from fairlab.methods.base import CLASSES, Counts, Method, describe, load_classifier, method_from, train

if TYPE_CHECKING:
    from fairlab.methods.crt import CRT
    from fairlab.methods.dfr import DFR
    from fairlab.methods.domain_discriminative import DomainDiscriminative
    from fairlab.methods.domain_independent import DomainIndependent
    from fairlab.methods.erm import ERM
    from fairlab.methods.focal import Focal
    from fairlab.methods.gradient_projection import GradientProjection
    from fairlab.methods.gradient_reversal import GradientReversal
    from fairlab.methods.group_dro import GroupDRO
    from fairlab.methods.jtt import JTT
    from fairlab.methods.latent_pairs import LatentPairs, Pairs, UnpairedFaces
    from fairlab.methods.lisa import LISA
    from fairlab.methods.mixup import MixUp
    from fairlab.methods.oversampling import AddedOversampling, Oversampling
    from fairlab.methods.reweighting import Reweighting
    from fairlab.methods.two_heads import TwoHeads
    from fairlab.methods.unbiased_faces import UnbiasedFaces
    from fairlab.methods.uniform_confusion import UniformConfusion

__all__ = [
    "CRT", "DFR", "ERM", "JTT", "LISA", "METHODS", "AddedOversampling", "Counts",
    "DomainDiscriminative", "DomainIndependent", "Focal", "GradientProjection", "GradientReversal",
    "GroupDRO", "LatentPairs", "Method", "MixUp", "Oversampling", "Pairs", "Reweighting", "TwoHeads",
    "UnbiasedFaces", "UniformConfusion", "UnpairedFaces", "describe", "load_classifier", "method_from",
    "train",
]  # fmt: skip

__getattr__, __dir__ = lazy_names(__name__, __file__)

#: Every method by its name on the command line, in the order of tables; its file is read when asked for.
METHODS: LazyMapping[type[Method]] = LazyMapping(
    __getattr__,
    {
        "erm": "ERM",
        "oversampling": "Oversampling",
        "reweighting": "Reweighting",
        "two_heads": "TwoHeads",
        "domain_discriminative": "DomainDiscriminative",
        "domain_independent": "DomainIndependent",
        "uniform_confusion": "UniformConfusion",
        "gradient_reversal": "GradientReversal",
        "gradient_projection": "GradientProjection",
        "group_dro": "GroupDRO",
        "jtt": "JTT",
        "dfr": "DFR",
        "crt": "CRT",
        "lisa": "LISA",
        "mixup": "MixUp",
        "focal": "Focal",
        "added_oversampling": "AddedOversampling",
        "unbiased_faces": "UnbiasedFaces",
        "unpaired_faces": "UnpairedFaces",
        "latent_pairs": "LatentPairs",
    },
)
CLASSES.maps.append(METHODS)
