"""The method that CONTRIBUTING.md writes as an example works as it stands there."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from fairlab.classifiers import Batch
from fairlab.core.errors import UserError
from fairlab.methods import load_classifier, train

from .toys import shapes

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


@pytest.fixture
def method_class(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]
    (tmp_path / "label_smoothing_of_the_page.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("label_smoothing_of_the_page").LabelSmoothing


def test_it_trains_and_loads(method_class, tmp_path):
    work = shapes(tmp_path)
    step = train(method_class(smoothing=0.2), work, 0)
    assert load_classifier(step.folder, "cpu").score(work.images("test")).shape == (64, 1)


def test_its_loss_is_least_at_the_smoothed_label(method_class):
    def loss(probability):
        logits = torch.logit(torch.tensor([[probability]]))
        batch = Batch(logits, torch.ones(1, 1), None, None, None, None, 0.5, torch.Generator())
        return method_class(smoothing=0.2).loss(nn.Identity(), batch)

    assert loss(0.9) < min(loss(0.89), loss(0.91))


def test_bad_settings_are_one_sentence(method_class):
    with pytest.raises(UserError, match=r"choose it in \[0, 1\)"):
        method_class(smoothing=1.0)
