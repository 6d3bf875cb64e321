"""A widget that moves classifiers' thresholds and shows what that does to accuracy and bias."""

import html
import math
import warnings
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.core.estimate import Estimate, number, percent
from fairlab.figures.style import model_name, readable, with_or_without
from fairlab.figures.tables import WHOLE
from fairlab.lab.panel import WIDE, Panel, words
from fairlab.lab.threshold_curves import WIDTH, Quantity, ThresholdCurves, quantities_of
from fairlab.metrics import UndefinedMetricWarning, at_threshold, calibrated_threshold
from fairlab.metrics.tidy import estimate_in


class ThresholdExplorer(Panel):
    """Move the thresholds of classifiers, and see accuracy, missed faces and bias change.

    Parameters
    ----------
    y_true, protected : arrays of shape (n,)
        Target and protected labels, 0 or 1.
    scores : mapping of model name to array of shape (n,)
        Scores in [0, 1] of each model for the same faces; others are compared with the first.
    thresholds : mapping of model name to float in [0, 1], optional
        Where the sliders start, best calibrated on validation data; None calibrates on these faces.
    target, protected_name : str
        What the labels are called.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, scores are NaN or outside [0, 1], a threshold is missing or
        outside [0, 1], or there are no positives to calibrate on.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> y, a = random.integers(0, 2, (2, 100))
    >>> scores = {"baseline": random.random(100), "debiased": random.random(100)}
    >>> explorer = ThresholdExplorer(y, scores, a, thresholds={"baseline": 0.5, "debiased": 0.4})
    >>> explorer.start
    {'baseline': 0.5, 'debiased': 0.4}
    """

    def __init__(
        self,
        y_true: ArrayLike,
        scores: Mapping[str, ArrayLike],
        protected: ArrayLike,
        *,
        thresholds: Mapping[str, float] | None = None,
        target: str = "target",
        protected_name: str = "protected",
    ) -> None:
        self.start = _starting_thresholds(y_true, scores, thresholds)
        self._faces = (y_true, dict(scores), protected)
        self._target, self._groups = readable(target), with_or_without(protected_name)
        self._quantities = quantities_of(self._groups)
        self._curves = ThresholdCurves(*self._faces, self._quantities)
        self.sliders = {name: _slider(name, value) for name, value in self.start.items()}
        self.shared = widgets.Checkbox(description="one threshold for all models", indent=False)
        origin = "calibrated" if thresholds is None else "given"
        self.reset = widgets.Button(description=f"back to the {origin} thresholds", layout={"width": "auto"})
        self.picture = widgets.Image(format="jpeg", width=WIDTH, layout={"max_width": "100%"})
        self.picture.alt = "Curves over all thresholds; the numbers at the present ones are in the table."
        self.words, self.table = widgets.HTML(), widgets.HTML()
        self._sliders = widgets.HBox(layout={"flex_flow": "row wrap"})
        buttons = widgets.HBox([self.shared, self.reset] if len(scores) > 1 else [self.reset])
        start = "The sliders start at the thresholds given."
        if thresholds is None:
            start = (
                f"The sliders start where as many faces are predicted {self._target} as are labelled so: "
                "calibrated on these very faces, for want of thresholds from validation faces."
            )
        note = widgets.HTML(f"<small>{html.escape(start)}</small>")
        super().__init__([self._sliders, buttons, note, self.words, self.picture, self.table])
        self.redraw_on(*self.sliders.values(), self.shared, draw=self.draw)
        self.reset.on_click(lambda button: self.attempt(self.go_back))
        self.attempt(self.draw)

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of every model at this moment."""
        first = next(iter(self.sliders.values()))
        return {name: (first if self.shared.value else own).value for name, own in self.sliders.items()}

    def go_back(self) -> None:
        """Put every slider where it was at the start."""
        self.shared.value = False
        for name, value in self.start.items():
            self.sliders[name].value = value

    def draw(self) -> None:
        """Show the numbers at the present thresholds."""
        self._show_sliders()
        thresholds = self.thresholds
        measured = self.measure(thresholds)
        estimates = _estimates(measured)
        values = {
            model: [estimates[model, what.metric, what.group].value for what in self._quantities]
            for model in thresholds
        }
        self.picture.value = self._curves.jpeg(thresholds, values)
        self.table.value = _table_html(measured, self._quantities, self._target)
        self.words.value = words(_reading(estimates, thresholds, self._target, self._groups))

    def measure(self, thresholds: Mapping[str, float]) -> pd.DataFrame:
        """Return the numbers at given thresholds, as `fairlab.metrics.at_threshold`."""
        with warnings.catch_warnings():  # the table says what is undefined, and why
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            return at_threshold(*self._faces, thresholds, attribute=self._target, groups=self._groups)

    def _show_sliders(self) -> None:
        """Show one slider for all models, or one for each; a hidden one keeps its value."""
        (name, first), *others = self.sliders.items()
        shared = self.shared.value
        first.description = "threshold of all models" if shared else _slider_name(name)
        self._sliders.children = [first] if shared else [first, *(slider for _, slider in others)]


def _starting_thresholds(
    y_true: ArrayLike, scores: Mapping[str, ArrayLike], thresholds: Mapping[str, float] | None
) -> dict[str, float]:
    """Return every model's threshold: the one given, or one calibrated on these faces."""
    if not isinstance(scores, Mapping) or not scores:
        raise UserError("scores must be a dict of model name to scores, of at least one model.")
    if thresholds is None:
        return {name: calibrated_threshold(y_true, values) for name, values in scores.items()}
    for name in scores:
        if name not in thresholds or not 0 <= thresholds[name] <= 1:
            raise UserError(
                f"The threshold of '{name}' is {thresholds.get(name, 'missing')}; give one from 0 to 1 for "
                "every model, or leave thresholds out to calibrate them on these faces."
            )
    return {name: float(thresholds[name]) for name in scores}


def _slider_name(model: str) -> str:
    return f"threshold of {model_name(model)}"


def _slider(model: str, value: float) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        value,
        min=0.0,
        max=1.0,
        step=0.01,
        readout_format=".2f",
        continuous_update=True,
        description=_slider_name(model),
        style=WIDE,
        layout={"width": "27em"},
    )


_Estimates = dict[tuple[str, str, str], Estimate]  # by model, metric, group


def _estimates(measured: pd.DataFrame) -> _Estimates:
    keys = zip(measured["model"], measured["metric"], measured["group"], strict=True)
    return {key: estimate_in(row) for key, row in zip(keys, measured.itertuples(), strict=True)}


def _reading(found: _Estimates, thresholds: Mapping[str, float], target: str, groups: tuple[str, str]) -> str:
    """Say whom each model misses, and whether the others' gap differs from the first model's."""
    sentences = []
    for model, threshold in thresholds.items():
        missed = [percent(found[model, "FNR", name].value) for name in groups]
        gap = found[model, "DEO", WHOLE]._replace(corrected=math.nan)  # the table tells it
        sentences.append(
            f"At {round(threshold, 3):g}, the {model_name(model)} classifier misses {missed[0]} of the "
            f"{target} faces labelled {groups[0]} and {missed[1]} of those labelled {groups[1]}: a gap (DEO) "
            f"of {gap:#} points."
        )
    first, *others = thresholds
    for model in others:
        change = found[f"{model} - {first}", "DEO", WHOLE]
        if change.defined:
            verdict = "a clear difference" if change.certain else "no clear difference"
            sentences.append(
                f"On the same faces, the gap of {model_name(model)} differs from that of {model_name(first)} "
                f"by {number(change.value, change.unit)} points ({change.range}): {verdict}."
            )
    return " ".join(sentences)


def _table_html(measured: pd.DataFrame, quantities: Sequence[Quantity], target: str) -> str:
    """Return an HTML table: a row for each quantity, a column for each model and each difference."""
    found = _estimates(measured)
    models = measured["model"].unique()
    counts = measured.drop_duplicates(["metric", "group"], keep="last").set_index(["metric", "group"])
    names = [" \N{MINUS SIGN} ".join(map(model_name, model.split(" - "))) for model in models]
    head = _row("th", ["%, with 95% interval (without what chance adds)", *names, f"faces ({target})"])
    body = []
    for what in quantities:
        key = what.metric, what.group
        cells = [f"{found[(model, *key)]:#}" for model in models]
        n, positive = counts.loc[key, ["n", "n_positive"]]
        body.append(_row("td", [what.label, *cells, f"{n:,} ({positive:,})"]))
    notes = dict.fromkeys(estimate.note for estimate in found.values() if estimate.defined and estimate.note)
    return f'<table style="border-spacing:0">{head}{"".join(body)}</table>' + "".join(
        f"<small>{html.escape(note)}</small><br>" for note in notes
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    style = "padding:.25em 1em .25em 0;text-align:{};border-bottom:1px solid #8884;white-space:nowrap"
    row = ""
    for column, text in enumerate(cells):
        aligned = style.format("left" if column == 0 else "right")
        row += f'<{tag} style="{aligned}">{html.escape(text)}</{tag}>'
    return f"<tr>{row}</tr>"
