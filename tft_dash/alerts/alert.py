"""An alert as a value: what it is about, where it stands, what changed, and all of that as plain values and back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, NamedTuple

VERSION: Final = 1
"""Of the plain form of states, transitions and problems; another one is refused by its reader."""

Phase = Literal["inactive", "pending", "firing", "recovering", "resolved"]
Change = Literal[
    "pending",  # the condition has begun to hold
    "dropped",  # it ceased before it had held for long enough; nobody was told
    "firing",  # it has held for long enough: the one moment at which an alert begins
    "recovering",  # a firing alert's condition has cleared, not yet for long enough
    "relapsed",  # it holds again before the alert was resolved: still the same alert
    "resolved",  # the alert is over
    "no-data",  # nothing is said any more of what an alert is about; its phase stands still
    "data",  # something is said of it again
    "silenced",
    "unsilenced",
    "acknowledged",
    "unacknowledged",
]
Reason = Literal["condition", "rule-removed", "rule-changed", "left-the-fleet", "person", "silence", "gap"]

ACTIVE: Final = frozenset[str]({"firing", "recovering"})
"""Phases in which an alert stands: to a receiver it is firing."""


class Key(NamedTuple):
    """What an alert is about; at any time there is one at most for each.

    :param server: "" = the whole fleet.
    :param metric: "" where the rule is not about metrics.
    """

    source: str
    rule: str
    server: str = ""
    metric: str = ""

    @property
    def id(self) -> str:
        """Short and stable, for links and stores."""
        return hashlib.sha256("\x1f".join(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has seen an alert and is at it."""

    by: str
    at_ms: int
    comment: str = ""


@dataclass(frozen=True, slots=True)
class AlertState:
    """Where an alert stands. What is inactive has no state.

    :param rule_digest: of the rule's condition when it was last judged; another one = the rule was edited.
    :param since_ms: when the condition began to hold; the same for the whole life of an alert.
    :param since_tick: the tick of that.
    :param phase_ms: when the phase began.
    :param held_ms: how long the phase's condition has held (pending) or been clear (recovering), in observed time: what
        nobody saw counts for nothing.
    :param seen_ms: time of the last value that was judged.
    :param value: that value. NaN is never kept.
    :param peak: the worst value since the condition began to hold.
    :param fired_ms: when it fired; None = not yet.
    :param past: whether it fired on a back-filled tick.
    :param labels: as they were when it fired, so that a receiver can tell that it is the same alert.
    :param no_data: whether nothing was said of it lately; the phase stands still.
    :param silenced_by: ids of the silences that hold.
    :param problem: id of the problem that it belongs to; "" = none yet.
    """

    key: Key
    phase: Phase
    rule_digest: str
    severity: str
    profile: str
    since_ms: int
    since_tick: int
    phase_ms: int
    held_ms: int
    seen_ms: int
    value: float
    peak: float
    fired_ms: int | None = None
    fired_tick: int | None = None
    past: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    no_data: bool = False
    silenced_by: tuple[str, ...] = ()
    acknowledged: Acknowledgement | None = None
    problem: str = ""

    @property
    def check(self) -> str:
        """What its rule looks at."""
        return self.rule_digest.partition(" ")[0]

    @property
    def active(self) -> bool:
        """Whether it fires, to a receiver."""
        return self.phase in ACTIVE

    @property
    def episode(self) -> str:
        """Id of this one alert, from its first tick to its end; the next about the same has another."""
        return f"{self.key.id}-{self.since_ms:x}"

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        seen = self.acknowledged
        return {
            **plain_of(self),
            "key": list(self.key),
            "labels": dict(self.labels),
            "silenced_by": list(self.silenced_by),
            "acknowledged": None if seen is None else asdict(seen),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> AlertState:
        """The state that :meth:`as_plain` wrote.

        :raises ValueError: it was written by another version of this program.
        """
        values = checked(plain)
        seen = values.pop("acknowledged")
        return cls(
            **{
                **values,
                "key": Key(*values["key"]),
                "silenced_by": tuple(values["silenced_by"]),
                "acknowledged": None if seen is None else Acknowledgement(**seen),
            }
        )


@dataclass(frozen=True, slots=True)
class Transition:
    """What changed about an alert at one tick, and why.

    :param check: what the rule looks at.
    :param time_ms: time of the tick; of an alert about the source itself, when it was issued.
    :param issued_ms: when the tick was recorded.
    :param past: whether the tick was back-filled: this is news about the past.
    :param value: None where the change is not about a value.
    :param bar: the threshold that it was held against; None likewise.
    :param labels: of the alert, for a receiver; the same from firing to resolved.
    :param annotations: the rule's, filled in.
    :param silenced: whether nobody is to be told.
    """

    key: Key
    check: str
    episode: str
    change: Change
    reason: Reason
    before: Phase
    after: Phase
    tick: int
    time_ms: int
    issued_ms: int
    past: bool
    severity: str
    profile: str
    since_ms: int
    since_tick: int
    fired_ms: int | None
    value: float | None
    bar: float | None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    silenced: bool = False
    problem: str = ""
    words: str = ""

    @property
    def telling(self) -> bool:
        """Whether it is one of the two that people are told of: an alert begins, an alert ends."""
        return self.change == "firing" or (self.change == "resolved" and self.fired_ms is not None)

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        texts = {"labels": dict(self.labels), "annotations": dict(self.annotations)}
        return {**plain_of(self), "key": list(self.key), **texts}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Transition:
        """The transition that :meth:`as_plain` wrote.

        :raises ValueError: it was written by another version of this program.
        """
        values = checked(plain)
        return cls(**{**values, "key": Key(*values["key"])})


def plain_of(value: AlertState | Transition) -> dict[str, Any]:
    """The fields as they are, under the version: thousands of states are written at a tick, copies would cost."""
    return {"version": VERSION, **{name: getattr(value, name) for name in value.__slots__}}


def checked(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a plain form, without its version.

    :raises ValueError: the version is another one.
    """
    values = dict(plain)
    version = values.pop("version", None)
    if version != VERSION:
        raise ValueError(f"This was written in version {version!r} of the alerts' form; this program reads {VERSION}.")
    return values
