"""Histories to learn from and to measure on: server by server, with their outcomes, cut into windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, PROFILES, TARGETS, WEEK_MINUTES
from tft_dash.models.forecasting.outcomes import node_numbers, outcomes_of
from tft_dash.schema import Window

LATEST: Final = NODES[-1]
_TARGETS: Final = [INPUTS.index(name) for name in TARGETS]
_BEFORE: Final = np.arange(CONTEXT) - (CONTEXT - 1)
_AFTER: Final = np.array(NODES)


@dataclass(frozen=True)
class Histories:
    """Servers side by side, equally long; arrays (servers, ticks) or (servers, ticks, metrics).

    :param metrics: raw values in the order of ``INPUTS``, NaN = missing.
    :param profile: (servers,) codes.
    :param minute: (ticks,) minute of the week, UTC.
    :param first: steps to the first critical step after each.
    :param node: the horizon node by which it comes; ``len(NODES)`` = it does not within 8 hours.
    """

    metrics: NDArray[np.float32]
    profile: NDArray[np.int64]
    minute: NDArray[np.float32]
    first: NDArray[np.int16]
    node: NDArray[np.int64]
    critical: NDArray[np.bool_]
    onset: NDArray[np.bool_]
    counted: NDArray[np.bool_]

    @property
    def servers(self) -> int:
        return len(self.metrics)

    @property
    def ticks(self) -> int:
        return self.metrics.shape[1]

    def windows(self, server: NDArray[np.intp], tick: NDArray[np.intp]) -> NDArray[np.float32]:
        """(count, 96, 8) the windows that end at these ticks."""
        return self.metrics[server[:, None], tick[:, None] + _BEFORE]

    def futures(self, server: NDArray[np.intp], tick: NDArray[np.intp]) -> NDArray[np.float32]:
        """(count, nodes, targets) what the targets were at the horizon nodes."""
        return self.metrics[server[:, None], tick[:, None] + _AFTER][:, :, _TARGETS]

    def usable(self) -> NDArray[np.bool_]:
        """(servers, ticks) whether a whole window and a whole horizon lie around the tick, and it is not critical."""
        found = ~self.critical & ~np.isnan(self.metrics).all(2)
        found[:, : CONTEXT - 1] = False
        found[:, self.ticks - LATEST :] = False
        return found


def history_of(window: Window) -> Histories:
    """The servers of one recording at five-minute steps."""
    nothing = np.full((window.ticks, len(window.servers)), np.nan, np.float32)
    stacked = np.stack([window.metrics.get(name, nothing) for name in INPUTS], axis=-1)
    found = outcomes_of(window.metrics)
    codes = {name: place for place, name in enumerate(PROFILES)}
    minutes = (window.start.astype("datetime64[m]").astype(np.int64) + 5 * np.arange(window.ticks) + 3 * 1440) % WEEK_MINUTES
    return Histories(
        np.ascontiguousarray(stacked.transpose(1, 0, 2)),
        np.array([codes.get(name, 0) for name in window.profiles], np.int64),
        minutes.astype(np.float32),
        found.first.T.copy(),
        node_numbers(found.first).T.copy(),
        found.critical.T.copy(),
        found.onset.T.copy(),
        found.counted.T.copy(),
    )


def joined(parts: Sequence[Histories]) -> Histories:
    """Histories of equal times, one after the other."""
    def put(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])
    return Histories(put("metrics"), put("profile"), parts[0].minute, put("first"), put("node"), put("critical"),
                     put("onset"), put("counted"))  # type: ignore[arg-type]
