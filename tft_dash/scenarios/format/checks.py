"""What pydantic cannot see: mistakes between the parts of a document."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from tft_dash.errors import shorten
from tft_dash.scenarios.fleet import server_names
from tft_dash.scenarios.format.expect import Expectation, ProbabilityCheck, RiskCheck, TopCheck
from tft_dash.scenarios.format.fields import format_duration
from tft_dash.scenarios.format.parts import MOST_SERVERS, USUAL_STORY, Clock, Fault, Phase, Profile
from tft_dash.scenarios.format.wording import Location, Problem
from tft_dash.schema import METRIC

MOST_ROWS: Final = 50_000_000
"""As many rows as a drill may have: about 7 GB as CSV."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pieces:
    """The parts of a document that are sound by themselves, at their places; None where one is not.

    :param phases: None when the document gives none.
    :param profile_names: as written, those of unsound profiles too, so that no mistake hides another. Likewise
        ``phase_names`` and ``fault_ids``.
    """

    clock: Clock | None
    profile_names: tuple[str | None, ...]
    phase_names: tuple[str | None, ...]
    fault_ids: tuple[str | None, ...]
    profiles: tuple[Profile | None, ...]
    phases: tuple[Phase | None, ...] | None
    faults: tuple[Fault | None, ...]
    expect: tuple[Expectation | None, ...]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Pieces:
        """The sound parts of a document that may be unsound elsewhere."""
        spec = _mapping(raw.get("spec"))
        profiles = _mapping(spec.get("fleet")).get("profiles")
        phases, faults = spec.get("phases"), spec.get("faults")
        return cls(
            clock=_piece(TypeAdapter(Clock), spec.get("clock")),
            profile_names=_texts(profiles, "name"),
            phase_names=_texts(phases, "name"),
            fault_ids=_texts(faults, "id"),
            profiles=_pieces(TypeAdapter(Profile), profiles),
            phases=None if phases is None else _pieces(TypeAdapter(Phase), phases),
            faults=_pieces(TypeAdapter(Fault), faults),
            expect=_pieces(TypeAdapter(Expectation), spec.get("expect")),
        )

    @property
    def duration(self) -> float | None:
        """Seconds; None when the clock is unsound."""
        return None if self.clock is None else self.clock.duration

    @property
    def sound_profiles(self) -> tuple[Profile, ...] | None:
        """All the profiles; None when any is unsound, so that no mistake is reported twice."""
        found = tuple(profile for profile in self.profiles if profile is not None)
        return found if found and len(found) == len(self.profiles) else None

    @property
    def servers(self) -> frozenset[str] | None:
        """All servers' names; None when they cannot be told."""
        profiles = self.sound_profiles
        if profiles is None or sum(profile.count for profile in profiles) > MOST_SERVERS:
            return None
        return frozenset(server_names(profiles))


def cross_problems(pieces: Pieces) -> list[Problem]:
    """Every mistake between parts, with its location."""
    return [
        *_fleet_problems(pieces),
        *_size_problems(pieces),
        *_phase_problems(pieces),
        *_fault_problems(pieces),
        *_expect_problems(pieces),
    ]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _piece(kind: TypeAdapter[T], raw: object) -> T | None:
    try:
        return kind.validate_python(raw)
    except ValidationError:
        return None


def _pieces(kind: TypeAdapter[T], raw: object) -> tuple[T | None, ...]:
    return tuple(_piece(kind, entry) for entry in raw) if isinstance(raw, list | tuple) else ()


def _texts(raw: object, field: str) -> tuple[str | None, ...]:
    found = [_mapping(entry).get(field) for entry in raw] if isinstance(raw, list | tuple) else []
    return tuple(text if isinstance(text, str) else None for text in found)


def _repeated(place: Location, field: str, values: Iterable[str | None]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value is not None and value in seen:
            yield (*place, index, field), f"'{value}' stands twice; each needs its own."
        elif value is not None:
            seen.add(value)


def _fleet_problems(pieces: Pieces) -> Iterator[Problem]:
    place = ("spec", "fleet", "profiles")
    yield from _repeated(place, "name", pieces.profile_names)
    twice = {name for name, count in Counter(pieces.profile_names).items() if count > 1}
    prefixes = [
        None if profile is None or profile.name in twice else profile.server_prefix for profile in pieces.profiles
    ]
    yield from _repeated(place, "prefix", prefixes)
    for index, profile in enumerate(pieces.profiles):
        for metric, value in (profile.baselines if profile else {}).items():
            yield from _range_problem((*place, index, "baselines", metric), metric, value)


def _range_problem(place: Location, metric: str, value: float) -> Iterator[Problem]:
    low, high = METRIC[metric].low, METRIC[metric].high
    if not low <= value <= min(high, 1e6):
        yield (
            place,
            f"must lie between {low:g} and {min(high, 1e6):,.0f} {METRIC[metric].unit}".rstrip() + f", not {value:g}.",
        )


def _size_problems(pieces: Pieces) -> Iterator[Problem]:
    clock, profiles = pieces.clock, pieces.sound_profiles
    if clock is not None and clock.ticks < 1:
        tick, whole = format_duration(clock.tick), format_duration(clock.duration)
        yield ("spec", "clock", "duration"), f"must be at least one tick ({tick}), not {whole}."
    if profiles is None:
        return
    servers = sum(profile.count for profile in profiles)
    if not 1 <= servers <= MOST_SERVERS:
        yield ("spec", "fleet", "profiles"), f"make a fleet of {servers:,} servers; it needs 1 to {MOST_SERVERS:,}."
    elif clock is not None and clock.ticks * servers > MOST_ROWS:
        yield ("spec", "clock", "duration"), too_many_rows(clock.ticks, servers)


def too_many_rows(ticks: int, servers: int) -> str:
    """Why a drill of so many rows is refused, and what to do."""
    return (
        f"makes {ticks:,} ticks of {servers:,} servers, {ticks * servers:,} rows; at most {MOST_ROWS:,} are made. "
        "Take a shorter duration, a longer tick or fewer servers."
    )


def _phase_problems(pieces: Pieces) -> Iterator[Problem]:
    if not pieces.phases:
        return
    place = ("spec", "phases")
    yield from _repeated(place, "name", pieces.phase_names)
    before: Phase | None = None
    for index, phase in enumerate(pieces.phases):
        if phase is not None and (index == 0 or before is not None):
            yield from _joint_problem((*place, index, "from"), phase, before)
        before = phase
    if before is not None and pieces.duration is not None and before.end != pieces.duration:
        end, whole = format_duration(before.end), format_duration(pieces.duration)
        word = "lies after" if before.end > pieces.duration else "is before"
        yield (
            (*place, len(pieces.phases) - 1, "to"),
            f"{end} {word} the end of the drill at {whole}; the last phase ends there.",
        )


def _joint_problem(place: Location, phase: Phase, before: Phase | None) -> Iterator[Problem]:
    start, due = phase.begin, 0.0 if before is None else before.end
    if start == due:
        return
    if before is None:
        yield place, f"must be 0s, not {format_duration(start)}: the first phase starts with the drill."
    else:
        word = "overlaps" if start < due else "leaves a gap after"
        yield place, f"{word} the phase '{before.name}', which ends at {format_duration(due)}; start it there."


def _fault_problems(pieces: Pieces) -> Iterator[Problem]:
    place = ("spec", "faults")
    yield from _repeated(place, "id", pieces.fault_ids)
    servers, profiles = pieces.servers, [name for name in pieces.profile_names if name is not None]
    for index, fault in enumerate(pieces.faults):
        if fault is None:
            continue
        here = (*place, index)
        whom = fault.whom
        if profiles and whom.profile is not None:
            yield from _unknown((*here, "whom", "profile"), "profile", whom.profile, profiles)
        if servers is not None:
            for number, name in enumerate(whom.names or ()):
                yield from _unknown((*here, "whom", "names", number), "server", name, sorted(servers))
        yield from _span_problems(here, fault, pieces.duration)
        for metric, effect in (fault.strength or {}).items():
            if effect.to is not None:
                yield from _range_problem((*here, "strength", metric, "to"), metric, effect.to)


def _span_problems(here: Location, fault: Fault, duration: float | None) -> Iterator[Problem]:
    if duration is None:
        return
    whole = format_duration(duration)
    if fault.begin is not None and fault.begin >= duration:
        yield (*here, "from"), f"{format_duration(fault.begin)} is not before the end of the drill at {whole}."
    if fault.end is not None and fault.end > duration:
        yield (*here, "to"), f"{format_duration(fault.end)} lies after the end of the drill at {whole}."
    if fault.lag >= duration:
        yield (*here, "lag"), f"{format_duration(fault.lag)} is longer than the drill ({whole}); nothing would show."


def _expect_problems(pieces: Pieces) -> Iterator[Problem]:
    usual = tuple(name for name, *_ in USUAL_STORY) if pieces.phases is None else ()
    phases = [name for name in (*pieces.phase_names, *usual) if name is not None]
    for index, check in enumerate(pieces.expect):
        here = ("spec", "expect", index)
        if check is None:
            continue
        if phases and check.phase is not None:
            yield from _unknown((*here, "phase"), "phase", check.phase, phases)
        if isinstance(check, TopCheck) and pieces.servers is not None:
            for number, name in enumerate(check.servers or ()):
                yield from _unknown((*here, "servers", number), "server", name, sorted(pieces.servers))
        if isinstance(check, ProbabilityCheck | RiskCheck):
            yield from _bound_problem((*here, "above"), check.above, check.below)


def _bound_problem(place: Location, above: float | None, below: float | None) -> Iterator[Problem]:
    if above is not None and below is not None and above >= below:
        yield place, f"{above:g} must be less than below ({below:g})."


def _unknown(place: Location, kind: str, name: str, known: Sequence[str]) -> Iterator[Problem]:
    if name in known:
        return
    near = difflib.get_close_matches(name, known[:1000], n=1)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    yield place, f"there is no {kind} '{shorten(name)}'.{guess} There are: {listed or 'none'}."
