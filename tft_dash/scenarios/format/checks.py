"""What pydantic cannot see: mistakes between the parts of a document.

These checks read the document as it was written, field by field, so that a mistake in one part hides none in another.
A field that is wrong by itself is passed over here: pydantic reports it.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from pydantic_core import PydanticCustomError

from tft_dash.errors import shorten
from tft_dash.scenarios.format.fields import format_duration, is_number, parse_duration, show, whole
from tft_dash.scenarios.format.parts import DEFAULT_TICK, MOST_SERVERS, USUAL_STORY, server_prefix
from tft_dash.scenarios.format.wording import MOST_GUESSES, Location, Problem
from tft_dash.schema import METRIC

MOST_ROWS: Final = 50_000_000
"""As many rows as a drill may have: about 5 GB as CSV."""

LARGEST_VALUE: Final = 1e6

Group = Mapping[str, Any]


def cross_problems(document: Group) -> list[Problem]:
    """Every mistake between the parts of a document, with its location."""
    spec = _group(document, "spec")
    clock = _group(spec, "clock")
    duration, tick = _seconds(clock, "duration"), _seconds(clock, "tick", DEFAULT_TICK)
    counts = _counts(spec)
    servers, names = _servers(counts), _Names()
    return [
        *_fleet_problems(spec),
        *_size_problems(duration, tick, None if counts is None else sum(count for _, count in counts)),
        *_phase_problems(spec, duration),
        *_fault_problems(spec, duration, servers, names),
        *_expect_problems(spec, servers, names),
    ]


def too_many_rows(ticks: int, servers: int) -> str:
    """Why a drill of so many rows is refused, and what to do."""
    return (
        f"makes {ticks:,} ticks of {servers:,} servers, {ticks * servers:,} rows; at most {MOST_ROWS:,} are made. "
        "Take a shorter duration, a longer tick or fewer servers."
    )


def _group(group: Group, field: str) -> Group:
    value = group.get(field)
    return value if isinstance(value, Mapping) else {}


def _groups(group: Group, field: str) -> list[Group]:
    value = group.get(field)
    entries = value if isinstance(value, list | tuple) else []
    return [entry if isinstance(entry, Mapping) else {} for entry in entries]


def _text(group: Group, field: str) -> str | None:
    value = group.get(field)
    return value if isinstance(value, str) else None


def _texts(group: Group, field: str) -> list[str]:
    value = group.get(field)
    return [entry if isinstance(entry, str) else "" for entry in value] if isinstance(value, list | tuple) else []


def _seconds(group: Group, field: str, default: float | None = None) -> float | None:
    """A duration; ``default`` when it is not given, None when it is none."""
    if field not in group:
        return default
    try:
        return parse_duration(group[field])
    except PydanticCustomError:
        return None


def _counts(spec: Group) -> list[tuple[str, int]] | None:
    """Every profile's prefix and number of servers; None when they cannot be told."""
    found = []
    for profile in _groups(_group(spec, "fleet"), "profiles"):
        name, count = _text(profile, "name"), whole(profile.get("count"))
        if name is None or not is_number(count) or isinstance(count, float) or not 0 <= count <= MOST_SERVERS:
            return None
        found.append((server_prefix(name, _text(profile, "prefix")), count))
    return found or None


def _servers(counts: list[tuple[str, int]] | None) -> list[str] | None:
    """Every server's name; None when they cannot be told or are too many."""
    if counts is None or sum(count for _, count in counts) > MOST_SERVERS:
        return None
    return [f"{prefix}-{number:03d}" for prefix, count in counts for number in range(1, count + 1)]


def _repeated(place: Location, field: str, values: Sequence[str | None]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value is not None and value in seen:
            yield (*place, index, field), f"'{shorten(value)}' stands twice; each needs its own."
        elif value is not None:
            seen.add(value)


def _fleet_problems(spec: Group) -> Iterator[Problem]:
    place = ("spec", "fleet", "profiles")
    profiles = _groups(_group(spec, "fleet"), "profiles")
    names = [_text(profile, "name") for profile in profiles]
    yield from _repeated(place, "name", names)
    uses = Counter(names)
    prefixes = [
        server_prefix(name, _text(profile, "prefix")) if name is not None and uses[name] == 1 else None
        for name, profile in zip(names, profiles, strict=True)
    ]
    yield from _repeated(place, "prefix", prefixes)
    for index, profile in enumerate(profiles):
        for metric, value in _group(profile, "baselines").items():
            yield from _range_problem((*place, index, "baselines", metric), metric, value)


def _range_problem(place: Location, metric: str, value: object) -> Iterator[Problem]:
    if metric not in METRIC or not is_number(value):
        return
    low, high = METRIC[metric].low, min(METRIC[metric].high, LARGEST_VALUE)
    if value < low or value > high:
        span = f"{low:g} and {high:,.0f} {METRIC[metric].unit}".rstrip()
        yield place, f"must lie between {span}, not {show(value)}."


def _size_problems(duration: float | None, tick: float | None, servers: int | None) -> Iterator[Problem]:
    if servers is not None and not 1 <= servers <= MOST_SERVERS:
        yield ("spec", "fleet", "profiles"), f"make {servers:,} servers; a fleet has 1 to {MOST_SERVERS:,}."
    if duration is None or not tick:
        return
    ticks = round(duration * 1000) // round(tick * 1000)
    if ticks < 1:
        words = f"must be at least one tick ({format_duration(tick)}), not {format_duration(duration)}."
        yield ("spec", "clock", "duration"), words
    elif servers is not None and ticks * servers > MOST_ROWS:
        yield ("spec", "clock", "duration"), too_many_rows(ticks, servers)


def _phase_problems(spec: Group, duration: float | None) -> Iterator[Problem]:
    place, phases = ("spec", "phases"), _groups(spec, "phases")
    if not phases:
        return
    yield from _repeated(place, "name", [_text(phase, "name") for phase in phases])
    begin, end = _seconds(phases[0], "from"), _seconds(phases[-1], "to")
    if begin:
        words = f"must be 0s, not {format_duration(begin)}: the first phase starts with the drill."
        yield (*place, 0, "from"), words
    for index, (before, phase) in enumerate(pairwise(phases), start=1):
        yield from _joint_problem((*place, index, "from"), before, phase)
    if end is not None and duration is not None and end != duration:
        word = "lies after" if end > duration else "is before"
        length = format_duration(duration)
        words = f"{format_duration(end)} {word} the end of the drill at {length}; the last phase ends there."
        yield (*place, len(phases) - 1, "to"), words


def _joint_problem(place: Location, before: Group, phase: Group) -> Iterator[Problem]:
    start, due = _seconds(phase, "from"), _seconds(before, "to")
    if start is None or due is None or start == due:
        return
    word = "overlaps" if start < due else "leaves a gap after"
    name = shorten(str(_text(before, "name")))
    yield place, f"{word} the phase '{name}', which ends at {format_duration(due)}; start it there."


def _fault_problems(spec: Group, duration: float | None, servers: list[str] | None, names: _Names) -> Iterator[Problem]:
    place, faults = ("spec", "faults"), _groups(spec, "faults")
    yield from _repeated(place, "id", [_text(fault, "id") for fault in faults])
    profiles = [_text(profile, "name") for profile in _groups(_group(spec, "fleet"), "profiles")]
    known = [name for name in profiles if name is not None]
    for index, fault in enumerate(faults):
        here, whom = (*place, index), _group(fault, "whom")
        profile = _text(whom, "profile")
        if known and profile is not None:
            yield from names.unknown((*here, "whom", "profile"), "profile", profile, known)
        yield from names.servers((*here, "whom", "names"), _texts(whom, "names"), servers)
        yield from _span_problems(here, fault, duration)
        for metric, effect in _group(fault, "strength").items():
            if isinstance(effect, Mapping):
                yield from _range_problem((*here, "strength", metric, "to"), metric, effect.get("to"))


def _span_problems(here: Location, fault: Group, duration: float | None) -> Iterator[Problem]:
    if duration is None:
        return
    length = format_duration(duration)
    begin, end, lag = _seconds(fault, "from"), _seconds(fault, "to"), _seconds(fault, "lag")
    if begin is not None and begin >= duration:
        yield (*here, "from"), f"{format_duration(begin)} is not before the end of the drill at {length}."
    if end is not None and end > duration:
        yield (*here, "to"), f"{format_duration(end)} lies after the end of the drill at {length}."
    if lag is not None and lag >= duration:
        yield (*here, "lag"), f"{format_duration(lag)} is not shorter than the drill ({length}); nothing would show."


def _expect_problems(spec: Group, servers: list[str] | None, names: _Names) -> Iterator[Problem]:
    usual = [name for name, *_ in USUAL_STORY] if spec.get("phases") is None else []
    phases = [*usual, *(name for phase in _groups(spec, "phases") if (name := _text(phase, "name")) is not None)]
    faults = [name for fault in _groups(spec, "faults") if (name := _text(fault, "id")) is not None]
    for index, check in enumerate(_groups(spec, "expect")):
        here = ("spec", "expect", index)
        phase, above, below = _text(check, "phase"), check.get("above"), check.get("below")
        if phases and phase is not None:
            yield from names.unknown((*here, "phase"), "phase", phase, phases)
        fault = _text(check, "fault")
        if fault is not None:
            yield from names.unknown((*here, "fault"), "fault", fault, faults)
        yield from names.servers((*here, "servers"), _texts(check, "servers"), servers)
        if is_number(above) and is_number(below) and above >= below:
            yield (*here, "above"), f"{show(above)} must be less than below ({show(below)})."


class _Names:
    """Tells names that stand for nothing, the first of them with the nearest one that does."""

    def __init__(self) -> None:
        self._guesses = MOST_GUESSES

    def servers(self, place: Location, names: Sequence[str], servers: list[str] | None) -> Iterator[Problem]:
        """Every name that no server has."""
        known = set(servers or ())
        for number, name in enumerate(names):
            if servers is not None and name and name not in known:
                yield (*place, number), self._words("server", name, servers)

    def unknown(self, place: Location, kind: str, name: str, known: Sequence[str]) -> Iterator[Problem]:
        """A name that is not among ``known``."""
        if name not in known:
            yield place, self._words(kind, name, known)

    def _words(self, kind: str, name: str, known: Sequence[str]) -> str:
        near = difflib.get_close_matches(name[:100], known[:1000], n=1) if self._guesses else []
        self._guesses = max(0, self._guesses - 1)
        guess = f" Did you mean '{near[0]}'?" if near else ""
        listed = ", ".join(map(shorten, known[:8])) + (", …" if len(known) > 8 else "")
        return f"there is no {kind} '{shorten(name)}'.{guess} There are: {listed or 'none'}."
