"""The past as fewer, longer steps: what is recent step by step, what is older as means of several.

Most of the network's time goes into steps of the past, and the older ones tell of levels and rhythm rather than of
single values. The wide path still sees every step.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from tft_dash.models.forecasting.layout import CONTEXT

RECENT: Final = 24
"""The latest steps, which stay as they are."""
TOGETHER: Final = 3
"""So many older steps are one."""
_OLDER: Final = CONTEXT - RECENT


def patched(values: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """(batch, 96, n) values and what is there → (batch, 48, n) means, 0 where missing, and the share that is there."""
    count = _together(there)
    means = _together(values * there) / count.clamp(min=1.0)
    return (
        torch.cat([means, values[:, -RECENT:]], dim=1),
        torch.cat([count / TOGETHER, there[:, -RECENT:]], dim=1),
    )


def _together(steps: Tensor) -> Tensor:
    """(batch, 96, n) → (batch, 24, n): sums of the older steps, so many together."""
    return steps[:, :_OLDER].reshape(-1, _OLDER // TOGETHER, TOGETHER, steps.shape[-1]).sum(2)


def middles(steps: Tensor) -> Tensor:
    """(batch, 96, …) → (batch, 48, …): the middle step of each patch."""
    return torch.cat([steps[:, TOGETHER // 2 : _OLDER : TOGETHER], steps[:, _OLDER:]], dim=1)


def spread_out(weights: Tensor) -> Tensor:
    """(batch, 48) → (batch, 96): each patch's weight, shared evenly by its steps."""
    places = torch.cat([torch.arange(_OLDER) // TOGETHER, torch.arange(RECENT) + _OLDER // TOGETHER])
    shared = torch.where(torch.arange(CONTEXT) < _OLDER, 1.0 / TOGETHER, 1.0)
    return weights[:, places.to(weights.device)] * shared.to(weights.device)
