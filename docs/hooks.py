"""Pages of the site that lie outside docs/: the repository's own, figures, notebooks, and the API.

Links in Markdown are those of the repository, so that they work there, too: ``../figures/pairs.png`` in
``docs/guide.md``, ``docs/results.md`` in ``CONTRIBUTING.md``. On the site all of these lie side by side.
"""

import ast
import json
import re
import textwrap
from pathlib import Path

from mkdocs.structure.files import File

from fairlab.studies.notebooks.formulas import typeset

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "data/README.md": "cards.md",
    "examples/latent_pairs.py": "example.md",
}
LINK = re.compile(r"\]\((?:\.\./)?(?:docs/)?([\w./-]+)(?=[#)])")  # no address with a scheme


def on_files(files, config):
    """Add what lies outside docs/."""
    texts = {page: (REPOSITORY / file).read_text("utf-8") for file, page in PAGES.items()}
    texts["example.md"] = f"# The six steps in one file\n\n```python\n{texts['example.md']}```"
    for path in (REPOSITORY / "notebooks").glob("*.ipynb"):
        texts[f"notebooks/{path.stem}.md"] = notebook_page(json.loads(path.read_text("utf-8")))
    for room in (REPOSITORY / "fairlab").glob("*/__init__.py"):
        texts[f"api/{room.parent.name}.md"] = api_page(room.parent)
    for page, text in texts.items():
        files.append(File.generated(config, page, content=text))
    for path in (REPOSITORY / "figures").glob("*.png"):
        files.append(File.generated(config, f"figures/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Let links lead to where things are on the site, and set formulas as pictures, without a script."""
    return typeset(LINK.sub(lambda found: f"]({_on_site(found[1])}", markdown))


def _on_site(target):
    room = re.sub(r"^fairlab/(\w+)$", r"api/\1.md", target)  # a room's folder: its page of the API
    return PAGES.get(target, re.sub(r"\.ipynb$", ".md", room))


def notebook_page(notebook):
    """Return a notebook as Markdown: text, code, and solutions to unfold."""
    return "\n\n".join(map(_cell, notebook["cells"]))


def _cell(cell):
    text, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
    if cell["cell_type"] == "markdown":
        return text.replace("<details>", '<details markdown="1">')
    code = f"```python\n{text}\n```"
    return '??? example "Solution"\n\n' + textwrap.indent(code, "    ") if "solution" in tags else code


def api_page(room):
    """Return the page of one room: what its package offers, and then module by module."""
    offered = [
        f"`{name}`"
        if name.isupper()
        else f"[`{name}`][fairlab.{room.name}.{name}]"  # constants have no entry
        for node in ast.parse((room / "__init__.py").read_text("utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    ]
    files = sorted(file for file in room.rglob("*.py") if file.name != "__init__.py")
    modules = [".".join(file.relative_to(REPOSITORY).with_suffix("").parts) for file in files]
    package = f"::: fairlab.{room.name}\n    options: {{members: false, show_root_heading: false}}"
    names = [f"From `fairlab.{room.name}`: " + ", ".join(offered) + "."] if offered else []
    return "\n\n".join([f"# fairlab.{room.name}", package, *names, *(f"::: {name}" for name in modules)])
