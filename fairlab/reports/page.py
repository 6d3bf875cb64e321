"""Self-contained HTML pages: what all reports share. They open anywhere, offline, and print."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import jinja2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from fairlab.core.files import atomic_path, write_text
from fairlab.figures.style import readable
from fairlab.figures.summary import LIMITS

DOTS_PER_INCH = 150  # sharp on a phone's dense screen and in print
SCREEN_DOTS_PER_INCH = 92  # how large a figure appears on the page
PNG_BYTES = 250_000  # above this, a figure is mostly photographs: JPEG is several times smaller


@dataclass(frozen=True)
class Section:
    """One part of a page: why to look, the picture, and what it shows.

    Attributes
    ----------
    title : str
    why : str
        One or two sentences that say what question the picture answers.
    picture : Figure, (h, w, 3) uint8 array, or None
    caption : str
        What the picture shows, in words with numbers.
    alt : str
        What is drawn, for readers who cannot see it; the title when empty.
    """

    title: str
    why: str
    picture: Figure | np.ndarray | None
    caption: str
    alt: str = ""


@dataclass(frozen=True)
class Page:
    """Everything that a page says; `write_report` lays it out with the page's own template.

    Attributes
    ----------
    title : str
    summary : sequence of str
        What was found, in sentences.
    table : DataFrame
        The numbers, tidy.
    sections : sequence of Section
    facts : dict of str to str
        Data set, preset, seeds, device, versions, seconds per step.
    limits : sequence of str
    """

    template: ClassVar[str]

    title: str
    summary: Sequence[str]
    table: pd.DataFrame
    sections: Sequence[Section] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    limits: Sequence[str] = LIMITS

    def context(self) -> dict[str, Any]:
        """Return what the template needs beside the page itself."""
        return {}


def write_report(path: Path, page: Page) -> None:
    """Write `page` as one HTML file, whole or not at all, that needs nothing else to be read."""
    write_text(path, to_html(page))


def to_html(page: Page) -> str:
    """Return the page as HTML; every text in it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fairlab", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["readable"] = readable
    environment.filters["whole_intervals"] = _whole_intervals
    return environment.get_template(page.template).render(
        report=page,
        sections=[(section, _embed(section.picture)) for section in page.sections],
        **page.context(),
    )


@dataclass(frozen=True)
class _Picture:
    """A picture as HTML wants it: a data URL, and its size on the page in CSS pixels."""

    source: str
    width: int
    height: int


def _embed(picture: Figure | np.ndarray | None) -> _Picture | None:
    if picture is None:
        return None
    if isinstance(picture, Figure):
        width, height = (round(SCREEN_DOTS_PER_INCH * inches) for inches in picture.get_size_inches())
    else:
        height, width = picture.shape[:2]
    content, kind = picture_bytes(picture)
    return _Picture(f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}", width, height)


def _whole_intervals(text: str) -> str:
    """Keep ``[low, high]`` on one line."""
    return text.replace(", ", ",\N{NO-BREAK SPACE}")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png", dpi=DOTS_PER_INCH)


def picture_bytes(picture: Figure | np.ndarray) -> tuple[bytes, str]:
    """Encode a figure or an (h, w, 3) uint8 image: the bytes and ``"png"``, or ``"jpeg"`` for photographs."""
    stream = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(stream, format="png", dpi=DOTS_PER_INCH)
    else:
        Image.fromarray(picture).save(stream, "PNG")
    if stream.tell() <= PNG_BYTES:
        return stream.getvalue(), "png"
    photograph, stream = Image.open(stream).convert("RGB"), io.BytesIO()
    photograph.save(stream, "JPEG", quality=88, subsampling=0)
    return stream.getvalue(), "jpeg"
