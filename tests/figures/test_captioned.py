"""A figure keeps its caption with it: in a notebook, in a file, on a page."""

import base64
import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fairlab.figures.captioned import Captioned
from fairlab.figures.faces import face_grid

from ..lab.examples import faces


@pytest.fixture
def picture() -> Captioned:
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    return Captioned(figure, "It rises from 1 to 2 & ends.", "A rising line")


def test_a_notebook_shows_the_picture_and_then_the_caption(picture: Captioned, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda what, **options: shown.append((what, options)))
    picture._ipython_display_()
    (data, options), (caption, _) = shown
    assert np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"])))).std() > 0
    assert options["metadata"]["image/png"] == {"alt": "A rising line", "width": 276}
    assert "It rises from 1 to 2 &amp; ends." in caption.data


def test_a_file_carries_its_caption_and_appears_whole(tmp_path, picture: Captioned):
    path = tmp_path / "new" / "line.png"
    picture.save(path)
    with Image.open(path) as saved:
        assert saved.info["Description"] == picture.text
        assert saved.size == (450, 300)
    assert [file.name for file in path.parent.iterdir()] == ["line.png"]


def test_many_photographs_become_a_jpeg_and_drawings_stay_a_png(picture: Captioned):
    noise = np.random.default_rng(0).integers(0, 256, (16, 128, 128, 3), dtype=np.uint8)
    assert face_grid(noise, caption="").encoded()[1] == "image/jpeg"
    assert picture.encoded()[1] == "image/png"
    assert face_grid(faces(2), caption="Two faces.").text == "Two faces."
