"""What every kind of source promises, held against each kind and each form that a recording can have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.local_store import LocalStore
from support.recordings import START, fleet_table, write_csv, write_parquet

from tft_dash.errors import UsageError
from tft_dash.schema import NO_STATE, ONLINE, Batch
from tft_dash.sources.base import SOURCES, Source
from tft_dash.sources.file import FileSource
from tft_dash.sources.memory import MemorySource
from tft_dash.sources.remote.source import ObjectStoreSource

TICKS = 12
SERVERS = ("web-1", "db-1")
PHASES = ("stable",) * 4 + ("peak",) * 8
CPU = np.array([[(tick * 2 + server) * 7 % 60 for server in range(2)] for tick in range(TICKS)], np.float32)
CPU[5, 1] = np.nan
LATENCY = np.arange(TICKS * 2, dtype=np.float32).reshape(TICKS, 2) * np.float32(3.5)
LATENCY[5, 1] = np.nan
"""One server says nothing at one tick."""


def _table_columns() -> dict[str, list[float | None] | list[str]]:
    columns = {"cpu_pct": CPU, "latency_ms": LATENCY}
    flat = {name: [None if np.isnan(v) else float(v) for v in array.ravel()] for name, array in columns.items()}
    return {**flat, "incident_phase": [phase for phase in PHASES for _ in SERVERS]}


def _from_memory(_folder: Path) -> Source:
    return MemorySource.from_arrays(
        {"cpu_pct": CPU, "latency_ms": LATENCY}, servers=SERVERS, start=START, phases=PHASES
    )


def _from_csv(folder: Path) -> Source:
    path = write_csv(folder / "drill.csv", fleet_table(TICKS, SERVERS, **_table_columns()))
    return FileSource(path, name="drill", cache_folder=folder / "cache")


def _from_parquet(folder: Path) -> Source:
    path = write_parquet(folder / "drill.parquet", fleet_table(TICKS, SERVERS, **_table_columns()))
    return FileSource(path, name="drill", cache_folder=folder / "cache")


def _from_folder(folder: Path) -> Source:
    table = fleet_table(TICKS, SERVERS, **_table_columns())
    write_parquet(folder / "drill" / "b.parquet", table.slice(10))
    write_csv(folder / "drill" / "a.csv", table.slice(0, 10))
    return FileSource(folder / "drill", name="drill", cache_folder=folder / "cache")


def _from_objects(folder: Path) -> Source:
    table = fleet_table(TICKS, SERVERS, **_table_columns())
    write_parquet(folder / "store" / "bucket" / "drill.parquet", table)
    store = LocalStore(folder / "store")
    return ObjectStoreSource(
        "s3://bucket/drill.parquet", name="drill", cache_folder=folder / "cache", ask=(store.look, store.copy)
    )


MAKERS: dict[str, tuple[str, Callable[[Path], Source]]] = {
    "memory": ("memory", _from_memory),
    "csv": ("file", _from_csv),
    "parquet": ("file", _from_parquet),
    "folder": ("file", _from_folder),
    "object": ("object-store", _from_objects),
}


@pytest.fixture(params=MAKERS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """The same recording in every form."""
    return MAKERS[request.param][1](tmp_path)


def equal(one: Batch, other: Batch) -> bool:
    """Whether two batches say the same."""
    heads = [
        (batch.first_tick, batch.cursor, batch.exhausted, batch.window.start, batch.window.phases)
        for batch in (one, other)
    ]
    metrics = one.window.metrics.keys() == other.window.metrics.keys() and all(
        np.array_equal(values, other.window.metrics[name], equal_nan=True)
        for name, values in one.window.metrics.items()
    )
    return heads[0] == heads[1] and metrics and np.array_equal(one.states, other.states)


def test_every_registered_kind_of_recording_is_held_against_the_contract() -> None:
    live = {"live"}  # it grows, and has promises of its own: tests/app/test_live_sources.py
    assert {kind for kind, _ in MAKERS.values()} == set(SOURCES.names()) - live


def test_a_source_describes_the_recording(source: Source) -> None:
    about = source.describe()
    assert (about.servers, about.ticks, about.step_seconds) == (SERVERS, TICKS, 5.0)
    assert about.start == START
    assert about.end == START + np.timedelta64(55, "s")
    assert about.metrics == ("cpu_pct", "latency_ms")
    assert [(phase.name, phase.first, phase.last) for phase in about.phases] == [("stable", 0, 3), ("peak", 4, 11)]
    assert not about.live


def test_the_whole_recording_holds_every_value_and_missing_ones_are_nan(source: Source) -> None:
    batch = source.read(-1, TICKS)
    assert np.array_equal(batch.window.metrics["cpu_pct"], CPU, equal_nan=True)
    assert np.array_equal(batch.window.metrics["latency_ms"], LATENCY, equal_nan=True)
    assert batch.window.metrics["cpu_pct"].dtype == np.float32
    assert batch.states[5, 1] == NO_STATE
    assert np.count_nonzero(batch.states == ONLINE) == 2 * TICKS - 1


def test_the_same_arguments_give_the_same_answer_whatever_was_read_between(source: Source) -> None:
    first = source.read(3, 2)
    source.read(-1, 1)
    source.read(10, 5)
    assert equal(first, source.read(3, 2))


@pytest.mark.parametrize("limit", [1, 5, TICKS, TICKS + 3])
def test_reading_on_from_the_cursor_gives_every_tick_once(source: Source, limit: int) -> None:
    after, seen = -1, []
    while True:
        batch = source.read(after, limit)
        seen += range(batch.first_tick, batch.first_tick + batch.ticks)
        after = batch.cursor
        if batch.exhausted:
            break
    assert seen == list(range(TICKS))
    assert after == TICKS - 1


def test_only_the_batch_with_the_last_tick_is_exhausted(source: Source) -> None:
    assert [source.read(after, 1).exhausted for after in range(-1, TICKS - 1)] == [False] * (TICKS - 1) + [True]


@pytest.mark.parametrize("after", [TICKS - 1, TICKS, 10 * TICKS])
def test_past_the_end_the_batch_is_empty_and_exhausted(source: Source, after: int) -> None:
    batch = source.read(after, 3)
    assert (batch.ticks, batch.cursor, batch.exhausted) == (0, TICKS - 1, True)


def test_a_limit_of_zero_gives_an_empty_batch_and_stays_in_place(source: Source) -> None:
    batch = source.read(4, 0)
    assert (batch.ticks, batch.cursor, batch.exhausted) == (0, 4, False)


@pytest.mark.parametrize(("after", "limit"), [(-2, 1), (0, -1)])
def test_impossible_arguments_are_refused(source: Source, after: int, limit: int) -> None:
    with pytest.raises(UsageError):
        source.read(after, limit)


def test_a_batch_starts_at_its_first_ticks_time(source: Source) -> None:
    assert source.read(3, 2).window.start == START + np.timedelta64(20, "s")


def test_labels_are_hidden_unless_asked_for(source: Source) -> None:
    assert source.read(2, 3).window.phases is None
    assert source.read(2, 3, labels=True).window.phases == ("stable", "peak", "peak")


def test_the_arrays_cannot_be_changed_by_a_reader(source: Source) -> None:
    batch = source.read(0, 2)
    for values in (*batch.window.metrics.values(), batch.states):
        with pytest.raises(ValueError, match="read-only"):
            values[0, 0] = 1


def test_sample_times_are_those_of_the_rows_and_nothing_where_there_is_none(source: Source) -> None:
    times = source.sample_times(3, 4)
    assert times.shape == (4, 2)
    assert (times[:, 0] == START + np.arange(4, 8) * np.timedelta64(5, "s")).all()


def test_closing_twice_is_fine(source: Source) -> None:
    source.describe()
    source.close()
    source.close()


def test_preparing_ends_with_the_whole_of_the_progress(source: Source) -> None:
    shares: list[float] = []
    source.prepare(shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
