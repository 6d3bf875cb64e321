"""Full-skew discriminability of attribute pairs (CVPR 2021, supplement)."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from fairlab.classifiers import Selected, train_classifier
from fairlab.core.devices import choose_device
from fairlab.core.errors import UserError
from fairlab.core.files import load_array, save_array, write_text
from fairlab.core.store import Step, Store, fingerprint
from fairlab.data import FaceData
from fairlab.data.attributes import check_attribute
from fairlab.data.groups import require_groups
from fairlab.data.sources import Source
from fairlab.experiments import presets as config
from fairlab.experiments.experiment import Experiment
from fairlab.figures.matrix import discriminability_matrix
from fairlab.metrics.two_groups.discriminability import (
    PairDiscriminability,
    discriminability_table,
    mean_differences,
    pair_discriminability,
)
from fairlab.studies.discriminability.page import summarise
from fairlab.workspace.source import Labelled, labels_of, prepare_data

Pair = tuple[str, str]

TABLE_FILE, FIGURE_FILE = "discriminability.csv", "discriminability.png"
SCORES_FILE = "test.npy"
_AGREEING = ((1, "with both"), (0, "without either of"))


@dataclass(frozen=True, eq=False)
class Result:
    """What was found; printing it prints `text`.

    Attributes
    ----------
    table : DataFrame
        A row for each pair; see `discriminability_table` of `fairlab.metrics`. Also n_train
        (images shown in an epoch), n_train_both and n_train_neither (how many different ones of them have
        both labels, and neither).
    ranking : DataFrame
        Mean difference of each attribute; see `fairlab.metrics.two_groups.discriminability.mean_differences`.
    text : str
        Tables and sentences.
    folder : Path
        Where ``discriminability.csv`` and ``discriminability.png`` are.
    """

    table: pd.DataFrame
    ranking: pd.DataFrame
    text: str
    folder: Path

    def __str__(self) -> str:
        return self.text


def discriminability(
    *,
    attributes: Sequence[str],
    preset: str = "quick",
    data: str = "synthfaces",
    data_root: str | None = None,
    labels_csv: str | None = None,
    split: str | None = None,
    split_by: str | None = None,
    image_size: int | None = None,
    home: Path | None = None,
    seeds: int | None = None,
    images: int | None = None,
    device: str | None = None,
    out: Path | None = None,
) -> Result:
    """Train a classifier for each pair of attributes where the two agree, and see which one it learnt.

    Parameters
    ----------
    attributes : sequence of str
        At least two.
    preset, data, data_root, labels_csv, split, split_by, image_size
        As `presets.preset`; of the experiment only data, recipe, seeds and resamples matter.
    home : Path, optional
        By default $FAIRLAB_HOME, or ``data``.
    seeds : int, optional
        Trainings of each pair; by default the preset's.
    images : int, optional
        Training images shown in an epoch, the same number for every pair; by default half of the training
        split, which is what agrees in two balanced and unrelated labels.
    device : str, optional
        Torch device; by default CUDA where there is one.
    out : Path, optional
        Folder of the table and the figure; by default one of their own below ``home/discriminability``.

    Returns
    -------
    Result

    Raises
    ------
    UserError
        If there are fewer than two attributes, one is unknown or given twice, or a pair has an empty cell
        that it needs.

    Notes
    -----
    Full-skew discriminability: Ramaswamy et al., CVPR 2021, supplement. Of the images shown, half have both
    labels and half have neither, and their number is the same for every pair, so that pairs differ neither in
    steps of the optimiser nor in how common the label is; the rarer kind is repeated evenly to that end. The
    table counts how many different images there were: within a pair both attributes had the same, but a
    difference between two pairs may be one of rarity. Cutting every pair down to the rarest one would avoid
    that, but throw most images away, leave too few steps to learn in, and make a pair's result depend on
    which other attributes were asked for.

    Each training is a step in a store: what is there is not trained again, and an interrupted one goes on.
    """
    experiment = config.preset(
        preset, data=data, data_root=data_root, labels_csv=labels_csv, split=split, split_by=split_by,
        image_size=image_size, seeds=seeds,
    )  # fmt: skip
    root, source = config.home_folder(home), _opened(experiment)
    pairs, size = _pairs(attributes, source), experiment.source.image_size
    _require(pairs, labels_of(source, root, size))  # before images are decoded
    prepared = prepare_data(source, root, size)
    _require(pairs, Labelled.of(prepared))  # broken ones are left out
    study = _Study.of(experiment, prepared, root, images, device)
    found = study.measure(pairs)
    folder = study.store.root / f"{data}-{preset}-{study.mark(attributes)[:8]}" if out is None else Path(out)
    return _written(study.table(found), mean_differences(found), folder)


def _written(table: pd.DataFrame, ranking: pd.DataFrame, folder: Path) -> Result:
    """Write table and figure, and describe what they show."""
    write_text(folder / TABLE_FILE, table.to_csv(index=False))
    discriminability_matrix(table).save(folder / FIGURE_FILE)
    lines = [*summarise(table, ranking), f"  {folder / FIGURE_FILE}", f"  {folder / TABLE_FILE}"]
    return Result(table, ranking, "\n".join(lines), folder)


def _opened(experiment: Experiment) -> Source:
    """Open the source; target and protected attribute of the experiment do not matter."""
    return experiment.source.open(experiment.target, experiment.protected, experiment.seed)


def _pairs(attributes: Sequence[str], source: Source) -> list[Pair]:
    """Return every unordered pair of the attributes, or refuse them."""
    for name in attributes:
        check_attribute(name, source.attributes, source.left_out)
        if list(attributes).count(name) > 1:
            raise UserError(f"The attribute '{name}' is given twice; give each once.")
    if len(attributes) < 2:
        raise UserError("Discriminability compares attributes with each other; give at least two.")
    return list(itertools.combinations(attributes, 2))


def _require(pairs: Sequence[Pair], known: Labelled) -> None:
    """Refuse pairs that cannot be trained, selected or measured, before anything is trained."""
    for pair in pairs:
        require_groups(known.labels, known.split, *pair, splits=("test",))
        for split, (value, kind) in itertools.product(("train", "valid"), _AGREEING):
            if not (known.labels.loc[known.split == split, list(pair)] == value).all(axis=1).any():
                raise UserError(
                    f"The {split} split has no image {kind} '{pair[0]}' and '{pair[1]}', so no classifier "
                    "can be trained where the two agree; leave one of them out or add images."
                )


@dataclass(frozen=True, eq=False)
class _Study:
    """What all pairs share."""

    data: FaceData
    experiment: Experiment
    n_per_class: int  #: images of either class shown in an epoch
    device: torch.device
    store: Store

    @classmethod
    def of(
        cls, experiment: Experiment, data: FaceData, home: Path, images: int | None, device: str | None
    ) -> _Study:
        """Open the store, which all studies share: a training that two of them need is made once."""
        shown = len(data.rows("train")) // 2 if images is None else images
        if shown < 4:
            raise UserError(f"Each pair would be trained on {shown} images; give --images of at least 4.")
        store = Store(home / "discriminability", shared=True)
        return cls(data, experiment, shown // 2, choose_device(device), store)

    def mark(self, attributes: Sequence[str]) -> str:
        """Return what identifies the result for these attributes."""
        recipe = dataclasses.asdict(self.experiment.recipe)
        settings = [recipe, self.experiment.seed, self.experiment.seeds, self.n_per_class]
        return fingerprint([list(attributes), settings, self.data.fingerprint])

    def measure(self, pairs: Sequence[Pair]) -> dict[Pair, PairDiscriminability]:
        """Train what is missing, and measure every pair on the same resamples of the test images."""
        experiment = self.experiment
        jobs = list(itertools.product(pairs, range(experiment.seeds)))
        steps = {job: self.train(*job) for job in tqdm(jobs, desc="Pairs of attributes", unit="training")}
        scores = {
            pair: np.stack([load_array(steps[pair, k].folder / SCORES_FILE) for k in range(experiment.seeds)])
            for pair in pairs
        }
        # Fewer could not show a difference at 5% among so many pairs; see `paired_p_value`.
        n_resamples = max(experiment.n_resamples, 40 * len(pairs))
        found = {}
        for pair in tqdm(pairs, desc="Measuring pairs", unit="pair"):
            a, b = (self.data.label(name, "test") for name in pair)
            found[pair] = pair_discriminability(
                a, b, scores[pair], n_resamples=n_resamples, seed=experiment.seed
            )
        return found

    def train(self, pair: Pair, k: int) -> Step:
        """Train a classifier where the two labels agree, and score the test images: ``test.npy``, (n,)."""
        pair = min(pair), max(pair)  # the same training, whichever is named first
        seed = self.experiment.seed + k
        recipe = dataclasses.replace(self.experiment.recipe, selection="average_precision")

        def make(folder: Path) -> None:
            rows, labels = self._shown(pair, seed)
            valid, valid_labels = self._agreeing(pair, "valid")
            classifier = train_classifier(
                folder,
                images=Selected(self.data.images, rows),
                labels=labels[:, None],  # (n, 1)
                valid_images=Selected(self.data.images, valid),
                valid_labels=valid_labels[:, None],  # (n, 1)
                attributes=(" = ".join(pair),),
                recipe=recipe,
                seed=seed,
                device=self.device,
            )
            test = Selected(self.data.images, self.data.rows("test"))
            save_array(folder / SCORES_FILE, classifier.score(test)[:, 0])

        settings = {"pair": pair, "recipe": dataclasses.asdict(recipe), "seed": seed, "n": self.n_per_class}
        name = "+".join(quote(attribute, safe="") for attribute in pair)
        return self.store.shared_step(
            f"classifiers/{name}-seed{k}", make, config=settings, inputs={"data": self.data.fingerprint}
        )

    def table(self, found: Mapping[Pair, PairDiscriminability]) -> pd.DataFrame:
        """Return the table of all pairs, with how many training images each had."""
        counts = [
            np.minimum(np.bincount(self._agreeing(pair, "train")[1]), self.n_per_class) for pair in found
        ]
        neither, both = np.transpose(counts)
        images = {"n_train": 2 * self.n_per_class, "n_train_both": both, "n_train_neither": neither}
        return discriminability_table(found).assign(**images)

    def _shown(self, pair: Pair, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and labels of an epoch, each (2 n_per_class,): either class evenly, in file order."""
        rows, labels = self._agreeing(pair, "train")
        rng = np.random.default_rng(seed)
        # np.resize repeats from the start: every image equally often, give or take one.
        parts = [np.resize(rng.permutation(rows[labels == y]), self.n_per_class) for y in (0, 1)]
        shown, order = np.concatenate(parts), np.argsort(np.concatenate(parts), kind="stable")
        return shown[order], np.repeat([0, 1], self.n_per_class)[order]

    def _agreeing(self, pair: Pair, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return rows of a split in which the two labels agree, and the labels, each (n,)."""
        labels = self.data.label_columns(pair, split)
        agree = labels[:, 0] == labels[:, 1]
        return self.data.rows(split)[agree], labels[agree, 0]
