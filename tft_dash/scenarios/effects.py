"""What faults do to a fleet: how intense each is at a time, and what that adds to which metric of which server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.scenarios.fleet import server_names, struck_servers
from tft_dash.scenarios.format.parts import Effect, Fault, Phase, Spec
from tft_dash.scenarios.profiles import USUAL_EFFECTS
from tft_dash.scenarios.signals import Integers, Reals, stream, uniforms
from tft_dash.schema import METRIC_NAMES

CRASH_FROM: Final = 0.5
"""A crash takes a server down while its intensity is at least this."""

Span = tuple[int, int, tuple[tuple[float, float], ...]]
"""First and last millisecond (the last excluded), and the line of intensity over it."""


def intensity_at(spans: Iterable[Span], times: Integers) -> Reals:
    """(ticks,) intensity 0–1 at ``times`` in milliseconds from the start; 0 outside every span."""
    found = np.zeros(len(times))
    for begin, end, line in spans:
        inside = (times >= begin) & (times < end)
        if inside.any():
            found[inside] = _along(line, (times[inside] - begin) / float(end - begin))
    return found


def _along(line: Sequence[tuple[float, float]], places: Reals) -> Reals:
    values = np.full(len(places), line[0][1])
    for (left, low), (right, high) in pairwise(line):
        share = (places - left) / (right - left) if right > left else np.ones(len(places))
        values = np.where(places >= left, low + (high - low) * np.minimum(share, 1.0), values)
    return values


def response(intensity: Reals) -> Reals:
    """How much of a fault shows at an intensity: 0 at 0, 1 at 1, flat at both ends, so that little is hardly seen."""
    return intensity * intensity * (3.0 - 2.0 * intensity)


@dataclass(frozen=True)
class Impact:
    """One fault on a certain fleet.

    :param servers: (struck,) places in the fleet.
    :param change: metric's place → (struck,) what full intensity adds, in the metric's unit.
    """

    what: str
    servers: NDArray[np.intp]
    change: dict[int, Reals]
    spans: tuple[Span, ...]
    lag_ms: int
    jitter: float
    lottery: tuple[np.random.Philox, ...]

    def intensity(self, times: Integers) -> Reals:
        """(ticks,) 0–1, the lag included."""
        return intensity_at(self.spans, times - self.lag_ms)

    def strike(self, values: Reals, noise: Reals, intensity: Reals) -> None:
        """Add to ``values`` (metrics, ticks, servers) what the fault does; leaves every other cell as it is."""
        shown = response(intensity)[:, None]
        if not shown.any():
            return
        for place, change in self.change.items():
            wavering = 1.0 + self.jitter * noise[place][:, self.servers]
            values[place][:, self.servers] += change * shown * wavering

    def lost(self, intensity: Reals) -> NDArray[np.bool_]:
        """(ticks, struck) samples that gaps take away: each with the probability of the intensity."""
        draws = [uniforms(bits, len(intensity)) < intensity for bits in self.lottery]
        return np.stack(draws, axis=1) if draws else np.zeros((len(intensity), 0), bool)


def impacts_of(spec: Spec, usual: Reals) -> tuple[Impact, ...]:
    """Every fault of a document on its fleet; faults that strike nobody are left out.

    :param usual: (metrics, servers) usual values.
    """
    names = list(server_names(spec.fleet.profiles))
    story = tuple(_phase_span(phase) for phase in spec.story)
    found = []
    for fault in spec.faults:
        places = np.array(struck_servers(fault, spec.fleet, spec.seed), np.intp)
        if len(places):
            change = {
                METRIC_NAMES.index(metric): _full_change(effect, usual[METRIC_NAMES.index(metric), places])
                for metric, effect in (fault.strength or USUAL_EFFECTS[fault.what]).items()
            }
            spans = story if fault.follows_phases else (_own_span(fault, spec.clock.duration),)
            lottery = [stream(spec.seed, names[place], f"gaps/{fault.id}") for place in places if fault.what == "gaps"]
            lag = round(fault.lag * 1000)
            found.append(Impact(fault.what, places, change, spans, lag, fault.jitter, tuple(lottery)))
    return tuple(found)


def _full_change(effect: Effect, usual: Reals) -> Reals:
    if effect.to is not None:
        return effect.to - usual
    if effect.times is not None:
        return (effect.times - 1.0) * usual
    return np.full(len(usual), effect.add)


def _phase_span(phase: Phase) -> Span:
    return round(phase.begin * 1000), round(phase.end * 1000), phase.intensity.line


def _own_span(fault: Fault, duration: float) -> Span:
    begin = 0.0 if fault.begin is None else fault.begin
    end = duration if fault.end is None else fault.end
    line = ((0.0, 1.0),) if fault.intensity is None else fault.intensity.line
    return round(begin * 1000), round(end * 1000), line
