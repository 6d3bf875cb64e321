"""Examples in docstrings: they run, and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import fairlab


@pytest.fixture(scope="module")
def examples():
    """Return the docstrings with examples, of all modules but the one that runs the command line."""
    names = [module.name for module in pkgutil.walk_packages(fairlab.__path__, "fairlab.")]
    modules = [importlib.import_module(name) for name in names if name != "fairlab.__main__"]
    return [test for module in modules for test in doctest.DocTestFinder().find(module) if test.examples]


def test_every_example_runs(examples):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    failed = [test.name for test in examples if runner.run(test).failed]
    assert runner.tries > 80
    assert failed == []


def test_none_is_skipped(examples):
    lines = [(test.name, line) for test in examples for line in test.examples]
    assert [name for name, line in lines if doctest.SKIP in line.options] == []
