"""Devices and precision: what "auto" means, and who may say so."""

import pytest
import torch

from fairlab.core.devices import PRECISION_VARIABLE, choose_device, compute_dtype
from fairlab.core.errors import UserError

CPU = torch.device("cpu")


@pytest.mark.parametrize("native", [True, False])
def test_auto_takes_native_bfloat16_and_nothing_emulated(monkeypatch, native):
    monkeypatch.delenv(PRECISION_VARIABLE, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert compute_dtype("auto", CPU) == (torch.bfloat16 if native else torch.float32)


@pytest.mark.parametrize("said", ["float32", "bfloat16"])
def test_the_environment_says_what_auto_means_and_no_more(monkeypatch, said):
    monkeypatch.setenv(PRECISION_VARIABLE, said)
    assert compute_dtype("auto", CPU) == getattr(torch, said)
    assert compute_dtype("float32", CPU) == torch.float32
    assert compute_dtype("bfloat16", CPU) == torch.bfloat16


def test_another_precision_and_an_unknown_device_are_one_sentence(monkeypatch):
    monkeypatch.setenv(PRECISION_VARIABLE, "half")
    with pytest.raises(UserError, match=f"{PRECISION_VARIABLE} is 'half'"):
        compute_dtype("auto", CPU)
    with pytest.raises(UserError, match="'tpux'"):
        choose_device("tpux")
