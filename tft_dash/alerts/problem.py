"""A problem as a value: what belongs together, where it began, what it went through, and what people say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from tft_dash.alerts.alert import VERSION, checked
from tft_dash.errors import UsageError, shorten

Life = Literal["open", "recovering", "resolved"]
Outcome = Literal["true", "false", "unclear"]
Kind = Literal["incident", "no-data"]
OUTCOMES: Final = ("true", "false", "unclear")
LONGEST_COMMENT: Final = 4000
MOST_SERVERS: Final = 50
"""So many servers stand in a problem; of the others only the number."""
MOST_ENTRIES: Final = 400
"""So many entries stand in a timeline: the first and the last half of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A reason for a server's risk: a metric's value and what it usually is; ``usual`` None = unknown.

    :param warning: the contract's lines; None = the metric has none.
    """

    metric: str
    value: float
    usual: float | None
    warning: float | None
    critical: float | None


@dataclass(frozen=True, slots=True)
class Involved:
    """A server in a problem.

    :param onset_ms: when it first showed: its risk or its first alert's condition, whichever was first.
    :param peak_risk: None = none was told.
    :param peak_ms: when that was; the drivers are of that moment.
    :param alerts: names of the rules that fired for it, in order.
    :param why: why it stands where it does in the order of origin, in words.
    """

    server: str
    profile: str
    onset_ms: int
    onset_tick: int
    peak_risk: float | None
    peak_ms: int
    drivers: tuple[Reading, ...] = ()
    alerts: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a problem's timeline."""

    time_ms: int
    tick: int
    what: str
    server: str
    words: str


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote."""

    by: str
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What people are told once: alerts that belong together.

    :param id: stable; the problem keeps it for good.
    :param opened_ms: when its first alert fired; ``opened_tick`` is the link to its moment.
    :param began_ms: when its first server showed, or its first alert's condition began to hold.
    :param last_onset_ms: when the newest of its alerts fired.
    :param past: whether all of it happened in back-filled ticks so far.
    :param origin: the server where it likely began; "" = not told.
    :param servers: likely origin first, by order of onset.
    :param server_count: how many servers, also those that ``servers`` has no room for.
    :param profiles: all profiles that have a server in it.
    :param skipped: how many entries the timeline had no room for.
    :param model: name and version of the model that judged the tick which opened it; "" = not told.
    """

    id: str
    source: str
    kind: Kind
    life: Life
    title: str
    severity: str
    opened_ms: int
    opened_tick: int
    began_ms: int
    began_tick: int
    last_onset_ms: int
    changed_ms: int
    resolved_ms: int | None
    reopened: int
    past: bool
    origin: str
    origin_why: str
    servers: tuple[Involved, ...]
    server_count: int
    profiles: tuple[str, ...]
    alerts: int
    timeline: tuple[Entry, ...] = ()
    skipped: int = 0
    model: str = ""

    @property
    def ranked(self) -> tuple[Involved, ...]:
        """The servers, riskiest first."""
        return tuple(sorted(self.servers, key=lambda one: -1.0 if one.peak_risk is None else one.peak_risk)[::-1])

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Problem:
        """The problem that :meth:`as_plain` wrote.

        :raises ValueError: it was written by another version of this program.
        """
        values = checked(plain)
        servers = tuple(
            Involved(**{**one, "drivers": tuple(Reading(**r) for r in one["drivers"]), "alerts": tuple(one["alerts"])})
            for one in values["servers"]
        )
        return cls(
            **{
                **values,
                "servers": servers,
                "profiles": tuple(values["profiles"]),
                "timeline": tuple(Entry(**entry) for entry in values["timeline"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Remarks:
    """What people say of a problem. Kept beside it: the collector writes problems, people write these.

    :param outcome: whether there was a problem indeed; None = nobody has said.
    """

    outcome: Outcome | None = None
    outcome_by: str = ""
    outcome_ms: int | None = None
    comments: tuple[Comment, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Remarks:
        """The remarks that :meth:`as_plain` wrote.

        :raises ValueError: they were written by another version of this program.
        """
        values = checked(plain)
        return cls(**{**values, "comments": tuple(Comment(**comment) for comment in values["comments"])})


def with_outcome(remarks: Remarks, outcome: str | None, by: str, at_ms: int) -> Remarks:
    """The remarks with ``by``'s word on whether it was a problem; None takes it back.

    :raises UsageError: it is no such word, or nobody says it.
    """
    if outcome is not None and outcome not in OUTCOMES:
        raise UsageError(f"'{shorten(outcome)}' is no outcome. Say one of {', '.join(OUTCOMES)}.")
    if not by.strip():
        raise UsageError("Say who says so.")
    return replace(remarks, outcome=outcome, outcome_by=by.strip(), outcome_ms=at_ms)  # type: ignore[arg-type]


def with_comment(remarks: Remarks, text: str, by: str, at_ms: int) -> Remarks:
    """The remarks with a comment more.

    :raises UsageError: it is empty or too long, or nobody writes it.
    """
    if not text.strip() or not by.strip():
        raise UsageError("A comment needs a text and who writes it.")
    if len(text) > LONGEST_COMMENT:
        raise UsageError(f"A comment of {len(text):,} characters is too long; at most {LONGEST_COMMENT:,}.")
    return replace(remarks, comments=(*remarks.comments, Comment(by.strip(), at_ms, text.strip())))


def with_entries(problem: Problem, entries: Sequence[Entry]) -> Problem:
    """The problem with more lines in its timeline, each at its time; when it is full, lines from its middle go."""
    timeline = sorted((*problem.timeline, *entries), key=lambda entry: entry.time_ms)
    surplus = max(len(timeline) - MOST_ENTRIES, 0)
    middle = MOST_ENTRIES // 2
    kept = (*timeline[:middle], *timeline[middle + surplus :])
    return replace(problem, timeline=kept, skipped=problem.skipped + surplus)
