"""A live source that is a table of a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from support.postgresql import PostgreSQL, database, postgresql

from tft_dash.cli import main
from tft_dash.errors import SourceUnreachableError, TableError
from tft_dash.live.feeds.sql import SqlFeed, open_sql
from tft_dash.live.samples import Samples

T0 = np.datetime64("2023-11-14T22:13:20", "ms")
KINDS = {
    "timestamptz": "'2023-11-14T22:13:20Z'::timestamptz + s * interval '1 second'",
    "timestamp": "'2023-11-14T22:13:20'::timestamp + s * interval '1 second'",
    "bigint": "(1700000000 + s)::bigint * 1000",
    "double precision": "1700000000.0 + s",
    "numeric": "(1700000000 + s)::numeric",
    "text": "to_char('2023-11-14 22:13:20'::timestamp + s * interval '1 second', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with postgresql() as found:
        yield found


@pytest.fixture
def url(server: PostgreSQL) -> Iterator[str]:
    with database(server) as found:
        yield found


def done(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement.replace(":", "\\:")))
    engine.dispose()


def filled(url: str, kind: str, seconds: int = 100) -> None:
    done(
        url,
        f'CREATE TABLE metrics (timestamp {kind}, server_name text, cpu_pct numeric, mem_pct real, "Odd ""name" text)',
        f"INSERT INTO metrics SELECT {KINDS[kind]}, 'a', s % 100, 50, 'x' "  # noqa: S608 - our own
        f"FROM generate_series(1, {seconds}) AS s",
        "CREATE INDEX by_time ON metrics (timestamp)",
        "ANALYZE metrics",
    )


def feed_of(url: str, **options: str) -> SqlFeed:
    return open_sql(url, {"table": "metrics", "step": "10s", **options})


def span(feed: SqlFeed, first: int, last: int) -> Samples:
    second = np.timedelta64(1, "s")
    try:
        return feed.fetch(T0 + first * second, T0 + last * second)
    finally:
        feed.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_span_is_found_by_its_index_however_times_are_stored(url: str, kind: str) -> None:
    filled(url, kind, 20_000)
    feed = feed_of(url)
    asked: list[tuple[str, Any]] = []
    feed.fetch(T0, T0)
    assert isinstance(feed._engine, Engine)
    event.listen(feed._engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    samples = span(feed, 30, 40)
    assert list((samples.times - T0) / np.timedelta64(1, "s")) == list(range(31, 41))
    assert list(samples.metrics["cpu_pct"]) == list(range(31, 41))
    assert samples.rejected == ()
    statement, values = next(one for one in asked if "cpu_pct" in one[0])
    engine = create_engine(url)
    with engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN {statement}", values).fetchall())
    engine.dispose()
    assert "by_time" in plan, plan
    assert "Seq Scan" not in plan


def test_the_databases_clock_is_told_and_the_session_may_not_write(url: str) -> None:
    filled(url, "timestamptz")
    feed = feed_of(url)
    samples = feed.fetch(T0, T0)
    assert samples.now is not None
    assert abs(samples.now - np.datetime64("now", "ms")) < np.timedelta64(60, "s")
    feed.close()
    done(
        url,
        "CREATE FUNCTION spoil() RETURNS text LANGUAGE plpgsql AS $$ BEGIN DELETE FROM metrics; RETURN 'a'; END $$",
        "CREATE VIEW sly AS SELECT timestamp, spoil() AS server_name, cpu_pct FROM metrics",
    )
    with pytest.raises(SourceUnreachableError, match="read-only transaction"):
        span(feed_of(url, table="sly"), 0, 10)


def test_a_statement_ends_in_time(url: str) -> None:
    filled(url, "timestamptz")
    done(
        url,
        "CREATE VIEW slow AS SELECT timestamp, server_name, cpu_pct FROM metrics, LATERAL (SELECT pg_sleep(0.5)) AS z",
    )
    with pytest.raises(SourceUnreachableError, match=r"did not answer within 0\.3 s"):
        span(feed_of(url, table="slow", timeout="300ms"), 0, 50)


def test_tables_of_other_schemas_and_names_that_must_be_quoted_are_read(url: str, tmp_path: Path) -> None:
    done(
        url,
        'CREATE SCHEMA "Ops"',
        'CREATE TABLE "Ops"."My.Metrics" ("Time" timestamptz, "Host" text, "select" real)',
        "INSERT INTO \"Ops\".\"My.Metrics\" VALUES ('2023-11-14T22:13:25Z', 'a', 0.5)",
    )
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "{apiVersion: tft-dash/v1, kind: Mapping, metadata: {name: own}, spec: {timestamp: {from: Time}, columns: "
        "{server_name: {from: Host}, cpu_pct: {from: select, unit: fraction}}}}"
    )
    samples = span(feed_of(url, schema="Ops", table="My.Metrics", mapping=str(mapping)), 0, 10)
    assert list(samples.metrics["cpu_pct"]) == [50]
    with pytest.raises(TableError, match=r"There is no table Ops\.metrics .* There are: My\.Metrics\."):
        span(feed_of(url, table="Ops.metrics"), 0, 10)


def test_a_naive_time_is_utc_whatever_the_server_thinks(url: str) -> None:
    filled(url, "timestamp")
    name = make_url(url).database
    done(url, f"ALTER DATABASE {name} SET timezone TO 'America/New_York'")
    assert list((span(feed_of(url), 0, 2).times - T0) / np.timedelta64(1, "s")) == [1, 2]


def test_whoever_may_not_read_or_get_in_is_told_without_the_password(url: str, server: PostgreSQL) -> None:
    filled(url, "timestamptz")
    place = make_url(url)
    guest = f"guest_{place.database}"
    done(url, f"CREATE ROLE {guest} LOGIN")
    try:
        with pytest.raises(SourceUnreachableError, match=r"permission denied for table metrics\. .* GRANT SELECT"):
            span(feed_of(place.set(username=guest).render_as_string()), 0, 10)
    finally:
        done(url, f"DROP ROLE {guest}")
    secret = uuid.uuid4().hex
    nowhere = place.set(port=1, password=secret).render_as_string(hide_password=False)
    for wrong in (nowhere, place.set(database="nowhere").render_as_string()):
        with pytest.raises(SourceUnreachableError, match="cannot be read") as caught:
            span(feed_of(wrong), 0, 10)
        assert secret not in str(caught.value)
    with pytest.raises(SourceUnreachableError, match=r"invalid.*option"):
        span(feed_of(url, nonsense="x"), 0, 10)


def test_a_server_that_was_started_again_is_read_again(url: str, server: PostgreSQL) -> None:
    filled(url, "timestamptz")
    feed = feed_of(url)
    second = np.timedelta64(1, "s")
    assert len(feed.fetch(T0, T0 + 5 * second)) == 5
    server.stop()
    with pytest.raises(SourceUnreachableError):
        feed.fetch(T0, T0 + 5 * second)
    server.start()
    assert len(feed.fetch(T0, T0 + 5 * second)) == 5
    feed.close()


def test_rows_that_arrive_are_found_and_a_reader_holds_nothing_open(url: str) -> None:
    filled(url, "timestamptz", 5)
    feed = feed_of(url)
    second = np.timedelta64(1, "s")
    assert len(feed.fetch(T0, T0 + 10 * second)) == 5
    done(url, "INSERT INTO metrics VALUES ('2023-11-14T22:13:27.5Z', 'b', 1, 2, '')")
    assert list(feed.fetch(T0 + 5 * second, T0 + 10 * second).servers) == ["b"]
    done(url, "SET lock_timeout = 2000", "ALTER TABLE metrics ADD COLUMN more int")
    feed.close()


def test_the_password_comes_from_a_file(url: str, tmp_path: Path) -> None:
    filled(url, "timestamptz")
    seen: list[str] = []
    (tmp_path / "password").write_text("hunter2\n")
    feed = feed_of(url, password_file=str(tmp_path / "password"))
    feed.fetch(T0, T0)
    assert feed._engine is not None
    event.listen(feed._engine, "do_connect", lambda *given: seen.append(given[3]["password"]))
    feed._engine.dispose()
    assert len(span(feed, 0, 3)) == 3
    assert seen == ["hunter2"]


def test_the_command_says_what_there_is(url: str) -> None:
    done(
        url,
        "CREATE TABLE metrics (timestamp timestamp, server_name text, profile text, cpu_pct real, owner text)",
        "INSERT INTO metrics SELECT (now() AT TIME ZONE 'UTC') + s * interval '10 seconds', 'a', 'web', 50, 'me' "
        "FROM generate_series(-100, 3) AS s",
    )
    result = CliRunner().invoke(main, ["source", "test", f"{url}?table=metrics&step=10s"])
    assert result.exit_code == 0, result.output
    for words in (
        "samples of a server come every 10 s", "profiles   web 1", "read as UTC", "Columns that are not read: owner",
        "No index begins with timestamp", "cpu_pct       100%  50, 50, 50 %",
    ):  # fmt: skip
        assert words in result.stdout, result.stdout
