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

    They lie in 0..100, reach beyond 50, and more than half are above 1; and not many more lie in 0.1..1 than
    in 1..10, as they do where some rows are fractions and others percentages. Or all are 0 or 100.

    >>> are_percentages(np.array([0.3, 42.3, 97.0]))
    True
    >>> are_percentages(np.array([0.0, 1.0, 2.0])), are_percentages(np.array([0.3, 0.9, 93.0]))
    (False, False)
    >>> are_percentages(np.array([0.3, 0.9, 0.4, 0.5, 42.3, 97.0, 93.0, 12.0, 55.5]))
    False
    """
    if not (numbers.min() >= -100 * ROUNDING and _HALF < numbers.max() <= 100 * (1 + ROUNDING)):
        return False
    if np.isin(numbers, (0.0, 100.0)).all():
        return True
    low, middle = ((numbers > edge / 10) & (numbers <= edge) for edge in (1, 10))
    return bool((numbers > 1).mean() > 0.5 and low.sum() <= 1.5 * middle.sum() + 2)


def may_be_percentages(numbers: np.ndarray) -> bool:
    """Return whether numbers lie in 0..100, some beyond 1."""
    return bool(np.nanmin(numbers) >= 0 and 1 < np.nanmax(numbers) <= 100)
