"""The lab: widgets and figures for notebooks. They assemble arguments and hold no method."""

from fairlab.figures import plots
from fairlab.figures.faces import first_of_groups, label_words, score_words
from fairlab.figures.paper_table import published_table
from fairlab.figures.summary import LIMITS, summarise
from fairlab.figures.tables import comparison, readable_table
from fairlab.lab.dial import BiasDial
from fairlab.lab.explorer import LatentExplorer
from fairlab.lab.notebook import record, renderer_of, seen_labels, share_table
from fairlab.lab.pair_viewer import PairViewer
from fairlab.lab.plane_view import HyperplaneView
from fairlab.lab.renderer import Renderer
from fairlab.lab.threshold_explorer import ThresholdExplorer
from fairlab.metrics.intervals.proportion import proportion, shares

__all__ = [
    "LIMITS", "BiasDial", "HyperplaneView", "LatentExplorer", "PairViewer", "Renderer",
    "ThresholdExplorer", "comparison", "first_of_groups", "label_words", "plots", "proportion",
    "published_table", "readable_table", "record", "renderer_of", "score_words", "seen_labels",
    "share_table", "shares", "summarise",
]  # fmt: skip
