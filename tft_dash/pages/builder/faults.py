"""The group "faults": what goes wrong, with whom, when, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from dash import html

from tft_dash.errors import shorten
from tft_dash.pages.builder.chance import by_chance
from tft_dash.pages.builder.curves import curve_fields
from tft_dash.pages.builder.fields import (
    LEFT_OUT,
    Group,
    action,
    choice,
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
from tft_dash.scenarios.format.parts import Effect, Fault, FaultKind
from tft_dash.scenarios.profiles import USUAL_EFFECTS
from tft_dash.schema import METRIC, METRICS, Metric, readable

PATH: Final = "spec.faults"
KINDS: Final[Mapping[str, str]] = {
    "cpu": "processors saturate",
    "memory-leak": "memory leaks",
    "latency": "answers are slow",
    "errors": "requests fail",
    "disk": "disks stall",
    "network": "network is cut",
    "gc": "garbage collection stalls",
    "crash": "servers go down",
    "gaps": "samples get lost",
}
SELECTORS: Final = (
    ("first-of-each", "the first of every profile"),
    ("profile", "a profile"),
    ("share", "a share, picked by the seed"),
    ("names", "these servers"),
)
EFFECTS: Final = (("to", "moves to"), ("times", "becomes so many times"), ("add", "grows by"), ("none", "leave it out"))

_AMOUNTS: Final = {"to": "Moves to", "times": "Times", "add": "Grows by"}


def faults_group(document: Group, page: int) -> html.Section:
    """Every fault."""
    spec = group(document, "spec")
    faults = entries(spec, "faults")
    items = [_fault(f"{PATH}[{place}]", fault, (place, len(faults)), spec) for place, fault in shown(faults, page)]
    empty = [] if faults else [html.P("Nothing goes wrong yet.", className="group-note")]
    add = action("add", PATH, "Add a fault")
    content = [*empty, *items, pager(PATH, len(faults), page), add, by_chance(document)]
    return section("faults", "Faults", content, paths=(PATH,))


def _fault(path: str, fault: object, place: tuple[int, int], spec: Group) -> html.Fieldset:
    held = fault if isinstance(fault, Mapping) else {}
    kinds = [(kind, f"{kind}: {KINDS[kind]}") for kind in get_args(FaultKind)]
    first = row(
        field(f"{path}.id", "Id", held.get("id"), hint=help_of(Fault, "id")),
        choice(f"{path}.what", "What", held.get("what"), kinds, hint=help_of(Fault, "what")),
    )
    last = row(
        field(f"{path}.lag", "Shows later by", held.get("lag"), usual="0s", hint=help_of(Fault, "lag"), kind="short"),
        field(f"{path}.jitter", "Wavers by", held.get("jitter"), kind="number", unit="share", usual="0.06",
              hint=help_of(Fault, "jitter")),
    )  # fmt: skip
    content = [first, _whom(f"{path}.whom", held.get("whom"), spec), *_when(path, held), last, _strength(path, held)]
    return item(path, shorten(str(held.get("id") or "fault"), 40), place, content, what="fault")


def selector_shape(whom: object) -> str:
    """How the servers are chosen."""
    held = whom if isinstance(whom, Mapping) else {}
    if "names" in held:
        return "names"
    if "share" in held:
        return "share"
    return "profile" if "profile" in held else "first-of-each"


def _whom(path: str, whom: object, spec: Group) -> html.Div:
    held = whom if isinstance(whom, Mapping) else {}
    kind = selector_shape(whom)
    parts: list[Any] = [shape(path, "Whom", kind, SELECTORS, name="selector")]
    named = [
        profile.get("name") for profile in entries(group(spec, "fleet"), "profiles") if isinstance(profile, Mapping)
    ]
    profiles = [(name, name) for name in dict.fromkeys(named) if isinstance(name, str) and name]
    if kind == "names":
        parts.append(field(f"{path}.names", "Servers", held.get("names"), kind="list", unit="between commas"))
    if kind == "profile":
        parts.append(choice(f"{path}.profile", "Profile", held.get("profile"), profiles))
        parts.append(field(f"{path}.first", "Only the first", held.get("first"), kind="number", usual="all"))
    if kind == "share":
        anyone = [(LEFT_OUT, "the whole fleet"), *profiles]
        parts.append(field(f"{path}.share", "Share", held.get("share"), kind="number", unit="0–1"))
        parts.append(choice(f"{path}.profile", "Of", held.get("profile"), anyone))
    return html.Div([row(*parts), problem(path)])


def _when(path: str, held: Group) -> list[Any]:
    own = any(name in held for name in ("from", "to", "intensity"))
    spans = [("phases", "with the phases"), ("own", "at its own time")]
    chosen = shape(path, "Happens", "own" if own else "phases", spans, name="span")
    if not own:
        return [row(chosen)]
    ends = row(
        chosen,
        field(f"{path}.from", "From", held.get("from"), usual="start", kind="short"),
        field(f"{path}.to", "To", held.get("to"), usual="end", kind="short"),
    )
    curve = curve_fields(f"{path}.intensity", held.get("intensity"), without="in full (usual)")
    return [ends, curve]


def effect_shape(effect: object) -> str:
    """How what a fault does to a metric is written."""
    if not isinstance(effect, Mapping):
        return "add"
    return next((name for name in ("to", "times", "add") if name in effect), "to")


def _strength(path: str, held: Group) -> html.Details:
    listed = f"{path}.strength"
    strength = group(held, "strength")
    usual = USUAL_EFFECTS.get(str(held.get("what")), {})
    rows = [
        _effect(f"{listed}.{metric.name}", metric, strength[metric.name])
        for metric in METRICS
        if metric.name in strength
    ]
    left = [(metric.name, metric.label) for metric in METRICS if metric.name not in strength]
    more = shape(listed, "Add a metric", LEFT_OUT, [(LEFT_OUT, "choose"), *left], name="metric")
    shown_by = ", ".join(f"{METRIC[name].label} {_in_words(effect)}" for name, effect in usual.items()) or "no metric"
    note = html.P(f"Usual: {shown_by}. A metric of its own here replaces all of that.", className="group-note")
    title = "How strong, per metric" if strength else f"How strong: as usual ({shown_by})"
    return folded(title, [note, problem(listed), *rows, more], is_open=bool(strength))


def _effect(path: str, metric: Metric, effect: object) -> html.Div:
    kind = effect_shape(effect)
    where, value = (f"{path}.{kind}", effect.get(kind)) if isinstance(effect, Mapping) else (path, effect)
    unit = "" if kind == "times" else metric.unit or "0–1"
    chosen = shape(path, metric.label, kind, EFFECTS, name="effect")
    parts = row(chosen, field(where, _AMOUNTS[kind], value, kind="number", unit=unit))
    return html.Div([parts, problem(path) if where != path else None])


def _in_words(effect: Effect) -> str:
    if effect.to is not None:
        return f"moves to {readable(effect.to)}"
    return f"× {readable(effect.times)}" if effect.times is not None else f"+ {readable(effect.add or 0.0)}"
