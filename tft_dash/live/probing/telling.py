"""A probe as text for people and as plain values for scripts."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Final

import numpy as np

from tft_dash.errors import shorten
from tft_dash.live.probing.probe import TICKS, Probe
from tft_dash.live.probing.verdict import problems, remarks
from tft_dash.schema import GENERIC_PROFILE, METRIC, NO_STATE, readable, state_word

ROWS_SHOWN: Final = 10


def as_text(probe: Probe) -> str:
    """For a terminal."""
    found = problems(probe)
    lines = [f"{probe.spec.name}: {probe.spec.place}", *_facts(probe)]
    lines += ["", *_columns(probe), "", *_frame(probe)]
    told = remarks(probe)
    if told:
        lines += ["", "To know:", *(f"  - {shorten(words, 600)}" for words in told)]
    lines += ["", *(f"Not acceptable: {words}" for words in found)] if found else ["", "It can be collected so."]
    return "\n".join(lines)


def _facts(probe: Probe) -> list[str]:
    gap = probe.median_gap_seconds
    seen = "unknown, for no server has two" if math.isnan(gap) else f"every {gap:.3g} s"
    step = f"{probe.step_seconds:g} s; samples of a server come {seen}; a tick is over {probe.delay_seconds:g} s later"
    return [
        f"  clock      {_time(probe.now)}",
        f"  looked at  {TICKS} ticks, {_time(probe.times[0])} to {_time(probe.times[-1])}",
        f"  step       {step}",
        f"  newest     {_time(probe.newest) if probe.newest is not None else 'no sample'}",
        f"  servers    {len(probe.servers):,}{_listed(probe.servers)}",
        f"  profiles   {_profiles(probe)}",
    ]


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(shorten(name, 40) for name in names[:ROWS_SHOWN])
    return f": {shown}{', …' if len(names) > ROWS_SHOWN else ''}" if names else ""


def _profiles(probe: Probe) -> str:
    counts = Counter(profile or f"{GENERIC_PROFILE} (not said)" for profile in _newest_profiles(probe))
    return ", ".join(f"{shorten(name, 40)} {count:,}" for name, count in counts.most_common()) or "none"


def _newest_profiles(probe: Probe) -> list[str]:
    columns = probe.aligned.profiles
    return [next((str(one) for one in columns[::-1, place] if one), "") for place in range(len(probe.servers))]


def _columns(probe: Probe) -> list[str]:
    lines = ["Columns (of the servers' ticks with a sample; lowest, median, highest):"]
    for name in probe.covered:
        fact = _column(probe, name)
        few = "" if fact["servers"] == len(probe.servers) else f", of {fact['servers']:,} servers only"
        values = ", ".join(readable(fact[which]) for which in ("lowest", "median", "highest"))
        lines.append(f"  {name:<13}{fact['share']:>5.0%}  {values} {METRIC[name].unit}".rstrip() + few)
    if probe.missing:
        lines.append(f"  missing: {', '.join(probe.missing)}")
    return lines


def _column(probe: Probe, name: str) -> dict[str, Any]:
    values = probe.aligned.metrics[name]
    present = probe.aligned.states != NO_STATE
    known = values[~np.isnan(values)]
    return {
        "share": float(len(known) / max(1, int(present.sum()))),
        "servers": int((~np.isnan(values)).any(axis=0).sum()),
        "lowest": float(known.min()),
        "median": float(np.median(known)),
        "highest": float(known.max()),
    }


def _frame(probe: Probe) -> list[str]:
    row = probe.frame_row
    if row is None:
        return ["There is no tick to show."]
    names = probe.covered
    lines = [f"The newest tick with a sample, {_time(probe.times[row])}:"]
    table = [["server", "state", *names]]
    for place, server in enumerate(probe.servers[:ROWS_SHOWN]):
        values = [readable(float(probe.aligned.metrics[name][row, place])) for name in names]
        table.append([shorten(server, 40), state_word(int(probe.aligned.states[row, place])), *values])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        words = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
        words += [text.rjust(width) for text, width in zip(line[2:], widths[2:], strict=True)]
        lines.append("  " + "  ".join(words).rstrip())
    more = len(probe.servers) - ROWS_SHOWN
    return [*lines, f"  … and {more:,} more servers"] if more > 0 else lines


def as_plain(probe: Probe) -> dict[str, Any]:
    """For JSON; what is missing is null."""
    found = problems(probe)
    row = probe.frame_row
    gap = probe.longest_gap
    return {
        "name": probe.spec.name,
        "kind": probe.spec.kind,
        "place": probe.spec.place,
        "acceptable": not found,
        "problems": list(found),
        "remarks": list(remarks(probe)),
        "clock": _time(probe.now),
        "clock_ahead_seconds": probe.skew_seconds,
        "step_seconds": probe.step_seconds,
        "delay_seconds": probe.delay_seconds,
        "median_gap_seconds": None if math.isnan(probe.median_gap_seconds) else probe.median_gap_seconds,
        "newest": None if probe.newest is None else _time(probe.newest),
        "servers": [
            {"server_name": name, "profile": profile or None}
            for name, profile in zip(probe.servers, _newest_profiles(probe), strict=True)
        ],
        "columns": {name: _column(probe, name) for name in probe.covered},
        "missing_columns": list(probe.missing),
        "missing_samples": probe.missing_samples,
        "longest_gap": gap and {"server_name": gap.server, "start": _time(gap.start), "seconds": gap.seconds},
        "rejected": [{"rule": one.rule, "count": one.count, "examples": one.examples} for one in probe.rejected],
        "frame": None if row is None else _plain_frame(probe, row),
    }


def _plain_frame(probe: Probe, row: int) -> dict[str, Any]:
    def value(name: str, place: int) -> float | None:
        number = float(probe.aligned.metrics[name][row, place])
        return None if math.isnan(number) else number

    servers = [
        {
            "server_name": server,
            "state": state_word(int(probe.aligned.states[row, place])),
            **{name: value(name, place) for name in probe.covered},
        }
        for place, server in enumerate(probe.servers)
    ]
    return {"timestamp": _time(probe.times[row]), "servers": servers}


def _time(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, 'ms')}Z"
