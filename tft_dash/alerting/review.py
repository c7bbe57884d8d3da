"""A problem in hindsight: all that is on record of it, bounded, for its chart and its post-mortem."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.alerting.desk import AlertDesk, Kept
from tft_dash.alerting.ruling import InForce
from tft_dash.alerts.alert import Transition
from tft_dash.alerts.observing import milliseconds
from tft_dash.alerts.problem import Problem
from tft_dash.schema import FloatArray
from tft_dash.settings import Settings
from tft_dash.store.alerts.outbox import Delivery
from tft_dash.store.live import FleetHistory, LiveState, LiveStore
from tft_dash.ticks import TickRecord

BEFORE_MS: Final = 1_800_000
AFTER_MS: Final = 600_000
"""So much of the time before a problem and after it belongs to the picture."""
FLEET_POINTS: Final = 2_000
SERVER_TICKS: Final = 480
SERVERS: Final = 8
MOST_TICKS: Final = 100_000

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FleetLine:
    """The fleet's probabilities over a span, as issued.

    :param times: (points,) milliseconds since 1970.
    :param bucket: each point is the highest of so many ticks.
    """

    times: Times
    prob_30m: FloatArray
    prob_8h: FloatArray
    bucket: int = 1


@dataclass(frozen=True, slots=True)
class ServerLines:
    """Single servers over the same span.

    :param times: (ticks,) milliseconds since 1970.
    :param risk: (ticks, servers); NaN = nothing was said.
    :param metrics: metric → (ticks, servers); those that drove the risk of one of the servers.
    :param every: only every so manieth tick is there.
    :param models: identities of those that judged.
    """

    times: Times
    servers: tuple[str, ...]
    risk: FloatArray
    metrics: dict[str, FloatArray]
    every: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """All that is on record of a problem.

    :param settings: ``(variable, value, origin)``, secrets masked; their digest is of these.
    """

    kept: Kept
    changes: tuple[Transition, ...]
    deliveries: tuple[Delivery, ...]
    fleet: FleetLine
    lines: ServerLines
    rules: InForce
    settings: tuple[tuple[str, str, str], ...]
    made_ms: int

    @property
    def settings_digest(self) -> str:
        """SHA-256 of the settings in force, secrets masked."""
        text = json.dumps([row[:2] for row in self.settings], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def review(desk: AlertDesk, ticks: LiveStore, settings: Settings, identity: str) -> Review:
    """All that is on record of a problem.

    :raises NotThereError: there is no such problem.
    """
    kept = desk.problem(identity)
    now = desk.now_ms()
    first, last = span_of(kept.problem, ticks.state(kept.problem.source))
    found = ticks.history(kept.problem.source, first, last)
    return Review(
        kept=kept,
        changes=desk.changes(problem=identity),
        deliveries=desk.deliveries(problem=identity),
        fleet=_line_of(found),
        lines=_server_lines(ticks, kept.problem, found.ticks),
        rules=desk.rules(),
        settings=tuple(settings.rows()),
        made_ms=now,
    )


def span_of(problem: Problem, state: LiveState | None) -> tuple[int, int]:
    """The first and the last tick of the picture; the last is before the first where there is none."""
    if state is None or state.origin is None or state.latest < 0:
        return 0, -1
    step = round(state.step_seconds * 1000)
    origin = milliseconds(state.origin)
    end = problem.resolved_ms if problem.resolved_ms is not None else origin + state.latest * step
    first = max(0, (problem.began_ms - BEFORE_MS - origin) // step)
    last = min(state.latest, (end + AFTER_MS - origin) // step)
    return max(first, last - MOST_TICKS), last


def fleet_line(ticks: LiveStore, problem: Problem, state: LiveState | None) -> FleetLine:
    """The fleet's probabilities around a problem; without points where nothing is kept."""
    first, last = span_of(problem, state)
    return _line_of(ticks.history(problem.source, first, last))


def _line_of(found: FleetHistory) -> FleetLine:
    times = found.times.astype("datetime64[ms]").astype(np.int64)
    bucket = max(1, -(-len(times) // FLEET_POINTS))
    heads = np.arange(0, len(times), bucket)
    if not len(heads):
        nothing = np.zeros(0, np.float32)
        return FleetLine(times, nothing, nothing)
    thirty, eight = (np.fmax.reduceat(found.maxima[name], heads) for name in ("prob_30m", "prob_8h"))
    return FleetLine(times[heads], thirty, eight, bucket)


def _server_lines(ticks: LiveStore, problem: Problem, kept: NDArray[np.int64]) -> ServerLines:
    """Risk and drivers of the riskiest servers at the kept ticks of a span, or at so many of them as have room."""
    servers = tuple(one.server for one in problem.ranked[:SERVERS])
    metrics = tuple(dict.fromkeys(driver.metric for one in problem.ranked[:SERVERS] for driver in one.drivers))
    every = max(1, -(-len(kept) // SERVER_TICKS))
    records = _records(ticks, problem, kept, every) if servers else []
    shape = (len(records), len(servers))
    risk = np.full(shape, np.nan, np.float32)
    values = {name: np.full(shape, np.nan, np.float32) for name in metrics}
    for row, record in enumerate(records):
        there = {name: place for place, name in enumerate(record.servers)}
        pairs = [(column, there[server]) for column, server in enumerate(servers) if server in there]
        for column, place in pairs:
            risk[row, column] = record.risk[place]
            for name in metrics:
                if name in record.metrics:
                    values[name][row, column] = record.metrics[name][place]
    times = np.array([milliseconds(one.time) for one in records], np.int64)
    models = tuple(dict.fromkeys(one.model for one in records))
    return ServerLines(times, servers, risk, values, every, models)


def _records(ticks: LiveStore, problem: Problem, kept: NDArray[np.int64], every: int) -> list[TickRecord]:
    """The kept ticks of a span; of a long one every so manieth."""
    if not len(kept):
        return []
    if every == 1:
        return list(ticks.ticks(problem.source, int(kept[0]), int(kept[-1])))
    found = (ticks.tick(problem.source, tick) for tick in kept[::every].tolist())
    return [one for one in found if one is not None]
