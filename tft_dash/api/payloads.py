"""What the JSON interface says, as plain values that orjson writes; a missing value is null."""

from __future__ import annotations

from typing import Any

import numpy as np

from tft_dash.frame import Frame, SourceDescription
from tft_dash.schema import state_word
from tft_dash.services import SourceEntry
from tft_dash.store.live import LiveState


def iso(stamp: np.datetime64) -> str:
    """A time as ISO 8601 in UTC; milliseconds only where there are any."""
    text = str(stamp.astype("datetime64[ms]"))
    return text.removesuffix(".000") + "Z"


def source_payload(entry: SourceEntry, state: LiveState | None = None) -> dict[str, Any]:
    """One source of the list; a source that cannot be shown carries ``error`` and nulls.

    :param state: what is known of it at this moment, where it is live.
    """
    found = entry.description
    if found is None:
        empty = dict.fromkeys(("kind", "servers", "ticks", "step_seconds", "start", "end", "live", "now"))
        return {"name": entry.name, **empty, "error": entry.problem}
    return {"name": entry.name, **_facts(found), "now": None if state is None else _now(state), "error": None}


def _now(state: LiveState) -> dict[str, Any]:
    return {
        "age_seconds": state.age_seconds,
        "stale": state.stale,
        "collected": state.collected,
        "asked": None if state.polled is None else iso(state.polled),
        "answered": None if state.answered is None else iso(state.answered),
        "problem": state.problem or None,
    }


def _facts(found: SourceDescription) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "title": found.title,
        "servers": len(found.servers),
        "metrics": list(found.metrics),
        "ticks": found.ticks,
        "step_seconds": found.step_seconds,
        "start": iso(found.start),
        "end": None if found.end is None else iso(found.end),
        "live": found.live,
        "simulated": found.simulated,
        "phases": [{"name": phase.name, "first": phase.first, "last": phase.last} for phase in found.phases],
        "notices": list(found.notices),
        "digest": found.digest,
    }


def frame_payload(frame: Frame) -> dict[str, Any]:
    """One tick of a source, judged by a model."""
    return {
        "source": frame.source.name,
        "tick": frame.tick,
        "ticks": frame.source.ticks,
        "timestamp": iso(frame.timestamp),
        "issued": None if frame.issued is None else iso(frame.issued),
        "phase": frame.phase,
        "progress": None if frame.progress is None else round(frame.progress, 6),
        "health": frame.health.word,
        "prob_30m": frame.history.prob_30m[-1],
        "prob_8h": frame.history.prob_8h[-1],
        "active_servers": frame.active,
        "measured_servers": frame.measured,
        "total_servers": len(frame.source.servers),
        "model": frame.card.as_dict(),
        "instead": frame.instead,
        "servers": _servers(frame),
    }


def _servers(frame: Frame) -> list[dict[str, Any]]:
    fleet = zip(frame.source.servers, frame.source.profiles, frame.states, frame.risk, strict=True)
    columns = [(name, values) for name, values in frame.metrics.items()]
    return [
        {
            "server_name": name,
            "profile": profile,
            "state": state_word(int(state)),
            "risk": risk,
            "silent_seconds": frame.silence_of(place),
            **{metric: values[place] for metric, values in columns},
            "drivers": [driver.words for driver in frame.drivers(place)],
        }
        for place, (name, profile, state, risk) in enumerate(fleet)
    ]
