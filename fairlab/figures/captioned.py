"""A figure together with its caption and its alternative text."""

import base64
import html
import io
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from fairlab.core.files import atomic_path

DOTS_PER_INCH = 150  # sharp on a phone's dense screen and in print
SCREEN_DOTS_PER_INCH = 92  # how large a figure appears on a page
PNG_BYTES = 250_000  # above this, a figure is mostly photographs: JPEG is several times smaller


@dataclass(frozen=True)
class Captioned:
    """A figure, and what it shows in words; in a notebook it shows itself.

    Attributes
    ----------
    figure : Figure
    text : str
        The caption: what the figure shows, with its numbers.
    alt : str
        What is drawn, for readers who cannot see it.
    """

    figure: Figure
    text: str
    alt: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on a page, in CSS pixels."""
        width, height = self.figure.get_size_inches()
        return round(SCREEN_DOTS_PER_INCH * width), round(SCREEN_DOTS_PER_INCH * height)

    def encoded(self) -> tuple[str, str]:
        """Return the picture in base64, and its type: ``image/png``, or ``image/jpeg`` for photographs."""
        stream = io.BytesIO()
        self.figure.savefig(stream, format="png", dpi=DOTS_PER_INCH)
        kind = "image/png"
        if stream.tell() > PNG_BYTES:
            photograph, stream = Image.open(stream).convert("RGB"), io.BytesIO()
            photograph.save(stream, "JPEG", quality=88, subsampling=0)
            kind = "image/jpeg"
        return base64.b64encode(stream.getvalue()).decode("ascii"), kind

    def save(self, path: Path) -> None:
        """Write a PNG, whole or not at all, with the caption as its description."""
        with atomic_path(path) as partial:
            description = {"Description": self.text}
            self.figure.savefig(partial, format="png", dpi=DOTS_PER_INCH, metadata=description)

    def _ipython_display_(self) -> None:
        """Show the picture, which every viewer of notebooks can, and below it the caption."""
        from IPython.display import HTML, display

        picture, kind = self.encoded()
        about = {kind: {"alt": self.alt, "width": self.size[0]}}
        display({kind: picture, "text/plain": self.text}, metadata=about, raw=True)
        style = "line-height:1.45;max-width:46em"
        display(HTML(f'<p class="caption" style="{style}">{html.escape(self.text)}</p>'))
