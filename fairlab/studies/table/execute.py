"""Tables and figures of a grid, after all of its cells are made."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import CORRECTED
from fairlab.core.files import write_json, write_text
from fairlab.core.parallel import check_jobs, default_jobs, run_all
from fairlab.evaluation.results import environment
from fairlab.experiments.presets import as_folder, attribute_as_folder, changed_settings
from fairlab.experiments.presets import preset as preset_of
from fairlab.figures.effects import effect_table, effects, effects_by_target
from fairlab.figures.paper_table import write_paper_table
from fairlab.studies.table.grid import USUAL, Grid, measure, open_grid, pair_table
from fairlab.studies.table.make import check_runs, label_notes, make_baselines, make_cell, make_common

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
    check_runs(grid)
    print(
        f"{len(grid.targets)} targets × {len(grid.methods)} methods against {grid.experiment.protected}: "
        f"{grid.n_trainings} trainings, of which finished ones are skipped.",
        flush=True,
    )
    folder = out or grid.home / "tables" / _name(
        grid, [*map(attribute_as_folder, targets), *map(as_folder, methods or ())]
    )
    grid = make_all(grid, jobs)
    return write_results(grid, folder)


def make_all(grid: Grid, jobs: int | None = None) -> Grid:
    """Make every step that is missing, in several processes where that is faster.

    Returns
    -------
    Grid
        Without the targets of which a cell cannot be made; it is printed why.

    Raises
    ------
    UserError
        If no target is left.
    """
    make_common(grid)
    bare = replace(grid)  # other processes open the images themselves, instead of being sent them
    targets = [(bare, target) for target in grid.targets]
    cells = [(bare, *cell) for cell in grid.cells()]
    at_once = jobs if jobs is not None else default_jobs(grid.first.device, len(cells))
    run_all(make_baselines, targets, jobs=at_once, label="Baselines", unit="target")
    reasons = run_all(make_cell, cells, jobs=at_once, label="Methods", unit="cell")
    failed = {cell[1]: reason for cell, reason in zip(cells, reasons, strict=True) if reason}
    for target, reason in failed.items():
        print(f"{target} is left out: {reason}")
    if len(failed) == len(grid.targets):
        raise UserError("No target could be de-biased; choose others, or a larger --preset.")
    return replace(grid, targets=tuple(target for target in grid.targets if target not in failed))


def write_results(grid: Grid, folder: Path) -> str:
    """Write tables and figure of a finished grid into a folder; return the text to print."""
    measured = measure(grid)
    write_text(folder / "table.csv", measured.to_csv(index=False))
    write_text(folder / "pairs.csv", pair_table(grid).to_csv(index=False))
    write_json(folder / "manifest.json", _manifest(grid))
    for method in grid.methods:
        published = grid.experiment.protected == "Male"
        write_paper_table(folder / as_folder(method), of_method(measured, method), published=published)
    effect = effect_table(measured, grid.methods)
    write_text(folder / "effects.md", f"{effect}\n")
    effects(measured, grid.methods).save(folder / "effects.png")
    if len(grid.targets) > 1:
        effects_by_target(measured, grid.methods).save(folder / "effects_by_target.png")
    experiment = grid.experiment
    trained = f"{experiment.seeds} trainings" if experiment.seeds > 1 else "one training"
    notes = "".join(f"{note}\n" for note in label_notes(grid))
    return (
        f"\n{effect}\n\n{notes}Differences from the baseline in points (KL: nats), with 95% intervals over "
        f"{measured['n'].iloc[0]:,} test images and {trained} of each classifier.\n{CORRECTED}\n"
        f"{folder / as_folder(grid.methods[0]) / 'table.md'} is the paper's table; "
        f"{folder / 'table.csv'} every number."
    )


def of_method(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the rows of the baseline, of one method and of their difference, with the usual names."""
    names = {"baseline": "baseline", method: "debiased", f"{method} - baseline": "debiased - baseline"}
    kept = table[table["model"].isin(names)]
    return kept.assign(model=kept["model"].map(names))


def _manifest(grid: Grid) -> dict[str, Any]:
    return environment(grid.first) | {
        "targets": grid.targets,
        "methods": grid.methods,
        "runs": [str(grid.run(*cell).folder.name) for cell in grid.cells()],
    }


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
