"""How long a reader waits for a picture: from the key press in the browser to the new picture in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator

from .laboratory import OpenNotebook

pytestmark = [pytest.mark.slow, pytest.mark.benchmark]

PRESSES = 60

#: A slider and a picture with nothing in between: what the browser, the server and the kernel take anyway.
PLAIN = """
import ipywidgets, numpy
from fairlab.lab.renderer import encode
slider = ipywidgets.IntSlider(0, -60, 60, description="Plain slider")
picture = ipywidgets.Image(format="jpeg")
jpegs = [encode(numpy.full((1, 64, 64, 3), grey, "uint8"), 256) for grey in (0, 200)]
slider.observe(lambda change: setattr(picture, "value", jpegs[change.new % 2]), names="value")
picture.value = jpegs[0]
display(ipywidgets.VBox([slider, picture]))
"""


def latencies(notebook: OpenNotebook, widget: Locator, description: str) -> np.ndarray:
    """Return the milliseconds from each of many key presses to the picture that it brought."""
    image = widget.locator("img").first
    image.evaluate(
        """(image) => {
            window.waits = [];
            let pressed = 0;
            document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
            image.addEventListener("load", () => { window.waits.push(performance.now() - pressed); });
        }"""
    )
    notebook.slider(widget, description).focus()
    for press in range(PRESSES):
        notebook.page.keyboard.press("ArrowRight" if press < PRESSES // 2 else "ArrowLeft")
        notebook.page.wait_for_function(f"window.waits.length > {press}")
    return np.array(notebook.page.evaluate("window.waits"))


def told(what: str, waits: np.ndarray) -> str:
    median, late = np.median(waits), np.quantile(waits, 0.95)
    return f"{what}: median {median:.0f} ms, 95th percentile {late:.0f} ms ({len(waits)} key presses)"


def test_the_explorer_answers_a_key_press_nearly_as_fast_as_a_slider_that_computes_nothing(
    open_notebook: Callable[[str], OpenNotebook],
):
    notebook = open_notebook("03_hyperplanes.ipynb")
    notebook.execute(PLAIN.strip())
    plain = latencies(notebook, notebook.widget("Plain slider"), "Plain slider")
    explorer = notebook.widget("Keep the other distances")
    drawn = latencies(notebook, explorer, "Step along Male")
    print("\n" + told("plain slider", plain), told("latent explorer with live scores", drawn), sep="\n")
    assert np.median(drawn) < 4 * np.median(plain)
