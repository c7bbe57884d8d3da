"""A lease that is kept beside the polling, and let go when that stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tft_dash.collecting.leading import STUCK_SECONDS, Lead
from tft_dash.store.engine import Store
from tft_dash.store.live import Leases, LiveFacts, LiveStore

FACTS = LiveFacts("fleet", "identity", "memory", "memory:", 5.0, 5.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


def run_out(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE live_sources SET until_ms = 1")


def renewed(store: Store) -> bool:
    state = LiveStore(store).state("fleet")
    return state is not None and state.collected


def until(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def test_a_lease_is_renewed_while_a_poll_takes_long(store: Store) -> None:
    lead = Lead(Leases(store), FACTS, "one", renew_seconds=0.05)
    assert lead.take() is not None
    run_out(store)
    assert until(lambda: renewed(store))
    lead.release()
    assert not renewed(store)


def test_a_process_whose_polling_stands_still_stops_leading(store: Store) -> None:
    now = [0.0]
    lead = Lead(Leases(store), FACTS, "one", renew_seconds=0.05, monotonic=lambda: now[0])
    assert lead.take() is not None
    now[0] = STUCK_SECONDS + 1
    run_out(store)
    time.sleep(0.5)  # ten times as long as it would take
    assert not renewed(store)
    lead.beat()
    assert until(lambda: renewed(store))  # it goes on, and nobody has taken over
    lead.release()


def test_a_thread_that_died_is_followed_by_another(store: Store) -> None:
    lead = Lead(Leases(store), FACTS, "one", renew_seconds=0.05)
    lead._stop.set()  # as if it had met an error
    assert lead.take() is not None
    assert lead._thread is not None
    lead._thread.join()
    lead._stop.clear()
    run_out(store)
    assert lead.take() is not None
    assert until(lambda: renewed(store))
    lead.release()


def test_one_that_was_followed_learns_it_and_asks_again(store: Store) -> None:
    lead = Lead(Leases(store), FACTS, "one", renew_seconds=0.05)
    first = lead.take()
    assert first is not None
    run_out(store)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE live_sources SET holder = 'two', epoch = epoch + 1")
    assert until(lambda: lead.take() is None or lead.take() != first)
    lead.release()
