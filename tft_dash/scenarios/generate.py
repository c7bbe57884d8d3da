"""Scenario to table: blocks of ticks for writing, or everything in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import UsageError, shorten
from tft_dash.progress import Progress, silent
from tft_dash.scenarios.chance import drawn
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.effects import CRASH_FROM, Impact, impacts_of
from tft_dash.scenarios.fleet import Places, Roster, server_names, server_profiles
from tft_dash.scenarios.format.parts import Spec
from tft_dash.scenarios.signals import Integers, Reals, Signals
from tft_dash.schema import METRICS, OFFLINE, CodeArray, FloatArray, Window, derive_states

GENERATOR_VERSION: Final = "1"
"""Changes whenever the same document would give other values."""

ROWS_PER_BLOCK: Final = 131_072
_HIGH_KNEE: Final = 0.92
_LOW_KNEE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive ticks of a drill.

    :param scaled: (metrics, ticks, servers) values as whole numbers of their last decimal.
    :param silent: (ticks, servers) where no metric was recorded.
    :param states: (ticks, servers) codes.
    """

    first: int
    scaled: Integers
    silent: NDArray[np.bool_]
    states: CodeArray

    @property
    def ticks(self) -> int:
        """How many ticks the block spans."""
        return len(self.silent)

    def values(self, metric: int) -> Reals:
        """(ticks, servers) a metric's values, each the double nearest to its decimal form; NaN where silent."""
        return _unscaled(self.scaled[metric], self.silent, METRICS[metric].decimals)


@dataclass(frozen=True, slots=True)
class Simulation:
    """A drill in memory.

    :param window: its metrics; the phases are kept apart, so that no model sees them by accident.
    :param states: (ticks, servers) codes.
    :param phases: the phase of each tick.
    :param affected: names of the servers that a fault strikes, in the fleet's order.
    """

    window: Window
    states: CodeArray
    phases: tuple[str, ...]
    affected: tuple[str, ...]

    @property
    def ticks(self) -> int:
        """How many ticks there are."""
        return len(self.states)


def simulate(scenario: Scenario, progress: Progress = silent, *, servers: Collection[str] | None = None) -> Simulation:
    """The drill that ``scenario`` determines, in memory: 36 bytes per row.

    :param servers: only these, in the fleet's order, each with exactly the values that it has in the whole drill.
    :raises UsageError: the fleet has no server of such a name.
    """
    spec = scenario.spec
    places = None if servers is None else _places(spec, servers)
    names, profiles = _fleet(spec, places)
    shape = (spec.clock.ticks, len(names))
    metrics: dict[str, FloatArray] = {metric.name: np.empty(shape, np.float32) for metric in METRICS}
    states = np.empty(shape, np.int8)
    for block in drill_blocks(spec, places=places):
        here = slice(block.first, block.first + block.ticks)
        states[here] = block.states
        for place, metric in enumerate(METRICS):
            metrics[metric.name][here] = block.values(place)
        progress(here.stop / shape[0])
    start = np.datetime64(round(spec.clock.start.timestamp() * 1000), "ms")
    window = Window(start, spec.clock.tick, names, profiles, metrics)
    chosen = set(names)
    affected = tuple(name for name in affected_servers(spec) if name in chosen)
    return Simulation(window, states, phase_names(spec), affected)


def drill_blocks(spec: Spec, rows: int = ROWS_PER_BLOCK, places: Places | None = None) -> Iterator[Block]:
    """The drill in blocks of whole ticks of about ``rows`` rows; what they hold does not depend on ``rows``.

    :param places: only the servers at these places in the fleet, ascending; None = all.
    """
    signals = Signals(spec, places)
    impacts = impacts_of(spec, signals.usual, places)
    tick_ms = round(spec.clock.tick * 1000)
    size = spec.fleet.size if places is None else len(places)
    for first, values, noise in signals.blocks(spec.clock.ticks, max(1, rows // size)):
        times = np.arange(first, first + values.shape[1], dtype=np.int64) * tick_ms
        down, gone = _struck(impacts, times, values, noise)
        yield _block(first, _scaled(values, signals.usual), down, gone)


def _places(spec: Spec, servers: Collection[str]) -> Places:
    place = Roster(spec.fleet).place
    unknown = [name for name in servers if name not in place]
    if unknown or not servers:
        raise UsageError(
            f"The drill's fleet has no server '{shorten(unknown[0])}'." if unknown else "Name one server at least."
        )
    return np.array(sorted({place[name] for name in servers}), np.intp)


def _fleet(spec: Spec, places: Places | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names and the profiles of the servers at ``places``."""
    names = tuple(server_names(spec.fleet.profiles))
    profiles = tuple(profile.name for profile in server_profiles(spec.fleet.profiles))
    if places is None:
        return names, profiles
    return tuple(names[place] for place in places), tuple(profiles[place] for place in places)


def phase_names(spec: Spec) -> tuple[str, ...]:
    """The phase of each tick."""
    story = spec.story
    return tuple(story[place].name for place in phase_places(spec))


def phase_places(spec: Spec) -> NDArray[np.intp]:
    """(ticks,) the place in the story of each tick's phase; a phase begins with the first tick not before its start."""
    ends = np.array([round(phase.end * 1000) for phase in spec.story])
    times = np.arange(spec.clock.ticks, dtype=np.int64) * round(spec.clock.tick * 1000)
    return np.searchsorted(ends, times, side="right")


def affected_servers(spec: Spec) -> tuple[str, ...]:
    """Names of the servers that any fault strikes, in the fleet's order."""
    roster = Roster(spec.fleet)
    affected = np.zeros(len(roster.names), bool)
    for fault in spec.faults:
        affected[roster.struck(fault, spec.seed)] = True
    affected[[happening.server for happening in drawn(spec).happenings if happening.trouble]] = True
    return tuple(roster.names[place] for place in np.flatnonzero(affected))


def _struck(
    impacts: tuple[Impact, ...], times: Integers, values: Reals, noise: Reals
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Let every fault act on ``values``; returns (ticks, servers) who is down, and whose samples are lost."""
    down, gone = np.zeros(values.shape[1:], bool), np.zeros(values.shape[1:], bool)
    for impact in impacts:
        if impact.what == "gaps":  # its lots are drawn at every tick, whether it shows or not
            gone[:, impact.servers] |= impact.lost(impact.intensity(times))
            continue
        first, last = np.searchsorted(times, impact.span_ms)
        if first == last:
            continue
        here = slice(first, last)
        intensity = impact.intensity(times[here])
        if impact.what == "crash":
            down[here, impact.servers] |= (intensity >= CRASH_FROM)[:, None]
        elif impact.what == "silence":
            gone[here, impact.servers] |= (intensity >= CRASH_FROM)[:, None]
        else:
            impact.strike(values[:, here], noise[:, here], intensity)
    return down, gone


def _scaled(values: Reals, usual: Reals) -> Integers:
    scaled = np.empty(values.shape, np.int64)
    for place, metric in enumerate(METRICS):
        inside = _bent_in(values[place], _LOW_KNEE * usual[place], metric.high)
        scaled[place] = np.rint(inside * float(10**metric.decimals))
    return scaled


def _bent_in(values: Reals, knee: Reals, high: float) -> Reals:
    """``values`` kept within 0 and ``high`` by bending the last stretch, so that they never lie flat at a bound.

    Below ``knee``: k² / (2k − v). Above 92 % of ``high``: the hyperbola that nears it. Both leave the knee at slope 1.
    """
    below = values < knee
    if below.any():
        room = np.broadcast_to(knee, values.shape)
        values = np.where(below, room * room / np.where(below, 2.0 * room - values, 1.0), values)
    top = _HIGH_KNEE * high
    if np.isfinite(high) and (values > top).any():
        beyond = np.maximum(values - top, 0.0) / (high - top)
        values = np.where(values > top, top + (high - top) * (beyond / (1.0 + beyond)), values)
    return values


def _block(first: int, scaled: Integers, down: NDArray[np.bool_], gone: NDArray[np.bool_]) -> Block:
    silent = down | gone
    # In single precision, as every reader of the drill holds its values: a state must follow from what is read.
    metrics = {
        metric.name: _unscaled(scaled[place], silent, metric.decimals).astype(np.float32)
        for place, metric in enumerate(METRICS)
    }
    states = derive_states(metrics)
    states[down] = OFFLINE
    return Block(first, scaled, silent, states)


def _unscaled(scaled: Integers, silent: NDArray[np.bool_], decimals: int) -> Reals:
    values: Reals = scaled / float(10**decimals)
    values[silent] = np.nan
    return values
