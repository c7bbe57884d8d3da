"""The group "timeline": the phases' fields, in step with the drawing above them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dash import html

from tft_dash.errors import shorten
from tft_dash.pages.builder.curves import curve_fields
from tft_dash.pages.builder.fields import Group, action, entries, field, group, item, row, section
from tft_dash.pages.builder.paging import pager, shown

PATH: Final = "spec.phases"


def phases_group(document: Group, page: int) -> html.Section:
    """Every phase: name, from, to, intensity."""
    spec = group(document, "spec")
    if spec.get("phases") is None:
        words = "This drill tells the usual story: stable, escalation, peak and recovery, scaled to its duration."
        content = [html.P(words, className="group-note"), action("explicit", PATH, "Make the phases my own")]
        return section("timeline", "Phases", content, paths=(PATH,))
    phases = entries(spec, "phases")
    items = [_phase(f"{PATH}[{place}]", phase, (place, len(phases))) for place, phase in shown(phases, page)]
    add = action("add", PATH, "Add a phase")
    usual = action("usual", PATH, "Back to the usual story")
    content = [*items, pager(PATH, len(phases), page), html.Div([add, usual], className="bf-adds")]
    return section("timeline", "Phases", content, paths=(PATH,))


def _phase(path: str, phase: object, place: tuple[int, int]) -> html.Fieldset:
    held = phase if isinstance(phase, Mapping) else {}
    when = "From the start of the drill: 90, 1m30s or 1:30."
    fields = row(
        field(f"{path}.name", "Name", held.get("name")),
        field(f"{path}.from", "From", held.get("from"), hint=when, kind="short"),
        field(f"{path}.to", "To", held.get("to"), hint=when, kind="short"),
    )
    title = shorten(str(held.get("name") or "phase"), 40)
    curve = curve_fields(f"{path}.intensity", held.get("intensity"), without="0 (usual)")
    return item(path, title, place, [fields, curve], what="phase")
