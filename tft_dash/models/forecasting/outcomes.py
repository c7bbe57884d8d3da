"""What happened next: outcomes derived from the contract's thresholds, never from a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import NODES, QUIET_STEPS
from tft_dash.schema import CRITICAL_ISSUE, NO_STATE, FloatArray, derive_states

NEVER: int = 32_767


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Per server and step; all arrays (ticks, servers).

    :param critical: whether the server is critical now, by its metrics.
    :param first: steps to the first critical step after this one; :data:`NEVER` where none follows.
    :param known: steps after this one in which the server reported often enough to tell.
    :param onset: whether an incident begins here.
    :param counted: whether the step counts in an evaluation: not inside an incident, nor within 30 minutes after one.
    """

    critical: NDArray[np.bool_]
    first: NDArray[np.int16]
    known: NDArray[np.int16]
    onset: NDArray[np.bool_]
    counted: NDArray[np.bool_]


def outcomes_of(metrics: Mapping[str, FloatArray]) -> Outcomes:
    """The outcomes of a history; ``metrics``: name → (ticks, servers), NaN = missing."""
    states = derive_states(metrics)
    critical = states == CRITICAL_ISSUE
    ticks = len(critical)
    first = np.full(critical.shape, NEVER, np.int16)
    following = np.full(critical.shape[1], NEVER, np.int64)
    for tick in range(ticks - 2, -1, -1):
        following = np.where(critical[tick + 1], 1, np.minimum(following + 1, NEVER))
        first[tick] = following
    since = _since(critical)
    onset = critical & (_before(since) > QUIET_STEPS)
    left = np.minimum(np.arange(ticks - 1, -1, -1), NEVER).astype(np.int16)
    known = np.repeat(left[:, None], critical.shape[1], axis=1)
    counted = ~critical & (since > QUIET_STEPS) & (states != NO_STATE)
    return Outcomes(critical, first, known, onset, counted)


def _since(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Steps since a flag was last set, 0 where it is set now; large where it never was."""
    found = np.full(flags.shape, NEVER, np.int64)
    last = np.full(flags.shape[1], NEVER, np.int64)
    for tick in range(len(flags)):
        last = np.where(flags[tick], 0, np.minimum(last + 1, NEVER))
        found[tick] = last
    return found


def _before(since: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same, one step earlier."""
    shifted = np.full_like(since, NEVER)
    shifted[1:] = since[:-1] + 1
    return shifted


def node_numbers(first: NDArray[np.int16]) -> NDArray[np.int64]:
    """The first horizon node by which the first critical step has come; ``len(NODES)`` where it has not."""
    return np.searchsorted(np.array(NODES), first.astype(np.int64), side="left")
