"""Draws a fleet's happenings from the seed: when, on which server, how strong. No label is written here.

Each server has a stream of random numbers of its own, so that other servers, blocks and processes do not touch it.
Time is cut into slots of four hours; in each a happening of every sort begins with the probability that its rate gives.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tft_dash.scenarios.chance.changes import beyond, scaled
from tft_dash.scenarios.chance.happening import Drawn, Effects, Happening, Incident, Line
from tft_dash.scenarios.chance.kinds import BURST, DRAINED, KINDS, SHIFT, SHIFTED, SUDDEN, IncidentKind
from tft_dash.scenarios.fleet import server_names, server_profiles
from tft_dash.scenarios.format.chance import Chance
from tft_dash.scenarios.format.parts import Effect, Rhythm, Spec
from tft_dash.scenarios.signals import DAY_MS, Reals, is_weekend, stream, swing_at, uniforms

MINUTE: Final = 60_000
SLOT_MS: Final = 240 * MINUTE
_SLOTS_PER_WEEK: Final = 7 * DAY_MS / SLOT_MS
_LOTS: Final = 40
"""Random numbers per server and slot; a sort of happening always takes the same ones."""
_MARGIN_MS: Final = 60 * MINUTE


def drawn(spec: Spec) -> Drawn:
    """Everything that chance does to the fleet; nothing without ``spec.chance``."""
    if spec.chance is None:
        return Drawn((), ())
    names, profiles = server_names(spec.fleet.profiles), server_profiles(spec.fleet.profiles)
    fleet = [
        _Server(spec, spec.chance, place, name, profile.daily_rhythm)
        for place, (name, profile) in enumerate(zip(names, profiles, strict=True))
    ]
    for server in fleet:
        server.draw()
    for server in fleet:
        for at, lots in server.spreading:
            _pull_along(fleet, server, at, lots)
    return Drawn(
        tuple(happening for server in fleet for happening in server.found),
        tuple(incident for server in fleet for incident in server.incidents),
    )


class _Server:
    """Draws what happens to one server."""

    def __init__(self, spec: Spec, chance: Chance, place: int, name: str, rhythm: Rhythm) -> None:
        self.chance = chance
        self.place = place
        self.found: list[Happening] = []
        self.incidents: list[Incident] = []
        self.spreading: list[tuple[int, Reals]] = []
        self._start_ms = round(spec.clock.start.timestamp() * 1000)
        self._end_ms = round(spec.clock.duration * 1000)
        self._rhythm = rhythm
        self._busy: list[tuple[int, int]] = []
        self._shift_begin = 0
        self._shift: Effects = ()
        bits = stream(spec.seed, name, "chance")
        slots = -(-self._end_ms // SLOT_MS)
        self._lots = uniforms(bits, slots * _LOTS).reshape(slots, _LOTS)

    def draw(self) -> None:
        """Draw everything but what other servers bring."""
        for slot, lots in enumerate(self._lots):
            begin = slot * SLOT_MS
            self._perhaps_incident(begin, lots[:16])
            self._perhaps_burst(begin, lots[16:20])
            self._perhaps_restart(begin, lots[20:23])
            self._perhaps_deploy(begin, lots[23:31])
            self._perhaps_gap(begin, lots[31:34])
            self._perhaps_maintenance(begin, lots[34:37])
        self._end_shift(self._end_ms)

    def is_free(self, begin: int, end: int) -> bool:
        """Whether no build-up or incident lies near the span."""
        return end <= self._end_ms and all(
            end + _MARGIN_MS <= first or last + _MARGIN_MS <= begin for first, last in self._busy
        )

    def incident(self, begin: int, kind: IncidentKind, ramp_ms: int, lots: Reals, origin: str) -> int | None:
        """Add an incident that builds up from ``begin`` for ``ramp_ms``; returns its end, None when there is no room.

        :param lots: four random numbers: strength, bend of the build-up, length, recovery.
        """
        strength, bend, length, recovery = (float(lot) for lot in lots[:4])
        lasts = round((15.0 + 75.0 * length) * MINUTE)
        recovers = round((10.0 + 35.0 * recovery) * MINUTE)
        end = begin + ramp_ms + lasts + recovers
        if not self.is_free(begin, end):
            return None
        self._busy.append((begin, end))
        self.incidents.append(Incident(self.place, begin, begin + ramp_ms, end, kind.name, origin))
        whole, struck = float(ramp_ms + lasts + recovers), float(lasts + recovers)
        share = 0.9 + 0.2 * strength
        if ramp_ms:
            top = ramp_ms / whole
            rise = ((0.0, 0.0), (0.5 * top, 0.4 + 0.2 * bend), (top, 1.0), ((ramp_ms + lasts) / whole, 1.0), (1.0, 0.0))
            self._change(begin, end, rise, scaled(kind.announces, share), trouble=True)
        line = ((0.0, 0.9), (0.1, 1.0), (lasts / struck, 1.0), (1.0, 0.0))
        self._change(begin + ramp_ms, end, line, beyond(kind, share if ramp_ms else 0.0), trouble=True)
        return end

    def _perhaps_incident(self, slot: int, lots: Reals) -> None:
        chance = self.chance
        begin = slot + int(lots[1] * SLOT_MS)
        rate = chance.incidents * (chance.sudden + (1.0 - chance.sudden) / (1.0 - chance.aborted))
        if lots[0] >= rate / _SLOTS_PER_WEEK * self._load_at(begin):
            return
        kind = _kind(float(lots[2]))
        ramp = self._ramp(float(lots[3]))
        builds = chance.aborted * (1.0 - chance.sudden) / (1.0 - chance.aborted)
        fate = float(lots[4]) * (builds + 1.0)
        if fate < builds:
            self._aborted(begin, kind, ramp, lots[5:9])
        elif fate < builds + chance.sudden:
            self._followed(self.incident(begin, SUDDEN, 0, lots[5:10], "chance"), kind, lots)
        else:
            self._followed(self.incident(begin, kind, ramp, lots[5:10], "chance"), kind, lots)

    def _followed(self, end: int | None, kind: IncidentKind, lots: Reals) -> None:
        """What an incident brings: another one within hours, and trouble elsewhere."""
        if end is None:
            return
        if lots[10] < self.chance.recurring:
            again = end + round((60.0 + 240.0 * float(lots[11])) * MINUTE)
            self.incident(again, kind, self._ramp(float(lots[12]) * 0.6), np.roll(lots[5:10], 2), "recurrence")
        if lots[13] < self.chance.cascading:
            self.spreading.append((end, lots[13:16]))

    def _aborted(self, begin: int, kind: IncidentKind, ramp: int, lots: Reals) -> None:
        strength, bend, reached, back = (float(lot) for lot in lots)
        rises = round(ramp * (0.35 + 0.5 * reached))
        end = begin + rises + round((10.0 + 40.0 * back) * MINUTE)
        if not self.is_free(begin, end):
            return
        self._busy.append((begin, end))
        top = rises / (end - begin)
        high = 0.35 + 0.5 * reached
        line = ((0.0, 0.0), (0.5 * top, high * (0.4 + 0.2 * bend)), (top, high), (1.0, 0.0))
        self._change(begin, end, line, scaled(kind.announces, 0.9 + 0.2 * strength), trouble=True)

    def _perhaps_burst(self, slot: int, lots: Reals) -> None:
        if lots[0] >= self.chance.bursts / _SLOTS_PER_WEEK:
            return
        begin = slot + int(lots[1] * SLOT_MS)
        end = begin + round((5.0 + 25.0 * float(lots[2])) * MINUTE)
        self._change(begin, end, ((0.0, 0.6), (0.3, 1.0), (0.7, 1.0), (1.0, 0.3)), scaled(BURST, 0.4 + float(lots[3])))

    def _perhaps_restart(self, slot: int, lots: Reals) -> None:
        if lots[0] < self.chance.restarts / _SLOTS_PER_WEEK:
            begin = slot + int(lots[1] * SLOT_MS)
            self._add("crash", begin, begin + round((5.0 + 10.0 * float(lots[2])) * MINUTE))

    def _perhaps_gap(self, slot: int, lots: Reals) -> None:
        if lots[0] < self.chance.gaps / _SLOTS_PER_WEEK:
            begin = slot + int(lots[1] * SLOT_MS)
            length = float(lots[2])
            self._add("silence", begin, begin + round((5.0 + 175.0 * length * length * length) * MINUTE))

    def _perhaps_maintenance(self, slot: int, lots: Reals) -> None:
        if lots[0] < self.chance.maintenance / _SLOTS_PER_WEEK:
            begin = slot + int(lots[1] * SLOT_MS)
            end = begin + round((40.0 + 100.0 * float(lots[2])) * MINUTE)
            self._change(begin, end, ((0.0, 0.0), (0.1, 1.0), (0.9, 1.0), (1.0, 0.0)), scaled(DRAINED, 1.0))

    def _perhaps_deploy(self, slot: int, lots: Reals) -> None:
        if lots[0] >= self.chance.deploys / _SLOTS_PER_WEEK:
            return
        begin = slot + int(lots[1] * SLOT_MS)
        self._end_shift(begin)
        shares = ((name, 1.0 + SHIFT * (2.0 * float(lot) - 1.0)) for name, lot in zip(SHIFTED, lots[2:7], strict=True))
        self._shift = tuple((name, Effect(times=times), 1.0) for name, times in shares)
        self._shift_begin = begin

    def _end_shift(self, end: int) -> None:
        if self._shift:
            self._change(self._shift_begin, end, ((0.0, 1.0),), self._shift)

    def _ramp(self, lot: float) -> int:
        span = self.chance.ramp_longest - self.chance.ramp_shortest
        return round((self.chance.ramp_shortest + span * lot) * 1000)

    def _load_at(self, begin: int) -> float:
        """How much likelier than on average trouble begins at a time: with the hours' and days' load."""
        instant = self._start_ms + begin
        share = (instant % DAY_MS) / DAY_MS
        busy = self.chance.busy_hours
        swing = float(swing_at(np.array([share]), self._rhythm.peak_hour)[0])
        calm = 1.0 - busy if self._rhythm.weekend and bool(is_weekend(np.array([instant]))[0]) else 1.0
        return (1.0 + busy * swing) * calm

    def _add(self, what: str, begin: int, end: int) -> None:
        if begin < self._end_ms:
            self.found.append(Happening(what, self.place, begin, min(end, self._end_ms), ((0.0, 1.0),), (), False))

    def _change(self, begin: int, end: int, line: Line, effects: Effects, *, trouble: bool = False) -> None:
        if begin < min(end, self._end_ms) and effects:
            self.found.append(Happening("change", self.place, begin, end, line, effects, trouble))


def _pull_along(fleet: list[_Server], origin: _Server, end: int, lots: Reals) -> None:
    """Let trouble arrive at one or two other servers, minutes after it was there."""
    kind = KINDS["saturation"]
    others = len(fleet) - 1
    if not others:
        return
    for number in range(1 + int(lots[1] * 2)):
        step = 1 + int(lots[1 + number] * others)
        other = fleet[(origin.place + min(step, others)) % len(fleet)]
        begin = end - round((5.0 + 30.0 * float(lots[2])) * MINUTE)
        other.incident(begin, kind, round((30.0 + 40.0 * float(lots[2])) * MINUTE), np.resize(lots, 5), "cascade")


def _kind(lot: float) -> IncidentKind:
    kinds = tuple(KINDS.values())
    left = lot * sum(kind.weight for kind in kinds)
    for kind in kinds:
        left -= kind.weight
        if left < 0.0:
            return kind
    return kinds[-1]
