"""The group "story": what the drill is called, what happens, and what must be true of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dash import html

from tft_dash.pages.builder.fields import (
    LEFT_OUT,
    Group,
    action,
    choice,
    entries,
    field,
    group,
    help_of,
    item,
    row,
    section,
    shape,
    text_area,
)
from tft_dash.scenarios.format.parts import USUAL_STORY, Metadata

CHECKS: Final = (
    ("top", "the riskiest servers"),
    ("prob_30m", "P(incident in 30 min)"),
    ("prob_8h", "P(incident in 8 h)"),
    ("risk", "the servers' risk"),
    ("health", "the fleet's health"),
    ("state", "the servers' state"),
)
WHOM: Final = (("affected", "with a fault"), ("unaffected", "without a fault"), ("all", "all servers"))
_STATISTICS: Final = ((LEFT_OUT, "median (usual)"), ("median", "median"), ("min", "lowest"), ("max", "highest"))
_STATES: Final = (
    ("online", "online"),
    ("warning", "warning"),
    ("critical_issue", "critical issue"),
    ("offline", "offline"),
)


def story_group(document: Group) -> html.Section:
    """Name, title, description, tags, owner; then the expectations."""
    held = group(document, "metadata")
    fields = [
        row(
            field("metadata.title", "Title", held.get("title"), hint=help_of(Metadata, "title"), kind="wide"),
            field("metadata.name", "Name", held.get("name"), hint=help_of(Metadata, "name")),
        ),
        text_area(
            "metadata.description", "Description", held.get("description"), hint=help_of(Metadata, "description")
        ),
        row(
            field("metadata.tags", "Tags", held.get("tags"), kind="list", unit="between commas"),
            field("metadata.owner", "Owner", held.get("owner"), hint=help_of(Metadata, "owner")),
        ),
    ]
    return section(
        "story", "Story", [*fields, *_expectations(group(document, "spec"))], paths=("metadata", "metadata.tags")
    )


def _expectations(spec: Group) -> list[Any]:
    checks = entries(spec, "expect")
    items = [
        _expectation(f"spec.expect[{place}]", check, (place, len(checks)), spec) for place, check in enumerate(checks)
    ]
    head = html.H3("What must be true of it", className="group-part")
    return [head, *items, action("add", "spec.expect", "Add an expectation")]


def _expectation(path: str, check: object, place: tuple[int, int], spec: Group) -> html.Fieldset:
    held = check if isinstance(check, Mapping) else {}
    kind = str(held.get("check", ""))
    mark = html.Span(className="outcome-mark", **{"data-outcome": str(place[0])})
    common = [
        choice(f"{path}.phase", "During", held.get("phase"), [(LEFT_OUT, "the whole drill"), *_phases(spec)]),
        field(
            f"{path}.fleet_of_at_least",
            "In fleets of at least",
            held.get("fleet_of_at_least"),
            kind="number",
            usual="1",
        ),
    ]
    chosen = shape(path, "Look at", kind, CHECKS, name="check")
    title = dict(CHECKS).get(kind, "something unknown")
    return item(
        path, title, place, [row(chosen, *_own(path, kind, held, spec), *common)], what="expectation", more=mark
    )


def _phases(spec: Group) -> list[tuple[str, str]]:
    named = [phase.get("name") for phase in entries(spec, "phases") if isinstance(phase, Mapping)]
    names = named if spec.get("phases") is not None else [name for name, *_ in USUAL_STORY]
    return [(name, name) for name in dict.fromkeys(names) if isinstance(name, str) and name]


def _own(path: str, kind: str, held: Group, spec: Group) -> list[Any]:
    """The fields that this kind of check has."""
    if kind == "top":
        return _top(path, held, spec)
    if kind == "health":
        bands = [("GREEN", "GREEN"), ("YELLOW", "YELLOW")]
        return [choice(f"{path}.never_worse_than", "Never worse than", held.get("never_worse_than"), bands)]
    if kind == "state":
        return [
            choice(f"{path}.state", "State", held.get("state"), _STATES),
            _whom(path, held, "affected"),
            field(f"{path}.at_least", "In at least", held.get("at_least"), kind="number", unit="share"),
            field(f"{path}.at_most", "In at most", held.get("at_most"), kind="number", unit="share"),
        ]
    if kind in ("prob_30m", "prob_8h", "risk"):
        return [
            *([_whom(path, held, "all")] if kind == "risk" else []),
            choice(f"{path}.statistic", "Of all values, the", held.get("statistic"), _STATISTICS),
            field(f"{path}.above", "Is above", held.get("above"), kind="number", unit="0–1"),
            field(f"{path}.below", "Is below", held.get("below"), kind="number", unit="0–1"),
        ]
    return []


def _whom(path: str, held: Group, usual: str) -> html.Div:
    options = [(LEFT_OUT, f"{dict(WHOM)[usual]} (usual)"), *WHOM]
    return choice(f"{path}.whom", "Of servers", held.get("whom"), options)


def _top(path: str, held: Group, spec: Group) -> list[Any]:
    kind = "servers" if "servers" in held else "fault" if "fault" in held else "affected"
    whose = [("affected", "all with a fault"), ("fault", "those with one fault"), ("servers", "these servers")]
    parts: list[Any] = [shape(path, "Are", kind, whose, name="top")]
    if kind == "servers":
        parts.append(field(f"{path}.servers", "Servers", held.get("servers"), kind="list", unit="between commas"))
    if kind == "fault":
        faults = [fault.get("id") for fault in entries(spec, "faults") if isinstance(fault, Mapping)]
        options = [(name, name) for name in faults if isinstance(name, str)]
        parts.append(choice(f"{path}.fault", "Fault", held.get("fault"), options))
    return [
        *parts,
        field(f"{path}.count", "Among the top", held.get("count"), kind="number", usual="5"),
        field(f"{path}.ticks", "In at least", held.get("ticks"), kind="number", unit="of ticks", usual="0.9"),
    ]
