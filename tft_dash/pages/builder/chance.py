"""The part of the group "faults" that says what may happen by chance; nothing does while every field is empty."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from tft_dash.pages.builder.fields import Group, field, folded, group, help_of, problem, row, written
from tft_dash.scenarios.format.chance import Chance
from tft_dash.scenarios.format.fields import format_duration

PATH: Final = "spec.chance"
_RATE, _SHARE, _LONG = "per server, week", "0–1", ""
_ROWS: Final = (
    (
        ("incidents", "Incidents", _RATE),
        ("aborted", "Aborted build-ups", _SHARE),
        ("sudden", "Sudden incidents", _SHARE),
        ("ramp_shortest", "Shortest build-up", _LONG),
        ("ramp_longest", "Longest build-up", _LONG),
    ),
    (
        ("recurring", "Recurring", _SHARE),
        ("cascading", "Cascading", _SHARE),
        ("busy_hours", "Keep to busy hours", _SHARE),
        ("bursts", "Bursts of load", _RATE),
    ),
    (
        ("restarts", "Restarts", _RATE),
        ("deploys", "Deploys", _RATE),
        ("gaps", "Gaps", _RATE),
        ("maintenance", "Maintenance", _RATE),
    ),
)
"""Name in the document, label, unit."""


def by_chance(document: Group) -> html.Details:
    """Rates and shares from which the seed draws weeks of history."""
    spec = group(document, "spec")
    held = group(spec, "chance")
    there = "chance" in spec
    rows = [row(*(_field(held, *each, there=there) for each in fields)) for fields in _ROWS]
    note = html.P("Drawn from the seed for every server, beside the faults above.", className="group-note")
    return folded("By chance", [note, problem(PATH), *rows], is_open=there)


def _field(held: Group, name: str, label: str, unit: str, *, there: bool) -> html.Div:
    kind = "text" if unit == _LONG else "number"
    usual = _usual(name) if there else ""
    return field(f"{PATH}.{name}", label, held.get(name), kind=kind, unit=unit, usual=usual, hint=help_of(Chance, name))


def _usual(name: str) -> str:
    value: Any = Chance.model_fields[name].default
    return format_duration(value) if name.startswith("ramp_") else written(value)
