"""Two collectors of one source, as two hosts would run them: one leads, the other takes over, no tick is lost or twice.

On SQLite, and on a PostgreSQL server that TFT_DASH_TEST_POSTGRESQL names or that is started here.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.live import World
from support.postgresql import database, postgresql
from support.pulse import start, wait_until_leading

from tft_dash.collecting.keeping import Keeper, Limits
from tft_dash.errors import StorageError
from tft_dash.store.engine import Store
from tft_dash.store.live import Leases, LiveFacts, LiveState, LiveStore

TAKE_OVER_SECONDS = 15.0
PATIENCE_SECONDS = 120.0
BUSY_LOAD = 2.0
"""Processes that wait for each processor: where there are more, how long something takes says nothing of us."""


@pytest.fixture
def store(url: str) -> Iterator[LiveStore]:
    opened = Store(url)
    yield LiveStore(opened)
    opened.close()


@pytest.fixture
def collectors(url: str, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    with contextlib.ExitStack() as ends:

        def begin() -> subprocess.Popen[str]:
            process = start(url, tmp_path)
            ends.callback(_end, process)
            return process

        yield begin


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def until(store: LiveStore, what: Callable[[LiveState], bool]) -> tuple[LiveState, float]:
    """The state at which it is so, and how long that took."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_SECONDS:
        with contextlib.suppress(StorageError):
            state = store.state("pulse")
            if state is not None and what(state):
                return state, time.monotonic() - begun
        time.sleep(0.1)
    raise AssertionError(f"it did not come to that: {store.state('pulse')}")


def is_current(state: LiveState) -> bool:
    return state.latest >= 0 and (state.lag_seconds or 0.0) < 2.0


def demand_each_once(store: LiveStore) -> None:
    found = store.history("pulse", 0, 10**9)
    assert found.ticks.tolist() == list(range(len(found.ticks)))
    assert set(np.diff(found.times)) == {np.timedelta64(1000, "ms")}
    assert set(found.reporting.tolist()) == {3}


def test_a_leader_that_is_killed_is_followed_within_15_seconds_and_every_tick_is_recorded_once(
    store: LiveStore, collectors: Callable[[], subprocess.Popen[str]]
) -> None:
    first = collectors()
    wait_until_leading(first)
    second = collectors()
    led, _ = until(store, is_current)
    time.sleep(4)  # time for the second to be ready
    os.kill(first.pid, signal.SIGKILL)
    state, took = until(store, lambda state: state.holder != led.holder and state.latest > led.latest)
    assert took <= TAKE_OVER_SECONDS or os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)
    assert state.epoch > led.epoch
    until(store, is_current)
    third = collectors()  # the killed one comes back, and stands by
    until(store, lambda state: state.latest > led.latest + 15)
    second.terminate()
    assert second.wait(15) == 0
    until(store, lambda other: other.holder not in ("", state.holder) and is_current(other))
    third.terminate()
    assert third.wait(15) == 0
    demand_each_once(store)


def test_a_leader_whose_process_is_stopped_for_a_while_finds_itself_followed_and_records_nothing_twice(
    store: LiveStore, collectors: Callable[[], subprocess.Popen[str]]
) -> None:
    first = collectors()
    wait_until_leading(first)
    collectors()
    led, _ = until(store, is_current)
    os.killpg(first.pid, signal.SIGSTOP)
    until(store, lambda state: state.holder != led.holder and is_current(state))
    os.killpg(first.pid, signal.SIGCONT)
    now, _ = until(store, is_current)
    until(store, lambda state: state.latest > now.latest + 6)
    after = store.state("pulse")
    assert after is not None
    assert after.holder != led.holder
    demand_each_once(store)


def test_a_database_that_crashes_and_comes_back_costs_no_tick(tmp_path: Path) -> None:
    with postgresql() as server, database(server) as url, contextlib.ExitStack() as ends:
        opened = Store(url)
        ends.callback(opened.close)
        store = LiveStore(opened)
        for _ in range(2):
            ends.callback(_end, start(url, tmp_path))
        before, _ = until(store, lambda state: is_current(state) and state.latest > 5)
        server.stop()
        time.sleep(8)
        server.start()
        until(store, lambda state: state.latest > before.latest + 15 and is_current(state))
        demand_each_once(store)


def test_history_is_recorded_read_and_kept_within_bounds_in_either_database(url: str) -> None:
    with contextlib.ExitStack() as ends:
        opened = Store(url)
        ends.callback(opened.close)
        world = World(opened, name="fleet")
        collector = world.collector(holder="one")
        for tick in range(200):
            world.forward(5)
            world.report(20.0 + tick % 13)
        collector.round()
        collector.close()
        recorded = world.recorded()
        leases = Leases(opened)
        lease = leases.acquire(LiveFacts("fleet", "identity", "memory", "memory:", 5.0, 0.0), "keeper")
        assert lease is not None
        elapsed = itertools.count(0, 301)
        keeper = Keeper(opened, "fleet", Limits(300, 1e9, 10**12), monotonic=lambda: float(next(elapsed)))
        while keeper.keep(lease, world.now):
            pass
        live = LiveStore(opened)
        found = live.history("fleet", 0, 10**9)
        assert int(found.stands_for.sum()) == len(recorded) == 200
        assert len(found.ticks) < 130
        for tick in found.ticks.tolist():
            kept = live.tick("fleet", tick)
            assert kept is not None
            np.testing.assert_array_equal(kept.risk, recorded[tick].risk)
            assert kept.prob_8h == recorded[tick].prob_8h
        state = live.state("fleet")
        assert state is not None
        assert abs(state.now - np.datetime64("now")) < np.timedelta64(60, "s")
        keeper = Keeper(opened, "fleet", Limits(300, 60, 10**12), monotonic=lambda: float(next(elapsed)))
        while keeper.keep(lease, world.now):
            pass
        assert live.oldest("fleet") == 199 - 12
