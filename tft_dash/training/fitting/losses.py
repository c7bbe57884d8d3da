"""What is made small: pinball loss of the quantiles, and the likelihood of the first crossing's interval."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the usual name

from tft_dash.models.forecasting.layout import NODES, QUANTILES
from tft_dash.training.network import Forecaster


def losses(
    network: Forecaster, quantiles: Tensor, logits: Tensor, future: Tensor, node: Tensor
) -> tuple[Tensor, Tensor]:
    """``(pinball, hazard)`` per window, (batch,) each.

    :param quantiles: (batch, nodes, targets, quantiles) on the transformed scale.
    :param logits: (batch, nodes) of the hazard.
    :param future: (batch, nodes, targets) in the targets' units, NaN = missing.
    :param node: (batch,) the node of the first crossing, ``len(NODES)`` = none.
    """
    truth, there = network.scaled_targets(future)
    levels = torch.tensor(QUANTILES, device=truth.device)
    gap = (truth.unsqueeze(-1) - quantiles) / network.target_spread().view(1, 1, -1, 1)
    pinball = torch.maximum(levels * gap, (levels - 1) * gap).mean(-1) * there
    places = torch.arange(len(NODES), device=node.device)
    at_risk = (places.unsqueeze(0) <= node.unsqueeze(1)).to(logits.dtype)
    hit = (places.unsqueeze(0) == node.unsqueeze(1)).to(logits.dtype)
    hazard = F.binary_cross_entropy_with_logits(logits, hit, reduction="none") * at_risk
    return pinball.sum((1, 2)) / there.sum((1, 2)).clamp(min=1.0), hazard.sum(1)
