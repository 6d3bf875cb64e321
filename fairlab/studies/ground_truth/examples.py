"""Pairs to look at: the best and the worst, by what the oracle sees."""

import pandas as pd

from fairlab.evaluation.pair_truth import pair_labels
from fairlab.experiments.run import Run
from fairlab.studies.ground_truth.counterfactuals import drawn_source


def pair_changes(run: Run, seed: int = 0) -> pd.DataFrame:
    """Return what the oracle sees change from each z to its partner.

    Parameters
    ----------
    run : Run
        Of SynthFaces.
    seed : int
        Training seed whose partners are looked at.

    Returns
    -------
    DataFrame
        A row for each pair, in the order of `Run.pairs`. Columns
        kept (the target) and flipped (the protected attribute), bool, and others, the number of
        other attributes that changed, 0..38.

    Raises
    ------
    UserError
        If the run's images are not drawn.
    """
    drawn_source(run)
    target, protected = run.names.values()
    z, partners = pair_labels(run, seed)
    changed = z != partners  # (n, 40)
    others = changed.drop(columns=[target, protected]).sum(axis=1)
    return pd.DataFrame({"kept": ~changed[target], "flipped": changed[protected], "others": others})


def best_and_worst(changes: pd.DataFrame, n: int = 8) -> tuple[pd.Index, pd.Index]:
    """Return the pairs that did both with the fewest other changes, and those with the most, n of each.

    Parameters
    ----------
    changes : DataFrame
        As `pair_changes`.

    Returns
    -------
    two Index
        Rows of `changes`; fewer than n where fewer pairs did both.
    """
    did_both = changes[changes["kept"] & changes["flipped"]]
    return did_both["others"].nsmallest(n).index, changes["others"].nlargest(n).index
