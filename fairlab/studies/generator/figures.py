"""Figures of a generator's report: how often each attribute is drawn, and how separable it is."""

import numpy as np
import pandas as pd

from fairlab.figures.captioned import Captioned
from fairlab.figures.style import BLUE, FAINT, INK, VERMILION, panels, readable, styled
from fairlab.studies.generator.measure import TOLERANCE


def _values(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    return table[table["measure"] == measure].set_index("attribute")


@styled
def frequencies(table: pd.DataFrame) -> Captioned:
    """Show how often each attribute is drawn against how often the training images show it.

    Parameters
    ----------
    table : DataFrame
        With the measures "frequency in training images" and "frequency in generated images".
    """
    figure, (axis,) = panels(1, 1, (7.2, 6.4))
    real, drawn = (
        100 * _values(table, f"frequency in {s} images")["value"] for s in ("training", "generated")
    )
    off = np.abs(drawn - real) > TOLERANCE
    ends = np.array([0.0, 100.0])
    axis.plot(ends, ends, color=FAINT, linewidth=1)
    axis.fill_between(ends, ends - TOLERANCE, ends + TOLERANCE, color=FAINT, alpha=0.15, linewidth=0)
    axis.scatter(
        real[~off], drawn[~off], color=BLUE, marker="o", s=26, label=f"within {TOLERANCE:.0f} points"
    )
    axis.scatter(real[off], drawn[off], color=VERMILION, marker="^", s=34, label="further off")
    for name in real.index[off]:
        axis.annotate(
            readable(name), (real[name], drawn[name]), (5, 3), textcoords="offset points", fontsize=8
        )
    axis.set(xlabel="% of training images", ylabel="% of generated images", xlim=(-1, 101), ylim=(-1, 101))
    axis.legend(loc="lower right")
    caption = "Read off training and generated images by the same network."
    return Captioned(figure, caption, "Each attribute's share of generated against that of training images")


@styled
def separability(table: pd.DataFrame, *, n_fit: int, n_held_out: int) -> Captioned:
    """Show how well one hyperplane in latent space separates each attribute, beside always guessing.

    Parameters
    ----------
    table : DataFrame
        With the measures "held-out accuracy of a hyperplane" and "always guessing".
    n_fit, n_held_out : int
        Latents that the hyperplanes were fitted to, and those they were measured on.
    """
    accuracy = 100 * _values(table, "held-out accuracy of a hyperplane")[["value", "low", "high"]]
    accuracy = accuracy.dropna().sort_values("value")
    guess = 100 * _values(table, "always guessing")["value"].loc[accuracy.index]
    figure, (axis,) = panels(1, 1, (7.6, 1.0 + 0.2 * len(accuracy)))
    rows = np.arange(len(accuracy))
    errors = accuracy[["low", "high"]].sub(accuracy["value"], axis=0).abs().to_numpy().T  # (2, n)
    axis.hlines(rows, guess, accuracy["value"], color=FAINT, linewidth=1)
    axis.plot(guess, rows, "|", color=INK, markersize=8, label="always guessing the commoner label")
    axis.errorbar(accuracy["value"], rows, xerr=errors, fmt="o", color=BLUE, markersize=4, label="hyperplane")
    axis.set_yticks(rows, [readable(name) for name in accuracy.index], fontsize=8)
    axis.set(xlabel="% of held-out latents on the side of their label", ylim=(-1, len(rows)))
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    caption = f"Fitted on {n_fit:,} latents, counted on {n_held_out:,} others."
    return Captioned(figure, caption, "Held-out accuracy of a hyperplane beside always guessing")
