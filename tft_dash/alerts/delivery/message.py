"""What is told of a problem: a message, made once when there is something to tell, and sent as it is ever after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode

from tft_dash.alerts.alert import VERSION, AlertState, checked
from tft_dash.alerts.judgement.telling import annotations_of
from tft_dash.alerts.problem import Involved, Problem
from tft_dash.alerts.rules import Rule
from tft_dash.schema import readable

Event = Literal["firing", "resolved", "test"]
ALERTS_TOLD: Final = 50
SERVERS_TOLD: Final = 5
"""So many servers are written out in a message for people; of the others only the number."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of the problem, as it stood when the message was made.

    :param value: the last that was judged.
    """

    episode: str
    severity: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float
    since_ms: int
    fired_ms: int


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell.

    :param id: the same however often it is sent: whoever has seen it can drop it.
    :param problem: as it stood; without its timeline.
    :param alert_count: how many there are, also those that ``alerts`` has no room for.
    :param base: address of the pages.
    """

    id: str
    event: Event
    problem: Problem
    alerts: tuple[Alert, ...]
    alert_count: int
    base: str

    @property
    def page(self) -> str:
        """Link to the problem."""
        return f"{self.base}alerts?{urlencode({'problem': self.problem.id})}"

    @property
    def moment(self) -> str:
        """Link to the monitor at the moment when the problem was opened."""
        return moment_link(self.base, self.problem.source, self.problem.opened_tick)

    @property
    def title(self) -> str:
        """One line: how urgent it is, and what."""
        if self.event == "test":
            return "Test: nothing is wrong"
        word = self.problem.severity.upper() if self.event == "firing" else "Resolved"
        return f"{word}: {self.problem.title}"

    @property
    def texts(self) -> tuple[str, ...]:
        """What its alerts say, each sentence once."""
        said = (one.annotations.get("summary") or one.labels.get("alertname", "") for one in self.alerts)
        return tuple(dict.fromkeys(said))

    @property
    def runbooks(self) -> tuple[str, ...]:
        """Links to what to do, each once."""
        return tuple(dict.fromkeys(one.annotations["runbook_url"] for one in self.alerts if _runbook(one)))

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"version": VERSION, **asdict(self), "problem": self.problem.as_plain()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Message:
        """The message that :meth:`as_plain` wrote.

        :raises ValueError: it was written by another version of this program.
        """
        values = checked(plain)
        alerts = tuple(Alert(**one) for one in values["alerts"])
        return cls(**{**values, "problem": Problem.from_plain(values["problem"]), "alerts": alerts})


def _runbook(one: Alert) -> bool:
    return bool(one.annotations.get("runbook_url"))


def message_of(
    identity: str,
    event: Event,
    problem: Problem,
    states: Iterable[AlertState],
    *,
    rules: Mapping[str, Rule],
    base: str,
) -> Message:
    """The message about a problem as it stands.

    :param states: of its alerts.
    :param rules: by name; an alert whose rule is gone is told without its texts.
    """
    fired = [one for one in states if one.fired_ms is not None]
    return Message(
        id=identity,
        event=event,
        problem=replace(problem, timeline=(), skipped=0),
        alerts=tuple(_alert(one, rules.get(one.key.rule)) for one in fired[:ALERTS_TOLD]),
        alert_count=len(fired),
        base=base,
    )


def _alert(state: AlertState, rule: Rule | None) -> Alert:
    annotations = {} if rule is None else annotations_of(rule, state.labels, state.value)
    fired = state.since_ms if state.fired_ms is None else state.fired_ms
    return Alert(state.episode, state.severity, dict(state.labels), annotations, state.value, state.since_ms, fired)


def moment_link(base: str, source: str, tick: int) -> str:
    """Link to the monitor at a tick; it shows that moment for ever."""
    return f"{base}?{urlencode({'source': source, 'tick': max(tick, 0)})}"


def iso(time_ms: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(time_ms: int) -> str:
    """The same for people, to the second."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def server_line(one: Involved) -> str:
    """A server and why: ``db-001 (database): risk 0.91, cpu_pct 97.2 (usually 41)``."""
    risk = [] if one.peak_risk is None else [f"risk {readable(one.peak_risk)}"]
    drivers = [
        f"{driver.metric} {readable(driver.value)}"
        + ("" if driver.usual is None else f" (usually {readable(driver.usual)})")
        for driver in one.drivers
    ]
    said = ", ".join([*risk, *drivers])
    return f"{one.server} ({one.profile})" + (f": {said}" if said else "")


def server_lines(problem: Problem) -> list[str]:
    """The first servers, likely origin first, and how many more there are."""
    lines = [server_line(one) for one in problem.servers[:SERVERS_TOLD]]
    more = problem.server_count - len(lines)
    return [*lines, f"and {more:,} more"] if lines and more > 0 else lines


def facts(message: Message) -> list[tuple[str, str]]:
    """What people want to know at a glance, as names and values."""
    problem = message.problem
    found = [("Source", problem.source), ("Severity", problem.severity), ("Began", clock(problem.began_ms))]
    if message.event == "resolved" and problem.resolved_ms is not None:
        found.append(("Over", clock(problem.resolved_ms)))
    if problem.origin:
        found.append(("Likely origin", problem.origin))
    if problem.past:
        found.append(("Back-filled", "This was recorded after the fact, when the source answered again."))
    return [*found, ("Alerts", f"{message.alert_count:,}")]
