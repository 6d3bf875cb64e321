"""One number with its 95% interval, and how numbers are printed."""

from __future__ import annotations

import math
from typing import Any, NamedTuple


class Unit(NamedTuple):
    """The unit a number is printed in."""

    scale: float = 1.0  #: factor from the stored number to the printed one
    digits: int = 2  #: behind the decimal point
    name: str = ""  #: printed behind the number
    signed: bool = False  #: whether a plus sign is printed, as of differences

    @property
    def difference(self) -> Unit:
        """The unit of a difference: points for per cent."""
        return self._replace(name=" points" if self.name == "%" else self.name, signed=True)


#: A bare number, such as a cosine.
PLAIN = Unit()
#: A fraction printed in per cent.
PERCENT = Unit(100.0, 1, "%")
#: A difference of fractions.
POINTS = PERCENT.difference
NATS = Unit(name=" nats")


#: What tables say where some numbers are followed by their corrected value.
CORRECTED = "In round brackets: the value without what chance alone adds."


class Estimate(NamedTuple):
    """A measured number with its 95% interval.

    Examples
    --------
    >>> share = Estimate(0.848, 0.8301, 0.866, n=6000, unit=PERCENT)
    >>> print(share)
    84.8% [83.0, 86.6] (n = 6,000)
    >>> f"{share:#}"
    '84.8 [83.0, 86.6]'
    >>> str(Estimate(0.0125, 0.004, 0.021, unit=POINTS))
    '+1.2 points [+0.4, +2.1]'
    >>> str(Estimate(math.nan, note="0 positives in Male"))
    'n/a (0 positives in Male)'
    >>> f"{Estimate(0.93, 0.0, 0.4, corrected=0.21):#}"  # in brackets: without what chance adds
    '0.93 (0.21) [0.00, 0.40]'
    """

    value: float  #: NaN if it is undefined
    low: float = math.nan  #: NaN if there is no interval
    high: float = math.nan
    n: int | None = None  #: number of images, pairs or faces; None if it is told elsewhere
    unit: Unit = PLAIN
    note: str = ""  #: why the number is undefined, or what must be known of it
    p_value: float = math.nan  #: of there being nothing; NaN if that was not asked
    corrected: float = math.nan  #: the number without what chance adds to it; NaN if it adds nothing

    @classmethod
    def of(cls, row: Any, unit: Unit = PLAIN) -> Estimate:
        """Return the number in a row of a table with value, low, high, and perhaps note and corrected."""
        note, corrected = getattr(row, "note", ""), getattr(row, "corrected", math.nan)
        one = cls(row.value, row.low, row.high, unit=unit, corrected=corrected)
        return one._replace(note=note) if isinstance(note, str) else one

    @property
    def defined(self) -> bool:
        """Whether there is a number."""
        return not math.isnan(self.value)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def certain(self) -> bool:
        """Whether the interval is known and leaves out 0."""
        return self.low > 0 or self.high < 0

    @property
    def range(self) -> str:
        """The interval in words, ``"95% interval 83.0 to 86.6"``."""
        return f"95% interval {number(self.low, self.unit)} to {number(self.high, self.unit)}"

    def __str__(self) -> str:
        return format(self)

    def __format__(self, spec: str) -> str:
        """Return the number, its interval and n as text.

        Parameters
        ----------
        spec : str
            ``"#"`` leaves out unit and n, for the cell of a table that names them elsewhere. ``"+"`` prints
            signs whatever the unit. ``"+#"`` does both.
        """
        if spec not in ("", "+", "#", "+#"):
            raise ValueError(f"An estimate is formatted with '+', '#' or '+#', not '{spec}'.")
        if not self.defined:
            return f"n/a ({self.note})" if self.note else "n/a"
        unit, bare = self.unit._replace(signed=self.unit.signed or "+" in spec), "#" in spec
        value, low, high = (number(x, unit) for x in self[:3])
        interval = f"[{low}, {high}]" if self.bounded else "[no interval]"
        if not math.isnan(self.corrected):
            value += f" ({number(self.corrected, unit)})"
        count = "" if bare or self.n is None else f" (n = {self.n:,})"
        return f"{value}{'' if bare else unit.name} {interval}{count}"


def number(value: float, unit: Unit = PLAIN) -> str:
    """Return a number in a unit, without its name, with a true minus sign and no ``-0.0``.

    >>> number(-0.101, PERCENT), number(0.07, POINTS), number(math.nan)
    ('−10.1', '+7.0', 'n/a')
    """
    if math.isnan(value):
        return "n/a"
    rounded = round(float(value) * unit.scale, unit.digits) + 0.0
    sign = "+" if unit.signed and rounded else ""
    return f"{rounded:{sign}.{unit.digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(fraction: float) -> str:
    """Return ``"97.3%"`` of 0.973, and ``"n/a"`` of NaN."""
    return "n/a" if math.isnan(fraction) else f"{number(fraction, PERCENT)}%"


def markdown_table(header: list[str], lines: list[list[str]]) -> str:
    """Return rows of cells as a Markdown table whose columns also line up as plain text."""
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in [header, rule, *lines]
    )
