"""Odd command lines end with exit code 0 or 2 and a short printable sentence, never with a traceback."""

import io
import traceback
from contextlib import redirect_stderr, redirect_stdout

import papermill
import pytest

from fairlab.cli import main

from .counting import Counts
from .odd_lines import make_places, odd_lines

LONGEST = 6_000  # letters: what argparse says of the usage, and one sentence


class Began(BaseException):
    """The line was taken, and the work would begin."""


@pytest.fixture
def no_work(monkeypatch, tmp_path):
    """Let no command do work that takes long; the folder of odd files is the working folder."""

    def begin(*_, **__):
        raise Began

    for name in ("workspace.source", "workspace.workspace", "methods.unbiased_faces"):
        monkeypatch.setattr(f"fairlab.{name}.prepare_data", begin)
    monkeypatch.setattr("fairlab.studies.table.results.run_all", begin)
    monkeypatch.setattr(papermill, "execute_notebook", begin)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAIRLAB_HOME", raising=False)
    return make_places(tmp_path)


def shortfall(line):
    """Run one command line; return what fell short."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(line)
        except Began:
            code = 0
        except SystemExit as stop:
            code = stop.code
        except BaseException:
            return traceback.format_exc()[-1_500:]
    said = err.getvalue()
    sentence = said.strip().rpartition("\n")[2]
    if code not in (0, 2) and not (code == 1 and "--fail-if" in " ".join(line)):
        return f"exit code {code}: {said[-300:]}"
    if code == 2 and not sentence:
        return "exit code 2 without a word"
    if "Traceback" in said or "Warning:" in said:
        return said[-600:]
    if len(said) > LONGEST:
        return f"{len(said)} letters: {said[:300]}"
    odd = {sign for sign in said if not sign.isprintable() and sign not in "\n\r\u00a0\u202f\u200c\u200d"}
    return f"prints {odd!r}: {said[-300:]!r}" if odd else None


def check(n, seed, places, what):
    counts = Counts(what)
    for line in odd_lines(n, seed, places):
        counts.add(
            " ".join(word if len(word) < 60 else f"{word[:20]}..." for word in map(repr, line)),
            shortfall(line),
        )
    counts.check()


@pytest.mark.slow
def test_a_sample_of_odd_lines(no_work):
    check(40, 0, no_work, "odd command lines, a sample")


@pytest.mark.robustness
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_odd_lines(no_work, seed):
    check(300, seed, no_work, f"odd command lines, seed {seed}")


@pytest.mark.parametrize("word", ["a" * 5_000, "\x1b[31mred", "a\nb", "\udcff"])
@pytest.mark.parametrize(
    "command",
    [
        "run --target",
        "run --preset",
        "run --image-size",
        "run --run",
        "methods",
        "",
        "audit x.csv --label y --protected",
    ],
)
def test_what_a_sentence_repeats_is_short_and_printable(no_work, command, word):
    assert shortfall([*command.split(), word]) is None


@pytest.mark.parametrize(("argument", "said"), [("--home=a\0b", "null byte"), ("--preset=--", "is no value")])
def test_what_no_option_can_have_is_one_sentence(no_work, capsys, argument, said):
    with pytest.raises(SystemExit, match="2"):
        main(["run", argument])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("out", ["FOLDER", "/dev/null/x", "", " ", "a" * 300])
def test_a_folder_or_a_blank_as_a_place_to_write_is_no_traceback(no_work, out):
    for command in (
        "leakage TABLE --protected g --rounds 1 --out",
        "audit TABLE --label y --score s --protected g --resamples 25 --out",
    ):
        assert (
            shortfall([*(no_work.get(word, word) for word in command.split()), no_work.get(out, out)]) is None
        )
