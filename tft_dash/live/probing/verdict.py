"""Whether a source can be collected as it is configured: what is wrong, what is worth knowing, and what to do."""

from __future__ import annotations

from typing import Final

import numpy as np

from tft_dash.live.probing.probe import Probe
from tft_dash.schema import NO_STATE, OFFLINE
from tft_dash.sources.rules import RULES

LEAST_SHARE: Final = 0.7
"""Of a server's ticks between its first and last so many must have a sample, or the step is too short."""
OLD_TICKS: Final = 3
"""So many empty ticks at the end are no hiccup."""
_SKEW_SECONDS: Final = 5.0
_NAMES: Final = 5


def problems(probe: Probe) -> tuple[str, ...]:
    """Why the source cannot be collected so; empty = it can."""
    found = []
    if not probe.servers or _is_old(probe):
        found.append(_silent(probe))
    elif _is_sparse(probe):
        found.append(
            f"A server has a sample every {_span(probe.median_gap_seconds)}, so that most ticks of "
            f"{_span(probe.step_seconds)} are empty. Add step={_step(probe.median_gap_seconds)} to the URL."
        )
    elif not probe.covered and (probe.aligned.states[probe.frame_row] == OFFLINE).all():
        found.append("Every server is offline. Look at what measures them; there is no value to try a model on.")
    elif not probe.covered:
        found.append(
            "Servers are there, but no metric has a single value. Correct the mapping: see the columns that are "
            "missing, and the notes."
        )
    return tuple(found)


def remarks(probe: Probe) -> tuple[str, ...]:
    """What is worth knowing."""
    found = [*_clock(probe), *_states(probe)]
    for one in probe.rejected:
        rule = RULES.get(one.rule)
        advice = f" {rule.advice}" if rule is not None else ""
        shown = "; ".join(one.examples)
        found.append(f"{one.rule}: {one.count:,} {'time' if one.count == 1 else 'times'} ({shown}).{advice}")
    counts = probe.aligned.counts
    if counts.duplicate:
        found.append(f"{counts.duplicate:,} samples repeat the server and time of another; the highest value counts.")
    if counts.future:
        found.append(f"{counts.future:,} samples are ahead of the clock; they are dropped. Check the senders' clocks.")
    if probe.longest_gap is not None and not _is_sparse(probe):
        gap = probe.longest_gap
        found.append(
            f"{probe.missing_samples:,} samples are missing between a server's first and last; the longest silence is "
            f"that of {gap.server}: {_span(gap.seconds)} from {_time(gap.start)} on."
        )
    return (*found, *probe.notes)


def _silent(probe: Probe) -> str:
    if probe.newest is None:
        return (
            f"The source answers, but has not had a sample for {_span(probe.looked_back_seconds)}. Check what is "
            "selected, and whether anything writes to it."
        )
    age = float((probe.now - probe.newest) / np.timedelta64(1, "ms")) / 1000
    return (
        f"The newest sample is {_span(age)} old ({_time(probe.newest)}). Whatever writes to the source has stopped, or "
        "writes late; for what always comes late add delay= to the URL."
    )


def _is_old(probe: Probe) -> bool:
    row = probe.frame_row
    return row is not None and len(probe.times) - 1 - row > OLD_TICKS and not _is_sparse(probe)


def _is_sparse(probe: Probe) -> bool:
    present = int((probe.aligned.states != NO_STATE).sum())
    return bool(
        probe.median_gap_seconds > 1.2 * probe.step_seconds
        and present < LEAST_SHARE * (present + probe.missing_samples)
    )


def _clock(probe: Probe) -> list[str]:
    skew = probe.skew_seconds
    if skew is None:
        return ["The source does not tell the time; the store's clock decides when a tick is over."]
    if abs(skew) < _SKEW_SECONDS:
        return []
    side = "ahead of" if skew > 0 else "behind"
    return [
        f"The source's clock is {_span(abs(skew))} {side} this machine's; the source's decides when a tick is over."
    ]


def _states(probe: Probe) -> list[str]:
    row = probe.frame_row
    if row is None:
        return []
    states, servers = probe.aligned.states[row], probe.servers
    down = [name for name, state in zip(servers, states, strict=True) if state == OFFLINE]
    silent = [name for name, state in zip(servers, states, strict=True) if state == NO_STATE]
    found = []
    if down:
        found.append(f"Offline at the newest tick: {_names(down)}.")
    if silent:
        found.append(f"Without a sample at the newest tick: {_names(silent)}.")
    return found


def _names(names: list[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _time(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, 's')}Z"


def _step(seconds: float) -> str:
    return f"{max(1, round(seconds))}s"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} minutes"
    return f"{seconds / 3600:.3g} hours" if seconds < 172_800 else f"{seconds / 86_400:.3g} days"
