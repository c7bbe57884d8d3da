"""Trying receivers: what exactly would be sent, and whether it arrives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tft_dash.alerting.desk import AlertDesk
from tft_dash.alerting.links import base_address
from tft_dash.alerting.posting import Answer, post
from tft_dash.alerting.receiving import Receiving
from tft_dash.alerting.requesting import DryRun, dry_run, request_for
from tft_dash.alerts.alert import AlertState, Key
from tft_dash.alerts.delivery.alertmanager import standing, test_alert
from tft_dash.alerts.delivery.message import Event, Message, message_of
from tft_dash.alerts.delivery.payloads import PAYLOADS
from tft_dash.alerts.delivery.receivers import Receiver
from tft_dash.alerts.problem import Involved, Problem, Reading
from tft_dash.alerts.rulebook import shipped_rules
from tft_dash.errors import TftDashError
from tft_dash.settings import Settings
from tft_dash.store.alerts.outbox import Delivery

_EXAMPLE = "example"


class Trial:
    """Tries the receivers that the settings name.

    :raises TftDashError: the file of receivers cannot be used.
    """

    def __init__(self, desk: AlertDesk, settings: Settings) -> None:
        self._desk, self._base = desk, base_address(settings)
        self._receiving = Receiving(settings)

    @property
    def receiving(self) -> Receiving:
        """The receivers."""
        return self._receiving

    def payload(self, name: str, problem: str | None = None, *, event: Event = "firing") -> DryRun:
        """The exact request that a receiver would get about a problem, secrets masked; about an example without one.

        :raises UsageError: there is no such receiver or problem.
        """
        receiver = self._receiving.receiver(name)
        found, states = self._example() if problem is None else self._real(problem)
        known = shipped_rules().rules if problem is None else self._desk.rules().rules.rules
        rules = {one.alert: one for one in known}
        if receiver.is_alertmanager:
            now = self._desk.now_ms()
            alerts = [standing(one, rules.get(one.key.rule), now, self._base) for one in states]
            return dry_run(receiver, alerts, "")
        identity = f"{event}.{receiver.name}.{found.id}.{found.reopened}"
        message = message_of(identity, event, found, states, rules=rules, base=self._base)
        return dry_run(receiver, PAYLOADS[receiver.type](message), identity)

    def test(self, name: str) -> Answer:
        """Send a receiver a message that says that nothing is wrong, once, and log it.

        :raises UsageError: there is no such receiver.
        """
        receiver = self._receiving.receiver(name)
        now = self._desk.now_ms()
        answer = Answer(204, "", 0)
        for payload, key in self._test_payloads(receiver, now):
            if answer.ok:
                try:
                    answer = post(receiver, request_for(receiver, payload, key))
                except TftDashError as error:
                    answer = Answer(None, str(error), 0)
        outcome = "sent" if answer.ok else "failed"
        self._desk.log(
            Delivery(
                f"test.{name}.{now}", "", name, "", "test", now, 1, outcome, answer.status, answer.took_ms, answer.words
            )
        )
        return answer

    def _test_payloads(self, receiver: Receiver, now: int) -> list[tuple[Any, str]]:
        if receiver.is_alertmanager:
            return [([test_alert(receiver.name, now, self._base)], "")]
        problem, _ = self._example()
        problem = replace(
            problem,
            id=f"test-{now}",
            source="test",
            title="Test: nothing is wrong",
            severity="info",
            servers=(),
            origin="",
        )
        message = Message(f"test.{receiver.name}.{now}", "test", problem, (), 0, self._base)
        payloads = [(PAYLOADS[receiver.type](message), message.id)]
        if not receiver.is_chat and receiver.type == "pagerduty":  # what was opened is closed again
            ended = replace(message, event="resolved", id=f"{message.id}.end")
            payloads.append((PAYLOADS[receiver.type](ended), ended.id))
        return payloads

    def _real(self, identity: str) -> tuple[Problem, list[AlertState]]:
        problem = self._desk.problem(identity).problem
        states = self._desk.book(problem.source).states.values()
        return problem, [one for one in states if one.problem == identity and one.fired_ms is not None]

    def _example(self) -> tuple[Problem, list[AlertState]]:
        """A problem like many, so that people see how it would read."""
        now = self._desk.now_ms()
        began = now - 60_000
        driver = Reading("cpu_pct", 97.0, 41.0, 80.0, 95.0)
        server = Involved("db-001", "database", began, 1, 0.91, began, (driver,), ("ServerAtRisk",), "")
        problem = Problem(
            id=_EXAMPLE, source=_EXAMPLE, kind="incident", life="open", title="db-001", severity="warning",
            opened_ms=now - 30_000, opened_tick=7, began_ms=began, began_tick=1, last_onset_ms=now - 30_000,
            changed_ms=now, resolved_ms=None, reopened=0, past=False, origin="db-001", origin_why="It showed first.",
            servers=(server,), server_count=1, profiles=("database",), alerts=1,
        )  # fmt: skip
        rule = next(one for one in shipped_rules().rules if one.alert == "ServerAtRisk")
        key = Key(_EXAMPLE, rule.alert, "db-001")
        labels = {
            "alertname": rule.alert,
            "severity": "warning",
            "source": _EXAMPLE,
            "server_name": "db-001",
            "profile": "database",
        }
        state = AlertState(
            key, "firing", rule.condition, "warning", "database", began, 1, now - 30_000, 0, now, 0.91, 0.93,
            fired_ms=now - 30_000, fired_tick=7, labels=labels, problem=_EXAMPLE,
        )  # fmt: skip
        return problem, [state]
