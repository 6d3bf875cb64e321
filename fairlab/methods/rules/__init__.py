"""Rules: how scores become decisions. One is fitted on validation images and goes with every method."""

from fairlab.methods.rules.base import Calibrated, Decision, OneHalf, Rule
from fairlab.methods.rules.class_scaling import ClassScaling, scale_classes
from fairlab.methods.rules.group_thresholds import GroupThresholds

#: Every rule by its name, in the order of tables.
RULES: dict[str, Rule] = {
    rule.name: rule for rule in (Calibrated(), OneHalf(), ClassScaling(), GroupThresholds())
}

__all__ = [
    "RULES", "Calibrated", "ClassScaling", "Decision", "GroupThresholds", "OneHalf", "Rule",
    "scale_classes",
]  # fmt: skip
