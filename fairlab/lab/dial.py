"""The bias dial as a widget: turn the association of two attributes, and see the faces that result."""

import html
import math
from functools import lru_cache

import ipywidgets as widgets
import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import Estimate, Unit, number, percent
from fairlab.data.attributes import ATTRIBUTES, check_attribute
from fairlab.data.synthfaces.draw import draw as draw_faces
from fairlab.data.synthfaces.factors import Factors
from fairlab.figures.bars import target_shares
from fairlab.figures.style import TARGET_LOOKS, readable, with_or_without
from fairlab.lab.dialled import DialledFaces
from fairlab.lab.face_rows import FACE, GAP, MARGIN, FaceRow, face_rows
from fairlab.lab.panel import WIDE, Panel, words
from fairlab.metrics.two_groups.association import phi_coefficients

_PHI = Unit(digits=3, signed=True)
_CELLS = ((1, 1), (1, 0), (0, 1), (0, 0))  # target and protected label of the picture's rows

STEP, DIGITS = 0.01, 2  # of the slider

NOTE = (
    "These faces are drawn and nobody's. Names such as Male are annotators' labels of how a face appears in "
    "a picture, not identities. A frame marks a face with another label than under CelebA's own association; "
    "up to half of each row shows such faces."
)


class BiasDial(Panel):
    """Set the association (phi) of two attributes, keeping how often each occurs, and look at the faces.

    The faces are the same at every position of the dial but for the attribute that it moves.

    Parameters
    ----------
    target, protected : str
        Two of CelebA's forty attributes to begin with.
    n : int
        Faces that are counted; at least 1.
    shown : int
        Faces shown of each combination of labels; at least 1.
    size : int
        Pixels at which they are drawn: 32, 64 or 128.
    seed : int
        Which faces, from 0 upwards.

    Raises
    ------
    UserError
        If a name is unknown or a number too small.

    Examples
    --------
    >>> dial = BiasDial("Smiling", "Male")
    >>> dial.phi.value = 0.4
    >>> dial.phi.value
    0.4
    """

    def __init__(
        self,
        target: str = "Eyeglasses",
        protected: str = "Male",
        *,
        n: int = 2000,
        shown: int = 6,
        size: int = 64,
        seed: int = 0,
    ) -> None:
        if min(n, shown) < 1 or seed < 0:
            raise UserError(f"n ({n}) and shown ({shown}) must be at least 1, and seed ({seed}) at least 0.")
        self._n, self._shown, self._size = n, shown, size
        self._drawn: tuple[str, str, float] | None = None
        # The faces of two attributes stay the same until another pair is chosen.
        self._faces = lru_cache(1)(lambda pair: DialledFaces(pair[0], pair[1], n, seed))
        self.target, self.protected = _choice("target", target), _choice("protected", protected)
        self.phi = widgets.FloatSlider(
            min=-1.0, max=1.0, step=STEP, description="association (phi)", style=WIDE, continuous_update=True
        )
        self.phi.layout.width = "27em"
        self.own = widgets.Button(description="CelebA's own", tooltip="the association in CelebA's labels")
        width = 2 * (MARGIN + shown * (FACE + GAP)) // 3
        self.picture = widgets.Image(format="jpeg", width=width, layout={"max_width": "100%"})
        self.table, self.words = widgets.HTML(), widgets.HTML()
        row = {"flex_flow": "row wrap"}
        choices = widgets.HBox([self.target, self.protected], layout=row)
        dial = widgets.HBox([self.phi, self.own], layout=row)
        note = widgets.HTML(f"<small>{html.escape(NOTE)}</small>")
        super().__init__([choices, dial, self.words, self.table, self.picture, note])
        self.redraw_on(self.target, self.protected, draw=self.change_pair)
        self.redraw_on(self.phi, draw=self.draw)
        self.own.on_click(lambda button: self.attempt(self.change_pair))
        self.attempt(self.change_pair)

    @property
    def pair(self) -> tuple[str, str]:
        """The names of target and protected attribute."""
        return self.target.value, self.protected.value

    @property
    def association(self) -> float:
        """The phi of the drawn faces: the slider's, within reach, and exactly CelebA's own on its mark."""
        faces, phi = self._faces(self.pair), self.phi.value
        if round(phi, DIGITS) == round(faces.own, DIGITS):
            return faces.own
        return min(max(phi, faces.low), faces.high)

    def change_pair(self) -> None:
        """Fit the slider to the two attributes, and begin with their association in CelebA."""
        faces = self._faces(self.pair)
        with self.phi.hold_trait_notifications():  # one change, not three: no range without its value
            # Whole steps, or the browser would move the handle to one and report that as a turn of the dial.
            self.phi.min = round(math.floor(faces.low / STEP) * STEP, DIGITS)
            self.phi.max = round(math.ceil(faces.high / STEP) * STEP, DIGITS)
            self.phi.value = round(faces.own, DIGITS)
        self.draw()

    def draw(self) -> None:
        """Show the faces at the present position of the dial, unless they are shown already."""
        state = (*self.pair, self.association)
        if state == self._drawn:
            return
        faces = self._faces(self.pair)
        factors = faces.at(self.association)
        changed = (factors.truth != faces.natural.truth).any(axis=1)  # (n,)
        labels = np.stack([factors.truth[:, ATTRIBUTES.index(name)] for name in self.pair], axis=1)  # (n, 2)
        self.picture.value = face_rows(self._rows(factors, labels, changed), self._shown)
        self.picture.alt = f"Faces in four rows: {'; '.join(_cell_name(self.pair, cell) for cell in _CELLS)}."
        self.table.value = _table_html(labels, self.pair)
        self.words.value = words(self._reading(labels, int(changed.sum()), faces.own))
        self._drawn = state

    def _rows(self, factors: Factors, labels: np.ndarray, changed: np.ndarray) -> list[FaceRow]:
        """Draw the first faces of each combination of labels (n, 2)."""
        members = [np.flatnonzero((labels == cell).all(axis=1)) for cell in _CELLS]
        first = [_first(rows, changed, self._shown) for rows in members]
        images = draw_faces(factors[np.concatenate(first)], self._size)  # all at once: one call is faster
        parts = np.split(images, np.cumsum([len(rows) for rows in first])[:-1])
        return [
            FaceRow(_cell_name(self.pair, cell), _count(len(all_rows), self._n), part, changed[rows])
            for cell, all_rows, rows, part in zip(_CELLS, members, first, parts, strict=True)
        ]

    def _reading(self, labels: np.ndarray, changed: int, own: float) -> str:
        """Say the target's share in each group, phi with its interval, and how many have changed."""
        target, protected = self.pair
        shares = target_shares(labels[:, 0], labels[:, 1], target=target, protected=protected)
        measured = phi_coefficients(pd.DataFrame({target: labels[:, 0]}), labels[:, 1])
        phi = Estimate.of(measured.iloc[0], _PHI)
        empty = [_cell_name(self.pair, cell) for cell in _CELLS if not (labels == cell).all(axis=1).any()]
        nobody = f" No face is labelled {' or '.join(empty)}." if empty else ""
        return (
            f"{shares} Phi of these {self._n:,} faces is {phi:#} (95% interval); the dial "
            f"asks for {_signed(self.association)}, and CelebA's own is {_signed(own)}. "
            f"{_count(changed, self._n)} have another label than under CelebA's own association.{nobody}"
        )


def _first(rows: np.ndarray, changed: np.ndarray, shown: int) -> np.ndarray:
    """Choose faces to show: changed ones first, but no more than half if there are others."""
    moved, others = rows[changed[rows]], rows[~changed[rows]]
    most = max(math.ceil(shown / 2), shown - len(others))
    return np.concatenate([moved[:most], others])[:shown]


def _choice(role: str, attribute: str) -> widgets.Dropdown:
    options = [(readable(name), name) for name in ATTRIBUTES]
    return widgets.Dropdown(options=options, value=check_attribute(attribute), description=role, style=WIDE)


def _cell_name(pair: tuple[str, str], cell: tuple[int, int]) -> str:
    return ", ".join(with_or_without(name)[label] for name, label in zip(pair, cell, strict=True))


def _count(count: int, n: int) -> str:
    return f"{count:,} of {n:,} faces ({percent(count / n)})"


def _signed(value: float) -> str:
    return number(value, _PHI)


def _table_html(labels: np.ndarray, pair: tuple[str, str]) -> str:
    """Return the 2×2 table of labels (n, 2): a row for each protected group, a bar for each share in it."""
    target, protected = with_or_without(pair[0]), with_or_without(pair[1])
    style = 'style="text-align:left;padding:.2em 1.2em .2em 0"'
    names = ("", "faces", target[1], target[0])
    head = "".join(f"<th {style}>{html.escape(name)}</th>" for name in names)
    body = ""
    for a in (1, 0):
        group = labels[labels[:, 1] == a, 0]
        bars = "".join(f"<td {style}>{_bar(int((group == t).sum()), len(group), t)}</td>" for t in (1, 0))
        body += f"<tr><th {style}>{html.escape(protected[a])}</th><td {style}>{len(group):,}</td>{bars}</tr>"
    return f'<table style="border-spacing:0"><tr>{head}</tr>{body}</table>'


def _bar(count: int, n: int, t: int) -> str:
    """Return a count with its share of the group and a bar as long, striped for one of the two labels."""
    share = count / n if n else math.nan
    colour, length = TARGET_LOOKS[t].colour, 0 if math.isnan(share) else 10 * share
    stripes = (
        f"repeating-linear-gradient(135deg,{colour} 0 4px,#fff8 4px 6px)" if TARGET_LOOKS[t].hatch else colour
    )
    box = f"display:inline-block;height:.9em;width:{length:.2f}em;background:{stripes};margin-right:.5em"
    return f'<span style="{box}"></span>{count:,} ({percent(share)})'
