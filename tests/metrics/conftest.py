"""The published code's numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .examples import Predictions

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(params=["a", "b"])
def reference(request: pytest.FixtureRequest) -> tuple[Predictions, dict[str, Any]]:
    """Made-up predictions and what the published code makes of them."""
    arrays = np.load(REFERENCE / f"metrics_{request.param}.npz")
    expected = json.loads((REFERENCE / f"metrics_{request.param}.json").read_text())
    return Predictions(arrays["target"], arrays["score"], arrays["protected"]), expected
