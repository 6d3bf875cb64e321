"""Notebooks run without a browser; what fails in them is not overlooked."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import papermill
import pytest

from fairlab.core.errors import UserError
from fairlab.lab.executed import RESULT, STATE, VIEW
from fairlab.lab.panel import ERROR_CLASS
from fairlab.studies.notebooks.execute import hidden_errors, notebooks_folder, results, run_notebooks, select
from fairlab.studies.notebooks.page import LARGE_MEGABYTES, to_html, write_index

from .made_notebooks import code, notebook, write

RECORD = f"""\
from IPython.display import display
display({{{RESULT!r}: {{"name": "share", "value": 0.25, "low": 0.2, "high": 0.3, "n": 1200}},
         "text/plain": "share: 0.250"}}, raw=True)"""

IN_AN_OUTPUT = """\
import ipywidgets as widgets
out = widgets.Output()
with out:
    raise ValueError("went wrong\\nin two lines")
display(widgets.VBox([out]))"""

IN_INTERACT = """\
from ipywidgets import interact
@interact(x=(0, 3))
def draw(x=1):
    raise ValueError(f"no picture of {x}")"""

IN_A_PANEL = """\
import ipywidgets as widgets
from fairlab.lab.panel import Panel
panel = Panel([widgets.IntSlider(description="Step")])
def draw():
    raise ValueError("the latent is <empty>")
panel.attempt(draw)
panel"""

OF_A_PANEL = """\
import ipywidgets as widgets
from fairlab.lab.panel import Panel
Panel([widgets.IntSlider(value=3, description="Step")])"""

PROGRESS = """\
from tqdm.auto import tqdm
for i in tqdm(range(3), desc="Waiting"): pass"""


@pytest.fixture
def source(tmp_path):
    return tmp_path / "notebooks"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "runs" / "mine" / "notebooks"


def executed(out, name):
    return nbformat.read(out / f"{name}.ipynb", as_version=4)


def refused(out, source, **parameters):
    with pytest.raises(UserError) as error:
        run_notebooks(out, parameters, source=source)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


# Without a kernel.


def test_our_notebooks_are_looked_for_beside_the_package():
    assert notebooks_folder().name == "notebooks"


def test_only_takes_numbers_and_names(source):
    for name in ("00_a", "01_b", "02_c"):
        write(source / f"{name}.ipynb")
    names = [path.stem for path in select(source, ["02", "00_a"])]
    assert names == ["00_a", "02_c"]
    assert len(select(source)) == 3
    assert [path.stem for path in select(source, ["01_b.ipynb"])] == ["01_b"]


@pytest.mark.parametrize("beginning", ["07", "hyperplanes", ""])
def test_only_that_fits_none_lists_what_there_is(source, beginning):
    write(source / "00_a.ipynb")
    write(source / "03_hyperplanes.ipynb")
    with pytest.raises(UserError, match="00_a, 03_hyperplanes"):
        select(source, [beginning])


def test_a_folder_without_notebooks_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no notebooks in"):
        select(tmp_path / "nowhere")


def test_a_misspelt_parameter_is_refused_before_anything_runs(source, out):
    write(source / "00_a.ipynb")
    assert "no parameter 'sedes'; did you mean 'seeds'?" in refused(out, source, sedes=3)
    assert not out.exists()


def with_widgets(**states):
    made = notebook(code("x"))
    made.metadata["widgets"] = {STATE: {"state": {name: {"state": state} for name, state in states.items()}}}
    made.cells[-1].execution_count = 7
    made.cells[-1].outputs = [nbformat.v4.new_output("display_data", {VIEW: {"model_id": "box"}})]
    return made


def test_errors_hidden_in_widgets_are_found_with_their_cell():
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'z'", "traceback": []}
    made = with_widgets(
        box={"children": ["IPY_MODEL_out"]},
        out={"outputs": [{"output_type": "stream", "text": "fine"}, error]},
        text={"_dom_classes": [ERROR_CLASS], "value": "<p>⚠ no &lt;z&gt;</p>"},
        quiet={"_dom_classes": [ERROR_CLASS], "value": ""},
        other={"_dom_classes": ["mine"], "value": "<p>no error</p>"},
    )
    assert hidden_errors(made) == ["in a widget of cell [7]: KeyError: 'z'", "in a widget: ⚠ no <z>"]


def test_a_notebook_without_widgets_hides_nothing():
    assert hidden_errors(notebook()) == []


def test_results_are_read_back_and_the_last_of_a_name_counts():
    made = notebook(code("x"))
    first = {"name": "share", "value": 0.1, "low": None, "high": None, "n": None}
    made.cells[-1].outputs = [
        nbformat.v4.new_output("display_data", {RESULT: result})
        for result in (first, first | {"value": 0.2, "n": 9}, {"name": "word", "value": "yes"})
    ]
    assert results(made) == {
        "share": {"value": 0.2, "low": None, "high": None, "n": 9},
        "word": {"value": "yes", "low": None, "high": None, "n": None},
    }


def scripts_and_sources(page):
    assert "<script" not in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert not re.search(r"@import|url\(", page)


def test_a_page_shows_the_fallback_of_widgets_and_no_script():
    made = notebook(code("panel"))
    made.cells[-1].outputs = [
        nbformat.v4.new_output("display_data", {VIEW: {"model_id": "a"}, "text/html": "<b>Step: 3</b>"}),
        nbformat.v4.new_output("display_data", {VIEW: {"model_id": "b"}, "text/plain": "HBox(IntSlider())"}),
        nbformat.v4.new_output("display_data", {"image/png": "AAAA", "text/plain": 'Two "discs"'}),
        nbformat.v4.new_output("display_data", {"application/javascript": "alert(1)"}),
        nbformat.v4.new_output("stream", name="stdout", text="1 < 2"),
    ]
    before = nbformat.writes(made)
    page = to_html(made, "00_a")
    scripts_and_sources(page)
    assert "<b>Step: 3</b>" in page
    assert "1 &lt; 2" in page
    assert "HBox" not in page
    assert "alert(1)" not in page
    assert "alt='Two \"discs\"'" in page
    assert "<title>A heading</title>" in page
    assert nbformat.writes(made) == before


def test_links_between_notebooks_lead_to_pages():
    links = "[a](01_b.ipynb) [b](./02_c.ipynb#here) [c](https://x.org/03_d.ipynb) <a href='04_e.ipynb'>d</a>"
    page = to_html(notebook(heading=f"# T\n\n{links}"), "00_a")
    assert 'href="01_b.html"' in page
    assert 'href="02_c.html#here"' in page
    assert "https://x.org/03_d.ipynb" in page
    assert "04_e.html" in page


def test_formulas_are_pictures_and_code_keeps_its_dollars():
    text = r"$w_t$, `$HOME$` for 5$ or 6$: $$\lVert w \rVert = \frac{1}{2}$$ $\begin{matrix}1\end{matrix}$"
    page = to_html(notebook(heading=f"# T\n\n{text}"), "00_a")
    scripts_and_sources(page)
    assert 'alt="w_t"' in page
    assert r'alt="\lVert w \rVert = \frac{1}{2}"' in page
    assert "<code>$HOME$</code> for 5$ or 6$" in page
    assert r"<code>\begin{matrix}1\end{matrix}</code>" in page


def test_solutions_are_folded():
    page = to_html(notebook(code("print(42)", "solution")), "00_a")
    assert re.search(r"<details>\s*<summary>Solution</summary>.*42.*</details>", page, re.DOTALL)


def test_the_index_escapes_and_says_what_is_large(out):
    made = notebook(code("x"), heading="# <b>Faces</b>")
    made.metadata["papermill"] = {"duration": 12.4, "parameters": {"target": "<i>"}}
    made.cells[-1].outputs = [nbformat.v4.new_output("stream", text="x" * int(LARGE_MEGABYTES * 1e6))]
    out.mkdir(parents=True)
    nbformat.write(made, out / "00_a.ipynb")
    write_index(out)
    page = (out / "index.html").read_text()
    assert "&lt;b&gt;Faces" in page
    assert "&lt;i&gt;" in page
    assert "above 2 MB" in page


# With kernels.


@pytest.mark.slow
def test_parameters_arrive_and_results_and_pages_are_made(source, out):
    names = 'print("got", preset, seeds, home)'
    write(source / "00_a.ipynb", code(names), code(RECORD), heading="# First\n\n[next](01_b.ipynb)")
    write(source / "01_b.ipynb", code(names), code(OF_A_PANEL), code(PROGRESS))
    index = run_notebooks(out, {"seeds": 3, "home": "/some/where"}, source=source)
    assert "got quick 3 /some/where" in nbformat.writes(executed(out, "00_a"))
    assert results(executed(out, "00_a"))["share"] == {"value": 0.25, "low": 0.2, "high": 0.3, "n": 1200}
    assert sorted(path.name for path in out.iterdir()) == [
        "00_a.html", "00_a.ipynb", "01_b.html", "01_b.ipynb", "index.html"
    ]  # fmt: skip
    for page in out.glob("*.html"):
        scripts_and_sources(page.read_text())
    panel = (out / "01_b.html").read_text()
    assert "Step: <b>3</b>" in panel
    assert "Waiting" not in re.sub(r"<[^>]+>", "", panel).split("desc=", 1)[1].split("\n", 1)[1]
    text = index.read_text()
    for said in (
        "First",
        "00_a.html",
        "01_b.ipynb",
        "share",
        "0.200 to 0.300",
        "1,200",
        "/some/where",
        "mine",
    ):
        assert said in text
    assert str(source) not in nbformat.writes(executed(out, "00_a"))


@pytest.mark.slow
def test_a_failing_cell_is_one_sentence_and_its_copy_is_kept(source, out):
    write(source / "00_a.ipynb", code("1 / 0"))
    write(source / "01_b.ipynb", code("print('never')"))
    sentence = refused(out, source)
    assert "00_a failed in cell [2]: ZeroDivisionError: division by zero" in sentence
    assert str(out / "00_a.failed.ipynb") in sentence
    assert sorted(path.name for path in out.iterdir()) == ["00_a.failed.ipynb", "index.html"]
    assert "00_a.failed.ipynb" in (out / "index.html").read_text()
    write(source / "00_a.ipynb", code("1 / 1"))
    run_notebooks(out, {}, only=["00"], source=source)
    assert sorted(path.name for path in out.iterdir()) == ["00_a.html", "00_a.ipynb", "index.html"]


@pytest.mark.slow
def test_a_users_mistake_is_told_in_its_own_words(source, out):
    raising = "from fairlab.core.errors import UserError\nraise UserError('There is no such attribute.')"
    write(source / "00_a.ipynb", code(raising))
    assert "failed in cell [2]: There is no such attribute.; " in refused(out, source)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (IN_AN_OUTPUT, "in a widget of cell [2]: ValueError: went wrong in two lines"),
        (IN_INTERACT, "in a widget of cell [2]: ValueError: no picture of 1"),
        (IN_A_PANEL, "in a widget of cell [2]: ⚠ ValueError: the latent is <empty>"),
    ],
)
def test_an_exception_inside_a_widget_fails_the_notebook(source, out, tmp_path, cell, said):
    path = write(source / "00_a.ipynb", code(cell))
    papermill.execute_notebook(path, tmp_path / "plain.ipynb", progress_bar=False)  # notices nothing
    assert said in refused(out, source)
    assert not (out / "00_a.ipynb").exists()


@pytest.mark.slow
def test_a_kernel_that_dies_is_one_sentence(source, out):
    write(source / "00_a.ipynb", code("import os\nos._exit(1)"))
    assert "its kernel died" in refused(out, source)
    assert (out / "00_a.failed.ipynb").exists()


@pytest.fixture
def short_lived():
    """An environment whose temporary files vanish; pytest's own folders are too long for sockets."""
    with tempfile.TemporaryDirectory() as folder:
        yield os.environ | {"TMPDIR": folder}


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_no_half_notebook(source, out, tmp_path, short_lived, how):
    here = tmp_path / "here"
    wait = (
        f"import os, pathlib, time\npathlib.Path({str(here)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    )
    write(source / "00_a.ipynb", code(wait))
    call = f"""\
from pathlib import Path
from fairlab.studies.notebooks.execute import run_notebooks
run_notebooks(Path({str(out)!r}), {{}}, source=Path({str(source)!r}))"""
    process = subprocess.Popen([sys.executable, "-c", call], stderr=subprocess.DEVNULL, env=short_lived)
    deadline = time.monotonic() + 120
    while not (here.exists() and here.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    kernel = int(here.read_text())
    os.kill(process.pid, how)
    process.wait(60)
    while running(kernel) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running(kernel)
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] in ([], ["index.html"])
    write(source / "00_a.ipynb", code("print('done')"))
    run_notebooks(out, {}, source=source)
    assert sorted(path.name for path in out.iterdir()) == ["00_a.html", "00_a.ipynb", "index.html"]
