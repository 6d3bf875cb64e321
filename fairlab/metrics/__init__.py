"""Fairness metrics as pure functions ``f(y_true, y_pred or y_score, protected)``, with uncertainty.

All arrays have shape (n,); labels are 0 or 1, scores lie in [0, 1], results are fractions (0..1) but for
KL, which is in nats. A metric that the data leave undefined is NaN with an `UndefinedMetricWarning`
that names the group and its count.
"""

from typing import TYPE_CHECKING

from fairlab.core.lazy import lazy_names

if TYPE_CHECKING:
    from fairlab.metrics.groups.auc import auc_by_group
    from fairlab.metrics.groups.classes import (
        class_accuracies,
        class_attention,
        compare_classes,
        most_likely,
        per_class_table,
    )
    from fairlab.metrics.groups.compare_groups import group_differences, group_metrics
    from fairlab.metrics.groups.custom import disaggregate
    from fairlab.metrics.groups.disparities import (
        accuracy_difference,
        balanced_accuracy,
        demographic_parity_difference,
        demographic_parity_ratio,
        equalized_odds_difference,
        expected_calibration_error,
        true_positive_rate_difference,
        worst_group_accuracy,
    )
    from fairlab.metrics.groups.named_groups import Groups
    from fairlab.metrics.groups.reference import against_reference
    from fairlab.metrics.groups.representation import (
        representation,
        shannon_diversity,
        shannon_evenness,
        simpson_diversity,
        simpson_evenness,
    )
    from fairlab.metrics.groups.threshold_scan import group_threshold_curves
    from fairlab.metrics.intervals.jackknife import direction_agreement
    from fairlab.metrics.intervals.multiple_testing import holm, holm_column, paired_p_value
    from fairlab.metrics.leakage.leakage import (
        corrupted_dataset_leakage,
        dataset_leakage,
        leakage_amplification,
        leakage_table,
        model_leakage,
    )
    from fairlab.metrics.leakage.permutation import leakage_p_value
    from fairlab.metrics.metric_frame import GroupFrame, from_metric_frame, to_metric_frame
    from fairlab.metrics.scorers import make_fairness_scorer
    from fairlab.metrics.thresholds import Calibration, best_f1_threshold, calibrate, calibrated_threshold
    from fairlab.metrics.tidy import format_comparison
    from fairlab.metrics.two_groups.association import phi_coefficients
    from fairlab.metrics.two_groups.compare import bootstrap, compare
    from fairlab.metrics.two_groups.compare_attributes import compare_attributes
    from fairlab.metrics.two_groups.counterfactual import compare_counterfactuals, counterfactual_flip_rate
    from fairlab.metrics.two_groups.divergence import ScoreKL, score_kl
    from fairlab.metrics.two_groups.fairness import (
        average_precision,
        bias_amplification,
        equal_opportunity_difference,
        group_balanced_average_precision,
    )
    from fairlab.metrics.two_groups.operating_points import at_threshold, threshold_curves
    from fairlab.metrics.validation import UndefinedMetricWarning

__all__ = [
    "Calibration", "GroupFrame", "Groups", "ScoreKL", "UndefinedMetricWarning", "accuracy_difference",
    "against_reference", "at_threshold", "auc_by_group", "average_precision", "balanced_accuracy",
    "best_f1_threshold", "bias_amplification", "bootstrap", "calibrate", "calibrated_threshold",
    "class_accuracies", "class_attention", "compare", "compare_attributes", "compare_classes",
    "compare_counterfactuals", "corrupted_dataset_leakage", "counterfactual_flip_rate",
    "dataset_leakage", "demographic_parity_difference", "demographic_parity_ratio",
    "direction_agreement", "disaggregate", "equal_opportunity_difference", "equalized_odds_difference",
    "expected_calibration_error", "format_comparison", "from_metric_frame",
    "group_balanced_average_precision", "group_differences", "group_metrics", "group_threshold_curves",
    "holm", "holm_column", "leakage_amplification", "leakage_p_value", "leakage_table",
    "make_fairness_scorer", "model_leakage", "most_likely", "paired_p_value", "per_class_table",
    "phi_coefficients", "representation", "score_kl", "shannon_diversity", "shannon_evenness",
    "simpson_diversity", "simpson_evenness", "threshold_curves", "to_metric_frame",
    "true_positive_rate_difference", "worst_group_accuracy",
]  # fmt: skip

__getattr__, __dir__ = lazy_names(__name__, __file__)
