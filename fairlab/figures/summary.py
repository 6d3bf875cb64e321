"""Summary of a run in sentences for people who read no tables."""

import pandas as pd

from fairlab.core.estimate import number
from fairlab.figures.style import readable
from fairlab.figures.tables import Change, changes

#: What stands in every report, whatever the numbers.
LIMITS: tuple[str, ...] = (
    "“Male”, “Young”, “Attractive” and the other names are labels that annotators gave to how a face appears "
    "in one picture. They are not anyone's identity, and they are often wrong or contested.",
    "Do not use these classifiers to decide about people, nor to infer gender, age, identity, health "
    "or character. They exist to study bias in classifiers; less bias here does not make them fit for such "
    "uses.",
    "The numbers hold for one data set, one pair of labels and the training seeds listed here. Labels are "
    "binary, and the only groups are the two that a label forms: people who fit neither, and groups within "
    "the two, are not seen.",
    "Intervals show the chance in picking the evaluation pictures; another data set, other annotators or "
    "another training run may differ by more. One in twenty intervals misses by chance.",
)


def summarise(table: pd.DataFrame, target: str, protected: str) -> list[str]:
    """Say in plain sentences what de-biasing made fairer and what it cost.

    A change is called one only when its paired 95% interval leaves out 0; otherwise the sentence says that
    there is no clear change, whatever the point estimates are.

    Parameters
    ----------
    table : DataFrame
        Tidy, as in `fairlab.figures.tables`.
    target, protected : str
        Names of the attributes; the table has rows of `target`.

    Returns
    -------
    list of str
        The problem, the balance, and then one sentence per metric.

    Raises
    ------
    UserError
        If the table has no rows of `target`.
    """
    found = changes(table, target)
    problem = [_problem(change, target, protected) for change in found if change.metric == "DEO"]
    return [*problem, _balance(found), *map(_sentence, found)]


def _problem(deo: Change, target: str, protected: str) -> str:
    name = f"faces labelled {readable(target)}"
    if not deo.before.defined:
        return f"Whether the baseline misses {name} unevenly is unknown, {deo.before:#}."
    return (
        f"In the baseline, the shares of {name} that are missed, among those labelled {readable(protected)} "
        f"and among the others, are {number(deo.before.value, deo.spec.unit)} points apart "
        f"({deo.before.range}; {deo.n:,} pictures, {deo.n_positive:,} of them {readable(target)})."
    )


def _sentence(change: Change) -> str:
    about = change.spec
    if change.verdict == "undefined":
        reason = next(e for e in (change.before, change.after, change.difference) if not e.defined)
        return f"{about.label}: cannot be compared, {reason:#}."
    before, after = (number(x.value, about.unit) for x in (change.before, change.after))
    step = number(change.difference.value, change.difference.unit)
    interval = f"(difference {step}{change.difference.unit.name}, {change.difference.range})"
    if change.verdict == "no clear change":
        return f"{about.label}: no clear change, {before} before and {after} after {interval}."
    if change.verdict == "sign changed":
        return (
            f"{about.label}: went from {before} past 0 to {after}, now off in the other direction {interval}."
        )
    verb = "rose" if change.difference.value > 0 else "fell"
    return f"{about.label}: {change.verdict}, it {verb} from {before} to {after} {interval}."


def _balance(found: list[Change]) -> str:
    """Weigh fairness against accuracy in one sentence."""
    fairness = _tally([change for change in found if change.spec.about == "fairness"])
    accuracy = _tally([change for change in found if change.spec.about == "accuracy"])
    return f"De-biasing, on fairness: {fairness}. On accuracy: {accuracy}."


def _tally(found: list[Change]) -> str:
    verdicts = [(change.short, change.verdict) for change in found]
    parts = []
    for verdict in dict.fromkeys(verdict for _, verdict in verdicts):
        names = [name for name, its in verdicts if its == verdict]
        parts.append(f"{verdict} in {_listed(names)}")
    return "; ".join(parts) or "not measured"


def _listed(names: list[str]) -> str:
    """``"DEO, BA and KL"``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
