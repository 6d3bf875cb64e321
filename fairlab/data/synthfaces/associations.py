"""The bias dial: set the association of any two attributes, keeping how often each of them occurs.

For a pair (target t, protected a) with prevalences p_t and p_a, a phi correlation fixes the two conditional
prevalences::

    P(t | a)     = p_t + phi * sqrt(p_t (1 - p_t) (1 - p_a) / p_a)
    P(t | not a) = p_t - phi * sqrt(p_t (1 - p_t) p_a / (1 - p_a))

They are reached by moving the target's threshold within each protected group. Traits stay continuous, and
within a protected group the order of the faces by the target's trait stays: whatever else goes with a
strong target trait still does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

import numpy as np
from scipy.special import ndtri

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES, check_attribute
from fairlab.data.synthfaces.copula import natural_traits
from fairlab.data.synthfaces.statistics import MALE, label_statistics

Associations = Mapping[tuple[str, str], float]

# Where there is no closed form, thresholds are found on this many faces; phi is then met to about 0.003.
_CALIBRATION_FACES = 2**18
# A threshold this many standard deviations away stands for certainty.
_FAR = 4.0
# How far from 0 a trait stays when the protected attribute decides the target with certainty.
_CERTAIN = 0.05


def reachable_association(target: str, protected: str) -> tuple[float, float]:
    """Return the lowest and highest phi that two attributes can have with their prevalences.

    Raises
    ------
    UserError
        If a name is unknown, or both are the same.

    Examples
    --------
    >>> low, high = reachable_association("Goatee", "Male")
    >>> round(low, 2), round(high, 2)
    (-0.22, 0.31)
    """
    target, protected = _check_pair((target, protected))
    p, q = (label_statistics().prevalence[ATTRIBUTES.index(name)] for name in (target, protected))
    odds_p, odds_q = p / (1 - p), q / (1 - q)
    low = -math.sqrt(min(odds_p * odds_q, 1 / (odds_p * odds_q)))
    high = math.sqrt(min(odds_p / odds_q, odds_q / odds_p))
    return low, high


@dataclass(frozen=True)
class Shift:
    """Added to the target's trait in each protected group; `share` is the target's prevalence there."""

    target: int
    protected: int
    share: tuple[float, float]  # in the group without the protected attribute, with it
    amount: tuple[float, float]

    def apply(self, traits: np.ndarray) -> None:
        """Move the target's column of `traits` (n, 40), in place."""
        for group in (0, 1):
            rows = (traits[:, self.protected] > 0) == bool(group)
            moved = traits[rows, self.target] + self.amount[group]
            if self.share[group] == 0:
                moved = np.minimum(moved, -_CERTAIN)
            elif self.share[group] == 1:
                moved = np.maximum(moved, _CERTAIN)
            traits[rows, self.target] = moved


def dial_associations(traits: np.ndarray, associations: Associations | None) -> np.ndarray:
    """Return `traits` (n, 40) with the pairs in `associations` set to the phi asked for.

    Raises
    ------
    UserError
        If a name is unknown, a pair is of one attribute only, a phi is out of reach, or pairs conflict.
    """
    dialled = traits.copy()
    for shift in find_shifts(associations):
        shift.apply(dialled)
    return dialled


def find_shifts(associations: Associations | None) -> tuple[Shift, ...]:
    """Return the shifts that give the associations, in the order in which they must be applied."""
    pairs = _order_pairs(check_associations(associations or {}))
    return _calibrate(tuple(pairs.items()))


@lru_cache(maxsize=32)
def _calibrate(pairs: tuple[tuple[tuple[str, str], float], ...]) -> tuple[Shift, ...]:
    shifts: list[Shift] = []
    for (target, protected), phi in pairs:
        t, a = ATTRIBUTES.index(target), ATTRIBUTES.index(protected)
        share = _conditional_shares(t, a, phi)
        amount = _exact_amount(t, share) if a == MALE else _sampled_amount(t, a, share, tuple(shifts))
        shifts.append(Shift(t, a, share, amount))
    return tuple(shifts)


def _exact_amount(target: int, share: tuple[float, float]) -> tuple[float, float]:
    """Return what moves the target's threshold, known in each gender, to the one that gives `share`."""
    quantiles = np.clip(ndtri(share), -_FAR, _FAR)  # infinite where the share is 0 or 1
    without, with_it = label_statistics().thresholds[:, target] + quantiles
    return float(without), float(with_it)


def _sampled_amount(
    target: int, protected: int, share: tuple[float, float], earlier: tuple[Shift, ...]
) -> tuple[float, float]:
    """The same within the groups of another attribute, where the trait is a mixture without closed form."""
    traits = natural_traits(_CALIBRATION_FACES, seed=0, stream="calibration")
    for shift in earlier:
        shift.apply(traits)
    present = traits[:, protected] > 0
    without, with_it = (
        -float(np.quantile(traits[present == bool(group), target], 1 - share[group])) for group in (0, 1)
    )
    return without, with_it


def _conditional_shares(target: int, protected: int, phi: float) -> tuple[float, float]:
    """Return (P(target | not protected), P(target | protected)), exact 0 and 1 at the ends of the reach."""
    p, q = label_statistics().prevalence[[target, protected]]
    spread = phi * math.sqrt(p * (1 - p))
    shares = p - spread * math.sqrt(q / (1 - q)), p + spread * math.sqrt((1 - q) / q)
    without, with_it = (float(np.clip(round(share, 9), 0, 1)) for share in shares)
    return without, with_it


def _check_pair(pair: tuple[str, str]) -> tuple[str, str]:
    if not (isinstance(pair, tuple) and len(pair) == 2):
        raise UserError(f"An association belongs to a pair (target, protected), not to {pair!r}.")
    target, protected = (check_attribute(name) for name in pair)
    if target == protected:
        raise UserError(f"Target and protected attribute are both '{target}'; choose two different ones.")
    return target, protected


def check_associations(associations: Associations) -> dict[tuple[str, str], float]:
    """Check names and reach; a pair whose target is Male is turned round, since phi is symmetric."""
    checked: dict[tuple[str, str], float] = {}
    for pair, phi in associations.items():
        target, protected = _check_pair(pair)
        low, high = reachable_association(target, protected)
        if not low - 1e-9 <= phi <= high + 1e-9:
            raise UserError(
                f"An association of {phi} between '{target}' and '{protected}' cannot be reached: with how "
                f"often each occurs, phi lies between {low:.3f} and {high:.3f}; choose a value in between."
            )
        if target == "Male":
            target, protected = protected, target
        if any(target == other for other, _ in checked):
            raise UserError(
                f"Two associations move the attribute '{target}'; keep one, or make it the protected "
                "attribute of the other."
            )
        checked[target, protected] = float(phi)
    return checked


def _order_pairs(pairs: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Order pairs so that an attribute is moved before it is used as the protected one of another."""
    protected_of = dict(pairs.keys())  # target: protected
    graph = {target: [protected] for target, protected in sorted(pairs)}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise UserError(
            "The associations run in a circle: " + " - ".join(error.args[1]) + "; leave one of them out."
        ) from error
    moved = [target for target in order if target in protected_of]
    return {(target, protected_of[target]): pairs[target, protected_of[target]] for target in moved}
