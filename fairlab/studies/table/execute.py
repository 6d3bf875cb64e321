"""The command from its arguments to the text to print."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from fairlab.core.parallel import check_jobs
from fairlab.experiments.presets import as_folder, attribute_as_folder, changed_settings
from fairlab.experiments.presets import preset as preset_of
from fairlab.studies.table.grid import USUAL, Grid, open_grid

#: More targets and methods than these are counted in the name of a folder, not listed.
MOST_NAMED = 8


def table(
    *,
    preset: str,
    targets: Sequence[str],
    methods: Sequence[str] | None,
    home: Path | None = None,
    device: str | None = None,
    jobs: int | None = None,
    out: Path | None = None,
    **changes: Any,
) -> str:
    """Train what is missing for every target and method, write the tables, and return the text to print.

    Parameters
    ----------
    preset : str
        See `fairlab.experiments.presets.preset`.
    targets, methods : sequences of str
        See `grid.choose_targets` and `choose_methods`; methods None means the preset's.
    home, device
        As for `fairlab.experiments.run.Run`.
    jobs : int, optional
        Processes; by default one for each core, or one on a GPU.
    out : Path, optional
        Folder of the results; by default below ``home/tables``, named after what differs.
    **changes
        Settings for all runs, and fields of those methods that have them; None keeps the preset's value.

    Raises
    ------
    UserError
        If a name is unknown, or as `fairlab.experiments.run.Run`.
    """
    check_jobs(jobs)
    grid = open_grid(
        preset_name=preset, targets=targets, methods=methods, home=home, device=device, **changes
    )
    from fairlab.studies.table import make, results  # torch and matplotlib, for which a mistake need not wait

    make.check_runs(grid)
    print(
        f"{len(grid.targets)} targets × {len(grid.methods)} methods against {grid.experiment.protected}: "
        f"{grid.n_trainings} trainings, of which finished ones are skipped.",
        flush=True,
    )
    folder = out or grid.home / "tables" / _name(
        grid, [*map(attribute_as_folder, targets), *map(as_folder, methods or ())]
    )
    return results.write_results(results.make_all(grid, jobs), folder)


def _name(grid: Grid, named: Sequence[str]) -> str:
    """Return the folder's name: what was asked for, and what differs from the preset."""
    experiment = grid.experiment
    plain = preset_of(grid.preset, data=experiment.source.name, data_root=experiment.source.root)
    seeds = [f"{experiment.seeds}-seeds"] if experiment.seeds != plain.seeds else []
    changed = changed_settings(experiment, grid.preset)
    unusual = {name: value for name, value in grid.method_settings.items() if value != USUAL.get(name)}
    changed += [as_folder(f"{name}-{value}") for name, value in unusual.items()]
    if len(named) > MOST_NAMED:  # file systems allow 255 characters
        named = [f"{len(named)}-names-{crc32(' '.join(named).encode()):08x}"]
    protected = map(attribute_as_folder, experiment.attributes[1:])
    return "-".join([experiment.source.name, grid.preset, *protected, *named, *seeds, *changed])
