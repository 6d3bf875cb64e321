"""Sentences: one line, short, without control codes, whatever they repeat."""

import errno
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import LONGEST_SENTENCE, DamagedError, UserError, printable, storage_sentence

ANY = st.text(st.characters(exclude_categories=()), max_size=400)  # surrogates and control codes, too


@given(ANY, st.integers(1, 60))
def test_any_text_becomes_one_short_printable_line(text, times):
    line = printable(text * times)
    assert all(sign.isprintable() or sign in "\u00a0\u202f\u200c\u200d" for sign in line)
    assert len(line) <= 10 * LONGEST_SENTENCE  # an escaped letter is ten


@given(st.text(st.characters(categories=("L", "N", "P")), max_size=300))
def test_a_plain_word_is_left_as_it_is(text):
    assert printable(text) == text


def test_the_middle_of_what_is_too_long_is_left_out():
    line = printable(f"There is no 'begin{'x' * 5_000}end'; choose another.")
    assert line.startswith("There is no 'beginx")
    assert line.endswith("xend'; choose another.")
    assert len(line) < 400
    assert len(printable("many words " * 1_000)) <= LONGEST_SENTENCE + 1


@pytest.mark.parametrize("kind", [UserError, DamagedError])
def test_an_error_is_printable_everywhere(kind):
    error = kind("There is no '\x1b[31mred\n'.")
    assert str(error) == "There is no '\\x1b[31mred '."
    assert error._render_traceback_() == [f"FairLab: {error}"]
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    "code", [errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.ENOSPC, errno.EACCES]
)
def test_what_the_disk_refuses_is_a_sentence_that_names_the_file(code):
    sentence = storage_sentence(OSError(code, "refused", "/some/\x07file"))
    assert "/some/\\x07file" in sentence
    assert storage_sentence(OSError(errno.ECHILD, "no child")) is None
