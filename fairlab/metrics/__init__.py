"""Fairness metrics as pure functions ``f(y_true, y_pred or y_score, protected)``, with uncertainty.

All arrays have shape (n,); labels are 0 or 1, scores lie in [0, 1], results are fractions (0..1) but for
KL, which is in nats. A metric that the data leave undefined is NaN with an `UndefinedMetricWarning`
that names the group and its count.
"""

from fairlab.metrics.association import phi_coefficients
from fairlab.metrics.divergence import ScoreKL, score_kl
from fairlab.metrics.fairness import (
    average_precision,
    bias_amplification,
    equal_opportunity_difference,
    group_balanced_average_precision,
)
from fairlab.metrics.inputs import UndefinedMetricWarning
from fairlab.metrics.operating_points import at_threshold, threshold_curves
from fairlab.metrics.many import compare_attributes
from fairlab.metrics.tables import format_comparison
from fairlab.metrics.thresholds import best_f1_threshold, calibrated_threshold
from fairlab.metrics.uncertainty import bootstrap, compare

__all__ = [
    "ScoreKL",
    "UndefinedMetricWarning",
    "at_threshold",
    "average_precision",
    "best_f1_threshold",
    "bias_amplification",
    "bootstrap",
    "calibrated_threshold",
    "compare",
    "compare_attributes",
    "equal_opportunity_difference",
    "format_comparison",
    "group_balanced_average_precision",
    "phi_coefficients",
    "score_kl",
    "threshold_curves",
]
