"""The words and arguments of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DESCRIPTION = """\
See an image classifier become unfair, walk a GAN's latent space, and repair the classifier.

The method (Ramaswamy, Kim, Russakovsky, CVPR 2021): train a classifier for a TARGET attribute on images in
which it is correlated with a PROTECTED attribute; sample faces from a GAN; for each face z make a partner z'
that keeps the target label and flips the protected one; train again on the real images and all pairs.
"""

EXAMPLES = """\
examples:
  fairlab run                                    the default experiment, on drawn faces (SynthFaces)
  fairlab run --preset smoke                     the same in under a minute, to see that everything works
  fairlab run --target Smiling --seeds 5         another target, five training seeds
  fairlab run --data celeba --data-root DIR --target Smiling --protected Male
  fairlab run --data folder --data-root DIR --target wears_badge --protected night_shift
  fairlab run --generator my_gan.pth             with the GAN you have
  fairlab prepare --data celeba --data-root DIR  only decode the images, once for all later runs
  fairlab gan train                              train the shipped generator again
  fairlab audit FILE --label y --score s --protected a
                                                 anyone's predictions: gaps between groups, with intervals
  fairlab leakage FILE --protected a             how well labels alone give away a protected attribute
  fairlab gan report                             what a generator draws, and what it leaves out
  fairlab table                                  the paper's table: 26 targets against Male
  fairlab table --targets Eyeglasses --variants ablations
  fairlab truth                                  what only drawn faces can tell about a run's pairs and planes
  fairlab notebooks --preset smoke               the eight notebooks without a browser, as pages to read

Interrupt a run whenever you like: the same command goes on where it stopped. Results are in
data/runs/RUN: report.html to read, metrics.csv to compute with, manifest.json to cite.

"Male" and the other attribute names are annotators' labels of how a face appears in one picture, not
identities. Do not use FairLab, or a classifier trained with it, to decide about people.
"""


SOURCE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--data": {
        "default": "synthfaces",
        "metavar": "SOURCE",
        "help": "synthfaces (default), celeba, or folder (your own images and one CSV)",
    },
    "--data-root": {"metavar": "DIR", "help": "folder with the source's files"},
    "--table": {"metavar": "CSV", "help": "for --data folder: the CSV, when the folder has several"},
    "--preset": {
        "default": "quick",
        "metavar": "NAME",
        "help": "smoke (does it run), quick (minutes on two cores), full (workstation), paper (the published "
        "constants; wants a GPU) (default: %(default)s)",
    },
    "--image-size": {
        "type": int,
        "metavar": "PX",
        "help": "side of the stored images (default: 64; paper: 128)",
    },
    "--home": {
        "type": Path,
        "metavar": "DIR",
        "help": "where prepared data, generators and runs live (default: $FAIRLAB_HOME or ./data)",
    },
}

GENERATOR_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--generator": {
        "metavar": "FILE",
        "help": "use this generator: a .safetensors of FairLab, or a checkpoint of pytorch_GAN_zoo's "
        "progressive GAN",
    },
    "--train-gan": {
        "action": "store_true",
        "default": None,
        "help": "train a generator although one is shipped",
    },
}

DEVICE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--device": {"metavar": "DEVICE", "help": "torch device (default: cuda where there is one, else cpu)"},
}

RUN_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--target": {"metavar": "NAME", "help": "attribute to classify (default: Eyeglasses)"},
    "--protected": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "attribute whose influence to remove (default: Male); of several, all combinations flip, and "
        "table measures the first",
    },
    "--seeds": {
        "type": int,
        "metavar": "N",
        "help": "train both classifiers N times (default: the preset's)",
    },
    "--variant": {
        "metavar": "NAME",
        "help": "what is added: pairs with a partner z' (just_across, default but of --preset paper; "
        "paired, the paper's; on_hyperplane; perpendicular; perpendicular_on_hyperplane), one half of them "
        "(z_only, z_prime_only), or a control (unpaired, oversampling, unbiased_faces)",
    },
    "--run": {
        "metavar": "NAME",
        "help": "name of the run folder (default: source, preset and attribute names)",
    },
}

EXTENSION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--labeller": {
        "metavar": "NAME",
        "help": "who labels generated images: per_attribute (one classifier for each, the paper's) or "
        "multi_label (one for all attributes) (default: per_attribute; of table: multi_label)",
    },
    "--target-planes": {
        "metavar": "NAME",
        "help": "one (default) hyperplane for the target, or by_group: one within each protected group",
    },
    "--positive-share": {
        "type": float,
        "metavar": "SHARE",
        "help": "fit hyperplanes to latents of which this share, 0..1, is positive (default: as they are)",
    },
    "--inverted": {
        "dest": "n_inverted",
        "type": int,
        "metavar": "N",
        "help": "instead of pairs of random latents, add counterparts of N real training images",
    },
}

TABLE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--targets": {
        "nargs": "+",
        "default": ["all"],
        "metavar": "NAME",
        "help": "attributes to classify: names, all (the paper's 26, default), or evidence (eight of them)",
    },
    "--variants": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "what is added, as --variant of run; or ablations (the paper's method and its five), or "
        "controls (the method beside unpaired, oversampling and unbiased_faces) (default: the preset's)",
    },
    "--jobs": {
        "type": int,
        "metavar": "N",
        "help": "processes at once (default: one for each core, at most 8; on a GPU one)",
    },
    "--out": {"type": Path, "metavar": "DIR", "help": "folder of the results (default: data/tables/...)"},
}

TRUTH_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--faces": {
        "type": int,
        "default": 2000,
        "metavar": "N",
        "help": "test faces drawn with and without the protected attribute (2000)",
    },
    "--searched": {
        "type": int,
        "default": 64,
        "metavar": "N",
        "help": "of these, brought into the latent space; a second or more each (64)",
    },
    "--moved": {
        "type": int,
        "default": 200,
        "metavar": "N",
        "help": "latents moved along directions (200)",
    },
}

DISCRIMINABILITY_ARGUMENTS: dict[str, dict[str, Any]] = {
    "attributes": {
        "nargs": "+",
        "metavar": "ATTRIBUTE",
        "help": "two or more attributes, to compare pair by pair",
    },
    "--seeds": {"type": int, "metavar": "N", "help": "train each pair N times (default: the preset's)"},
    "--images": {
        "type": int,
        "metavar": "N",
        "help": "training images shown in an epoch, for every pair (default: half of the training split)",
    },
    "--out": {
        "type": Path,
        "metavar": "DIR",
        "help": "folder of the table and the figure (default: below data/discriminability)",
    },
}

AUDIT_ARGUMENTS: dict[str, dict[str, Any]] = {
    "file": {"type": Path, "metavar": "FILE", "help": "CSV or Parquet with a row for each prediction"},
    "--label": {"required": True, "metavar": "COLUMN", "help": "what is true: 0/1, yes/no, or a class"},
    "--score": {"metavar": "COLUMN", "help": "how likely the label is, 0..1"},
    "--prob-prefix": {
        "metavar": "PREFIX",
        "help": "instead of --score, for several classes: columns PREFIX + class hold probabilities",
    },
    "--protected": {"nargs": "+", "required": True, "metavar": "COLUMN", "help": "columns that form groups"},
    "--compare": {"type": Path, "metavar": "OTHER", "help": "another model's predictions of the same rows"},
    "--id": {
        "dest": "id_column",
        "metavar": "COLUMN",
        "help": "names each row; with it, --compare matches rows",
    },
    "--threshold": {
        "type": float,
        "metavar": "T",
        "help": "scores above it mean yes (default: calibrated)",
    },
    "--resamples": {
        "dest": "n_resamples",
        "type": int,
        "default": 1000,
        "metavar": "N",
        "help": "resamples (1000)",
    },
    "--seed": {"type": int, "default": 0, "metavar": "N", "help": "seed of the resampling (0)"},
    "--out": {
        "type": Path,
        "metavar": "DIR",
        "help": "folder of the results (default: FILE-audit)",
    },
}

LEAKAGE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "train": {
        "type": Path,
        "metavar": "TRAIN",
        "help": "labels: imSitu's or COCO's file, FairFace's, CelebA's, or your own CSV or Parquet",
    },
    "--valid": {"type": Path, "metavar": "FILE", "help": "labels that the attacker is chosen on"},
    "--test": {"type": Path, "metavar": "FILE", "help": "labels that it is measured on (default: a tenth)"},
    "--ids": {"type": Path, "metavar": "FILE", "help": "published row numbers of a subset of TRAIN"},
    "--protected": {"metavar": "COLUMN", "help": "what is predicted from the labels (own tables)"},
    "--labels": {
        "nargs": "+",
        "metavar": "COLUMN",
        "help": "label columns (default: all others)",
    },
    "--attacker": {
        "default": "logistic",
        "metavar": "NAME",
        "help": "logistic (quick) or mlp (the paper's)",
    },
    "--rounds": {"type": int, "default": 5, "metavar": "N", "help": "balanced samples to repeat on (5)"},
    "--seed": {"type": int, "default": 0, "metavar": "N", "help": "seed of everything random (0)"},
    "--out": {"type": Path, "metavar": "CSV", "help": "where to write the table"},
}

NOTEBOOKS_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--only": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "NOTEBOOK",
        "help": "numbers or beginnings of names, such as 03 or 03_hyperplanes (default: all)",
    },
    "-p": {
        "nargs": 2,
        "action": "append",
        "default": [],
        "metavar": ("NAME", "VALUE"),
        "help": "a further parameter of a notebook; True, False, None and numbers are read as such",
    },
}

#: Settings of a run that every notebook has as a parameter, beside "preset", "home" and "run_name".
NOTEBOOK_SETTINGS = (
    "data", "data_root", "table", "target", "protected", "variant", "labeller", "seeds", "generator"
)  # fmt: skip
