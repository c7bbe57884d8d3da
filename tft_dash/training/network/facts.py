"""The wide path's facts: where each metric stands to its lines, where it goes, and how restless it is.

Normalisation inside the variable selection blurs the distance to a line; here it is given to the heads as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, TARGETS

LINES: Final = [INPUTS.index(name) for name in TARGETS]
"""The places of the metrics that have a line."""
_SPANS: Final = (96, 48, 24, 12, 6, 3, 1)
_SLOPES: Final = (6, 12, 24, 48)
_NEAR_SPAN: Final = 3
_LATE_STEPS: Final = 24
_LACKING_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Scales:
    """What the facts are measured in, per metric: ``spread`` around a window's mean, ``unit`` and ``usual`` between
    servers; ``critical`` per target, on the transformed scale."""

    spread: Tensor
    unit: Tensor
    usual: Tensor
    critical: Tensor


@dataclass(frozen=True, slots=True)
class Past:
    """A batch of windows, transformed: values (0 = missing), 1 where there is one, their mean, and values centred."""

    values: Tensor
    there: Tensor
    mean: Tensor
    centred: Tensor


def recent_levels(past: Past) -> dict[int, Tensor]:
    """The mean of the last steps per span; where nothing is there, that of the next longer span."""
    found: dict[int, Tensor] = {}
    level = past.mean
    for span in _SPANS:
        part, here = past.values[:, -span:], past.there[:, -span:]
        count = here.sum(1)
        level = torch.where(count > 0, (part * here).sum(1) / count.clamp(min=1.0), level)
        found[span] = level
    return found


def wide_facts(past: Past, scales: Scales, slopes: Tensor) -> tuple[Tensor, Tensor]:
    """The recent level of each metric (batch, metrics), and the facts (batch, facts), large ones bent in.

    :param slopes: of :func:`slope_weights`.
    """
    levels = recent_levels(past)
    facts = [
        *((levels[span] - past.mean) / scales.spread for span in _SPANS[1:]),
        *((past.centred[:, -span:] * slopes[-span:, place : place + 1]).sum(1) for place, span in enumerate(_SLOPES)),
        *_restlessness(past),
        *_margins(past, levels, scales),
        (past.mean - scales.usual) / scales.unit,
        1.0 - past.there[:, -_LACKING_STEPS:].mean(1),
        1.0 - past.there.mean(1),
    ]
    return levels[_NEAR_SPAN], squashed(torch.cat(facts, dim=-1))


def _restlessness(past: Past) -> list[Tensor]:
    square = (past.centred * past.centred * past.there).sum(1) / past.there.sum(1).clamp(min=1.0)
    here = past.there[:, -_LATE_STEPS:]
    late = (past.centred[:, -_LATE_STEPS:] ** 2 * here).sum(1) / here.sum(1).clamp(min=1.0)
    return [square.sqrt(), late.sqrt(), past.centred.amax(1), past.centred.amin(1)]


def _margins(past: Past, levels: dict[int, Tensor], scales: Scales) -> list[Tensor]:
    """How far the targets are from critical: of late, now, at most; and whether and when one was."""
    unit = scales.unit[LINES]
    lines = past.values[:, :, LINES]
    over = (lines > scales.critical).to(lines.dtype) * past.there[:, :, LINES]
    highest = torch.where(past.there > 0, past.values, past.mean.unsqueeze(1))[:, :, LINES].amax(1)
    lately = torch.linspace(0.0, 1.0, CONTEXT, device=lines.device).view(1, -1, 1)
    return [
        *(
            4.0 * (scales.critical - level) / unit
            for level in (levels[_NEAR_SPAN][:, LINES], levels[1][:, LINES], highest)
        ),
        over.amax(1),
        (over * lately).amax(1),
        over.mean(1),
    ]


def squashed(values: Tensor) -> Tensor:
    """Large values bent in: as they are near 0, logarithmic far out."""
    return torch.sign(values) * torch.log1p(values.abs())


def slope_weights() -> Tensor:
    """(96, 4) weights of least-squares slopes over the last 6, 12, 24 and 48 steps, per span."""
    weights = torch.zeros(CONTEXT, len(_SLOPES))
    for place, span in enumerate(_SLOPES):
        times = torch.arange(span, dtype=torch.float32) - (span - 1) / 2
        weights[-span:, place] = times / (times**2).sum() * span
    return weights
