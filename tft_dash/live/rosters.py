"""Which servers a live source has, tick after tick: they appear, they fall silent, they are forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tft_dash.live.alignment import NO_PROFILE, Aligned
from tft_dash.schema import GENERIC_PROFILE, NO_STATE, CodeArray, FloatArray
from tft_dash.ticks import NO_ROSTER, Roster, TickRecord


@dataclass(frozen=True, slots=True)
class TickValues:
    """What was measured at one tick, under a roster; (servers,) each.

    :param metrics: NaN = missing; only those of which some server has a value.
    :param silent_ticks: int32, ticks since a server's last sample; 0 = it has one at this tick.
    """

    tick: int
    roster: Roster
    metrics: Mapping[str, FloatArray]
    states: CodeArray
    silent_ticks: NDArray[np.int32]

    @property
    def reporting(self) -> int:
        """How many servers have a value of some metric."""
        if not self.metrics:
            return 0
        return int(np.count_nonzero(np.any([~np.isnan(values) for values in self.metrics.values()], axis=0)))


class Rosters:
    """The roster as it is, and when each of its servers was last heard of.

    :param forget_ticks: a server silent for more ticks leaves the roster.
    """

    def __init__(self, forget_ticks: int) -> None:
        self._forget_ticks = forget_ticks
        self._seen: dict[str, int] = {}
        self.roster = NO_ROSTER

    def resume(self, records: Sequence[TickRecord]) -> None:
        """Go on after these recorded ticks, in order."""
        if records:
            self.follow(records[-1])

    def follow(self, record: TickRecord) -> None:
        """Go on after one recorded tick."""
        self.roster = record.roster
        self._seen = dict(zip(record.servers, (record.tick - record.silent_ticks).tolist(), strict=True))

    def take(self, aligned: Aligned, row: int) -> TickValues:
        """The tick in row ``row`` of ``aligned``, which follows the last one taken, under the roster as it is then."""
        tick = aligned.first + row
        states = aligned.states[row]
        heard = np.flatnonzero(states != NO_STATE)
        for place in heard.tolist():
            self._seen[aligned.servers[place]] = tick
        self._renew(aligned, row, heard.tolist(), tick)
        places = {name: place for place, name in enumerate(self.roster.servers)}
        there = np.array([places[aligned.servers[place]] for place in heard.tolist()], np.intp)
        size = len(self.roster.servers)
        metrics = {}
        for name, values in aligned.metrics.items():
            if not np.isnan(values[row]).all():
                metrics[name] = np.full(size, np.nan, np.float32)
                metrics[name][there] = values[row, heard]
        codes = np.full(size, NO_STATE, np.int8)
        codes[there] = states[heard]
        silent = np.array([tick - self._seen[name] for name in self.roster.servers], np.int32)
        return TickValues(tick, self.roster, metrics, codes, silent)

    def _renew(self, aligned: Aligned, row: int, heard: list[int], tick: int) -> None:
        known = dict(zip(self.roster.servers, self.roster.profiles, strict=True))
        changed = False
        for place in heard:  # in order of names
            name, said = aligned.servers[place], aligned.profiles[row, place]
            profile = said if said != NO_PROFILE else known.get(name, GENERIC_PROFILE)
            if known.get(name) != profile:
                known[name], changed = profile, True
        gone = [name for name in known if tick - self._seen.get(name, tick) > self._forget_ticks]
        for name in gone:
            del known[name]
            self._seen.pop(name, None)
        if changed or gone:
            self.roster = Roster.of(tuple(known), tuple(known.values()))
