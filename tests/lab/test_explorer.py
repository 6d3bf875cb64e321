"""The latent explorer, driven without a browser: sliders move, faces and numbers follow."""

import numpy as np
import pytest

from fairlab.generators import sample_latents
from fairlab.lab.explorer import FACE, STRIP_FACE, TRAVERSE, LatentExplorer
from fairlab.lab.panel import static_html
from fairlab.lab.renderer import Renderer, encode
from fairlab.latent import Hyperplane

from .small_lab import LATENT_DIM, bars, cells, drawn, generator, green, planes, red, renderer, walked


@pytest.fixture
def explorer():
    explorer = LatentExplorer(renderer(), seed=4)
    assert explorer.error.value == ""
    return explorer


def latent(seed):
    return sample_latents(1, LATENT_DIM, seed)


def assert_shows(explorer, z):
    """The picture, the bars and the words are those of one latent (1, d)."""
    scores = {"Smiling": red(drawn(z))[0], "Male": green(drawn(z))[0]}
    assert explorer.picture.value == encode(drawn(z), FACE)
    found = bars(explorer.numbers.value)
    for name, plane in planes().items():
        *score, distance = found[name.replace("_", " ")]
        assert float(distance) == pytest.approx(plane.distance(z)[0], abs=0.0051)
        if name in scores:
            assert score == [f"{scores[name]:.2f} {'yes' if scores[name] > 0.5 else 'no'}"]
            assert f"{name} {score[0]}" in explorer.read_out.value


def test_it_starts_with_the_face_of_its_seed(explorer):
    assert_shows(explorer, latent(4))
    assert "Face 4, moved by nothing." in explorer.read_out.value
    assert list(explorer.sliders) == ["Smiling", "Male", "Wearing_Hat"]


def test_a_slider_moves_the_face_across_its_plane_and_keeps_the_other_distances(explorer):
    picture, before = explorer.picture, explorer.picture.value

    explorer.sliders["Male"].value = 2.0

    assert explorer.picture is picture
    assert explorer.picture.value != before
    assert_shows(explorer, walked(latent(4), {"Male": 2.0}))
    found = bars(explorer.numbers.value)
    moved, kept = float(found["Male"][-1]), float(found["Smiling"][-1])
    assert moved == pytest.approx(planes()["Male"].distance(latent(4))[0] + 2.0, abs=0.0051)
    assert kept == pytest.approx(planes()["Smiling"].distance(latent(4))[0], abs=0.0051)
    assert "Face 4, moved by Male +2.0." in explorer.read_out.value


def test_steps_of_several_sliders_add_up(explorer):
    steps = {"Smiling": -1.5, "Male": 0.7, "Wearing_Hat": 3.0}
    for name, step in steps.items():
        explorer.sliders[name].value = step

    assert_shows(explorer, walked(latent(4), steps))
    assert "moved by Smiling -1.5, Male +0.7, Wearing Hat +3.0." in explorer.read_out.value


def test_unconditioned_the_face_goes_along_the_normal(explorer):
    explorer.sliders["Male"].value = 2.0
    conditioned = explorer.picture.value, explorer.strip.value

    explorer.conditioned.value = False

    assert_shows(explorer, latent(4) + 2.0 * planes()["Male"].normal)
    assert explorer.picture.value != conditioned[0]
    assert explorer.strip.value != conditioned[1]
    explorer.conditioned.value = True
    assert (explorer.picture.value, explorer.strip.value) == conditioned


def test_it_can_start_unconditioned():
    explorer = LatentExplorer(renderer(), seed=4, conditioned=False)
    explorer.sliders["Smiling"].value = -3.0

    assert_shows(explorer, latent(4) - 3.0 * planes()["Smiling"].normal)


def test_another_seed_is_another_face_moved_alike(explorer):
    explorer.sliders["Male"].value = -1.0
    explorer.seed.value = 9

    assert_shows(explorer, walked(latent(9), {"Male": -1.0}))
    assert "Face 9, moved by Male -1.0." in explorer.read_out.value


def test_reset_goes_back_to_the_unmoved_face(explorer):
    start = explorer.picture.value, explorer.numbers.value, explorer.read_out.value
    explorer.sliders["Smiling"].value = 2.0
    explorer.sliders["Wearing_Hat"].value = -2.0
    assert explorer.picture.value != start[0]

    explorer.reset.click()

    assert explorer.steps == {"Smiling": 0, "Male": 0, "Wearing_Hat": 0}
    assert (explorer.picture.value, explorer.numbers.value, explorer.read_out.value) == start


def test_the_strip_is_the_whole_walk_of_the_slider_moved_last(explorer):
    strip = explorer.strip
    explorer.sliders["Smiling"].value = 1.0
    explorer.sliders["Male"].value = 0.5

    z = np.concatenate([walked(latent(4), {"Smiling": 1.0, "Male": step}) for step in TRAVERSE])
    assert explorer.strip is strip
    assert explorer.strip.value == encode(drawn(z), STRIP_FACE)
    table = cells(explorer.strip_words.value)
    assert table["step along Male"] == [f"{step:+.1f}" for step in TRAVERSE]
    assert [float(x) for x in table["Male score"]] == pytest.approx(green(drawn(z)), abs=0.0051)
    assert [float(x) for x in table["Smiling score"]] == pytest.approx(red(drawn(z)), abs=0.0051)


def test_the_strip_stands_while_its_own_slider_moves_and_changes_with_another(explorer):
    explorer.sliders["Male"].value = 0.5
    strip, changed = explorer.strip.value, []
    explorer.strip.observe(changed.append, names="value")

    for step in (1.0, 1.5, -4.0):
        explorer.sliders["Male"].value = step
    assert changed == []
    assert explorer.strip.value == strip

    explorer.sliders["Smiling"].value = 1.0
    assert len(changed) == 1
    assert "step along Smiling" in explorer.strip_words.value
    explorer.seed.value = 5
    assert len(changed) == 2


def test_the_walks_shown_come_from_one_drawing_each(explorer):
    squares = explorer.renderer.generator.module
    explorer.sliders["Male"].value = 0.5
    calls = squares.calls

    explorer.sliders["Male"].value = 1.0
    assert squares.calls == calls + 1  # one new face, no new strip
    explorer.sliders["Male"].value = 0.5
    assert squares.calls == calls + 1


def test_without_planes_there_is_only_the_seed():
    explorer = LatentExplorer(Renderer(generator(), {"Smiling": red}), seed=1)

    assert explorer.error.value == ""
    assert explorer.sliders == {}
    assert explorer.picture.value == encode(drawn(latent(1)), FACE)
    assert explorer.strip.value == b""
    static = static_html(explorer)
    assert "Keep the other distances" not in static
    assert static.count("<img") == 1
    explorer.seed.value = 2
    assert explorer.picture.value == encode(drawn(latent(2)), FACE)
    assert bars(explorer.numbers.value) == {"Smiling": [f"{red(drawn(latent(2)))[0]:.2f}"]}


def test_a_failure_is_text_until_the_generator_draws_again(explorer):
    shown = explorer.picture.value
    explorer.renderer.generator.module.broken = True

    explorer.sliders["Male"].value = 1.0
    assert "RuntimeError: the pencil &lt;broke&gt; (in forward, " in explorer.error.value
    assert explorer.picture.value == shown

    explorer.renderer.generator.module.broken = False
    explorer.sliders["Male"].value = 1.1
    assert explorer.error.value == ""
    assert_shows(explorer, walked(latent(4), {"Male": 1.1}))


def test_a_failure_of_the_strip_alone_is_text_too(explorer, monkeypatch):
    frame = explorer.renderer.frame

    def no_strips(z, *args, **kwargs):
        return frame(z[:, :3] if len(z) > 1 else z, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(explorer.renderer, "frame", no_strips)
        explorer.sliders["Male"].value = 1.0
        assert "These latents have 3 dimensions" in explorer.error.value
        assert_shows(explorer, walked(latent(4), {"Male": 1.0}))

    explorer.sliders["Male"].value = 1.5
    assert explorer.error.value == ""


def test_parallel_planes_are_said_and_can_be_walked_unconditioned():
    twin = {"Smiling": planes()["Smiling"], "Laughing": Hyperplane(planes()["Smiling"].normal, 0.5)}
    explorer = LatentExplorer(Renderer(generator(), {}, twin), seed=4)
    assert explorer.picture.value == encode(drawn(latent(4)), FACE)
    assert "parallel or dependent" in explorer.error.value

    explorer.conditioned.value = False
    explorer.sliders["Laughing"].value = 1.0
    assert explorer.error.value == ""
    assert explorer.picture.value == encode(drawn(latent(4) + planes()["Smiling"].normal), FACE)


def test_without_a_kernel_it_is_two_pictures_with_words(explorer):
    explorer.sliders["Wearing_Hat"].value = 2.0
    static = static_html(explorer)

    assert static.count('src="data:image/jpeg;base64,') == 2
    assert 'alt="Face 4, moved by' in static
    assert f"{explorer.sliders['Wearing_Hat'].description}: <b>+2.0</b>" in static
    assert all(name.replace("_", " ") in slider.description for name, slider in explorer.sliders.items())
    assert "Seed of the face: <b>4</b>" in static
    assert "Signed distances: " in static
