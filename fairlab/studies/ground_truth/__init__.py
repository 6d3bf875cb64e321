"""What only drawn faces can tell: whether pairs, planes and classifiers do what they claim."""

from fairlab.studies.ground_truth.counterfactuals import counterfactual_faces, counterfactual_flips
from fairlab.studies.ground_truth.directions import direction_cosines
from fairlab.studies.ground_truth.effects import direction_effects
from fairlab.studies.ground_truth.fidelity import (
    attribute_fidelity,
    changed_counts,
    nuisance_fidelity,
    partner_fidelity,
)
from fairlab.studies.ground_truth.label_noise import label_noise
from fairlab.studies.ground_truth.linearity import plane_against_nonlinear

__all__ = [
    "attribute_fidelity",
    "changed_counts",
    "counterfactual_faces",
    "counterfactual_flips",
    "direction_cosines",
    "direction_effects",
    "label_noise",
    "nuisance_fidelity",
    "partner_fidelity",
    "plane_against_nonlinear",
]
