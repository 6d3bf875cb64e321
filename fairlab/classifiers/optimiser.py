"""Adam over the parts of a network, each at its own speed, with what is frozen left alone."""

from typing import Any

import torch
from torch import nn

from fairlab.classifiers.recipe import Recipe


def optimiser_of(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return Adam over all parameters that learn.

    A module's attribute ``rate`` (default 1) multiplies the learning rate of its parameters, unless a module
    within it has a rate of its own: a factor on a *loss* would do nothing, as Adam divides by the size of the
    gradient.
    """
    groups = [{"params": part, "rate": rate} for rate, part in _by_rate(network).items()]
    return torch.optim.Adam(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every part to its share of `rate`."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate"]


def restore(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Bring a saved optimiser back, its moments in the memory layout of the parameters."""
    optimiser.load_state_dict(state)
    for parameter, moments in optimiser.state.items():
        for name, value in moments.items():
            if value.shape == parameter.shape:
                # Files hold plain layout; fused Adam walks memory in the parameter's channels_last.
                moments[name] = torch.empty_like(parameter).copy_(value)


def train_mode(network: nn.Module) -> None:
    """Put a network into training mode, but for frozen parts: their batch normalisation must not move."""
    network.train()
    for module in network.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()


def _by_rate(network: nn.Module) -> dict[float, list[nn.Parameter]]:
    """Return the parameters that learn by the rate of the innermost module that has one."""
    rates: dict[nn.Parameter, float] = {}
    for module in network.modules():  # outer modules before those within them
        rate = getattr(module, "rate", None)
        for parameter in module.parameters():
            rates[parameter] = rates.get(parameter, 1.0) if rate is None else float(rate)
    found: dict[float, list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            found.setdefault(rates.get(parameter, 1.0), []).append(parameter)
    return found
