"""What people do with alerts, and what becomes of it at the next tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from support.alerts import rules_of
from support.watching import HOT, Watch

from tft_dash.alerting.desk import AlertDesk
from tft_dash.alerts.rulebook import parse_rules, shipped_rules
from tft_dash.errors import ConflictError, NotThereError, UsageError
from tft_dash.store.alerts.judged import forget_source
from tft_dash.store.alerts.said import read_remarks
from tft_dash.store.schema import ALERT_CHANGES, ALERT_DELIVERIES, ALERT_PROBLEMS, ALERT_REMARKS, ALERT_TELLINGS


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    made = Watch(tmp_path, {"name": "away", "type": "webhook", "url": "http://127.0.0.1:9/", "give_up": "1s"})
    yield made
    made.close()


def saved(watch: Watch) -> AlertDesk:
    """A desk where no file says by which rules."""
    return AlertDesk(watch.store, replace(watch.settings, alert_rules=""))


def test_what_people_say_stays_while_the_collector_goes_on(watch: Watch) -> None:
    watch.live(2, 97.0)
    (kept,) = watch.desk.problems(standing=True)
    name = kept.problem.id
    watch.desk.comment(name, "It was the backup.", "Ann")
    watch.live(1, 97.0)
    watch.desk.say_outcome(name, "true", "Ben")
    watch.live(2, 20.0)
    kept = watch.desk.problem(name)
    assert kept.problem.life == "resolved"
    assert (kept.remarks.outcome, [one.text for one in kept.remarks.comments]) == ("true", ["It was the backup."])
    assert kept.remarks.outcome_by == "Ben"
    assert watch.desk.problems(standing=True) == ()
    for wrong in (lambda: watch.desk.comment(name, "", "Ann"), lambda: watch.desk.say_outcome(name, "maybe", "Ann")):
        with pytest.raises(UsageError):
            wrong()
    for unknown in ("nothing", "", "x" * 99, "'; --"):
        with pytest.raises(NotThereError):
            watch.desk.problem(unknown)


def test_who_is_at_a_problem_is_known_at_once_and_told_nothing_more(watch: Watch) -> None:
    watch.live(1, 97.0)
    (kept,) = watch.desk.problems()
    assert watch.desk.acknowledge(kept.problem.id, "Ann", "looking") == 2
    seen = watch.desk.acknowledged(kept.problem.id)
    assert seen is not None
    assert (seen.by, seen.comment) == ("Ann", "looking")
    watch.live(1, 97.0)
    assert all(one.acknowledged for one in watch.desk.alerts("fleet"))
    watch.desk.take_back(kept.problem.id)
    watch.live(1, 97.0)
    assert not any(one.acknowledged for one in watch.desk.alerts("fleet"))
    watch.desk.acknowledge(kept.problem.id, "Ann")
    watch.live(2, 20.0)
    with pytest.raises(UsageError, match="over"):
        watch.desk.acknowledge(kept.problem.id, "Ann")
    watch.live(1, 97.0)
    assert not any(one.acknowledged for one in watch.desk.alerts("fleet")), "the next alert is another one"


def test_changes_are_kept_in_order_without_what_nobody_was_told_of(watch: Watch) -> None:
    watch.live(2, 97.0)
    watch.live(2, 20.0)
    changes = watch.desk.changes("fleet")
    assert [(one.change, one.key.server) for one in changes] == [
        ("firing", "a"), ("firing", "b"), ("resolved", "a"), ("resolved", "b"),
    ]  # fmt: skip
    first = changes[0].time_ms
    assert [one.change for one in watch.desk.changes("fleet", first_ms=first, last_ms=first)] == ["firing"] * 2
    assert watch.desk.changes("other") == ()


def test_a_silence_needs_an_end_an_author_and_a_reason(watch: Watch) -> None:
    now = watch.desk.now_ms()
    fine = {"matchers": ["server_name=a"], "end_ms": now + 10_000, "by": "Ann", "reason": "test"}
    wrong = (
        {"matchers": []},
        {"end_ms": now - 1},
        {"end_ms": now + 10**12},
        {"by": " "},
        {"reason": ""},
        {"matchers": ["x"]},
        {"start_ms": now + 367 * 86_400_000, "end_ms": now + 368 * 86_400_000},
        {"start_ms": 253_402_214_400_000, "end_ms": 253_402_221_600_000},
    )
    for one in wrong:
        with pytest.raises(UsageError):
            watch.desk.add_silence(**{**fine, **one})  # type: ignore[arg-type]
    made = watch.desk.add_silence(**fine)  # type: ignore[arg-type]
    assert [one.silence for one in watch.desk.silences()] == [made]
    watch.desk.end_silence(made.id, "Ben")
    for _ in range(2):
        with pytest.raises(NotThereError):
            watch.desk.end_silence(made.id, "Ben")


def test_rules_come_from_the_file_then_from_what_was_saved_then_from_the_package(watch: Watch) -> None:
    assert (watch.desk.rules().origin, watch.desk.rules().editable) == ("file", False)
    with pytest.raises(UsageError, match=r"rules\.yaml"):
        watch.desk.save_rules(shipped_rules(), version=0)
    desk = saved(watch)
    assert desk.rules().origin == "shipped"
    own = rules_of(HOT)
    desk.save_rules(own, version=0, author="Ann")
    found = desk.rules()
    assert (found.origin, found.version, found.editable, found.rules) == ("saved", 1, True, own)
    with pytest.raises(ConflictError):
        desk.save_rules(shipped_rules(), version=0)
    desk.save_rules(shipped_rules(), version=1)
    assert [one.version for one in desk.rule_versions()] == [2, 1]
    assert parse_rules(desk.rule_versions()[1].body, "version 1") == own


def test_what_is_old_goes_and_what_people_said_stays(watch: Watch) -> None:
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    (kept,) = watch.desk.problems()
    watch.desk.say_outcome(kept.problem.id, "false", "Ann")
    watch.deliver()
    watch.courier.tidy()
    assert rows(watch)[:3] == [1, 4, 2]
    assert rows(watch)[3] > 0
    with watch.store.write() as connection:
        connection.execute(update(ALERT_PROBLEMS).values(resolved_ms=1))
        connection.execute(update(ALERT_CHANGES).values(time_ms=1))
        connection.execute(update(ALERT_TELLINGS).values(created_ms=1, done_ms=1))
        connection.execute(update(ALERT_DELIVERIES).values(at_ms=1))
    watch.courier.tidy()
    assert rows(watch) == [1, 0, 0, 0]
    (found,) = watch.desk.problems()
    assert (found.problem.id, found.remarks.outcome) == (kept.problem.id, "false")
    with watch.store.write() as connection:
        connection.execute(delete(ALERT_REMARKS))
    watch.courier.tidy()
    assert rows(watch) == [0, 0, 0, 0], "one of which nobody has said a word goes"


def rows(watch: Watch) -> list[int]:
    tables = (ALERT_PROBLEMS, ALERT_CHANGES, ALERT_TELLINGS, ALERT_DELIVERIES)
    with watch.store.read() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_a_history_that_was_dropped_begins_anew_and_its_alerts_go_on(watch: Watch) -> None:
    watch.live(15, 97.0)
    watch.world.ticks.forget("fleet")
    watch.collector.start_over()
    other = watch.another("two")
    watch.world.feed.forget(watch.world.now)
    watch.world.live(other, 3, 97.0)
    assert {one.phase for one in watch.desk.alerts("fleet")} == {"firing"}
    assert watch.desk.book("fleet").tick < 10
    watch.world.live(other, 2, 20.0)
    assert {one.phase for one in watch.desk.alerts("fleet")} == {"resolved"}


def test_a_source_that_is_forgotten_leaves_nothing_that_stands(watch: Watch) -> None:
    watch.live(2, 97.0)
    (kept,) = watch.desk.problems()
    watch.desk.comment(kept.problem.id, "old", "Ann")
    with watch.store.write() as connection:
        forget_source(connection, "fleet")
    assert watch.desk.alerts() == watch.desk.problems() == watch.desk.tellings() == ()
    with watch.store.read() as connection:
        assert kept.problem.id in read_remarks(connection, (kept.problem.id,))
