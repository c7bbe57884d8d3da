"""What a model said beside what happened: the rows to fit to and to measure on, of single servers or whole fleets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.calibrating.truth import Truth
from tft_dash.models.calibrated.model import raw_servers
from tft_dash.models.forecasting.calibration import HorizonName
from tft_dash.schema import Assessments, FloatArray

HORIZON_SECONDS: Final[dict[HorizonName, float]] = {"30m": 1800.0, "8h": 28_800.0}
APART_SECONDS: Final = 300.0
"""Rows of one server lie at least so far apart: nearer ones say the same twice."""
MOST_ROWS: Final = 200_000
"""More rows of one kind than this are thinned out evenly."""

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Told:
    """One recording: what was said and what happened, (ticks, servers) and (ticks,).

    :param step_seconds: between ticks.
    """

    step_seconds: float
    soon: FloatArray
    late: FloatArray
    fleet_soon: FloatArray
    fleet_late: FloatArray
    truth: Truth

    @classmethod
    def of(cls, said: Assessments, truth: Truth, step_seconds: float) -> Told:
        """From a model's assessments."""
        soon, late = raw_servers(said)
        return cls(step_seconds, soon, late, said.prob_30m, said.prob_8h, truth)

    @property
    def ticks(self) -> int:
        """How many ticks there are."""
        return len(self.fleet_soon)

    def split(self, share: float) -> int:
        """The tick at which the first incident behind this share of them begins; a share of the time without any."""
        onsets = np.sort(np.nonzero(self.truth.onset)[0])
        if len(onsets) < 2:
            return round(share * self.ticks)
        return int(onsets[min(len(onsets) - 1, max(1, round(share * len(onsets))))])


@dataclass(frozen=True, slots=True)
class Cases:
    """Rows of one kind and horizon.

    :param chance: what was said.
    :param happened: whether an incident began within the horizon.
    :param time: (rows,) rising seconds, to cut them into blocks of time; recordings lie one after the other.
    :param overlap: so many rows share what happens in one horizon.
    """

    chance: Reals
    happened: Flags
    time: Reals
    overlap: float

    def __len__(self) -> int:
        return len(self.chance)

    @property
    def rate(self) -> float:
        """How often it happened."""
        return float(self.happened.mean()) if len(self) else float("nan")

    def blocks(self, most: int, least_seconds: float) -> NDArray[np.int64]:
        """(rows,) the number of the block of time in which each lies: at most ``most``, none much shorter than so."""
        if not len(self):
            return np.zeros(0, np.int64)
        span = float(self.time.max() - self.time.min()) + 1.0
        count = int(min(most, max(2.0, span / least_seconds)))
        return np.minimum(((self.time - self.time.min()) / span * count).astype(np.int64), count - 1)

    def part(self, chosen: Flags) -> Cases:
        """Some of the rows."""
        return Cases(self.chance[chosen], self.happened[chosen], self.time[chosen], self.overlap)


def server_cases(told: Sequence[Told], horizon: HorizonName, spans: Sequence[tuple[int, int]]) -> Cases:
    """Rows of single servers in ``spans`` (first tick, tick behind the last) of the recordings."""
    ahead = HORIZON_SECONDS[horizon]
    parts = []
    for one, (first, behind) in zip(told, spans, strict=True):
        ticks = _ticks(one, first, behind, ahead)
        chance = (one.soon if horizon == "30m" else one.late)[ticks]
        truth = one.truth
        usable = truth.counted[ticks] & (truth.known[ticks] >= ahead) & ~np.isnan(chance)
        tick, server = np.nonzero(usable)
        parts.append((chance[tick, server], truth.until[ticks][tick, server] <= ahead, ticks[tick], one))
    return _joined(parts, ahead)


def fleet_cases(told: Sequence[Told], horizon: HorizonName, spans: Sequence[tuple[int, int]]) -> Cases:
    """The same of whole fleets: any server, at ticks at which none is in an incident."""
    ahead = HORIZON_SECONDS[horizon]
    parts = []
    for one, (first, behind) in zip(told, spans, strict=True):
        ticks = _ticks(one, first, behind, ahead)
        truth = one.truth
        chance = (one.fleet_soon if horizon == "30m" else one.fleet_late)[ticks]
        known = truth.known[ticks].max(axis=1, initial=0.0) >= ahead
        usable: Flags = ~np.any(truth.busy[ticks], axis=1) & known & ~np.isnan(chance)
        happened: Flags = np.any(truth.until[ticks] <= ahead, axis=1)
        parts.append((chance[usable], happened[usable], ticks[usable], one))
    return _joined(parts, ahead)


def _ticks(one: Told, first: int, behind: int, ahead: float) -> NDArray[np.int64]:
    """Ticks whose horizon ends within the span, far enough apart."""
    last = behind - int(np.ceil(ahead / one.step_seconds))
    stride = max(1, round(APART_SECONDS / one.step_seconds))
    return np.arange(first, max(last, first), stride, dtype=np.int64)


def _joined(parts: Sequence[tuple[FloatArray, Flags, NDArray[np.int64], Told]], ahead: float) -> Cases:
    chance, happened, time, overlap = [], [], [], []
    begin = 0.0
    for said, true, ticks, one in parts:
        chance.append(said.astype(np.float64))
        happened.append(true)
        time.append(begin + ticks * one.step_seconds)
        begin += one.ticks * one.step_seconds + ahead
        overlap.append(ahead / (max(1, round(APART_SECONDS / one.step_seconds)) * one.step_seconds))
    found = Cases(np.concatenate(chance), np.concatenate(happened), np.concatenate(time), max(1.0, *overlap))
    stride = max(1, -(-len(found) // MOST_ROWS))
    return found.part(np.arange(len(found)) % stride == 0) if stride > 1 else found
