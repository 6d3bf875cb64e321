"""Self-contained HTML pages: what all reports share. They open anywhere, offline, and print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import jinja2
import pandas as pd

from fairlab.core.files import write_text
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import readable
from fairlab.figures.summary import LIMITS


@dataclass(frozen=True)
class Section:
    """One part of a page: why to look, and the picture with its caption.

    Attributes
    ----------
    title : str
    why : str
        One or two sentences that say what question the picture answers.
    picture : Captioned
    """

    title: str
    why: str
    picture: Captioned


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
    return environment.get_template(page.template).render(report=page, **page.context())


def _whole_intervals(text: str) -> str:
    """Keep ``[low, high]`` on one line."""
    return text.replace(", ", ",\N{NO-BREAK SPACE}")
