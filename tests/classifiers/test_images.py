"""Several arrays as one, and rows of one, read as numpy would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.classifiers import Concatenated, Selected
from fairlab.core.errors import UserError


def numbered(length: int, first: int) -> np.ndarray:
    """Return images (length, 2, 2, 3) whose every pixel is the image's number."""
    return np.broadcast_to(np.arange(first, first + length)[:, None, None, None], (length, 2, 2, 3)).copy()


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4), data=st.data())
def test_concatenated_reads_as_the_concatenation(lengths, data):
    parts = [numbered(length, sum(lengths[:i])) for i, length in enumerate(lengths)]
    whole = np.concatenate(parts)
    rows = np.array(data.draw(st.lists(st.integers(-len(whole), len(whole) - 1))), dtype=int)
    joined = Concatenated(parts)
    assert len(joined) == len(whole)
    np.testing.assert_array_equal(joined[rows], whole[rows])


@given(data=st.data())
def test_selected_reads_as_the_selection(data):
    images = numbered(12, 0)
    chosen = np.array(data.draw(st.lists(st.integers(0, 11), min_size=1)), dtype=int)
    rows = np.array(data.draw(st.lists(st.integers(-len(chosen), len(chosen) - 1))), dtype=int)
    selected = Selected(images, chosen)
    assert len(selected) == len(chosen)
    np.testing.assert_array_equal(selected[rows], images[chosen][rows])


def test_parts_nest_and_stay_on_disk(tmp_path):
    np.save(tmp_path / "real.npy", numbered(5, 0))
    real = np.load(tmp_path / "real.npy", mmap_mode="r")
    nested = Concatenated([Selected(real, np.array([4, 0])), Concatenated([real, numbered(2, 5)])])
    assert nested[np.array([0, 1, 8])][:, 0, 0, 0].tolist() == [4, 0, 6]
    assert nested.parts[0].images is real


@pytest.mark.parametrize("row", [-6, 5])
def test_an_index_outside_is_refused(row):
    with pytest.raises(IndexError):
        Concatenated([numbered(3, 0), numbered(2, 3)])[np.array([row])]


def test_what_cannot_be_joined_is_refused():
    with pytest.raises(UserError, match="at least one array"):
        Concatenated([])
    with pytest.raises(UserError, match="different sizes"):
        Concatenated([numbered(1, 0), np.zeros((1, 4, 4, 3), np.uint8)])
