"""The group "clock and seed"."""

from __future__ import annotations

from dash import html

from tft_dash.pages.builder.fields import Group, action, field, group, help_of, row, section
from tft_dash.scenarios.format.fields import format_instant
from tft_dash.scenarios.format.parts import DEFAULT_START, Clock, Spec


def clock_group(document: Group) -> html.Section:
    """Start, duration, tick, playback speed, seed."""
    spec = group(document, "spec")
    clock = group(spec, "clock")
    usual = format_instant(DEFAULT_START)
    content = [
        row(
            field("spec.clock.duration", "Duration", clock.get("duration"), hint=help_of(Clock, "duration")),
            field("spec.clock.tick", "Tick", clock.get("tick"), usual="5s", hint=help_of(Clock, "tick")),
            field("spec.clock.start", "Start", clock.get("start"), usual=usual, hint=help_of(Clock, "start")),
        ),
        row(
            field("spec.clock.playback_speed", "Playback speed", clock.get("playback_speed"), kind="number", usual="1",
                  hint=help_of(Clock, "playback_speed")),
            field("spec.seed", "Seed", spec.get("seed"), kind="number", usual="42", hint=help_of(Spec, "seed")),
            action("seed", "spec.seed", "Another seed"),
        ),
        html.P("", className="group-note", **{"data-clock-note": ""}),
    ]  # fmt: skip
    return section("clock", "Clock and seed", content, paths=("spec.clock",))
