"""Numbers as bars, with the numbers beside them: HTML that widgets redraw faster than any figure."""

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
    rows = []
    for name, score in scores.items():
        bar = _bar(0.0, score, BLUE) + (_tick(thresholds[name]) if name in thresholds else "")
        rows.append(_row(name, bar, f"{score:.2f}{verdict(score, thresholds.get(name))}"))
    return _titled("Classifier scores" + (" (tick: threshold)" if thresholds else ""), rows)


def distance_bars(distances: Mapping[str, float]) -> str:
    """Return a bar to either side of 0 for the signed distance to each hyperplane."""
    rows = []
    for name, distance in distances.items():
        end = min(1.0, max(0.0, 0.5 + distance / (2 * REACH)))
        bar = _bar(min(0.5, end), max(0.5, end), BLUE if distance > 0 else VERMILION)
        rows.append(_row(name, bar + _tick(0.5), f"{distance:+.2f}"))
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
    for name, values in frame.scores.items():
        rows[f"{readable(name)} score"] = [f"{x:.2f}" for x in values]
    for name, values in frame.distances.items() if distances else ():
        rows[f"{readable(name)} distance"] = [f"{x:+.2f}" for x in values]
    head = f"width:{_NAMES}px;min-width:{_NAMES}px;padding:0;text-align:left;font-weight:normal"
    cell = f"width:{size + GAP}px;min-width:{size + GAP}px;padding:0 {GAP}px 0 0;"
    cell += "box-sizing:border-box;text-align:center"
    body = ""
    for name, texts in rows.items():
        cells = "".join(f'<td style="{cell}">{html.escape(text)}</td>' for text in texts)
        body += f'<tr><th style="{head}">{html.escape(name)}</th>{cells}</tr>'
    style = "border-collapse:collapse;font-variant-numeric:tabular-nums;line-height:1.5"
    return f'<table style="{style}">{body}</table>'


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
        f'<div style="{_ROW}"><span>{html.escape(readable(name))}</span>'
        f'<span style="{_TRACK}" aria-hidden="true">{bars}</span>'
        f'<span style="font-variant-numeric:tabular-nums">{html.escape(number)}</span></div>'
    )


def _bar(start: float, end: float, colour: str) -> str:
    return _mark(start, f"{100 * (end - start):.1f}%", colour)


def _tick(at: float) -> str:
    return _mark(at, "2px", FAINT)


def _mark(left: float, width: str, colour: str) -> str:
    place = f"position:absolute;top:0;bottom:0;left:{100 * left:.1f}%;width:{width}"
    return f'<span style="{place};background:{colour}"></span>'
