"""Numbers as bars, with the numbers beside them: HTML that widgets redraw faster than any figure."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from fairlab.figures.style import BLUE, FAINT, INK, VERMILION, readable
from fairlab.lab.renderer import GAP, Frame

REACH = 4.0  # standard deviations of latents that a bar of distances shows on either side

_NAMES = 150  # pixels for the names beside a row of faces
#: Layout of the faces above a `face_table`.
BESIDE_NAMES = {"margin": f"0 0 0 {_NAMES}px", "align_self": "flex-start"}

_ROW = "display:grid;grid-template-columns:11em 12em 5.5em;gap:.7em;align-items:center;line-height:1.7"
_TRACK = "position:relative;height:.95em;background:#EEF0F3;border-radius:2px;overflow:hidden"


def score_bars(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> str:
    """Return a bar from 0 to 1 for each classifier's score, with a tick at its threshold."""
    rows = [
        _row(
            readable(name),
            _bar(0.0, score, BLUE) + (_tick(thresholds[name]) if name in thresholds else ""),
            f"{score:.2f}{verdict(score, thresholds.get(name))}",
        )
        for name, score in scores.items()
    ]
    return _titled("Classifier scores" + (" (tick: threshold)" if thresholds else ""), rows)


def distance_bars(distances: Mapping[str, float]) -> str:
    """Return a bar to either side of 0 for the signed distance to each hyperplane."""
    rows = []
    for name, distance in distances.items():
        end = min(1.0, max(0.0, 0.5 + distance / (2 * REACH)))
        colour = BLUE if distance > 0 else VERMILION
        rows.append(
            _row(readable(name), _bar(min(0.5, end), max(0.5, end), colour) + _tick(0.5), f"{distance:+.2f}")
        )
    return _titled("Signed distance to the hyperplane", rows)


def face_table(title: str, columns: Sequence[str], frame: Frame, size: int, distances: bool = False) -> str:
    """Return the numbers of faces that stand side by side as a table below them.

    Parameters
    ----------
    title : str
        What the columns differ in.
    columns : n strings
    frame : Frame
        Of n faces.
    size : int
        Side of each face in pixels.
    distances : bool
        Whether to add rows of signed distances.
    """
    rows = {title: list(columns)}
    rows |= {f"{readable(name)} score": [f"{x:.2f}" for x in values] for name, values in frame.scores.items()}
    if distances:
        rows |= {
            f"{readable(name)} distance": [f"{x:+.2f}" for x in values]
            for name, values in frame.distances.items()
        }
    body = "".join(_table_row(name, values, size + GAP) for name, values in rows.items())
    style = "border-collapse:collapse;font-variant-numeric:tabular-nums;line-height:1.5"
    return f'<table style="{style}">{body}</table>'


def _table_row(name: str, values: Sequence[str], width: int) -> str:
    head = f"width:{_NAMES}px;min-width:{_NAMES}px;padding:0;text-align:left;font-weight:normal"
    cell = (
        f"width:{width}px;min-width:{width}px;padding:0 {GAP}px 0 0;box-sizing:border-box;text-align:center"
    )
    cells = "".join(f'<td style="{cell}">{html.escape(value)}</td>' for value in values)
    return f'<tr><th style="{head}">{html.escape(name)}</th>{cells}</tr>'


def verdict(score: float, threshold: float | None) -> str:
    """Return ``" yes"`` or ``" no"``; nothing without a threshold."""
    if threshold is None:
        return ""
    return " yes" if score > threshold else " no"


def _titled(title: str, rows: list[str]) -> str:
    if not rows:
        return ""
    return f'<div style="color:{INK}"><b>{html.escape(title)}</b>{"".join(rows)}</div>'


def _row(name: str, bars: str, number: str) -> str:
    return (
        f'<div style="{_ROW}"><span>{html.escape(name)}</span>'
        f'<span style="{_TRACK}" aria-hidden="true">{bars}</span>'
        f'<span style="font-variant-numeric:tabular-nums">{html.escape(number)}</span></div>'
    )


def _bar(start: float, end: float, colour: str) -> str:
    place = f"left:{100 * start:.1f}%;width:{100 * (end - start):.1f}%"
    return f'<span style="position:absolute;top:0;bottom:0;{place};background:{colour}"></span>'


def _tick(at: float) -> str:
    place = f"left:{100 * at:.1f}%;width:2px"
    return f'<span style="position:absolute;top:0;bottom:0;{place};background:{FAINT}"></span>'
