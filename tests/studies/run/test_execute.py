"""A run from the command line: what is said before work that is still to be done."""

from types import SimpleNamespace

import pytest

from fairlab.core.files import write_json
from fairlab.studies.run.execute import has_trained


@pytest.mark.parametrize(
    ("trained", "wanted", "done"), [(0, 1, False), (1, 3, False), (3, 3, True), (3, 1, True)]
)
def test_a_run_that_is_given_more_training_seeds_has_work_left(tmp_path, trained, wanted, done):
    run = SimpleNamespace(folder=tmp_path, experiment=SimpleNamespace(seeds=wanted))
    if trained:
        write_json(tmp_path / "manifest.json", {"training_seeds": list(range(trained))})
    assert has_trained(run) is done
