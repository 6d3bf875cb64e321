"""What all widgets share: errors that show as text, and a picture for readers without a kernel."""

import base64
import os
import re
import subprocess
import sys

import ipywidgets as widgets
import pytest

from fairlab.core.errors import UserError
from fairlab.lab.clickable import ClickablePicture
from fairlab.lab.panel import ERROR_CLASS, Panel, error_text, static_html, words


@pytest.fixture
def slider():
    return widgets.IntSlider(0, 0, 9, description="Pair")


@pytest.fixture
def panel(slider):
    """Draws nothing; does not like 3 and cannot bear 4."""
    panel = Panel([slider])

    def draw():
        if slider.value == 3:
            raise UserError("Three is <too> many; take two.")
        panel.quotient = 1 / (slider.value - 4)

    panel.redraw_on(slider, draw=draw)
    return panel


def test_a_mistake_is_its_sentence_and_goes_away_with_the_next_good_drawing(panel, slider):
    assert panel.error.value == ""

    slider.value = 3
    assert "Three is &lt;too&gt; many; take two.</p>" in panel.error.value
    assert 'role="alert"' in panel.error.value
    assert "UserError" not in panel.error.value
    assert ".py" not in panel.error.value

    slider.value = 2
    assert panel.error.value == ""


def test_any_other_exception_names_its_type_and_place(panel, slider):
    slider.value = 4

    assert "ZeroDivisionError: division by zero (in draw, " in panel.error.value
    assert re.search(r"test_panel\.py, line \d+\)", panel.error.value)
    slider.value = 5
    assert panel.error.value == ""
    assert panel.quotient == 1.0


def test_the_place_is_where_it_was_raised_not_where_it_was_caught():
    def inner():
        raise KeyError("missing")

    with pytest.raises(KeyError) as caught:
        inner()
    assert error_text(caught.value).startswith("KeyError: 'missing' (in inner, ")


def test_every_control_redraws():
    first, second = widgets.IntText(0), widgets.Checkbox(False)
    panel, drawn = Panel([first, second]), []
    panel.redraw_on(first, second, draw=lambda: drawn.append((first.value, second.value)))

    first.value = 7
    second.value = True
    second.description = "not a value"
    assert drawn == [(7, False), (7, True)]


def test_what_goes_wrong_in_a_drawing_within_a_drawing_stays(panel, slider):
    def move():
        slider.value = 3

    panel.attempt(move)
    assert "take two." in panel.error.value
    panel.attempt(lambda: None)
    assert panel.error.value == ""


def test_the_place_of_errors_is_marked_and_comes_last(panel, slider):
    assert panel.children == (slider, panel.error)
    assert ERROR_CLASS in panel.error._dom_classes


def test_words_are_spoken_and_escaped():
    assert re.search(r'<p role="status" aria-live="polite"[^>]*>1 &lt; 2 &amp; 3</p>', words("1 < 2 & 3"))


@pytest.mark.parametrize(
    ("control", "text"),
    [
        (widgets.IntSlider(3, 0, 9, description="Pair"), "Pair: <b>3</b>"),
        (widgets.FloatSlider(-0.5, min=-1, max=1, description="Step"), "Step: <b>-0.50</b>"),
        (widgets.IntSlider(0, 0, 9, description="Zero"), "Zero: <b>0</b>"),
        (widgets.Checkbox(False, description="Keep"), "Keep: <b>False</b>"),
        (widgets.Dropdown(options=["a", "b<c"], value="b<c", description="Show"), "Show: <b>b&lt;c</b>"),
        (widgets.Dropdown(options=[("one", 1), ("two", 2)], value=2, description="n"), "n: <b>two</b>"),
        (widgets.Dropdown(options={"one": 1, "two": 2}, value=1, description="n"), "n: <b>one</b>"),
        (widgets.BoundedIntText(7, 0, 9, description="Seed & more"), "Seed &amp; more: <b>7</b>"),
    ],
)
def test_on_paper_a_control_is_its_description_and_value(control, text):
    assert static_html(control) == f"<span>{text}</span>"


def test_on_paper_a_button_is_nothing():
    assert static_html(widgets.Button(description="Reset")) == ""
    assert static_html(widgets.HTML("")) == ""


def test_on_paper_words_are_as_they_are():
    assert static_html(widgets.HTML("<b>bold</b>")) == "<div><b>bold</b></div>"


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_on_paper_a_picture_is_its_own_bytes(kind):
    html = static_html(widgets.Image(value=b"\x00\xff picture", format=kind, width=20))

    (data,) = re.findall(rf'<img alt="" src="data:image/{kind};base64,([^"]*)" width="20">', html)
    assert base64.b64decode(data) == b"\x00\xff picture"


def test_on_paper_a_picture_keeps_its_margin_and_its_text_for_the_blind():
    picture = ClickablePicture(value=b"dots", alt='a "plane" of <dots>')
    picture.layout.margin = "0 0 0 170px"

    assert static_html(picture) == (
        '<div style="margin:0 0 0 170px"><img alt="a &quot;plane&quot; of &lt;dots&gt;" '
        f'src="data:image/jpeg;base64,{base64.b64encode(b"dots").decode()}"></div>'
    )


def test_on_paper_there_is_no_broken_picture_where_none_is_drawn():
    assert static_html(widgets.Image(format="jpeg")) == ""


def test_on_paper_a_box_holds_all_its_children_in_order(slider):
    box = widgets.HBox([slider, widgets.VBox([widgets.HTML("first"), widgets.HTML("second")])])
    html = static_html(box)

    outer, inner = re.findall(r"flex-direction:(\w+)", html)
    assert (outer, inner) == ("row", "column")
    assert html.index("Pair: <b>0</b>") < html.index("first") < html.index("second")


def test_a_notebook_gets_the_widget_and_its_picture_of_now(panel, slider):
    slider.value = 3
    bundle = panel._repr_mimebundle_()

    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id
    assert "Pair: <b>3</b>" in bundle["text/html"]
    assert "take two." in bundle["text/html"]
    slider.value = 5
    assert "Pair: <b>5</b>" in panel._repr_mimebundle_()["text/html"]
    assert "take two." not in panel._repr_mimebundle_()["text/html"]


def test_ipython_shows_a_mistake_as_one_line(tmp_path):
    code = "from fairlab.core.errors import UserError; raise UserError('Give a number.')"
    found = subprocess.run(
        [sys.executable, "-m", "IPython", "--quick", "--colors=NoColor", "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)},
        timeout=60,
    )
    assert (found.stdout + found.stderr).strip().splitlines() == ["FairLab: Give a number."]
    assert found.returncode != 0
