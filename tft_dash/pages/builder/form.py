"""The form's parts, made from the document alone; a document with any mistakes in it still has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from dash import html

from tft_dash.pages.builder import clock, faults, fleet, phases, story
from tft_dash.pages.builder.fields import Group, problem

Part = Callable[[Group, Mapping[str, int]], html.Section]

PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "story": lambda document, _at: story.story_group(document),
        "fleet": lambda document, at: fleet.fleet_group(document, at.get(fleet.PATH, 0)),
        "timeline": lambda document, at: phases.phases_group(document, at.get(phases.PATH, 0)),
        "faults": lambda document, at: faults.faults_group(document, at.get(faults.PATH, 0)),
        "clock": lambda document, _at: clock.clock_group(document),
    }
)
"""Name → what makes the part, in the order of the tabs; the script of the page lists the same names."""


def frame() -> list[Any]:
    """The places of the parts, and of mistakes that concern the whole document."""
    whole = html.Div([problem("spec"), problem("document")], className="group-problems")
    return [whole, *(html.Div([], id=part_id(name)) for name in PARTS)]


def part_id(name: str) -> str:
    """The id of a part's place."""
    return f"builder-part-{name}"


def form(
    document: Group, pages: Mapping[str, int] | None = None, names: Collection[str] = tuple(PARTS)
) -> dict[str, html.Section]:
    """The fields of the parts called ``names``.

    :param pages: which page of a long list is shown, by the list's path.
    """
    at = {path: page for path, page in (pages or {}).items() if isinstance(page, int)}
    return {name: make(document, at) for name, make in PARTS.items() if name in names}
