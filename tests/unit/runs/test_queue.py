"""Runs: asked for, waiting in one queue, made in the background, stopped, taken over."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tft_dash.errors import LimitError, StorageError, UnknownNameError
from tft_dash.recordings import Recordings, recording_name
from tft_dash.runs import Run, RunQueue
from tft_dash.runs.queue import MOST_WAITING
from tft_dash.scenarios.document import Scenario, as_mapping
from tft_dash.scenarios.library import load_scenario
from tft_dash.store.engine import Store
from tft_dash.store.runs import MOST_ATTEMPTS, RUNS_KEPT, STALE_SECONDS, Claim, RunTable
from tft_dash.store.schema import RUNS

CASCADE = load_scenario("cascade")
LONG = CASCADE.with_overrides(fleet_size=3000, duration_seconds=3600, tick_seconds=2)
"""Takes far longer to make than to stop."""

Queue = Callable[..., RunQueue]


def variant(seed: int) -> Scenario:
    return CASCADE.with_overrides(seed=seed)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.sqlite")


@pytest.fixture
def table(store: Store) -> RunTable:
    return RunTable(store)


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "runs", disk_bytes=1_000_000_000, keep_seconds=86_400)


@pytest.fixture
def queue(store: Store, recordings: Recordings) -> Iterator[Queue]:
    """Makes queues like those of several processes, and closes them."""
    made: list[RunQueue] = []

    def make(*, row_limit: int = 10_000_000, at_once: int = 1, other_bytes: int = 0) -> RunQueue:
        one = RunQueue(store, recordings, row_limit=row_limit, at_once=at_once, other_bytes=lambda: other_bytes)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def elsewhere(table: RunTable, scenario: Scenario = CASCADE, run_id: str = "other", at_once: int = 1) -> Claim:
    """A run that another process makes, and never ends."""
    facts = {"title": "Other", "scenario": scenario.name, "source": recording_name(scenario), "author": ""}
    table.add(run_id, {**facts, "body": json.dumps(as_mapping(scenario)), "rows": 10}, most_waiting=MOST_WAITING)
    claim = table.claim(f"runner-{run_id}", at_once=at_once)
    assert claim is not None
    return claim


def age(store: Store, run_id: str, **values: Any) -> None:
    """As if a run's process had not been heard of for long."""
    heartbeat = datetime.now(UTC) - timedelta(seconds=STALE_SECONDS + 1)
    with store.write() as connection:
        connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(heartbeat=heartbeat, **values))


def wait_for(queue: RunQueue, run_id: str, *states: str) -> Run:
    for _ in range(1200):
        run = queue.get(run_id)
        if run.state in states:
            return run
        time.sleep(0.05)
    pytest.fail(f"it is still {queue.get(run_id)}")


def test_a_run_makes_its_recording_in_the_background(queue: Queue, recordings: Recordings) -> None:
    runs = queue()
    asked = runs.submit(CASCADE, author="Ann")
    assert (asked.scenario, asked.title, asked.source) == (CASCADE.name, CASCADE.title, recording_name(CASCADE))
    assert (asked.author, asked.rows) == ("Ann", CASCADE.spec.clock.ticks * CASCADE.spec.fleet.size)
    done = wait_for(runs, asked.id, "done", "failed")
    assert (done.state, done.progress, done.message, done.position) == ("done", 1.0, "", None)
    assert done.created <= done.started <= done.finished  # type: ignore[operator]
    assert recordings.is_current(CASCADE)
    assert runs.recent() == (done,)


def test_a_recording_that_is_there_gives_a_run_that_is_done(queue: Queue, recordings: Recordings) -> None:
    recordings.make(CASCADE)
    run = queue().submit(CASCADE)
    assert (run.state, run.progress, run.source) == ("done", 1.0, recording_name(CASCADE))
    found = recordings.find(run.source)
    assert found is not None
    assert found.watched is not None


def test_a_run_whose_recording_was_removed_says_so_and_can_be_made_again(queue: Queue, recordings: Recordings) -> None:
    runs = queue()
    run = wait_for(runs, runs.submit(CASCADE).id, "done")
    assert run.there
    shutil.rmtree(recordings.folder / run.source)
    gone = runs.get(run.id)
    assert (gone.state, gone.there) == ("done", False)
    assert "Run it again" in gone.message
    assert wait_for(runs, runs.submit(CASCADE).id, "done").there


def test_those_that_wait_know_their_position(queue: Queue, table: RunTable) -> None:
    elsewhere(table)
    runs = queue()
    waiting = [runs.submit(variant(seed)) for seed in (1, 2, 3)]
    assert [run.state for run in waiting] == ["queued"] * 3
    assert [run.position for run in waiting] == [1, 2, 3]
    runs.cancel(waiting[1].id)
    assert [runs.get(run.id).position for run in waiting] == [1, None, 2]
    assert [run.id for run in runs.recent(2)] == [waiting[2].id, waiting[1].id]
    assert queue().get(waiting[2].id).position == 2


def test_the_same_document_is_made_once(queue: Queue, table: RunTable) -> None:
    elsewhere(table)
    runs = queue()
    first = runs.submit(variant(1))
    assert queue().submit(variant(1), author="Ben") == first
    assert runs.submit(CASCADE).id == "other"
    assert len(runs.recent()) == 2


def test_no_more_are_made_at_a_time_than_is_set_however_many_ask(table: RunTable) -> None:
    claims = [elsewhere(table, variant(number), f"run-{number}", at_once=2) for number in (1, 2)]
    facts = {"title": "", "scenario": "s", "source": "s-3", "body": "{}", "rows": 7, "author": ""}
    table.add("run-3", facts, most_waiting=9)
    assert table.claim("third", at_once=2) is None
    table.finish(claims[0], "done")
    third = table.claim("third", at_once=2)
    assert third is not None
    assert (third.id, third.others) == ("run-3", 10)
    assert table.claim("fourth", at_once=2) is None


def test_of_many_that_claim_at_once_one_gets_it(table: RunTable) -> None:
    facts = {"title": "", "scenario": "s", "source": "s-1", "body": "{}", "rows": 7, "author": ""}
    table.add("run", facts, most_waiting=9)
    claims: list[Claim | None] = []
    threads = [
        threading.Thread(target=lambda name=f"r{number}": claims.append(table.claim(name, at_once=9)))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in claims) == 1


def test_a_run_that_waits_is_stopped_at_once(queue: Queue, table: RunTable, recordings: Recordings) -> None:
    elsewhere(table)
    runs = queue()
    stopped = runs.cancel(runs.submit(variant(1)).id)
    assert (stopped.state, stopped.message) == ("cancelled", "Cancelled before it began.")
    assert stopped.finished is not None
    assert runs.cancel(stopped.id) == stopped
    assert recordings.all() == ()


def test_a_run_that_is_being_made_is_stopped_and_leaves_nothing(queue: Queue, recordings: Recordings) -> None:
    runs, other = queue(), queue()
    run = runs.submit(LONG)
    wait_for(runs, run.id, "running")
    asked = other.cancel(run.id)
    assert (asked.state, asked.message) == ("running", "It is being stopped.")
    stopped = wait_for(other, run.id, "cancelled", "done", "failed")
    assert stopped.state == "cancelled"
    assert stopped.message.startswith("Cancelled at ")
    assert list(recordings.folder.iterdir()) == []


def test_a_document_whose_run_is_being_stopped_can_be_run_again(queue: Queue, table: RunTable) -> None:
    elsewhere(table)
    runs = queue()
    runs.cancel("other")
    again = runs.submit(CASCADE)
    assert again.id != "other"
    assert again.state == "queued"


def test_the_run_of_a_process_that_died_is_made_by_another(
    store: Store, queue: Queue, table: RunTable, recordings: Recordings
) -> None:
    claim = elsewhere(table)
    runs = queue()
    assert runs.get("other").state == "running"
    age(store, "other")
    assert wait_for(runs, "other", "done", "failed").state == "done"
    assert recordings.is_current(CASCADE)
    table.finish(claim, "failed", "The process was only asleep.")
    assert not table.beat(claim, 0.5)
    assert runs.get("other").state == "done"


def test_a_process_that_only_slept_does_not_disturb_the_one_that_took_over(store: Store, table: RunTable) -> None:
    sleeper = elsewhere(table)
    age(store, "other")
    claim = table.claim("second", at_once=1)
    assert claim is not None
    assert not table.beat(sleeper, 0.9)
    table.finish(sleeper, "failed", "It was asleep.")
    table.give_back(sleeper)
    found = table.get("other")
    assert found is not None
    assert (found.state, found.progress, found.message) == ("running", 0.0, "")
    assert table.beat(claim, 0.1)


def test_a_run_that_is_to_be_stopped_is_not_taken_over(store: Store, queue: Queue, table: RunTable) -> None:
    elsewhere(table)
    age(store, "other")
    assert queue().cancel("other").state == "cancelled"


def test_a_run_that_kills_its_process_every_time_is_given_up(store: Store, queue: Queue, table: RunTable) -> None:
    elsewhere(table)
    age(store, "other", attempts=MOST_ATTEMPTS)
    run = wait_for(queue(), "other", "done", "failed")
    assert run.state == "failed"
    assert "ended 3 times" in run.message


def test_a_run_that_fails_says_why_and_the_next_is_made(
    store: Store, queue: Queue, table: RunTable, recordings: Recordings
) -> None:
    bad = elsewhere(table, variant(1), "bad")
    age(store, "bad", body=json.dumps({**as_mapping(CASCADE), "apiVersion": "tft-dash/v0"}))
    runs = queue()
    good = runs.submit(CASCADE)
    failed = wait_for(runs, bad.id, "done", "failed")
    assert failed.state == "failed"
    assert "run bad: 1 mistake" in failed.message
    assert wait_for(runs, good.id, "done", "failed").state == "done"


def test_a_folder_that_refuses_fails_the_run_with_what_to_do(queue: Queue, recordings: Recordings) -> None:
    recordings.folder.write_text("in the way")
    runs = queue()
    failed = wait_for(runs, runs.submit(CASCADE).id, "done", "failed")
    assert failed.state == "failed"
    assert "TFT_DASH_DATA" in failed.message


def test_a_process_that_ends_gives_its_run_back(queue: Queue, table: RunTable, recordings: Recordings) -> None:
    runs = queue()
    run = runs.submit(LONG)
    wait_for(runs, run.id, "running")
    runs.close()
    found = table.get(run.id)
    assert found is not None
    assert (found.state, found.position, found.progress) == ("queued", 1, 0.0)
    assert list(recordings.folder.iterdir()) == []


def test_a_process_that_keeps_watch_makes_by_itself_what_another_has_left(
    queue: Queue, table: RunTable, recordings: Recordings
) -> None:
    facts = {"title": "", "scenario": "s", "source": recording_name(CASCADE), "rows": 7, "author": ""}
    old = recordings.make(variant(1))
    long_ago = time.time() - 2 * 86_400
    for file in old.path.parent.iterdir():
        os.utime(file, (long_ago, long_ago))
    table.add("left", {**facts, "body": json.dumps(as_mapping(CASCADE))}, most_waiting=9)
    queue().keep_watch()
    for _ in range(1200):
        if recordings.is_current(CASCADE) and not old.path.exists():
            return
        time.sleep(0.05)
    pytest.fail("nobody has made it, or removed what is too old")


def test_a_process_that_is_asked_to_end_gives_its_run_back_at_once(queue: Queue, table: RunTable) -> None:
    runs = queue()
    run = runs.submit(LONG)
    wait_for(runs, run.id, "running")
    runs.stop()
    for _ in range(600):
        found = table.get(run.id)
        if found is not None and found.state == "queued":
            return
        time.sleep(0.02)
    pytest.fail("it was not given back")


def test_a_drill_beyond_the_limit_is_refused_with_what_would_do(queue: Queue) -> None:
    large = CASCADE.with_overrides(fleet_size=3000, duration_seconds=7200)
    runs = queue(row_limit=1_000_000)
    with pytest.raises(LimitError, match=r"3,000 servers × 1,440 ticks = 4,320,000 rows.*1,000,000.*TFT_DASH_RUN_ROWS"):
        runs.submit(large)
    with pytest.raises(LimitError, match=r"a longer tick \(22s would do\)"):
        runs.submit(large)
    fits = large.with_overrides(tick_seconds=22)
    assert fits.spec.clock.ticks * 3000 <= 1_000_000
    with pytest.raises(LimitError, match=r"or a longer tick, or raise"):
        queue(row_limit=100).submit(large)


def test_a_drill_that_finds_no_room_is_refused(queue: Queue) -> None:
    with pytest.raises(LimitError, match="TFT_DASH_DISK_GB"):
        queue(other_bytes=1_000_000_000).submit(CASCADE)


def test_the_queue_has_an_end(queue: Queue, table: RunTable) -> None:
    elsewhere(table)
    facts = {"title": "", "scenario": "s", "body": "{}", "rows": 7, "author": ""}
    for number in range(MOST_WAITING):
        table.add(f"run-{number}", {**facts, "source": f"s-{number}"}, most_waiting=MOST_WAITING)
    with pytest.raises(LimitError, match="100 runs are waiting already"):
        queue().submit(variant(1))


def test_old_runs_are_forgotten_but_none_that_waits(queue: Queue, table: RunTable) -> None:
    elsewhere(table)
    facts = {"title": "", "scenario": "s", "source": "s", "body": "{}", "rows": 7, "author": ""}
    for number in range(RUNS_KEPT + 5):
        table.add_done(f"run-{number}", facts)
    found = table.recent(2 * RUNS_KEPT)
    assert len(found) == RUNS_KEPT + 1
    assert found[-1].id == "other"


def test_a_run_that_never_was_is_named(queue: Queue) -> None:
    runs = queue()
    for name in ("nothing", "\x00", "\ud800", "x" * 500):
        with pytest.raises(UnknownNameError):
            runs.get(name)
        with pytest.raises(UnknownNameError):
            runs.cancel(name)


def test_a_store_out_of_reach_is_told_to_whoever_asks(tmp_path: Path, recordings: Recordings) -> None:
    path = tmp_path / "other.sqlite"
    path.write_text("no store" * 1000)
    runs = RunQueue(Store(f"sqlite:///{path}"), recordings, row_limit=10**7, at_once=1)
    for ask in (runs.wake, runs.recent, lambda: runs.submit(CASCADE)):
        with pytest.raises(StorageError, match="no SQLite file"):
            ask()
