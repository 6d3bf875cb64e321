"""TeX formulas as pictures, for pages without scripts."""

import base64
import html
import io
import re

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

#: Code, which may hold dollars of its own; a formula on its own line; one among words.
_PATTERN = re.compile(
    r"(?P<code>```.*?```|`[^`]*`)|\$\$(?P<display>.+?)\$\$|\$(?![\s$])(?P<inline>[^$\n]+?)(?<!\s)\$(?!\d)",
    re.DOTALL,
)

#: What matplotlib lacks, by what it has.
_SYNONYMS = {
    r"\lVert": r"\Vert",
    r"\rVert": r"\Vert",
    r"\lvert": r"\vert",
    r"\rvert": r"\vert",
    r"\tfrac": r"\frac",
    r"\ge": r"\geq",
    r"\le": r"\leq",
}

_FONT = FontProperties(size=12, math_fontfamily="stix")


def typeset(markdown: str) -> str:
    """Return Markdown with each formula as a picture whose alternative text is the TeX.

    A formula that matplotlib cannot set, such as a matrix, becomes code.
    """
    return _PATTERN.sub(_replacement, markdown)


def _replacement(match: re.Match[str]) -> str:
    if match["code"]:
        return match[0]
    tex = " ".join((match["display"] or match["inline"]).split())
    try:
        formula = _picture(tex)
    except ValueError:
        formula = f"<code>{html.escape(tex)}</code>"
    return f'<span class="formula">{formula}</span>' if match["display"] else formula


def _picture(tex: str) -> str:
    """Return an image as high as the formula is beside the words around it, on their baseline."""
    drawn = f"${_with_synonyms(tex)}$"
    width, height, depth, _, _ = MathTextParser("path").parse(drawn, dpi=72, prop=_FONT)
    figure = Figure(figsize=(width / 72, height / 72))
    figure.text(0, depth / height, drawn, fontproperties=_FONT, color="#22262b")
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", transparent=True)
    source = f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
    size = _FONT.get_size_in_points()
    style = f"height:{height / size:.2f}em;vertical-align:-{depth / size:.2f}em"
    return f'<img alt="{html.escape(tex)}" style="{style}" src="{source}">'


def _with_synonyms(tex: str) -> str:
    for theirs, ours in _SYNONYMS.items():
        tex = re.sub(re.escape(theirs) + r"(?![A-Za-z])", re.escape(ours), tex)
    return tex
