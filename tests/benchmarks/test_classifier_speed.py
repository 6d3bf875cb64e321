"""Training throughput of the paper's recipe against the plain loop over JPEG files people write first."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from tqdm.auto import tqdm

from fairlab.classifiers import PAPER
from fairlab.classifiers.augmentation import IMAGENET_MEAN, IMAGENET_STD
from fairlab.classifiers.training import Training
from fairlab.core.devices import compute_dtype

#: One batch of the paper's size: a step of the plain loop takes a core ten seconds.
N_IMAGES, N_ROUNDS = 32, 2


class JPEGFiles(Dataset):
    """Decode, resize, crop and flip one file at a time, as published code does."""

    def __init__(self, folder: Path, labels: np.ndarray) -> None:
        self.files, self.labels = sorted(folder.glob("*.jpg")), labels
        self.transform = transforms.Compose(
            [
                transforms.Resize(64),
                transforms.Resize(256),
                transforms.RandomCrop(224),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = Image.open(self.files[i]).convert("RGB")
        return self.transform(image), torch.tensor(self.labels[i], dtype=torch.float32)


class PlainLoop:
    """ResNet-50 with the paper's head in float32, fed by a DataLoader; decoding is 2% of its time."""

    def __init__(self, folder: Path, labels: np.ndarray) -> None:
        self.network = torchvision.models.resnet50()
        self.network.fc = nn.Sequential(
            nn.Linear(2048, 2048), nn.ReLU(), nn.Dropout(0.5), nn.Linear(2048, labels.shape[1])
        )
        self.loader = DataLoader(JPEGFiles(folder, labels), batch_size=32, shuffle=True)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-4)
        self.loss = nn.BCEWithLogitsLoss()

    def run_epoch(self) -> None:
        self.network.train()
        for images, labels in self.loader:
            self.optimiser.zero_grad()
            self.loss(self.network(images), labels).backward()
            self.optimiser.step()


def write_jpegs(folder: Path) -> np.ndarray:
    """Write smooth noise of CelebA's size, 178 x 218; return the same images at 64 pixels, (n, 64, 64, 3)."""
    rng = np.random.default_rng(0)
    stored = []
    for i in range(N_IMAGES):
        coarse = Image.fromarray(rng.integers(0, 256, (27, 22, 3), dtype=np.uint8))
        image = coarse.resize((178, 218), Image.Resampling.BICUBIC)
        image.save(folder / f"{i:06}.jpg", quality=90)
        stored.append(np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR)))
    return np.stack(stored)


def core_seconds(epoch: Callable[[], object]) -> float:
    """Return the processor time of one epoch: with one thread, other load on the machine does not count."""
    start = time.process_time()
    epoch()
    return time.process_time() - start


@pytest.mark.slow
@pytest.mark.benchmark
def test_resnet50_trains_twice_as_fast_as_the_plain_loop(tmp_path: Path, capsys) -> None:
    """Both run on one core in turn, and the best of each counts."""
    if compute_dtype("auto", torch.device("cpu")) != torch.bfloat16:
        pytest.skip("this processor has no bfloat16 instructions, which make the difference")
    images = write_jpegs(tmp_path)
    labels = (np.arange(N_IMAGES) % 2).astype(np.uint8)[:, None]  # (n, 1)
    plain = PlainLoop(tmp_path, labels)
    recipe = dataclasses.replace(PAPER, pretrained="none")
    training = Training(tmp_path / "run", {}, ("Smiling",), recipe, 0, torch.device("cpu"))
    targets = torch.from_numpy(labels).float()
    ours, theirs = [], []
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with tqdm(disable=True) as bar:
        for epoch in range(1, N_ROUNDS + 1):
            ours.append(core_seconds(partial(training.run_epoch, epoch, images, targets, None, bar)))
            theirs.append(core_seconds(plain.run_epoch))
    torch.set_num_threads(n_threads)
    ratio = min(theirs) / min(ours)
    with capsys.disabled():
        print(
            f"\nResNet-50, 224 px, batch 32, per core: {N_IMAGES / min(ours):.1f} images/s, "
            f"plain loop {N_IMAGES / min(theirs):.1f} images/s, ratio {ratio:.2f}"
        )
    assert ratio >= 2
