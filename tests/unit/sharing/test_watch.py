"""The thread that exchanges: one process of each host, through everything that may be away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tft_dash.errors import StorageError
from tft_dash.sharing import watch as watching
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import JUDGING
from tft_dash.sharing.watch import ExchangeWatch, watch_places
from tft_dash.store.engine import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "EXCHANGE_SECONDS", 0.02)
    monkeypatch.setattr(watching, "TROUBLE_SECONDS", 0.02)


def until(tell: Callable[[], bool]) -> None:
    for _ in range(500):
        if tell():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


def test_one_process_of_a_host_exchanges_and_the_next_takes_over(tmp_path: Path, store: Store) -> None:
    rounds = [0, 0]

    def count(number: int) -> Callable[[], None]:
        def work() -> None:
            rounds[number] += 1

        return work

    watches = [ExchangeWatch(Exchange(tmp_path / "a", store), "some", count(number)) for number in (0, 1)]
    watches[0].begin()
    until(lambda: rounds[0] > 2)
    watches[1].begin()
    before = rounds[0]
    until(lambda: rounds[0] > before + 3)
    assert rounds[1] == 0
    watches[0].close()
    until(lambda: rounds[1] > 2)
    watches[1].close()


def test_it_goes_on_after_the_store_was_away_and_says_so_once(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = 0

    def away(*_: object, **__: object) -> None:
        nonlocal tried
        tried += 1
        raise StorageError("The store is away.")

    file = tmp_path / "a/calibrations/ours.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    watch = watch_places(Exchange(tmp_path / "a", store), "judging", JUDGING)
    with monkeypatch.context() as patch:
        patch.setattr(Exchange, "synchronise", away)
        watch.begin()
        until(lambda: tried > 3)
    other = Exchange(tmp_path / "b", store)
    until(lambda: other.synchronise(JUDGING) or (tmp_path / "b/calibrations/ours.json").exists())
    watch.close()
    assert [record.getMessage() for record in caplog.records] == [
        "Files cannot be exchanged with the other hosts: The store is away."
    ]
