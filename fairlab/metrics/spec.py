"""Specifications of metrics: everything that tables, figures and pages must know of each.

Adding a metric takes a formula in `fairlab.metrics.formulas` and one entry here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from fairlab.core.estimate import NATS, PERCENT, PLAIN, Unit
from fairlab.metrics import formulas


@dataclass(frozen=True)
class MetricSpec:
    """One metric of a classifier and two groups; `function` takes `formulas.Counted`."""

    name: str  #: in the column "metric" of tables
    function: Callable[..., np.ndarray]
    label: str  #: for readers
    meaning: str  #: for readers: what it is, as a clause that follows a colon
    best: Literal["high", "low", "zero", "one"]
    about: Literal["fairness", "accuracy"] = "fairness"
    #: Kinds of images without which it is undefined; ``{0}`` and ``{1}`` stand for the groups' names.
    needs: tuple[str, ...] = ("images",)
    limits: tuple[float, float] = (0.0, 1.0)  #: ends of its range
    unit: Unit = PERCENT
    at_threshold: bool = False  #: whether it depends on who is predicted positive, and on nothing else
    biased: bool = False  #: whether few images move it away from the best; its interval is then mirrored
    #: Of the absolute difference of two groups' shares the signed one.
    signed: Callable[..., np.ndarray] | None = None
    #: The share that it is, or the two of which it is the difference, with their numbers: (..., 1 or 2) each.
    shares: Callable[..., tuple[np.ndarray, np.ndarray]] | None = None
    group: int | None = None  #: the group of which it is measured; None: of all images
    headline: bool = True  #: whether tables that compare methods show it

    @property
    def measured(self) -> Callable[..., np.ndarray]:
        """What is measured on resamples: the signed difference where there is one."""
        return self.signed or self.function


@dataclass(frozen=True)
class RateSpec(MetricSpec):
    """A metric of one group; `function` takes `formulas.ClassCounts`, `needs` is what it is a share of."""

    of: Literal["classes", "labels", "scores"] = "classes"  #: what it can be measured of; labels are 0/1
    #: Of a share: the number or weight of images that it is a share of, (..., groups).
    base: Callable[[formulas.ClassCounts], np.ndarray] | None = None

    def applies(self, counts: formulas.ClassCounts) -> bool:
        """Return whether the counts hold what it is measured of."""
        return {"classes": True, "labels": counts.binary, "scores": counts.gaps is not None}[self.of]


@dataclass(frozen=True)
class DisparitySpec(MetricSpec):
    """What sets groups apart; `function` takes the rates it compares, each (..., groups)."""

    compares: tuple[str, ...] = ()
    picks: Literal["gap", "lowest", "ratio"] = "gap"  #: what is picked among the groups


def _by_name(*specs: Any) -> dict[str, Any]:
    return {spec.name: spec for spec in specs}


_POSITIVES = ("positives in {0}", "positives in {1}")
_CELLS = (*_POSITIVES, "negatives in {0}", "negatives in {1}")

#: Metrics of a classifier and two groups, in the order of tables.
METRICS: dict[str, MetricSpec] = _by_name(
    MetricSpec(
        "AP",
        formulas.average_precision,
        "Average precision (AP)",
        "how well scores rank by the target label; 100 is best",
        best="high",
        about="accuracy",
        needs=("positives", "negatives"),
    ),
    MetricSpec(
        "AP_balanced",
        formulas.group_balanced_average_precision,
        "AP, groups weighted equally",
        "average precision with each label and group counting the same; 100 is best",
        best="high",
        about="accuracy",
        needs=_CELLS,
        headline=False,
    ),
    MetricSpec(
        "DEO",
        formulas.equal_opportunity_gap,
        "Gap in missed faces (DEO)",
        "how far apart the two groups' false negative rates are; 0 is fair, and chance alone puts it above 0",
        best="zero",
        needs=_POSITIVES,
        at_threshold=True,
        signed=formulas.signed_opportunity_gap,
        shares=formulas.missed,
    ),
    MetricSpec(
        "BA",
        formulas.amplification,
        "Bias amplification (BA)",
        "how much more the predictions follow the protected label than the true labels do; 0 is fair",
        best="zero",
        needs=("positives", "negatives", "images in {0}", "images in {1}"),
        limits=(-1.0, 1.0),
        at_threshold=True,
    ),
    MetricSpec(
        "KL",
        formulas.symmetric_divergence,
        "Score divergence (KL)",
        "how differently scores are distributed in the two groups, given the true label; 0 is fair",
        best="zero",
        needs=_CELLS,
        limits=(0.0, np.inf),
        unit=NATS,
        biased=True,
    ),
)


def _share(
    name: str, hits: str, base: str, best: Literal["high", "zero"], label: str, meaning: str
) -> RateSpec:
    """Return the rate that is how many of `base` are `hits`, both names in `formulas.COUNTS`."""
    numerator, denominator = formulas.COUNTS[hits], formulas.COUNTS[base]
    return RateSpec(
        name,
        lambda counts: np.asarray(numerator(counts) / denominator(counts)),
        label,
        meaning,
        best=best,
        needs=(base,),
        of="classes" if name == "accuracy" else "labels",
        base=denominator,
    )


#: Beside them in tables of methods: who is served worst, and whom a change of the gap lifts or pulls down.
CELL_METRICS: dict[str, MetricSpec] = {
    "WGA": MetricSpec(
        "WGA",
        formulas.worst_cell_accuracy,
        "Accuracy in the worst cell (WGA)",
        "the accuracy of the label and group that have the lowest; 100 is best",
        best="high",
        about="accuracy",
        needs=_CELLS,
        at_threshold=True,
        biased=True,
    ),
    **{
        f"TPR of group {group}": MetricSpec(
            "TPR",
            partial(formulas.found_in, group=group),
            "Found (TPR)",
            "the share of the group's positives predicted positive",
            best="high",
            needs=(_POSITIVES[group],),
            at_threshold=True,
            shares=partial(formulas.found_with_number, group=group),
            group=group,
        )
        for group in (0, 1)
    },
}

#: What an attacker's guesses of the protected label are worth, where that label takes the target's place.
LEAKAGE = MetricSpec(
    "leakage",
    formulas.right_of_both,
    "Leakage of the scores",
    "how often the group is guessed right from the score, groups counting the same; 50 is chance",
    best="low",
    needs=("positives", "negatives"),
    at_threshold=True,
)

#: Rates of one group, in the order of tables.
RATES: dict[str, RateSpec] = _by_name(
    _share("accuracy", "images right", "images", "high", "Accuracy", "the share that is right"),
    RateSpec(
        "balanced_accuracy",
        formulas.balanced_accuracy,
        "Accuracy, classes equal",
        "the mean of the shares right of each class",
        best="high",
        needs=("positives", "negatives"),
    ),
    _share(
        "selection_rate",
        "images predicted positive",
        "images",
        "zero",
        "Predicted positive",
        "the share predicted positive",
    ),
    _share(
        "TPR",
        "positives found",
        "positives",
        "high",
        "Found (TPR)",
        "the share of the positives predicted positive",
    ),
    _share(
        "FPR",
        "false alarms",
        "negatives",
        "zero",
        "False alarms (FPR)",
        "the share of the negatives predicted positive",
    ),
    _share(
        "FNR",
        "positives missed",
        "positives",
        "zero",
        "Missed (FNR)",
        "the share of the positives predicted negative",
    ),
    _share(
        "PPV",
        "positives found",
        "images predicted positive",
        "high",
        "Positives right (PPV)",
        "the share of those predicted positive that are",
    ),
    _share(
        "FDR",
        "false alarms",
        "images predicted positive",
        "zero",
        "Positives wrong (FDR)",
        "the share of those predicted positive that are negative",
    ),
    _share(
        "NPV",
        "negatives right",
        "images predicted negative",
        "high",
        "Negatives right (NPV)",
        "the share of those predicted negative that are",
    ),
    _share(
        "FOR",
        "positives missed",
        "images predicted negative",
        "zero",
        "Negatives wrong (FOR)",
        "the share of those predicted negative that are positive",
    ),
    RateSpec(
        "ECE",
        formulas.calibration_error,
        "Calibration error (ECE)",
        "how far scores are from how often they come true",
        best="zero",
        of="scores",
        biased=True,
    ),
)

#: What sets any number of groups apart, in the order of tables.
DISPARITIES: dict[str, DisparitySpec] = _by_name(
    DisparitySpec(
        "demographic_parity_difference",
        formulas.spread,
        "Demographic parity difference",
        "how far apart the groups' shares of predicted positives are",
        best="zero",
        compares=("selection_rate",),
    ),
    DisparitySpec(
        "demographic_parity_ratio",
        formulas.ratio,
        "Demographic parity ratio",
        "the smallest such share over the largest; 1 is even",
        best="one",
        unit=PLAIN,
        compares=("selection_rate",),
        picks="ratio",
    ),
    DisparitySpec(
        "equalized_odds_difference",
        lambda tpr, fpr: np.maximum(formulas.spread(tpr), formulas.spread(fpr)),
        "Equalized odds difference",
        "the larger of the gaps in true and in false positive rates",
        best="zero",
        compares=("TPR", "FPR"),
    ),
    DisparitySpec(
        "equal_opportunity_difference",
        formulas.spread,
        "Equal opportunity difference",
        "how far apart the groups' true positive rates are; for two groups, DEO",
        best="zero",
        compares=("TPR",),
    ),
    DisparitySpec(
        "worst_group_accuracy",
        formulas.lowest,
        "Worst group accuracy",
        "the accuracy in the group that has the lowest",
        best="high",
        compares=("accuracy",),
        picks="lowest",
    ),
    DisparitySpec(
        "accuracy_difference",
        formulas.spread,
        "Accuracy difference",
        "how far apart the groups' accuracies are",
        best="zero",
        compares=("accuracy",),
    ),
)


def unit_of(metric: str) -> Unit:
    """Return the unit of any metric in a table; of those without a specification, per cent."""
    spec = METRICS.get(metric) or RATES.get(metric) or DISPARITIES.get(metric)
    return spec.unit if spec else PERCENT


def reported() -> dict[str, MetricSpec]:
    """Return `METRICS` in the order of reports: what is fair, and then what it costs."""
    return dict(sorted(METRICS.items(), key=lambda item: item[1].about != "fairness"))
