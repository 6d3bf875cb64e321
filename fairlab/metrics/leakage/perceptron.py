"""The published attacker on labels or scores: a multi-layer perceptron in torch.

Wang et al., *Balanced Datasets Are Not Enough* (ICCV 2019).
"""

import copy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from fairlab.metrics.leakage.attackers import Features, Predictor


@dataclass(frozen=True)
class Perceptron:
    """The published attacker: three hidden layers, batch norm, leaky ReLU, the best epoch on validation."""

    epochs: int = 100  #: for COCO's objects; 150 for imSitu's verbs
    batch: int = 128  #: likewise; 64
    width: int = 300  #: of the hidden layers
    learning_rate: float = 5e-5  #: Adam's
    weight_decay: float = 1e-5
    progress: bool = True  #: show a bar over the epochs

    def fit(
        self, train: Features, a: np.ndarray, valid: Features, a_valid: np.ndarray, seed: int
    ) -> Predictor:
        """Train on (n, k) features; the first of equally good epochs is kept."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self._network(train.width)
            optimiser = torch.optim.Adam(
                network.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=True
            )
            best, kept = -1.0, copy.deepcopy(network.state_dict())
            bar = tqdm(range(self.epochs), "attacker", unit="epoch", leave=False, disable=not self.progress)
            for _ in bar:
                self._epoch(network, optimiser, train, torch.from_numpy(a.astype(np.float32)))
                right = float(np.mean(_guess(network, valid) == a_valid))
                if right > best:
                    best, kept = right, copy.deepcopy(network.state_dict())
        network.load_state_dict(kept)
        return lambda features: _guess(network, features)

    def _network(self, k: int) -> nn.Sequential:
        sizes = [k, self.width, self.width, self.width]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers, nn.Linear(self.width, 1))

    def _epoch(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, train: Features, a: Tensor
    ) -> None:
        network.train()
        x = _tensor(train)
        for rows in torch.randperm(len(a)).split(self.batch):
            if len(rows) == 1 < len(a):
                continue  # batch norm has nothing to normalise one image by
            logits = network(_dense(x[rows], train))[:, 0]  # (b,)
            optimiser.zero_grad()
            F.binary_cross_entropy_with_logits(logits, a[rows]).backward()
            optimiser.step()


@torch.no_grad()
def _guess(network: nn.Module, features: Features) -> np.ndarray:
    """Return the network's guesses, (n,); rows that repeat are computed once."""
    network.eval()
    rows, places = features.distinct()
    logits = torch.cat([network(_dense(part, rows))[:, 0] for part in _tensor(rows).split(4096)])
    return (logits > 0).numpy().astype(np.intp)[places]


def _tensor(features: Features) -> Tensor:
    """Return the values as they are kept, so that classes need no more memory than their numbers."""
    return torch.from_numpy(features.values.astype(np.int64) if features.are_classes else features.values)


def _dense(batch: Tensor, features: Features) -> Tensor:
    """Return a batch of `_tensor` as the network's input, (b, k) float32."""
    return (F.one_hot(batch, features.width) if features.are_classes else batch).float()
