"""Draws the windows of a step: more from before crossings, weighted for it, and some with parts hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES
from tft_dash.models.forecasting.outcomes import node_numbers
from tft_dash.training.fitting.plan import Plan
from tft_dash.training.histories import Histories, Rows

SHORTEST: Final = 12
"""Steps that a shortened window keeps at least: the shortest history that is answered."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The windows of one step.

    :param weight: (count,) how much each counts.
    :param hidden: (count, 96, 8) what of them is hidden.
    :param profile: (count,) codes, some of them "unknown".
    """

    rows: Rows
    weight: NDArray[np.float32]
    hidden: NDArray[np.bool_]
    profile: NDArray[np.int64]


class Sampler:
    """Draws windows.

    :param rows: those to draw from.
    """

    def __init__(self, data: Histories, rows: Rows, plan: Plan, rng: np.random.Generator) -> None:
        self._data, self._plan, self._rng = data, plan, rng
        self._all = rows
        self._near = rows[data.first[rows] <= plan.near_steps]
        share = len(self._near) / len(rows)
        self._near_count = round(plan.batch * plan.near_share)
        drawn = self._near_count / plan.batch
        # A window near a crossing comes from both pools; each weight is its true frequency over its drawn one.
        self._weight_near = share / (drawn + (1.0 - drawn) * share)
        self._weight_far = 1.0 / (1.0 - drawn)

    def draw(self) -> Drawn:
        """The windows of the next step."""
        plan, rng = self._plan, self._rng
        near = self._near[rng.integers(len(self._near), size=self._near_count)]
        rows = np.concatenate([near, self.even(plan.batch - self._near_count)])
        is_near = self._data.first[rows] <= plan.near_steps
        weight = np.where(is_near, self._weight_near, self._weight_far).astype(np.float32)
        profile = self._data.profile[self._data.server_of(rows)]
        profile = np.where(rng.random(plan.batch) < plan.nameless, 0, profile)
        return Drawn(rows, weight, self._hidden(plan.batch), profile)

    def even(self, count: int) -> Rows:
        """Rows drawn evenly."""
        return self._all[self._rng.integers(len(self._all), size=count)]

    def _hidden(self, count: int) -> NDArray[np.bool_]:
        plan, rng = self._plan, self._rng
        dropped = rng.random((count, 1, len(INPUTS))) < plan.dropped
        kept = rng.integers(SHORTEST, CONTEXT + 1, size=count)
        kept = np.where(rng.random(count) < plan.shortened, kept, CONTEXT)
        older = np.arange(CONTEXT) < (CONTEXT - kept)[:, None]
        return dropped | older[:, :, None]


def nodes_of(data: Histories, rows: Rows) -> NDArray[np.int64]:
    """(count,) the horizon node by which the first crossing comes; ``len(NODES)`` = not within 8 hours."""
    return np.minimum(node_numbers(data.first[rows]), len(NODES))
