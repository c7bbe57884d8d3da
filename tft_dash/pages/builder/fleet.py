"""The group "fleet": kinds of servers, how many, and what is usual for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dash import html

from tft_dash.errors import shorten
from tft_dash.pages.builder.fields import (
    LEFT_OUT,
    Group,
    action,
    entries,
    field,
    folded,
    group,
    help_of,
    item,
    problem,
    row,
    section,
    shape,
)
from tft_dash.pages.builder.paging import pager, shown
from tft_dash.scenarios.format.parts import Profile, Rhythm, server_prefix
from tft_dash.scenarios.profiles import USUAL
from tft_dash.schema import GENERIC_PROFILE, METRIC_NAMES, METRICS, readable

PATH: Final = "spec.fleet.profiles"


def fleet_group(document: Group, page: int) -> html.Section:
    """Every profile with its counts, names and usual values."""
    profiles = entries(group(group(document, "spec"), "fleet"), "profiles")
    items = [_profile(f"{PATH}[{place}]", profile, (place, len(profiles))) for place, profile in shown(profiles, page)]
    add = action("add", PATH, "Add a profile")
    size = html.P("", className="group-note", **{"data-fleet-size": ""})
    content = [size, *items, pager(PATH, len(profiles), page), add]
    return section("fleet", "Fleet", content, paths=("spec.fleet", PATH))


def _profile(path: str, profile: object, place: tuple[int, int]) -> html.Fieldset:
    held = profile if isinstance(profile, Mapping) else {}
    name = held.get("name")
    usual = server_prefix(name, None) if isinstance(name, str) else ""
    rhythm = group(held, "daily_rhythm")
    first = row(
        field(f"{path}.name", "Kind", name, hint=help_of(Profile, "name")),
        field(f"{path}.count", "Servers", held.get("count"), kind="number"),
        field(f"{path}.prefix", "Name starts with", held.get("prefix"), usual=usual, hint=help_of(Profile, "prefix")),
        field(
            f"{path}.noise",
            "Noise",
            held.get("noise"),
            kind="number",
            usual="1",
            hint=help_of(Profile, "noise"),
        ),
    )
    daily = row(
        field(f"{path}.daily_rhythm.amplitude", "Daily swing", rhythm.get("amplitude"), kind="number", usual="0.15",
              unit="0–1", hint=help_of(Rhythm, "amplitude")),
        field(f"{path}.daily_rhythm.peak_hour", "Busiest hour", rhythm.get("peak_hour"), kind="number", usual="14",
              unit="UTC", hint=help_of(Rhythm, "peak_hour")),
        field(f"{path}.daily_rhythm.weekend", "Less at weekends", rhythm.get("weekend"), kind="number", usual="0",
              unit="0–1", hint=help_of(Rhythm, "weekend")),
    )  # fmt: skip
    own = bool(held.get("baselines")) or "daily_rhythm" in held
    more = folded(
        "Usual values and daily rhythm",
        [problem(f"{path}.baselines"), _baselines(path, held), problem(f"{path}.daily_rhythm"), daily],
        is_open=own,
    )
    title = shorten(str(name), 40) if name else "profile"
    return item(path, title, place, [first, more], what="profile")


def _baselines(path: str, held: Group) -> html.Div:
    values = group(held, "baselines")
    shipped = dict(zip(METRIC_NAMES, USUAL.get(str(held.get("name")), USUAL[GENERIC_PROFILE]), strict=True))
    fields = [
        field(f"{path}.baselines.{metric.name}", metric.label, values[metric.name], kind="number",
              unit=metric.unit or "0–1", usual=readable(shipped[metric.name]))
        for metric in METRICS
        if metric.name in values
    ]  # fmt: skip
    left = [
        (
            f"{metric.name}={shipped[metric.name]}",
            f"{metric.label}: {readable(shipped[metric.name])} {metric.unit}".rstrip(),
        )
        for metric in METRICS
        if metric.name not in values
    ]
    more = shape(f"{path}.baselines", "Set a usual value", LEFT_OUT, [(LEFT_OUT, "choose"), *left], name="metric")
    return row(*fields, more)
