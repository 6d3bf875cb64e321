"""Adam over parts of a network: each at its own speed, frozen ones not at all."""

from torch import nn

from fairlab.classifiers import Recipe
from fairlab.classifiers.optimiser import optimiser_of, set_learning_rate, train_mode


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.slow, self.frozen = nn.Linear(1, 1), nn.Linear(1, 1), nn.BatchNorm1d(1)
        self.slow.rate = 0.1
        self.slow.inner = nn.Linear(1, 1)  # has the rate of what it is in
        self.slow.fast = nn.Linear(1, 1)
        self.slow.fast.rate = 3
        self.frozen.requires_grad_(False)


def rates(optimiser, network):
    """The learning rate of each part, by its weight."""
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {
        names[id(parameter)].removesuffix(".weight"): group["lr"]
        for group in optimiser.param_groups
        for parameter in group["params"]
        if names[id(parameter)].endswith("weight")
    }


def test_a_part_learns_at_the_rate_of_the_innermost_module_that_has_one():
    network = Parts()
    optimiser = optimiser_of(network, Recipe(learning_rate=0.01))
    for rate in (0.01, 0.5):
        set_learning_rate(optimiser, rate)
        expected = {"body": rate, "slow": 0.1 * rate, "slow.inner": 0.1 * rate, "slow.fast": 3 * rate}
        assert rates(optimiser, network) == expected


def test_a_step_of_adam_is_as_long_as_the_rate_whatever_the_gradient():
    network = Parts()
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    optimiser = optimiser_of(network, Recipe(learning_rate=0.01))
    set_learning_rate(optimiser, 0.01)
    sum(1_000 * value.sum() for value in network.parameters() if value.requires_grad).backward()
    optimiser.step()
    moved = {name: (before[name] - value).item() for name, value in network.named_parameters()}
    for name, rate in (
        ("body", 0.01),
        ("slow", 0.001),
        ("slow.inner", 0.001),
        ("slow.fast", 0.03),
        ("frozen", 0),
    ):
        assert abs(moved[f"{name}.weight"] - rate) < 1e-6


def test_frozen_parts_stay_in_evaluation_mode():
    network = Parts().eval()
    train_mode(network)
    assert network.training
    assert network.slow.fast.training
    assert not network.frozen.training
    network.frozen.requires_grad_(True)
    train_mode(network)
    assert network.frozen.training
