"""What the README and docs/ show exists: commands, settings, imports, links, and every method."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from fairlab import cli
from fairlab.methods import METHODS
from fairlab.methods.settings import read_method
from fairlab.studies.arguments import method_text

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
#: The exercise of CONTRIBUTING, and what stands for a name.
MADE_UP = ("label_smoothing", "NAME")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def commands(page):
    """Yield the command lines of a page that are whole."""
    lines = [line for block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`(fairlab [^`\n]+)`", page.read_text("utf-8"))
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] == ["fairlab"] and not set("…=") & set(words[-1][-1:]):
            yield words[1:]


@each_page
def test_commands_are_understood(page):
    for words in commands(page):
        if len(words) > 1 and words[-1] != "--help":
            arguments = vars(cli._parser().parse_args(words))
            named = [*(arguments.get("methods") or []), arguments.get("method")]
            for method in filter(None, named):
                if method not in (*MADE_UP, "all", "controls", "ablations"):
                    read_method(method, {})


@each_page
def test_settings_are_settings_of_the_method(page):
    for words in commands(page):
        if "--set" in words and words[0] == "run":
            arguments = cli._parser().parse_args(words)
            if arguments.method not in MADE_UP:
                read_method(method_text(arguments), {})


@each_page
def test_code_imports_what_is_there(page):
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("fairlab"):
                names = ", ".join(alias.name for alias in node.names)
                exec(f"from {node.module} import {names}", {})


@each_page
def test_links_lead_to_files_of_the_repository(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", ["README.md", "docs/methods.md"])
def test_every_method_is_named(name):
    text = (ROOT / name).read_text("utf-8")
    assert [method for method in METHODS if f"`{method}`" not in text] == []


def test_the_readme_is_a_page():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 95
