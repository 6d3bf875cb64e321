"""Summary of an audit in sentences: the largest gaps, and whether they may be chance."""

import math
from collections.abc import Iterator
from typing import Any

from fairlab.core.estimate import PERCENT, POINTS, Estimate, number, percent
from fairlab.figures.style import readable
from fairlab.studies.audit.measure import RECALL, Measured
from fairlab.studies.audit.text import SMALL, rows_behind, small_groups

#: What a rate is called in a sentence.
_RATE_NAMES = {"FNR": "positives missed", "FPR": "false alarms among negatives", "accuracy": "rows right"}
#: The disparity that goes with a rate.
_GAP = {
    "FNR": "equal_opportunity_difference",
    "FPR": "equalized_odds_difference",
    "accuracy": "accuracy_difference",
}
_NAMED = 4  # small groups that a sentence names

COVERAGE = (
    "The intervals cover the chance in picking these rows. They do not cover wrong labels, groups recorded "
    "wrongly, how the rows were chosen, or another training of the model."
)


def summarise(measured: Measured) -> list[str]:
    """Return what an audit found, in sentences.

    Returns
    -------
    list of str
        How often each model is right, the largest gap of each protected column (largest first), what changes
        between two models, which groups are too small, and what intervals leave out.
    """
    sentences = [_overall(measured, model) for model in measured.models]
    sentences += [sentence for _, sentence in sorted(_gaps(measured), key=lambda gap: -gap[0])]
    if not measured.binary:
        sentences += _classes(measured)
    sentences += _changes(measured)
    if small := small_groups(measured):
        named = ", ".join(f"{name} ({n})" for name, n in list(small.items())[:_NAMED])
        more = f" and {len(small) - _NAMED} more" if len(small) > _NAMED else ""
        what = "positives or negatives" if measured.binary else "rows"
        sentences.append(
            f"{len(small)} of {len(measured.groups)} groups have fewer than {SMALL} {what}, too few to say "
            f"much: {named}{more}."
        )
    return [*sentences, COVERAGE]


def _overall(measured: Measured, model: str) -> str:
    row: Any = measured.rows(model, "accuracy").loc["all"]
    found = f"{model} is right in {percent(row.value)} of {row.n:,} rows ({_interval(row)})"
    if not measured.binary:
        return f"{found}."
    threshold = f"at the threshold {measured.thresholds[model]:.4g}"
    if measured.calibrated:
        threshold += ", calibrated on these very rows so that as many are predicted positive as are positive"
    return f"{found} {threshold}."


def _gaps(measured: Measured) -> Iterator[tuple[float, str]]:
    """Yield the size of the first model's largest gap in each family of groups, and the sentence about it."""
    model = next(iter(measured.models))
    for family in measured.groups.families:
        gaps = []
        for rate in ("FNR", "FPR") if measured.binary else ("accuracy",):
            if ends := _extremes(measured, model, rate, family):
                gaps.append((ends[1].value - ends[0].value, rate, *ends))
        if not gaps:
            yield -1, f"By {_by(family)}, no gap can be told: fewer than two groups have {SMALL} rows for it."
            continue
        size, rate, least, most = max(gaps, key=lambda gap: gap[0])
        apart = f"{number(size, PERCENT)} points apart"
        whole: Any = measured.rows(model, _GAP[rate]).loc[family]
        # The table's gap counts small groups too; it is this one only if they do not make it larger.
        if math.isclose(whole.value, size):
            apart += f", {_interval(whole)}"
        ends_told = f"{_RATE_NAMES[rate]}: {_ends(least, most, 'for')}, {apart}{_chance(least, most)}"
        yield size, f"By {_by(family)}, the largest gap is in {ends_told}"


def _extremes(measured: Measured, model: str, rate: str, family: str) -> tuple[Any, Any] | None:
    """Return the rows of the groups with the lowest and the highest rate; None for fewer than two.

    Groups that are too small are left out: their rates are extreme by chance, and their intervals too narrow.
    """
    names = list(measured.groups.names[measured.groups.families[family]])
    rows = measured.rows(model, rate).loc[names].dropna(subset="value").sort_values("value")
    found: list[Any] = list(rows[rows_behind(rows, rate) >= SMALL].itertuples())
    return (found[0], found[-1]) if len(found) > 1 else None


def _classes(measured: Measured) -> Iterator[str]:
    """Yield the classes recognised least and most, and the class in which groups are furthest apart."""
    rows = measured.rows(next(iter(measured.models)), RECALL)
    rows = rows[rows["n"] >= SMALL].sort_values("value")
    classes = [f"{measured.label} = {name}" for name in measured.first.label.names]
    whole: list[Any] = list(rows[rows.index.isin(classes)].itertuples())
    if len(whole) > 1:
        yield f"The classes recognised least and most often: {_ends(whole[0], whole[-1], 'of')}."
    pairs = []  # the groups in which a class is recognised least and most
    for name, column in measured.first.protected.items():
        for each in classes:
            groups = [f"{name} = {value} & {each}" for value in column.names]
            found: list[Any] = list(rows[rows.index.isin(groups)].itertuples())
            if len(found) > 1:
                pairs.append((found[0], found[-1]))
    if pairs:
        least, most = max(pairs, key=lambda pair: pair[1].value - pair[0].value)
        size = number(most.value - least.value, PERCENT)
        apart = f"{size} points apart{_chance(least, most)}"
        yield f"The largest gap within a class: {_ends(least, most, 'of')}, {apart}"


def _ends(least: Any, most: Any, word: str) -> str:
    return " and ".join(
        f"{percent(end.value)} {word} {end.Index} ({_interval(end)})" for end in (least, most)
    )


def _chance(least: Any, most: Any) -> str:
    return "; the two intervals overlap, so this may be chance." if least.high >= most.low else "."


def _changes(measured: Measured) -> Iterator[str]:
    first, *others = measured.models
    metric = "equalized_odds_difference" if measured.binary else "accuracy_difference"
    for other in others:
        for family in measured.groups.families:
            row: Any = measured.rows(f"{other} - {first}", metric).loc[family]
            name = f"{readable(metric)} by {_by(family)}"
            if math.isnan(row.value):
                yield f"Whether the {name} changes from {first} to {other} is unknown ({row.note})."
            elif row.low <= 0 <= row.high:
                yield f"The {name} shows no clear change from {first} to {other} ({_change(row)})."
            else:
                size = "larger" if row.value > 0 else "smaller"
                yield f"The {name} is {size} in {other} than in {first} ({_change(row)})."


def _by(family: str) -> str:
    return readable(family).replace(" & ", " and ")


def _interval(row: Any) -> str:
    return Estimate.of(row, PERCENT).range


def _change(row: Any) -> str:
    return f"difference {number(row.value, POINTS)} points, {_interval(row)}"
