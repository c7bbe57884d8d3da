"""The parts of a scenario document: immutable pydantic models, each field described for people and forms."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tft_dash.scenarios.format.chance import Chance
from tft_dash.scenarios.format.expect import Expectation
from tft_dash.scenarios.format.fields import (
    Count,
    Duration,
    Instant,
    Label,
    Line,
    MetricName,
    Number,
    Share,
    Slug,
    Some,
    Text,
    is_number,
    mistake,
    parse_instant,
)

DEFAULT_START: Final = parse_instant("2026-01-05T09:00:00Z")
DEFAULT_TICK: Final = 5.0
MOST_SERVERS: Final = 20_000
SHORT_PREFIXES: Final[Mapping[str, str]] = {"database": "db"}
"""Profiles whose servers are not called by the profile's own name."""

FaultKind = Literal["cpu", "memory-leak", "latency", "errors", "disk", "network", "gc", "crash", "gaps"]


class Part(BaseModel):
    """A piece of a document: nothing unknown in it, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Metadata(Part):
    """What the scenario is called and for whom."""

    name: Slug = Field(description="Short name, also the name of its files: a–z, 0–9, - and _.")
    title: Line = Field("", description="Heading for people.")
    description: Text = Field("", description="What happens and what to look for.")
    tags: tuple[Slug, ...] = Field((), max_length=20, description="Words to find it by.")
    owner: Line | None = Field(None, description="Who keeps it up to date.")


class Clock(Part):
    """When it happens, for how long, and how finely it is sampled."""

    start: Instant = Field(
        DEFAULT_START, description="Time of the first tick, UTC. Fixed, so that a drill is the same on any day."
    )
    duration: Duration = Field(description="How long the drill lasts, e.g. 5m.")
    tick: Duration = Field(DEFAULT_TICK, description="Time between samples, e.g. 5s.", ge=0.01, le=86_400)
    playback_speed: Number = Field(
        1.0, gt=0, le=100_000, description="Fleet seconds that pass per second on the page at speed 1."
    )

    @property
    def ticks(self) -> int:
        """How many whole ticks fit into the duration."""
        return round(self.duration * 1000) // round(self.tick * 1000)


class Rhythm(Part):
    """How load follows the hours of the day."""

    amplitude: Share = Field(0.15, description="How far load swings around its mean, as a share of it.")
    peak_hour: Number = Field(14.0, ge=0, lt=24, description="Hour of the day (UTC) with the most load.")
    weekend: Share | None = Field(None, description="How far load falls on Saturdays and Sundays, as a share of it.")


def server_prefix(profile: str, prefix: str | None) -> str:
    """What the names of a profile's servers start with: the prefix given, or what is usual for the profile."""
    return prefix or SHORT_PREFIXES.get(profile, profile)


class Profile(Part):
    """Servers of one kind."""

    name: Slug = Field(description="web, api, database, cache, generic, or your own.")
    count: Count = Field(ge=0, le=MOST_SERVERS, description="How many servers.")
    prefix: Slug | None = Field(
        None, description="Servers are called <prefix>-001 and so on; without it, by the profile."
    )
    baselines: dict[MetricName, Number] = Field(
        {}, description="Usual value per metric in its own unit; a metric left out keeps the profile's usual one."
    )
    noise: Number = Field(1.0, ge=0, le=3, description="How restless the metrics are; 1 is usual, 0 is none.")
    daily_rhythm: Rhythm = Field(Rhythm(amplitude=0.15, peak_hour=14.0), description="How load follows the day.")

    @property
    def server_prefix(self) -> str:
        """What the servers' names start with."""
        return server_prefix(self.name, self.prefix)


class Fleet(Part):
    """Which servers there are."""

    profiles: tuple[Profile, ...] = Field(min_length=1, max_length=50, description="The kinds of servers, in order.")

    @property
    def size(self) -> int:
        """How many servers there are."""
        return sum(profile.count for profile in self.profiles)


class Point(Part):
    """One point of a curve."""

    at: Share = Field(description="Where in the span: 0 its start, 1 its end.")
    value: Share = Field(description="Intensity there.")


def _or_a_number(schema: dict[str, Any]) -> None:
    """Let a JSON Schema say that a plain number is fine too."""
    group = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "number"}, group]


class Curve(Part):
    """How intense something is over a span: a number, from start to end, or through points; straight in between."""

    model_config = ConfigDict(json_schema_extra=_or_a_number)

    start: Share | None = Field(None, description="Intensity at the span's start, 0–1.")
    end: Share | None = Field(None, description="Intensity at its end, 0–1; without it as at the start.")
    points: tuple[Point, ...] | None = Field(
        None, min_length=1, max_length=500, description="Instead of start and end: a line through these points."
    )

    @model_validator(mode="before")
    @classmethod
    def _a_number_is_constant(cls, value: object) -> object:
        return {"start": value} if is_number(value) else value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.points is None) == (self.start is None) or (self.points is not None and self.end is not None):
            raise mistake("needs either start (and end) or points.")
        places = [point.at for point in self.points or ()]
        if any(later < earlier for earlier, later in pairwise(places)):
            raise mistake("must have its points in order of 'at'.")
        return self

    @property
    def line(self) -> tuple[tuple[float, float], ...]:
        """The curve as ``(share of the span, intensity)`` pairs."""
        if self.points is not None:
            return tuple((point.at, point.value) for point in self.points)
        start = self.start or 0.0
        return ((0.0, start), (1.0, start if self.end is None else self.end))


class Phase(Part):
    """A named span of the drill."""

    name: Label = Field(description="stable, escalation, peak, recovery, or your own word.")
    begin: Duration = Field(alias="from", description="When it starts, from the start of the drill.")
    end: Duration = Field(alias="to", description="When it ends.")
    intensity: Curve = Field(Curve(start=0.0), description="How intense faults are that follow the phases, 0–1.")

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end <= self.begin:
            raise mistake("must end after it starts ('to' is not later than 'from').")
        return self


class Effect(Part):
    """What a fault does to one metric at full intensity; a plain number is added."""

    model_config = ConfigDict(json_schema_extra=_or_a_number)

    add: Number | None = Field(None, ge=-1e6, le=1e6, description="Added, in the metric's unit.")
    times: Number | None = Field(None, ge=0, le=1000, description="The usual value becomes this many times as large.")
    to: Number | None = Field(None, ge=0, le=1e6, description="The usual value moves to this value.")

    @model_validator(mode="before")
    @classmethod
    def _a_number_is_added(cls, value: object) -> object:
        return {"add": value} if is_number(value) else value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.add, self.times, self.to)) != 1:
            raise mistake("needs exactly one of add, times, to.")
        return self


class Selector(Part):
    """Which servers a fault strikes."""

    first_of_each: bool | None = Field(None, description="The first server of every profile.")
    names: tuple[Line, ...] | None = Field(None, min_length=1, max_length=1000, description="These servers.")
    profile: Slug | None = Field(None, description="The servers of this profile; all of them, or:")
    first: Some | None = Field(None, description="only the first so many of the profile.")
    share: Annotated[Share, Field(gt=0)] | None = Field(
        None, description="only this share, picked by the seed; without a profile, of the whole fleet."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        of_profile = self.profile is not None or self.share is not None
        if sum((self.first_of_each is True, self.names is not None, of_profile)) != 1:
            raise mistake("needs exactly one of: first_of_each: true, names, profile, share.")
        if self.first is not None and (self.profile is None or self.share is not None):
            raise mistake("'first' goes with a profile, and not with a share.")
        return self


class Fault(Part):
    """Something that goes wrong."""

    id: Slug = Field(description="A name for it within this document.")
    what: FaultKind = Field(description="What goes wrong; decides which metrics show it unless strength says so.")
    whom: Selector = Field(description="Which servers.")
    begin: Duration | None = Field(
        None, alias="from", description="When it starts; without from, to and intensity it follows the phases."
    )
    end: Duration | None = Field(None, alias="to", description="When it is over.")
    intensity: Curve | None = Field(None, description="How intense it is between from and to; without it, fully.")
    strength: dict[MetricName, Effect] | None = Field(
        None, min_length=1, description="What it does to each metric at full intensity, instead of what is usual."
    )
    lag: Duration = Field(0.0, description="How much later it shows: a fault elsewhere takes time to arrive.")
    jitter: Share = Field(0.06, description="How much its effect wavers, as a share of it.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.begin is not None and self.end is not None and self.end <= self.begin:
            raise mistake("must end after it starts ('to' is not later than 'from').")
        if self.strength is not None and self.what in ("crash", "gaps"):
            raise mistake(f"has a strength, but {self.what} leaves no metrics that could show one; remove it.")
        return self

    @property
    def follows_phases(self) -> bool:
        """Whether the phases' intensity drives it, rather than its own span."""
        return self.begin is None and self.end is None and self.intensity is None


USUAL_STORY: Final = (
    ("stable", 0, 30, Curve(start=0.0)),
    ("escalation", 30, 50, Curve(start=0.3, end=0.7)),
    ("peak", 50, 70, Curve(start=0.8, end=1.0)),
    ("recovery", 70, 100, Curve(start=0.7, end=0.0)),
)
"""Name, first and last per cent of the duration, intensity of the phases that a document without phases gets."""


class Spec(Part):
    """The drill itself."""

    seed: Count = Field(42, ge=0, le=2**63 - 1, description="Another seed gives another drill of the same story.")
    clock: Clock = Field(description="Start, duration, tick.")
    fleet: Fleet = Field(description="The servers.")
    phases: tuple[Phase, ...] | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The story's spans; without them stable, escalation, peak, recovery.",
    )
    faults: tuple[Fault, ...] = Field((), max_length=500, description="What goes wrong; nothing if empty.")
    chance: Chance | None = Field(None, description="What may go wrong by chance besides; nothing without it.")
    expect: tuple[Expectation, ...] = Field((), max_length=200, description="What must be true of the result.")

    @property
    def story(self) -> tuple[Phase, ...]:
        """The phases in order, from 0 to the duration without a gap; :data:`USUAL_STORY` where none are given."""
        if self.phases is not None:
            return self.phases
        whole = round(self.clock.duration * 1000)
        times = {share: whole * share // 100 / 1000 for _, first, last, _ in USUAL_STORY for share in (first, last)}
        return tuple(
            Phase.model_validate({"name": name, "from": times[first], "to": times[last], "intensity": curve})
            for name, first, last, curve in USUAL_STORY
        )
