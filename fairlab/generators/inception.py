"""Features of the Inception network with which Fréchet distances are usually published, by torch-fidelity."""

import urllib.error
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from fairlab.core.errors import UserError

BATCH = 64
LAYER = "2048"  # the pooled features (Heusel et al., NeurIPS 2017)


def inception_features(images: Any, device: torch.device | str | None = None) -> np.ndarray:
    """Return Inception's pooled features of images.

    Parameters
    ----------
    images : array, (n, h, w, 3) uint8
        Of any size; the network brings them to 299 pixels.
    device : torch.device or str, optional
        The CPU when None.

    Returns
    -------
    ndarray, (n, 2048) float32

    Raises
    ------
    UserError
        If torch-fidelity is not installed, or its weights can neither be found nor downloaded.
    """
    network = _network().to(device or "cpu")
    features = np.empty((len(images), int(LAYER)), np.float32)
    with torch.inference_mode():
        for start in tqdm(range(0, len(images), BATCH), desc="Inception", leave=False):
            batch = torch.from_numpy(np.array(images[start : start + BATCH]))  # (b, h, w, 3)
            pooled = network(batch.permute(0, 3, 1, 2).to(device or "cpu"))[0]  # (b, 2048)
            features[start : start + len(batch)] = pooled.cpu().numpy()
    return features


def _network() -> torch.nn.Module:
    try:
        from torch_fidelity.utils import create_feature_extractor
    except ImportError as error:
        raise UserError(
            "Inception's features need torch-fidelity; install it with: pip install torch-fidelity"
        ) from error
    try:
        network: torch.nn.Module = create_feature_extractor(
            "inception-v3-compat", [LAYER], cuda=False, verbose=False
        )
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise UserError(
            f"Inception's weights could not be downloaded or read ({error}); leave --inception out, or put "
            f"the file that torch-fidelity names into {torch.hub.get_dir()}/checkpoints."
        ) from error
    return network
