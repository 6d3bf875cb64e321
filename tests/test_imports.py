"""The house: which room may import which, and how many files lie loose."""

import ast
from pathlib import Path

import fairlab

PACKAGE = Path(fairlab.__file__).parent
#: Floors from the ground up; rooms on one floor do not import one another.
FLOORS = (
    ("core",),
    ("data", "metrics", "latent"),
    ("classifiers",),
    ("generators",),
    ("workspace",),
    ("methods",),
    ("experiments",),
    ("evaluation",),
    ("figures",),
    ("reports",),
    ("lab",),
    ("studies",),
    ("cli",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imports(file):
    """Yield every module of the package that a file imports, under TYPE_CHECKING and in functions, too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("fairlab."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "fairlab":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_three_files_lie_loose():
    assert sorted(file.name for file in PACKAGE.glob("*.py")) == ["__init__.py", "__main__.py", "cli.py"]


def test_imports_only_lead_downward():
    files = [file for file in PACKAGE.rglob("*.py") if file.parent != PACKAGE]
    upward = []
    for file in files:
        room = file.relative_to(PACKAGE).parts[0]
        for name in imports(file):
            other = name.split(".")[1]
            if other in FLOOR and other != room and FLOOR[other] >= FLOOR[room]:
                upward.append(f"{file.relative_to(PACKAGE)} imports {name}")
    assert upward == []


def test_every_room_has_a_floor():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(FLOOR) - {"cli"}


def test_no_module_imports_one_that_imports_it():
    modules = {file: ".".join(("fairlab", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in
               PACKAGE.rglob("*.py")}  # fmt: skip
    names = {name.removesuffix(".__init__") for name in modules.values()}
    edges = {name: set() for name in names}
    for file, module in modules.items():
        for found in imports(file):
            target = found if found in names else found.rpartition(".")[0]
            name = module.removesuffix(".__init__")
            # A package collects its own modules; these do not import it back.
            if target in names and target != name:
                edges[name].add(target)
    assert list(circles(edges)) == []


def circles(edges):
    """Yield the strongly connected components of more than one module (Tarjan, 1972)."""
    index, low, stack, counter = {}, {}, [], [0]

    def visit(node):
        index[node] = low[node] = counter[0]
        counter[0] += 1
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                yield component

    for node in sorted(edges):
        if node not in index:
            yield from visit(node)
