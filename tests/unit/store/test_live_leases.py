"""One leader for every source, whatever happens to processes and clocks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tft_dash.errors import LostLeadError, UsageError
from tft_dash.store.engine import Store
from tft_dash.store.live import Leases, LiveFacts, LiveStore, Poll

FACTS = LiveFacts("fleet", "identity", "memory", "memory:", 5.0, 5.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


def let_time_pass(store: Store, milliseconds: int) -> None:
    """As if the database's clock had gone on by so much: the lease ends so much earlier. Negative = it was set back."""
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE live_sources SET until_ms = until_ms - ?", (milliseconds,))


def test_the_first_who_asks_leads_and_the_others_stand_by(store: Store) -> None:
    leases = Leases(store)
    one = leases.acquire(FACTS, "one")
    assert one is not None
    assert leases.acquire(FACTS, "two") is None
    assert leases.acquire(FACTS, "one") == one  # who has it, gets it again
    other = leases.acquire(replace(FACTS, name="other"), "two")
    assert other is not None


def test_a_lease_runs_out_unless_it_is_renewed(store: Store) -> None:
    leases = Leases(store)
    one = leases.acquire(FACTS, "one")
    assert one is not None
    let_time_pass(store, 9_000)
    assert leases.acquire(FACTS, "two") is None
    assert leases.renew(one)
    let_time_pass(store, 9_000)
    assert leases.acquire(FACTS, "two") is None
    let_time_pass(store, 1_001)
    two = leases.acquire(FACTS, "two")
    assert two is not None
    assert two.epoch == one.epoch + 1
    assert not leases.renew(one)


def test_one_that_was_followed_cannot_record(store: Store) -> None:
    leases, live = Leases(store), LiveStore(store)
    one = leases.acquire(FACTS, "one")
    assert one is not None
    live.record(one, (), Poll())
    let_time_pass(store, 20_000)
    live.record(one, (), Poll())  # nobody has taken it: it is still its own
    two = leases.acquire(FACTS, "two")
    assert two is not None
    with pytest.raises(LostLeadError, match="collected by two by now, no longer by one"):
        live.record(one, (), Poll())
    live.record(two, (), Poll())


def test_a_lease_that_is_given_back_can_be_taken_at_once(store: Store) -> None:
    leases = Leases(store)
    one = leases.acquire(FACTS, "one")
    assert one is not None
    leases.release(one)
    two = leases.acquire(FACTS, "two")
    assert two is not None
    leases.release(one)  # too late: it is somebody else's
    state = LiveStore(store).state("fleet")
    assert state is not None
    assert (state.holder, state.collected) == ("two", True)


def test_a_clock_of_the_database_that_is_set_back_does_not_keep_the_lease_of_the_dead(store: Store) -> None:
    leases = Leases(store)
    one = leases.acquire(FACTS, "one")
    assert one is not None
    let_time_pass(store, -3_600_000)
    two = leases.acquire(FACTS, "two")
    assert two is not None
    assert two.epoch > one.epoch
    assert leases.acquire(FACTS, "one") is None


def test_of_ten_that_ask_at_once_one_leads(store: Store) -> None:
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda number: Leases(store).acquire(FACTS, f"holder-{number}"), range(10)))
    assert sum(lease is not None for lease in found) == 1


def test_a_source_that_has_ticks_cannot_go_on_at_another_step(store: Store) -> None:
    leases = Leases(store)
    one = leases.acquire(FACTS, "one")
    assert one is not None
    leases.release(one)
    assert leases.acquire(replace(FACTS, step_seconds=15.0), "one") is not None  # nothing was recorded yet
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE live_sources SET origin_ms = 0")
    with pytest.raises(UsageError, match="with a step of 15 s until now") as refused:
        leases.acquire(FACTS, "one")
    assert "--forget fleet" in str(refused.value)
