"""The whole form, made from the document alone; a document with any mistakes in it still has one."""

from __future__ import annotations

from collections.abc import Mapping

from dash import html

from tft_dash.pages.builder import clock, faults, fleet, phases, story
from tft_dash.pages.builder.fields import Group, problem


def form(document: Group, pages: Mapping[str, int] | None = None) -> html.Div:
    """The fields of every group.

    :param pages: which page of a long list is shown, by the list's path.
    """
    at = {path: page for path, page in (pages or {}).items() if isinstance(page, int)}
    groups = [
        story.story_group(document),
        fleet.fleet_group(document, at.get(fleet.PATH, 0)),
        phases.phases_group(document, at.get(phases.PATH, 0)),
        faults.faults_group(document, at.get(faults.PATH, 0)),
        clock.clock_group(document),
    ]
    whole = html.Div([problem("spec"), problem("document")], className="group-problems")
    return html.Div([whole, *groups], className="groups")
