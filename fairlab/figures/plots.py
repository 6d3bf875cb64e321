"""All figures of the lab: functions of arrays and tables that return a figure with its caption."""

from fairlab.figures.bars import class_bars, label_table, metric_bars
from fairlab.figures.curves import (
    calibration_curves,
    changed_counts,
    direction_effects,
    learning_curves,
    skew_curves,
)
from fairlab.figures.effects import effects, effects_by_target
from fairlab.figures.faces import face_grid, pair_grid
from fairlab.figures.histograms import distance_histograms, score_histograms
from fairlab.figures.intervals import dots, series_of
from fairlab.figures.matrix import discriminability_matrix
from fairlab.figures.plane import Line, latent_plane
from fairlab.figures.trade_off import trade_off

__all__ = [
    "Line", "calibration_curves", "changed_counts", "class_bars", "direction_effects",
    "discriminability_matrix", "distance_histograms", "dots", "effects", "effects_by_target",
    "face_grid", "label_table", "latent_plane", "learning_curves", "metric_bars", "pair_grid",
    "score_histograms", "series_of", "skew_curves", "trade_off",
]  # fmt: skip
