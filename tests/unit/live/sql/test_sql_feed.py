from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from tft_dash.errors import SourceUnreachableError, TableError
from tft_dash.importing.mapping import MappingError
from tft_dash.live.feeds.sql import open_sql
from tft_dash.live.samples import Samples
from tft_dash.schema import OFFLINE

T0 = 1_700_000_000
Writer = Callable[[int], Any]


def iso(pattern: str) -> Writer:
    return lambda second: datetime.fromtimestamp(T0 + second, UTC).strftime(pattern)


def at(second: float) -> np.datetime64:
    return np.datetime64(round((T0 + second) * 1000), "ms")


def database(folder: Path, create: str, rows: Sequence[Sequence[Any]], table: str = "metrics") -> str:
    """The URL of a SQLite file with one table."""
    path = folder / "metrics.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(create)
        if rows:
            values = ", ".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({values})', rows)  # noqa: S608 - our own names
    return f"sqlite:///{path}"


def fetched(url: str, first: float = 0, last: float = 30, **options: str) -> Samples:
    """What is after second ``first``, up to second ``last``."""
    feed = open_sql(url, {"table": "metrics", "step": "10s", **options})
    try:
        return feed.fetch(at(first), at(last))
    finally:
        feed.close()


def told(samples: Samples, metric: str = "cpu_pct") -> list[tuple[float, str, float]]:
    seconds = (samples.times - at(0)) / np.timedelta64(1, "s")
    rows = zip(seconds, samples.servers, samples.metrics[metric], strict=True)
    return sorted((float(second), str(server), round(float(value), 4)) for second, server, value in rows)


def mapping(folder: Path, spec: str) -> str:
    path = folder / "mapping.yaml"
    path.write_text(f"apiVersion: tft-dash/v1\nkind: Mapping\nmetadata: {{name: own}}\nspec:\n{spec}")
    return str(path)


FORMS: dict[str, tuple[str, Writer]] = {
    "text": ("TEXT", iso("%Y-%m-%d %H:%M:%S")),
    "text-fractions": ("TEXT", iso("%Y-%m-%d %H:%M:%S.000000")),
    "text-t": ("TEXT", iso("%Y-%m-%dT%H:%M:%S")),
    "text-z": ("TEXT", iso("%Y-%m-%dT%H:%M:%SZ")),
    "text-zone": ("TEXT", lambda second: datetime.fromtimestamp(T0 + second, UTC).isoformat()),
    "datetime": ("DATETIME", iso("%Y-%m-%d %H:%M:%S")),
    "seconds": ("INTEGER", lambda second: T0 + second),
    "float": ("REAL", lambda second: float(T0 + second)),
    "milliseconds": ("INTEGER", lambda second: (T0 + second) * 1000),
    "microseconds": ("INTEGER", lambda second: (T0 + second) * 10**6),
    "nanoseconds": ("INTEGER", lambda second: (T0 + second) * 10**9),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_span_has_the_rows_after_its_start_up_to_its_end_however_times_are_written(tmp_path: Path, form: str) -> None:
    kind, write = FORMS[form]
    create = f"CREATE TABLE metrics (timestamp {kind}, server_name TEXT, cpu_pct REAL)"
    url = database(tmp_path, create, [(write(second), "a", second) for second in range(10)])
    found = fetched(url, 3, 6)
    assert told(found) == [(second, "a", second) for second in (4.0, 5.0, 6.0)]
    assert found.rejected == ()


def test_times_of_another_offset_are_found(tmp_path: Path) -> None:
    create = "CREATE TABLE metrics (timestamp TEXT, server_name TEXT, cpu_pct REAL)"
    local = [(f"2023-11-15T00:13:{second:02d}+02:00", "a", second) for second in (15, 20, 25, 30)]
    assert told(fetched(database(tmp_path, create, local), 0, 10)) == [(5, "a", 25), (10, "a", 30)]


def test_times_of_a_zone_are_found_when_its_clock_is_set_back(tmp_path: Path) -> None:
    # Berlin, 2023-10-29: 02:59:55 is 00:59:55 UTC, then comes 02:00:00 again.
    create = "CREATE TABLE metrics (timestamp TEXT, server_name TEXT, cpu_pct REAL)"
    url = database(tmp_path, create, [("2023-10-29 02:59:55", "a", 1), ("2023-10-29 03:00:05", "a", 2)])
    spec = "  timestamp: {from: timestamp, zone: Europe/Berlin}\n  columns:\n"
    spec += "    server_name: {from: server_name}\n    cpu_pct: {from: cpu_pct}\n"
    feed = open_sql(url, {"table": "metrics", "mapping": mapping(tmp_path, spec)})
    night = np.datetime64("2023-10-29T00:59:00", "ms")
    found = feed.fetch(night, night + np.timedelta64(2, "h"))
    set_back = feed.fetch(night + np.timedelta64(50, "s"), night + np.timedelta64(70, "s"))
    feed.close()
    assert [str(time) for time in set_back.times] == ["2023-10-29T00:59:55.000"]
    assert [str(time) for time in found.times] == ["2023-10-29T00:59:55.000", "2023-10-29T02:00:05.000"]


def test_the_columns_of_the_contract_need_no_mapping(tmp_path: Path) -> None:
    create = (
        "CREATE TABLE metrics (timestamp INTEGER, server_name TEXT, profile TEXT, state TEXT, cpu_pct REAL, "
        "mem_pct TEXT, owner TEXT)"
    )
    rows = [
        (T0 + 5, "a", "web", "offline", None, "50", "me"),
        (T0 + 5, "b", None, None, 140.0, "much", "me"),
        (T0 + 5, "", "web", "gone", 1.0, "1", "me"),
        (T0 + 5, "c", "web", "gone", float("inf"), "", "me"),
    ]
    found = fetched(database(tmp_path, create, rows))
    assert list(found.servers) == ["a", "b", "c"]
    assert found.profiles is not None and list(found.profiles) == ["web", None, "web"]
    assert found.states is not None and list(found.states) == [OFFLINE, -1, -1]
    assert np.isnan(found.metrics["cpu_pct"]).all()
    np.testing.assert_array_equal(found.metrics["mem_pct"], np.array([50, np.nan, np.nan], np.float32))
    assert {one.rule: one.count for one in found.rejected} == {
        "out-of-range": 1, "infinite-value": 1, "text-in-number": 1, "bad-server-name": 1, "unknown-state": 1,
    }  # fmt: skip


def test_the_words_of_an_imports_mapping_mean_the_same(tmp_path: Path) -> None:
    create = 'CREATE TABLE metrics ("when" INTEGER, "host name" TEXT, "select" REAL, "a""b" REAL)'
    url = database(tmp_path, create, [(T0 + 5, "a", 0.5, 0.25)])
    spec = """
  timestamp: {from: when, format: epoch-s}
  columns:
    server_name: {from: host name}
    profile: {value: database}
    cpu_pct: {from: select, unit: fraction}
    latency_ms: {from: 'a"b', unit: s}
"""
    found = fetched(url, mapping=mapping(tmp_path, spec))
    assert told(found) == [(5, "a", 50)]
    assert told(found, "latency_ms") == [(5, "a", 250)]
    assert found.profiles is not None and list(found.profiles) == ["database"]


def test_a_table_with_a_row_per_metric_is_read(tmp_path: Path) -> None:
    create = "CREATE TABLE metrics (ts INTEGER, host TEXT, name TEXT, value REAL)"
    rows = [(T0 + 5, "a", "cpu", 0.5), (T0 + 5, "a", "mem", 20), (T0 + 5, "b", "cpu", 0.1), (T0 + 5, "b", "x", 1)]
    spec = """
  layout: narrow
  narrow: {metric: name, value: value}
  timestamp: {from: ts, format: epoch-s}
  columns:
    server_name: {from: host}
    cpu_pct: {from: cpu, unit: fraction}
    mem_pct: {from: mem}
"""
    url = database(tmp_path, create, rows)
    found = fetched(url, mapping=mapping(tmp_path, spec))
    assert told(found) == [(5, "a", 50), (5, "b", 10)]
    assert np.isnan(dict(zip(found.servers, found.metrics["mem_pct"], strict=True))["b"])
    assert len(fetched(url, 100, 200, mapping=mapping(tmp_path, spec))) == 0


def test_a_table_with_a_column_per_server_is_read(tmp_path: Path) -> None:
    create = 'CREATE TABLE metrics (ts INTEGER, "web-1.cpu" REAL, "db-1.cpu" REAL, "db-1.mem" REAL)'
    spec = """
  layout: wide
  timestamp: {from: ts, format: epoch-s}
  columns:
    cpu_pct: {from: "{server}.cpu"}
    mem_pct: {from: "{server}.mem"}
"""
    found = fetched(database(tmp_path, create, [(T0 + 5, 10, 20, 30)]), mapping=mapping(tmp_path, spec))
    assert told(found) == [(5, "db-1", 20), (5, "web-1", 10)]


def test_a_view_is_read_like_a_table(tmp_path: Path) -> None:
    url = database(tmp_path, "CREATE TABLE metrics (t INTEGER, h TEXT, c REAL)", [(T0 + 5, "a", 1)])
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("CREATE VIEW seen AS SELECT t AS timestamp, h AS server_name, c AS cpu_pct FROM metrics")
    assert told(fetched(url, table="seen")) == [(5, "a", 1)]


def test_names_are_quoted_and_never_taken_for_sql(tmp_path: Path) -> None:
    evil = 'm"; DROP TABLE metrics; --'
    quoted = evil.replace('"', '""')
    create = f'CREATE TABLE "{quoted}" (timestamp INTEGER, server_name TEXT, cpu_pct REAL)'
    url = database(tmp_path, create, [(T0 + 5, "'); DROP TABLE x; --", 1)], quoted)
    assert told(fetched(url, table=evil)) == [(5, "'); DROP TABLE x; --", 1)]
    with pytest.raises(TableError, match=r"There is no table metrics of sqlite"):
        fetched(url, table="metrics")


def test_the_database_is_never_written(tmp_path: Path) -> None:
    url = database(tmp_path, "CREATE TABLE metrics (timestamp INTEGER, server_name TEXT, cpu_pct REAL)", [(T0, "a", 1)])
    path = Path(url.removeprefix("sqlite:///"))
    before = path.read_bytes()
    path.chmod(0o444)
    feed = open_sql(url, {"table": "metrics"})
    assert told(feed.fetch(at(-10), at(10))) == [(0, "a", 1)]
    assert feed._engine is not None
    with feed._engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM metrics")
    feed.close()
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["metrics.sqlite"]


def test_an_index_on_the_times_is_of_use(tmp_path: Path) -> None:
    create = "CREATE TABLE metrics (timestamp TEXT PRIMARY KEY, server_name TEXT, cpu_pct REAL)"
    write = FORMS["text"][1]
    url = database(tmp_path, create, [(write(second), "a", 1) for second in range(100)])
    statements: list[tuple[str, Any]] = []
    feed = open_sql(url, {"table": "metrics"})
    feed.fetch(at(0), at(10))
    event.listen(feed._engine, "before_cursor_execute", lambda *given: statements.append((given[2], given[3])))
    feed.fetch(at(10), at(20))
    feed.close()
    text, values = next(one for one in statements if "cpu_pct" in one[0])
    assert "?" in text and "2023" not in text
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall())
    assert "SEARCH metrics USING INDEX" in plan and "timestamp>? AND timestamp<?" in plan


def test_a_statement_ends_in_time(tmp_path: Path) -> None:
    url = database(tmp_path, "CREATE TABLE metrics (timestamp INTEGER, server_name TEXT, cpu_pct REAL)", [(T0, "a", 1)])
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(
            "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT 1700000000 - i AS timestamp, 'a' AS server_name, 1 AS cpu_pct FROM n"
        )
    with pytest.raises(SourceUnreachableError, match=r"did not answer within 0\.2 s.*index"):
        fetched(url, table="endless", timeout="200ms")


def test_an_empty_table_has_no_samples_and_is_looked_at_again(tmp_path: Path) -> None:
    url = database(tmp_path, "CREATE TABLE metrics (timestamp TEXT, server_name TEXT, cpu_pct REAL)", [])
    feed = open_sql(url, {"table": "metrics"})
    assert len(feed.fetch(at(0), at(10))) == 0
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("INSERT INTO metrics VALUES (?, 'a', 1)", (FORMS["text"][1](5),))
    assert told(feed.fetch(at(0), at(10))) == [(5, "a", 1)]
    feed.close()


def test_the_databases_clock_is_told(tmp_path: Path) -> None:
    url = database(tmp_path, "CREATE TABLE metrics (timestamp TEXT, server_name TEXT, cpu_pct REAL)", [])
    found = fetched(url).now
    assert found is not None and abs(found - np.datetime64("now")) < np.timedelta64(60, "s")


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachableError, match=r"unable to open database file\. Check the path"):
        fetched(f"sqlite:///{tmp_path}/none.sqlite")
    (tmp_path / "text.sqlite").write_text("no database at all, but a text that is long enough to be looked at")
    with pytest.raises(SourceUnreachableError, match="It is no SQLite file"):
        fetched(f"sqlite:///{tmp_path}/text.sqlite")
    url = database(tmp_path, "CREATE TABLE metric (time TEXT, host TEXT, cpu_pct REAL)", [])
    with pytest.raises(TableError, match="Did you mean 'metric'"):
        fetched(url)
    with pytest.raises(MappingError) as caught:
        fetched(url, table="metric")
    assert {path for path, _ in caught.value.problems} == {"spec.timestamp", "spec.columns.server_name"}


def test_a_column_that_has_no_times_is_told(tmp_path: Path) -> None:
    create = "CREATE TABLE metrics (timestamp TEXT, server_name TEXT, cpu_pct REAL)"
    with pytest.raises(TableError, match="has 'yesterday', which cannot be compared"):
        fetched(database(tmp_path, create, [("yesterday", "a", 1)]))


def test_a_table_that_is_mended_while_it_is_collected_is_read_as_it_is_then(tmp_path: Path) -> None:
    url = database(tmp_path, "CREATE TABLE metrics (timestamp INTEGER, server_name TEXT, cpu REAL)", [])
    feed = open_sql(url, {"table": "metrics"})
    with pytest.raises(MappingError):
        feed.fetch(at(0), at(10))
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("ALTER TABLE metrics RENAME cpu TO cpu_pct")
        connection.execute("INSERT INTO metrics VALUES (?, 'a', 1)", (T0 + 5,))
    assert told(feed.fetch(at(0), at(10))) == [(5, "a", 1)]
    feed.close()


def test_a_table_that_is_made_anew_is_read_with_what_it_has_then(tmp_path: Path) -> None:
    url = database(
        tmp_path, "CREATE TABLE metrics (timestamp INTEGER, server_name TEXT, cpu_pct REAL)", [(T0 + 5, "a", 1)]
    )
    feed = open_sql(url, {"table": "metrics"})
    assert list(feed.fetch(at(0), at(10)).metrics) == ["cpu_pct"]
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DROP TABLE metrics")
    with pytest.raises(SourceUnreachableError, match="no such table"):
        feed.fetch(at(0), at(10))
    database(
        tmp_path, "CREATE TABLE metrics (timestamp TEXT, server_name TEXT, mem_pct REAL)", [(iso("%FT%TZ")(5), "a", 2)]
    )
    assert told(feed.fetch(at(0), at(10)), "mem_pct") == [(5, "a", 2)]
    feed.close()
