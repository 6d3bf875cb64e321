"""Numbers that were written as percentages."""

from __future__ import annotations

import numpy as np

#: What single precision may put beyond 0 and 1.
ROUNDING = 1e-5
#: Percentages reach beyond this; marks, deciles and numbers of points seldom do.
_HALF = 50
DIVIDE = "if these are percentages, divide them by 100"


def are_percentages(numbers: np.ndarray) -> bool:
    """Return whether numbers that should lie in 0..1 are percentages beyond doubt.

    They lie in 0..100, reach beyond 50, and more than half are above 1, or all are 0 or 100.

    >>> are_percentages(np.array([0.3, 42.3, 97.0]))
    True
    >>> are_percentages(np.array([0.0, 1.0, 2.0])), are_percentages(np.array([0.3, 0.9, 93.0]))
    (False, False)
    """
    if not (numbers.min() >= -100 * ROUNDING and _HALF < numbers.max() <= 100 * (1 + ROUNDING)):
        return False
    return bool((numbers > 1).mean() > 0.5 or np.isin(numbers, (0.0, 100.0)).all())


def may_be_percentages(numbers: np.ndarray) -> bool:
    """Return whether numbers lie in 0..100, some beyond 1."""
    return bool(np.nanmin(numbers) >= 0 and 1 < np.nanmax(numbers) <= 100)
