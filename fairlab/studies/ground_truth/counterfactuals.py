"""Exact counterfactuals: SynthFaces' test faces drawn again with only the protected attribute changed."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from fairlab.core.errors import UserError
from fairlab.core.files import load_array, save_array, write_rows
from fairlab.core.store import Step
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.factors import Factors
from fairlab.data.synthfaces.source import SynthFacesSource
from fairlab.evaluation.results import MODELS, classifiers, scores_and_thresholds
from fairlab.experiments.run import Run
from fairlab.methods import load_classifier
from fairlab.metrics.two_groups.counterfactual import compare_counterfactuals

#: Test faces that are drawn again unless told otherwise: about ten seconds, and shares to about 2 points.
N_FACES = 2_000


class CounterfactualFaces(NamedTuple):
    """n faces, each drawn with the protected attribute absent and present.

    Attributes
    ----------
    factors : Factors
        The faces as they are in the test split; `Factors.truth` has their true labels.
    step : Step
        Its ``images.npy`` holds the n faces without the attribute and then, in the same order, the n with it.
    """

    factors: Factors
    step: Step

    @property
    def images(self) -> np.ndarray:
        """All 2n pictures, (2n, h, w, 3) uint8, mapped into memory."""
        return load_array(self.step.folder / "images.npy", mapped=True)

    @property
    def absent(self) -> np.ndarray:
        """The n pictures without the protected attribute."""
        return self.images[: len(self.factors)]

    @property
    def present(self) -> np.ndarray:
        """The n pictures with the protected attribute."""
        return self.images[len(self.factors) :]


def drawn_source(run: Run) -> SynthFacesSource:
    """Return the source of a run's drawn faces.

    Raises
    ------
    UserError
        If the run's images are others.
    """
    if not isinstance(run.work.source, SynthFacesSource):
        raise UserError(
            "Only drawn faces can be redrawn with an attribute changed, and this run's images are those of "
            f"'{run.work.source.name}'; use a run with --data synthfaces."
        )
    return run.work.source


def counterfactual_faces(run: Run, n: int = N_FACES) -> CounterfactualFaces:
    """Draw the first test faces with the protected attribute absent and present, everything else equal.

    Parameters
    ----------
    run : Run
        Of SynthFaces.
    n : int
        Number of faces; all test faces if there are fewer.

    Raises
    ------
    UserError
        If the run's images are not drawn, or n is below 1.
    """
    source, protected, side = drawn_source(run), run.experiment.protected, run.work.image_size
    if n < 1:
        raise UserError(f"At least one face must be redrawn, not {n}.")
    factors = source.factors("test")[:n]
    absent, present = (factors.with_attribute(protected, shown) for shown in (False, True))
    both = Factors(
        np.concatenate([absent.traits, present.traits]), np.concatenate([absent.nuisance, present.nuisance])
    )

    def make(folder: Path) -> None:
        with tqdm(total=len(both), desc="Drawing counterfactuals", unit="face") as bar:

            def rows(part: slice) -> np.ndarray:
                bar.update(part.stop - bar.n)
                return draw(both[part], side)

            write_rows(folder / "images.npy", (len(both), side, side, 3), rows, chunk=512)

    config = {"n": len(factors), "protected": protected}
    inputs = {"data": source.fingerprint(side)}
    step = run.store.step(f"counterfactuals/{len(factors)}", make, config=config, inputs=inputs)
    return CounterfactualFaces(factors, step)


def counterfactual_scores(run: Run, classifier: Step, n: int = N_FACES) -> np.ndarray:
    """Return a classifier's scores of the `counterfactual_faces`, (2, n): attribute absent, present."""
    faces = counterfactual_faces(run, n)

    def make(folder: Path) -> None:
        groups = np.repeat([0, 1], len(faces.factors))  # as the faces are drawn: absent, present
        scores = load_classifier(classifier.folder, run.device).score(faces.images, groups=groups)
        save_array(folder / "scores.npy", scores[:, 0])

    inputs = {"classifier": classifier.fingerprint, "faces": faces.step.fingerprint}
    name = f"{classifier.name}_counterfactuals/{len(faces.factors)}"
    step = run.store.step(name, make, config={}, inputs=inputs)
    return load_array(step.folder / "scores.npy").reshape(2, len(faces.factors))


def counterfactual_flips(run: Run, n: int = N_FACES) -> pd.DataFrame:
    """Return how far both classifiers' answers change when only the protected attribute does.

    Parameters
    ----------
    run : Run
        Of SynthFaces.
    n : int
        As `counterfactual_faces`.

    Returns
    -------
    DataFrame
        As `fairlab.metrics.compare_counterfactuals`, for "baseline" and "debiased" and their paired
        difference, over all training seeds. Labels are the truth, thresholds those of the run's metrics.

    Raises
    ------
    UserError
        As `counterfactual_faces`.
    """
    experiment, factors = run.experiment, counterfactual_faces(run, n).factors
    absent, present = {}, {}  # (seeds, n) of each model
    for model in MODELS:
        steps = [classifiers(run, seed)[model] for seed in range(experiment.seeds)]
        scores = np.stack([counterfactual_scores(run, step, n) for step in steps])  # (seeds, 2, n)
        absent[model], present[model] = scores[:, 0], scores[:, 1]
    _, thresholds = scores_and_thresholds(run)
    return compare_counterfactuals(
        factors.trait(experiment.target) > 0,
        absent,
        present,
        factors.trait(experiment.protected) > 0,
        thresholds=thresholds,
        n_resamples=experiment.n_resamples,
        seed=experiment.seed,
        attribute=experiment.target,
        groups=(f"not {experiment.protected}", experiment.protected),
    )
