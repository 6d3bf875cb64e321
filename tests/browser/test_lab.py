"""The notebooks in a real JupyterLab: mouse and keyboard move sliders, and pictures and numbers follow."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from fairlab.evaluation.pair_truth import attribute_planes
from fairlab.experiments.run import Run
from fairlab.lab import renderer_of
from fairlab.lab.renderer import Renderer

from .laboratory import OpenNotebook, picture_bytes, wait_for_picture

pytestmark = pytest.mark.slow

Opener = Callable[[str], OpenNotebook]
READ_OUT = "[role=status]"


@pytest.fixture(scope="module")
def run(smoke_home: Path) -> Run:
    return Run.of_preset("smoke", smoke_home)


@pytest.fixture(scope="module")
def renderer(run: Run) -> Renderer:
    """What the explorer of notebook 03 draws with."""
    return renderer_of(run, planes=attribute_planes(run, ["Smiling", "Young"]))


@pytest.fixture
def hyperplanes(open_notebook: Opener) -> OpenNotebook:
    return open_notebook("03_hyperplanes.ipynb")


@pytest.fixture
def explorer(hyperplanes: OpenNotebook) -> Locator:
    return hyperplanes.widget("Keep the other distances")


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"[+-]?\d+\.\d+", text)]


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)), float)


def drag(handle: Locator, by: float, moves: int = 5) -> None:
    """Pull a slider's handle to the side, in as many moves of the mouse."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = handle.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + by, y, steps=moves)
    mouse.up()


def test_keys_walk_along_a_normal_and_the_picture_is_the_renderers(
    hyperplanes: OpenNotebook, explorer: Locator, renderer: Renderer, run: Run
):
    image, read_out = explorer.locator("img").first, explorer.locator(READ_OUT)
    before = picture_bytes(image)
    hyperplanes.slider(explorer, "Step along Male").focus()
    for _ in range(12):
        hyperplanes.page.keyboard.press("ArrowRight")
    expect(read_out).to_contain_text("moved by Male +1.2")
    z = np.random.default_rng(2).standard_normal((1, 512), dtype=np.float32)
    frame = renderer.frame(z, {"Male": 1.2}, size=256)
    # Threads add up in another order: at most some JPEG noise.
    after = wait_for_picture(image, lambda shown: np.abs(pixels(shown) - pixels(frame.jpeg)).max() < 12)
    assert after != before
    scores = [float(frame.scores[name][0]) for name in (run.experiment.target, run.experiment.protected)]
    distances = [float(values[0]) for values in frame.distances.values()]
    assert numbers(read_out.inner_text()) == pytest.approx([1.2, *scores, *distances], abs=0.011)
    assert hyperplanes.complaints == []


def test_the_mouse_drags_a_slider_and_the_button_resets_it(hyperplanes: OpenNotebook, explorer: Locator):
    image, read_out = explorer.locator("img").first, explorer.locator(READ_OUT)
    before = picture_bytes(image)
    handle = hyperplanes.slider(explorer, "Step along Smiling")
    drag(handle, by=60)
    expect(read_out).to_contain_text(re.compile(r"moved by Smiling \+\d"))
    assert float(handle.get_attribute("aria-valuenow") or 0) > 0.5
    wait_for_picture(image, lambda shown: shown != before)
    explorer.get_by_role("button", name="Reset sliders").click()
    expect(read_out).to_contain_text("moved by nothing")
    wait_for_picture(image, lambda shown: shown == before)
    assert hyperplanes.complaints == []


def test_while_someone_drags_stale_pictures_are_left_out(hyperplanes: OpenNotebook, explorer: Locator):
    hyperplanes.execute(
        "import time\n"
        "fast, calls = explorer.renderer.generator, []\n"
        "class Slow:\n"
        "    latent_dim, resolution = fast.latent_dim, fast.resolution\n"
        "    def __call__(self, z):\n"
        "        calls.append(len(z)), time.sleep(0.25)\n"
        "        return fast(z)\n"
        "explorer.renderer.generator = Slow()"
    )
    handle = hyperplanes.slider(explorer, "Step along Young")
    started = time.monotonic()
    drag(handle, by=90, moves=60)
    seconds = time.monotonic() - started
    value = float(handle.get_attribute("aria-valuenow") or 0)
    expect(explorer.locator(READ_OUT)).to_contain_text(f"moved by Young {value:+.1f}")
    hyperplanes.execute("print('drawn', len([n for n in calls if n == 1]))")
    drawn = hyperplanes.page.get_by_text(re.compile(r"^drawn \d+")).last.inner_text()
    # The slider passed more than 20 values, and a queue would have drawn each of them: here no more pictures
    # are drawn than there was time for, and a few to end with.
    assert value > 2
    assert 1 <= int(drawn.split()[1]) <= seconds / 0.25 + 4


def test_an_exception_in_a_callback_reaches_the_reader_as_text(hyperplanes: OpenNotebook, explorer: Locator):
    hyperplanes.execute("kept = explorer.renderer.generator; explorer.renderer.generator = None")
    hyperplanes.slider(explorer, "Step along Male").focus()
    hyperplanes.page.keyboard.press("ArrowRight")
    expect(explorer.get_by_role("alert")).to_contain_text("NoneType")
    hyperplanes.execute("explorer.renderer.generator = kept")
    hyperplanes.slider(explorer, "Step along Male").focus()
    hyperplanes.page.keyboard.press("ArrowRight")
    expect(explorer.locator(READ_OUT)).to_contain_text("moved by Male +0.2")
    expect(explorer.get_by_role("alert")).to_have_count(0)


def test_a_click_and_the_keyboard_choose_a_point_in_the_plane(hyperplanes: OpenNotebook):
    view = hyperplanes.widget("Point, from not Male to Male")
    plane, faces, read_out = view.locator("img").first, view.locator("img").nth(1), view.locator(READ_OUT)
    before = [picture_bytes(image) for image in (plane, faces)]
    first = read_out.first.inner_text()
    box = plane.bounding_box()
    assert box is not None
    plane.click(position={"x": 0.6 * box["width"], "y": 0.25 * box["height"]})
    expect(read_out.first).not_to_have_text(first)
    wait_for_picture(plane, lambda shown: shown != before[0])
    wait_for_picture(faces, lambda shown: shown != before[1])
    expect(plane).to_have_attribute("alt", re.compile(re.escape(read_out.first.inner_text())))
    handle = hyperplanes.slider(view, "Point, from not Male to Male")
    handle.focus()
    hyperplanes.page.keyboard.press("Home")
    expect(read_out.first).to_contain_text("Point 0 of")
    hyperplanes.page.keyboard.press("ArrowRight")
    expect(read_out.first).to_contain_text("Point 1 of")
    assert hyperplanes.complaints == []


def from_z_to_middle(jpeg: bytes) -> float:
    """Return the mean difference, in grey levels, between the first two faces of the pair viewer."""
    faces = pixels(jpeg)
    return float(np.abs(faces[:, :188] - faces[:, 196:384]).mean())


def test_pairs_are_stepped_through_and_chosen_by_kind(open_notebook: Opener):
    notebook = open_notebook("04_pairs.ipynb")
    viewer = notebook.widget("Step from z to z'")
    image, (summary, words) = viewer.locator("img").first, viewer.locator(READ_OUT).all()[:2]
    shown = [picture_bytes(image)]

    def next_picture(is_the_one: Callable[[bytes], bool] = lambda _: True) -> None:
        shown.append(wait_for_picture(image, lambda jpeg: jpeg not in shown and is_the_one(jpeg)))

    notebook.slider(viewer, "Pair").focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(words).to_contain_text("Pair 1:")
    next_picture()
    on_the_way = viewer.get_by_text(re.compile(r"^\d+% of the way$"))
    expect(on_the_way).to_have_text("50% of the way")
    notebook.slider(viewer, "Step from z to z'").focus()
    notebook.page.keyboard.press("Home")
    expect(on_the_way).to_have_text("0% of the way")
    # On the first picture the face in the middle is half way; on the last it is z with its own JPEG noise.
    assert from_z_to_middle(shown[-1]) > 2
    next_picture(lambda jpeg: from_z_to_middle(jpeg) < 2)
    drag(notebook.slider(viewer, "Step from z to z'"), by=100)
    expect(on_the_way).not_to_have_text("0% of the way")
    next_picture()
    text = summary.inner_text()
    viewer.get_by_label("Kind of partner").select_option("perpendicular_on_hyperplane")
    expect(summary).not_to_have_text(text)
    assert notebook.complaints == []


def test_the_dial_changes_labels_and_faces(open_notebook: Opener):
    notebook = open_notebook("00_biased_faces.ipynb")
    dial = notebook.widget("CelebA's own")
    image, table, read_out = (dial.locator(part).first for part in ("img", "table", READ_OUT))
    before, counts = picture_bytes(image), table.inner_text()
    handle, shown = notebook.slider(dial, "association"), dial.locator(".widget-readout")
    own = shown.inner_text()
    handle.focus()
    for _ in range(15):
        notebook.page.keyboard.press("ArrowLeft")
    expect(shown).to_have_text(f"{float(own) - 0.15:.2f}")
    expect(read_out).to_contain_text("the dial asks for +0.050")
    assert table.inner_text() != counts
    wait_for_picture(image, lambda shown: shown != before)
    drag(handle, by=30)
    expect(read_out).to_contain_text(re.compile(r"the dial asks for \+0\.[1-9]"))
    dial.get_by_role("button", name="CelebA's own").click()
    expect(shown).to_have_text(own)
    expect(table).to_contain_text(counts.split()[-2])
    wait_for_picture(image, lambda shown: shown == before)
    assert notebook.complaints == []
