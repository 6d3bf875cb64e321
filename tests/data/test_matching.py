"""Ids that are the same but for zeros at the beginning."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.data.matching import places, zeros_are_all

NUMBERS = st.lists(st.integers(0, 10**18), min_size=1, unique=True)


@given(NUMBERS, st.randoms(), st.integers(0, 20))
def test_a_shuffled_list_without_zeros_is_found_again(numbers, random, width):
    shuffled = random.sample(numbers, len(numbers))
    found, zeros = places(pa.array([f"{i:0{width}}" for i in numbers]), pa.array(list(map(str, shuffled))))
    assert [shuffled[place] for place in found] == numbers
    assert zeros == any(len(str(i)) < width for i in numbers)


@pytest.mark.parametrize(
    ("ids", "among", "found", "hint"),
    [
        (["1", "2"], ["2", "3"], [-1, 0], False),
        (["01", "1"], ["1", "01"], [1, 0], False),
        (["01", "1"], ["1", "2"], [-1, 0], True),
        (["01", "02"], ["1", "3"], [-1, -1], True),
        (["0012.jpg"], ["12.jpg"], [0], True),
        (["00", "0a"], ["0", "a"], [-1, -1], True),
        (["010"], ["10", "010"], [1], False),
    ],
)
def test_zeros_are_left_out_only_where_that_is_unambiguous(ids, among, found, hint):
    ids, among = pa.array(ids), pa.array(among)
    assert places(ids, among)[0].tolist() == found
    assert zeros_are_all(ids, among) == hint
