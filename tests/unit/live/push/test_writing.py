"""Many who push at the same time share a transaction, and each is told what became of its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tft_dash.errors import BusyError, StorageError, TftDashError
from tft_dash.live.feeds.push.writing import Writer
from tft_dash.store.pushed.values import Limits, PushedRows, Taken

LIMITS = Limits(5000, 5000, 1e9, 10**9, 10**9)


def rows(number: int) -> PushedRows:
    return PushedRows(np.arange(number), [""] * number, [""] * number, np.zeros(number, np.int8), {})


def test_those_who_come_together_are_written_together_and_told_apart() -> None:
    batches: list[int] = []
    together = threading.Barrier(20)

    def write(source: str, deliveries: list[PushedRows], _limits: Limits) -> list[Taken]:
        batches.append(len(deliveries))
        return [Taken(np.zeros(len(each), np.int8)) for each in deliveries]

    writer = Writer(write, 20, gather_seconds=0.2)

    def one(number: int) -> int:
        with writer.slot():
            together.wait()
            return len(writer.take("a" if number % 2 else "b", rows(number), LIMITS).fates)

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(one, range(20))) == list(range(20))
    assert sum(batches) == 20
    assert len(batches) <= 6


@pytest.mark.parametrize("error", [StorageError("the disk is full"), RuntimeError("a fault")])
def test_what_was_not_kept_is_told_to_everyone_and_the_next_is_tried(error: Exception) -> None:
    fails = [True]

    def write(source: str, deliveries: list[PushedRows], _limits: Limits) -> list[Taken]:
        if fails[0]:
            raise error
        return [Taken(np.zeros(len(each), np.int8)) for each in deliveries]

    writer = Writer(write, 4)
    with pytest.raises(type(error)):
        writer.take("a", rows(1), LIMITS)
    fails[0] = False
    assert writer.take("a", rows(1), LIMITS).count(0) == 1


def test_who_waits_for_a_writer_that_fails_is_told_so_too() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def write(source: str, deliveries: list[PushedRows], _limits: Limits) -> list[Taken]:
        begun.set()
        go_on.wait(10)
        raise StorageError("the disk is full")

    writer = Writer(write, 4, gather_seconds=0.0)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(writer.take, "a", rows(1), LIMITS) for _ in range(3)]
        begun.wait(10)
        go_on.set()
        for job in jobs:
            with pytest.raises(TftDashError, match="disk is full"):
                job.result(10)


def test_who_finds_no_place_is_told_to_come_again() -> None:
    writer = Writer(lambda *_: [], 1)
    with writer.slot(), pytest.raises(BusyError) as caught, writer.slot(0.01):
        pass
    assert caught.value.retry_seconds >= 1
    with writer.slot(0.01):
        pass


def test_who_waits_behind_a_fault_with_another_source_is_told_to_send_again() -> None:
    together = threading.Barrier(2)

    def write(source: str, deliveries: list[PushedRows], _limits: Limits) -> list[Taken]:
        raise ValueError("a fault")

    writer = Writer(write, 2, gather_seconds=0.5)

    def one(source: str) -> Taken:
        with writer.slot():
            together.wait()
            return writer.take(source, rows(1), LIMITS)

    pool = ThreadPoolExecutor(2)
    jobs = [pool.submit(one, source) for source in ("a", "b")]
    pool.shutdown(wait=False)
    errors = [job.exception(10) for job in jobs]
    assert sorted(type(error).__name__ for error in errors) == ["TftDashError", "ValueError"]
    told = next(error for error in errors if isinstance(error, TftDashError))
    assert str(told) == "The samples could not be kept. Send them again."
