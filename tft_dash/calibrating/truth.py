"""What happened next at every tick of a recording: from the contract's thresholds, or from incidents that are known.

A row is one server at one tick. It counts for a horizon where the server is in no incident, none has ended within 30
minutes, and the whole horizon lies within what is known: within the server's reports, and before any span of which
nobody knows. The columns of a drill's script are never read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.calibrating.incidents import KnownIncident
from tft_dash.schema import CRITICAL_ISSUE, FloatArray, Window, derive_states

QUIET_SECONDS: Final = 1800.0
"""An incident has begun where a server was in none for so long; so long after one, nothing counts."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """All arrays (ticks, servers).

    :param until: seconds until the server is next in an incident; infinite where it never is.
    :param known: seconds from here of which it is known what happened.
    :param busy: whether the server is in an incident.
    :param counted: whether the row counts: neither busy nor shortly after.
    :param onset: whether an incident begins in the step that ends here.
    """

    until: FloatArray
    known: FloatArray
    busy: Flags
    counted: Flags
    onset: Flags


def of_crossings(window: Window) -> Truth:
    """The truth by the contract's thresholds: an incident is a spell of critical values."""
    states = derive_states(window.metrics)
    busy: Flags = states == CRITICAL_ISSUE
    step = window.step_seconds
    until = _until(busy, step)
    since = _since(busy, step)
    before = np.vstack([np.full((1, busy.shape[1]), np.inf, np.float32), since[:-1] + np.float32(step)])
    onset = busy & (before > QUIET_SECONDS)
    return Truth(until, _reported(window), busy, ~busy & (since > QUIET_SECONDS), onset)


def of_incidents(window: Window, incidents: Sequence[KnownIncident]) -> Truth:
    """The truth by what people know; servers without a known incident had none."""
    ticks, servers = window.ticks, len(window.servers)
    seconds = np.arange(ticks) * window.step_seconds
    until = np.full((ticks, servers), np.inf, np.float32)
    known = _reported(window)
    busy, counted, onset = np.zeros((3, ticks, servers), bool)
    counted[:] = True
    for place, name in enumerate(window.servers):
        own = [one for one in incidents if one.server in (name, None) and one.happened is not False]
        spans = sorted((_after(one.start, window), _after(one.end, window), one.happened) for one in own)
        for begin, end, happened in spans:
            inside = (seconds >= begin) & (seconds <= end)
            before = seconds < begin
            if happened is None:
                counted[inside, place] = False
                known[before, place] = np.minimum(known[before, place], (begin - seconds[before]))
                continue
            busy[inside, place] = True
            counted[(seconds >= begin) & (seconds <= end + QUIET_SECONDS), place] = False
            until[before, place] = np.minimum(until[before, place], (begin - seconds[before]))
            until[inside, place] = np.minimum(until[inside, place], np.float32(window.step_seconds))
            first = int(np.searchsorted(seconds, begin))
            if begin + window.step_seconds >= 0 and first < ticks:
                onset[first, place] = True
    return Truth(until, known, busy, counted, onset)


def _after(time: np.datetime64, window: Window) -> float:
    """Seconds after the window's first tick."""
    return float((time - window.start.astype("datetime64[ms]")) / np.timedelta64(1, "ms")) / 1000.0


def _until(flags: Flags, step_seconds: float) -> FloatArray:
    """Seconds to the next tick at which a flag is set, this one not counted."""
    return _since(flags[::-1], step_seconds, now=False)[::-1]


def _since(flags: Flags, step_seconds: float, *, now: bool = True) -> FloatArray:
    """Seconds since a flag was last set; infinite where it never was."""
    ticks = np.arange(len(flags))[:, None]
    last = np.maximum.accumulate(np.where(flags, ticks, -1), axis=0)
    if not now:
        last = np.vstack([np.full((1, flags.shape[1]), -1), last[:-1]])
    return np.where(last >= 0, (ticks - last) * step_seconds, np.inf).astype(np.float32)


def _reported(window: Window) -> FloatArray:
    """Seconds from each tick to the server's last report; below zero after it."""
    seen = np.any([~np.isnan(values) for values in window.metrics.values()], axis=0)
    ticks = window.ticks
    last = np.where(seen.any(axis=0), ticks - 1 - np.argmax(seen[::-1], axis=0), -1)
    return ((last[None, :] - np.arange(ticks)[:, None]) * window.step_seconds).astype(np.float32)
