"""The matrix of pairs: what it draws, and what its caption says."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.figures import matrix

from .drawn import pixels, words

#: B is easier than A, and A than Wearing_Hat. Of B and Wearing_Hat it is not clear.
TABLE = pd.DataFrame(
    {
        "first": ["A", "Wearing_Hat", "B"],
        "second": ["B", "A", "Wearing_Hat"],
        "difference": [-0.2, -0.1, 0.02],
        "low": [-0.3, -0.15, -0.01],
        "high": [-0.1, -0.05, 0.05],
    }
)


def hatched(figure) -> set[tuple[int, int]]:
    """The hatched cells as (row, column)."""
    (axis,) = figure.axes
    return {(round(patch.get_y()), round(patch.get_x())) for patch in axis.patches}


def places(figure) -> dict[tuple[int, int], str]:
    """What is written in each cell."""
    (axis,) = figure.axes
    at = {text.get_position(): text.get_text() for text in axis.texts}
    return {(int(y), int(x)): written for (x, y), written in at.items()}


def test_cells_are_antisymmetric_and_ordered_by_mean_difference():
    figure = matrix.discriminability_matrix(TABLE).figure
    (axis,) = figure.axes
    order = [label.get_text() for label in axis.get_yticklabels()]
    assert order == ["B", "A", "Wearing Hat"]  # means +11, -5, -6
    assert order == [label.get_text() for label in axis.get_xticklabels()]
    written = places(figure)
    assert written[0, 1] == "+20.0\n[+10.0, +30.0]"
    assert written[1, 0] == "−20.0\n[−30.0, −10.0]"
    assert written[1, 2] == "+10.0\n[+5.0, +15.0]"
    assert written[0, 2] == "+2.0\n[−1.0, +5.0]"
    assert [written[i, i] for i in range(3)] == ["–"] * 3
    assert len(written) == 9


def test_an_interval_that_contains_0_is_hatched_in_both_halves_and_only_there():
    figure = matrix.discriminability_matrix(TABLE).figure
    assert hatched(figure) == {(0, 2), (2, 0)}
    assert "interval contains 0" in figure.legends[0].get_texts()[-1].get_text()


def test_colours_separate_easier_from_harder_and_grow_with_the_difference():
    figure = matrix.discriminability_matrix(TABLE).figure
    figure.canvas.draw()
    colours = figure.axes[0].collections[0].get_facecolors()[:, :3].reshape(3, 3, 3)
    np.testing.assert_allclose(colours[0, 1], to_rgb(matrix.SKY), atol=0.01)
    np.testing.assert_allclose(colours[1, 0], to_rgb(matrix.ORANGE), atol=0.01)
    paleness = [np.abs(1 - colours[place]).sum() for place in ((0, 2), (1, 2), (0, 1))]  # 2, 10, 20 points
    assert np.all(np.diff(paleness) > 0)


def test_the_caption_says_the_order_what_is_easier_and_what_is_open():
    said = matrix.discriminability_matrix(TABLE).text
    assert "From easiest to hardest: B, A, Wearing Hat." in said
    assert "Easier: B than A by 20.0 [10.0, 30.0]; A than Wearing Hat by 10.0 [5.0, 15.0]." in said
    assert said.endswith("Interval contains 0: B and Wearing Hat.")


def test_a_caption_without_clear_or_open_pairs_says_none():
    wide, narrow = (TABLE.assign(low=low, high=high) for low, high in ((-0.5, 0.5), (0.01, 0.5)))
    assert "Easier: none." in matrix.discriminability_matrix(wide).text
    assert "Interval contains 0: none." in matrix.discriminability_matrix(narrow).text


def test_an_interval_that_touches_0_or_is_undefined_is_open():
    table = TABLE.assign(low=[-0.3, -0.15, np.nan], high=[0.0, -0.05, np.nan])
    assert len(hatched(matrix.discriminability_matrix(table).figure)) == 4


def test_the_file_is_a_picture_that_carries_its_caption(tmp_path):
    path = tmp_path / "new" / "matrix.png"
    matrix.discriminability_matrix(TABLE).save(path)
    with Image.open(path) as picture:
        assert picture.info["Description"] == matrix.discriminability_matrix(TABLE).text
        assert np.asarray(picture.convert("L")).std() > 5
    assert [file.name for file in path.parent.iterdir()] == ["matrix.png"]


def test_nothing_is_cut_off_with_many_attributes_of_long_names():
    names = [f"A_Rather_Long_Attribute_{i}" for i in range(10)]
    rows = [(a, b, 0.1, 0.05, 0.15) for i, a in enumerate(names) for b in names[i + 1 :]]
    figure = matrix.discriminability_matrix(pd.DataFrame(rows, columns=TABLE.columns)).figure
    grey = pixels(figure)
    assert all(edge.min() > 240 for edge in (grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    assert "A Rather Long Attribute 9" in words(figure)


@pytest.mark.parametrize(
    "table", [TABLE[:2], TABLE[:0], pd.concat([TABLE, TABLE[:1]])], ids=["missing", "none", "twice"]
)
def test_a_matrix_with_a_hole_ends_in_a_sentence(table):
    with pytest.raises(UserError, match=f"every pair .* once, .* the table has {len(table)} rows"):
        matrix.discriminability_matrix(table)
