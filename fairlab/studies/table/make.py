"""Making of a grid: what all runs share, then each of them; clashes are told before anything is trained."""

from collections.abc import Iterable
from itertools import chain

from fairlab.core.errors import UserError
from fairlab.evaluation.pair_truth import pair_truth
from fairlab.experiments.claim import Claim
from fairlab.experiments.presets import default_name
from fairlab.experiments.run import workspace_of
from fairlab.latent.hyperplane import OneSidedLabels
from fairlab.methods.latent_pairs.generated import GeneratedFaces
from fairlab.studies.table.grid import Grid
from fairlab.studies.table.measure import has_truth
from fairlab.workspace.workspace import Workspace


def check_runs(grid: Grid) -> None:
    """Check every run folder of the grid before anything is trained.

    Raises
    ------
    UserError
        If one of them belongs to other settings or images.
    """
    experiments = [grid.experiment_of(*cell) for cell in grid.cells()]
    work = workspace_of(experiments[0], grid.home, grid.device)
    for experiment in experiments:
        if experiment.source.association is not None:  # then faces are drawn for each target
            work = workspace_of(experiment, grid.home, grid.device)
        folder = grid.home / "runs" / default_name(experiment, grid.preset)
        if clash := Claim(experiment, work).clash(folder):
            raise UserError(f"{clash}; delete that folder, or name another --home.")


def make_common(grid: Grid) -> None:
    """Make what all cells share: images, latents, and the classifiers that serve every target.

    Raises
    ------
    OneSidedLabels
        If a generator would be trained for annotators that cannot label faces, whatever the target.
    """
    for method in grid.methods:
        runs = (grid.run(target, method) for target in grid.targets)
        first = next(runs)
        if isinstance(first.experiment.method, GeneratedFaces):
            _make_faces(first.experiment.method, chain([first.work], (run.work for run in runs)))
            first.experiment.method.annotator_of(first.work, "protected", 0)


def _make_faces(method: GeneratedFaces, works: Iterable[Workspace]) -> None:
    """Draw faces for the first target whose annotators can label them; `make_cell` says why others cannot."""
    reasons = []
    for work in works:
        try:
            method.faces(work)
            return
        except OneSidedLabels as error:
            reasons.append(error)
    raise reasons[0]


def make_baselines(grid: Grid, target: str) -> None:
    """Train and score the baselines of one target."""
    run = grid.run(target, grid.methods[0])
    for seed in grid.seeds:
        run.test_scores(run.baseline(seed))


def make_cell(grid: Grid, target: str, method: str) -> str:
    """Train and score the classifiers of one cell, and ask the oracle about its pairs.

    Returns
    -------
    str
        Why the cell cannot be made, if the classifiers gave all generated images the same label; else "".
    """
    run = grid.run(target, method)
    try:
        for seed in grid.seeds:
            run.test_scores(run.debiased(seed))
        if has_truth(run):
            pair_truth(run)
    except OneSidedLabels as error:
        return str(error)
    return ""


def label_notes(grid: Grid) -> list[str]:
    """Return what a reader must know of the labels of generated faces, a sentence each."""
    return list(dict.fromkeys(note for cell in grid.cells() for note in grid.run(*cell).label_notes()))
