"""Mixtures of images: partners, shares, and the mixture itself."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from fairlab.classifiers import Batch
from fairlab.methods.cells import batch_cells

#: What a partner's cell differs in: with 2·y + a, the exclusive or of both numbers.
OTHER_GROUP, OTHER_LABEL = 1, 2


def beta(alpha: float, n: int, batch: Batch) -> Tensor:
    """Draw `n` numbers in [0, 1] from Beta(α, α) by the batch's generator, (n,) float32 on its device."""
    seed = torch.randint(2**62, (1,), generator=batch.generator).item()
    drawn = np.random.default_rng(int(seed)).beta(alpha, alpha, size=n)
    return torch.from_numpy(drawn).float().to(batch.labels.device)


def partners_in(batch: Batch, differs: Tensor | int) -> Tensor:
    """Return for each image the row of a random one of the batch whose cell differs as asked; else its own.

    `differs` is `OTHER_GROUP` (same label), `OTHER_LABEL` (same group), or one of them for each image, (b,).
    """
    cells = batch_cells(batch)  # (b,)
    wanted = cells ^ differs
    order = torch.rand(len(cells), len(cells), generator=batch.generator).to(cells.device)
    fits = wanted[:, None] == cells[None, :]  # (b, b)
    partners = torch.where(fits, order, -1.0).argmax(dim=1)
    return torch.where(fits.any(dim=1), partners, torch.arange(len(cells), device=cells.device))


def mixed(batch: Batch, partners: Tensor, share: Tensor) -> Batch:
    """Return λ of each image and label and 1 - λ of its partner's; λ is `share`, (1,) or (b,) in [0, 1]."""
    of_images, of_labels = share[:, None, None, None], share[:, None]
    return dataclasses.replace(
        batch,
        images=of_images * batch.images + (1 - of_images) * batch.images[partners],
        labels=of_labels * batch.labels + (1 - of_labels) * batch.labels[partners],
    )
