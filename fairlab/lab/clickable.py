"""A picture that reports where it was clicked, and has a text for readers who cannot see it."""

from typing import Any

import anywidget
import traitlets

_SCRIPT = """
function render({ model, el }) {
  const image = document.createElement("img");
  image.style.cssText = "cursor: crosshair; max-width: 100%; display: block";
  const show = () => {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([model.get("value")], { type: `image/${model.get("format")}` }));
  };
  const describe = () => { image.alt = model.get("alt"); };
  image.addEventListener("click", (event) => {
    const box = image.getBoundingClientRect();
    model.set("clicked", [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    model.save_changes();
  });
  model.on("change:value", show);
  model.on("change:alt", describe);
  show();
  describe();
  el.append(image);
  return () => URL.revokeObjectURL(image.src);
}
export default { render };
"""


class ClickablePicture(anywidget.AnyWidget):
    """A picture; `clicked` is where it was clicked last, as shares of its width and height from top left.

    Attributes
    ----------
    value : bytes
        The encoded picture.
    format : str
        "jpeg" or "png".
    alt : str
        What the picture shows, for readers who cannot see it.
    clicked : tuple of float
        (x, y), each in 0..1; empty before the first click, and when who listens has set it back.
    """

    _esm = _SCRIPT
    value = traitlets.Bytes(b"").tag(sync=True)
    format = traitlets.Unicode("jpeg").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    clicked: Any = traitlets.List(traitlets.Float()).tag(sync=True)
