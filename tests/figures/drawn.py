"""What a figure looks like, and what is written in it."""

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image


def pixels(figure: Figure) -> np.ndarray:
    """Draw a figure small, in grey."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=40)
    return np.asarray(Image.open(stream).convert("L"))


def words(figure: Figure) -> str:
    """Return all text that is drawn in a figure."""
    texts = [text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))]
    return "\n".join(texts)
