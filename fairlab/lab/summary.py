"""What a run found, in sentences for people who read no tables: what got fairer, and what it cost."""

from __future__ import annotations

import pandas as pd

from fairlab.lab.style import readable
from fairlab.lab.tables import Change, changes, number

#: What stands in every report, whatever the numbers.
LIMITS: tuple[str, ...] = (
    "“Male”, “Young”, “Attractive” and the other names are labels that annotators gave to how a face appears in one "
    "picture. They are not anyone's identity, and they are often wrong or contested.",
    "Do not use these classifiers to decide about people, nor to infer gender, age, identity, health or character. "
    "They exist to study bias in classifiers, and less bias here does not make them fit for such uses.",
    "The numbers hold for one data set, one pair of labels and the training seeds listed below. Labels are "
    "binary and the groups are only the two that they form: people who fit neither, and groups within the two, "
    "are not seen.",
    "Intervals show the chance in picking the evaluation pictures, not that another data set, another label or "
    "another training would differ. With several metrics, one in twenty intervals misses by chance.",
)


def summarise(table: pd.DataFrame, target: str, protected: str) -> list[str]:
    """Say in plain sentences what de-biasing made fairer and what it cost.

    A change is called one only when its paired 95% interval leaves out 0; otherwise the sentence says that
    there is no clear change, whatever the point estimates are.

    Parameters
    ----------
    table : DataFrame
        Tidy, as in `fairlab.lab.tables`.
    target, protected : str
        Names of the attributes; the table has rows of `target`.

    Returns
    -------
    list of str
        The problem, one sentence per metric, and last the balance.

    Raises
    ------
    UserError
        If the table has no rows of `target`.
    """
    found = changes(table, target)
    problem = [_problem(change, target, protected) for change in found if change.metric == "DEO"]
    return [*problem, *map(_sentence, found), _balance(found)]


def _problem(deo: Change, target: str, protected: str) -> str:
    name = f"faces labelled {readable(target)}"
    if not deo.before.defined:
        return f"Whether the baseline misses {name} unevenly is unknown: {deo.before.text(deo.about)}."
    gap, low, high = (number(part, deo.about) for part in (deo.before.value, deo.before.low, deo.before.high))
    return (
        f"The baseline misses {name} unevenly: its miss rates for faces labelled {readable(protected)} and for the "
        f"others are {gap} points apart (95% interval {low} to {high}; {deo.n:,} pictures, {deo.n_positive:,} of them "
        f"{readable(target)})."
    )


def _sentence(change: Change) -> str:
    about = change.about
    if change.verdict == "undefined":
        reason = next(e for e in (change.before, change.after, change.difference) if not e.defined)
        return f"{about.label}: cannot be compared, {reason.text(about)}."
    before, after = number(change.before.value, about), number(change.after.value, about)
    low, high = (number(part, about, signed=True) for part in (change.difference.low, change.difference.high))
    interval = f"(difference {number(change.difference.value, about, signed=True)} {about.unit}, 95% interval {low} to {high})"
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
    fairness = _tally([change for change in found if change.about.about == "fairness"])
    accuracy = _tally([change for change in found if change.about.about == "accuracy"])
    return f"All in all, on fairness: {fairness}; on accuracy: {accuracy}."


def _tally(found: list[Change]) -> str:
    verdicts = [(change.metric.replace("_", " "), change.verdict) for change in found]
    parts = []
    for verdict in dict.fromkeys(verdict for _, verdict in verdicts):
        names = [name for name, its in verdicts if its == verdict]
        parts.append(f"{verdict} in {' and '.join(names)}")
    return ", ".join(parts) or "not measured"
