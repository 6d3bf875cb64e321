"""The base of all widgets: errors as text, and a static picture for readers without a kernel."""

import base64
import html
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from fairlab.core.errors import UserError

#: Marks the place where a widget tells its reader what went wrong; `fairlab notebooks` looks for it.
ERROR_CLASS = "fairlab-error"

WIDE = {"description_width": "initial"}  # descriptions are shown in full


class Panel(widgets.VBox):
    """A widget made of controls, pictures, and the pictures' numbers in words.

    An exception in a callback would vanish in the kernel's log; here it is shown as text below the widget.
    Where no kernel runs (GitHub, HTML, a saved notebook) the panel is a picture of its state.

    Parameters
    ----------
    children : sequence of widgets
        From top to bottom.
    """

    def __init__(self, children: Sequence[widgets.Widget]) -> None:
        self.error = widgets.HTML()
        self.error.add_class(ERROR_CLASS)
        super().__init__([*children, self.error])

    def redraw_on(self, *controls: widgets.Widget, draw: Callable[[], None]) -> None:
        """Call `draw` whenever the value of one of the controls changes.

        Callbacks run one after the other, and the browser holds back the changes of a control until the last
        one is dealt with: while someone drags, the latest value wins and no stale pictures queue up.
        """
        for control in controls:
            control.observe(lambda change: self.attempt(draw), names="value")

    def attempt(self, draw: Callable[[], None]) -> None:
        """Call `draw`; show what goes wrong as text, and take the text away when all goes well again.

        A drawing that moves another control is drawn anew from within: what goes wrong there stays, so the
        earlier text is taken away first.
        """
        self.say_error("")
        try:
            draw()
        except Exception as error:
            self.say_error(error_text(error))

    def say_error(self, text: str) -> None:
        """Show `text` as an error; an empty one takes an earlier error away."""
        self.error.value = f'<p role="alert">⚠ {html.escape(text)}</p>' if text else ""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"text/html": static_html(self)}


def choice(options: Sequence[str], value: str, description: str) -> widgets.Dropdown:
    """Return a drop-down list whose description is shown in full."""
    return widgets.Dropdown(options=list(options), value=value, description=description, style=WIDE)


def error_text(error: Exception) -> str:
    """Return one sentence on an exception; one that is no user's mistake says where it was raised."""
    if isinstance(error, UserError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (in {last.name}, {last.filename}, line {last.lineno})"


def words(text: str) -> str:
    """Return the HTML of a picture's read-out, which screen readers speak whenever it changes."""
    return (
        f'<p role="status" aria-live="polite" style="line-height:1.45;max-width:46em">{html.escape(text)}</p>'
    )


def static_html(widget: widgets.Widget) -> str:
    """Return what a widget shows at this moment as HTML that needs neither kernel nor script."""
    if isinstance(widget, widgets.Box):
        direction = "row" if isinstance(widget, widgets.HBox) else "column"
        parts = "".join(static_html(child) for child in widget.children)
        style = f"display:flex;gap:.4em 1.2em;align-items:flex-start;flex-direction:{direction}"
        return f'<div style="{style}">{parts}</div>'
    if isinstance(getattr(widget, "value", None), bytes | memoryview):
        return _static_picture(widget) if widget.value else ""
    if isinstance(widget, widgets.HTML):
        return f"<div>{widget.value}</div>" if widget.value else ""
    description = str(getattr(widget, "description", ""))
    if not description or not hasattr(widget, "value"):
        return ""  # a button does nothing on paper
    return f"<span>{html.escape(description)}: <b>{html.escape(_shown(widget))}</b></span>"


def _static_picture(widget: Any) -> str:
    source = f"data:image/{widget.format};base64,{base64.b64encode(widget.value).decode('ascii')}"
    width = f' width="{widget.width}"' if getattr(widget, "width", "") else ""
    margin = widget.layout.margin or "0"
    alt = html.escape(getattr(widget, "alt", ""))
    return f'<div style="margin:{margin}"><img alt="{alt}" src="{source}"{width}></div>'


def _shown(control: Any) -> str:
    options = getattr(control, "options", None)
    if isinstance(options, Mapping):
        return next((name for name, value in options.items() if value == control.value), "")
    if isinstance(control, widgets.FloatSlider):
        return format(control.value, control.readout_format)
    return str(getattr(control, "label", None) or control.value)
