"""Networks with a last layer for each group, or with one that guesses the group."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from fairlab.classifiers import Recipe
from fairlab.classifiers.networks import AttributeNetwork
from fairlab.core.errors import UserError


def _log_odds(together: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    """Return log-odds (n, k) of what the heads' log chances (n, k, 2) come to together, for 1 and for 0."""
    return together(nn.functional.logsigmoid(logits)) - together(nn.functional.logsigmoid(-logits))


#: How the heads' logits (n, k, 2) become one (n, k) where the group is not asked for.
RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "sum_out": lambda logits: logits.mean(dim=2),
    "sum_probabilities": partial(_log_odds, partial(torch.logsumexp, dim=2)),
    "max": partial(_log_odds, partial(torch.amax, dim=2)),
}
KNOWN = "known_a"


class GroupHeads(AttributeNetwork):
    """Images to logits, by way of a logit for each group."""

    def __init__(
        self, backbone: nn.Module, n_features: int, n_attributes: int, recipe: Recipe, *, rule: str
    ) -> None:
        super().__init__(backbone, n_features, n_attributes, recipe)
        self.rule = rule

    def by_group(self, images: Tensor) -> Tensor:
        """Return the logits of all heads, (n, k, 2)."""
        logits: Tensor = self.head(self.features(images).float())
        return logits.unflatten(1, (-1, 2))

    def forward(self, images: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return logits (n, k) by the rule; `groups` (n,) are needed where each image's own head answers.

        Raises
        ------
        UserError
            If they are needed and not given.
        """
        if self.rule != KNOWN:
            return RULES[self.rule](self.by_group(images))
        if groups is None:
            raise UserError("This network answers by group; give the groups of the images, or use sum_out.")
        return own_head(self.by_group(images), groups)


def own_head(logits: Tensor, groups: Tensor) -> Tensor:
    """Return the logits (n, k) of each image's own group, of all (n, k, 2)."""
    return logits[torch.arange(len(groups), device=logits.device), :, groups]


class HeadForGroup(AttributeNetwork):
    """A plain network with a second head for the group, and two thresholds."""

    def __init__(self, backbone: nn.Module, n_features: int, n_attributes: int, recipe: Recipe) -> None:
        super().__init__(backbone, n_features, n_attributes, recipe)
        self.group_head = nn.Linear(n_features, 1)
        self.thresholds: Tensor
        self.register_buffer("thresholds", torch.zeros(2))

    def both(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return f and g, (n, 1) each, of the backbone's features (n, d)."""
        return self.head(features.float()), self.group_head(features.float())

    def forward(self, images: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return f - τ_0 - (τ_1 - τ_0) · g, (n, 1)."""
        f, g = self.both(self.features(images))
        return f - self.thresholds[0] - (self.thresholds[1] - self.thresholds[0]) * g
