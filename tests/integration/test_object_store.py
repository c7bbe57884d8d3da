"""Recordings in a real S3 server on the loopback: on the command line, and served by four workers while it comes and
goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.objects import ACCESS_KEY, CREDENTIALS, SECRET_KEY, ObjectServer, object_server
from support.recordings import fleet_table, write_csv, write_parquet
from support.serving import Server, get, running

from tft_dash.errors import CancelledError, UnreachableError
from tft_dash.sources.remote.asking import ask_copy, ask_look

PATIENCE_SECONDS = 60


@pytest.fixture
def store() -> Iterator[ObjectServer]:
    with object_server() as server:
        yield server


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **CREDENTIALS, "TFT_DASH_CACHE": str(folder / "cache"), "TFT_DASH_DATA": str(folder / "d")}
    done = subprocess.run(
        [sys.executable, "-m", "tft_dash", *arguments], env=environ, capture_output=True, text=True, check=False
    )
    for secret in (ACCESS_KEY, SECRET_KEY):
        assert secret not in done.stdout + done.stderr
    return done


def put_fleet(store: ObjectServer, folder: Path, ticks: int, key: str = "2026/fleet.parquet") -> None:
    store.put("metrics", key, write_parquet(folder / f"of-{ticks}.parquet", fleet_table(ticks)))


def eventually(ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds(answer := ask()) and time.monotonic() < end:
        time.sleep(0.3)
    assert holds(answer), answer
    return answer


def listed(server: Server, name: str) -> dict[str, Any]:
    status, body = get(f"{server.url}/api/v1/sources")
    assert status == 200
    found: dict[str, Any] = next(one for one in json.loads(body) if one["name"] == name)
    return found


def test_an_object_and_a_prefix_are_checked_and_scored_by_their_addresses(store: ObjectServer, tmp_path: Path) -> None:
    put_fleet(store, tmp_path, 6)
    store.put("metrics", "parts/day=1/a b.csv", write_csv(tmp_path / "a.csv", fleet_table(4)))
    checked = command(tmp_path, "check", store.url("metrics", "2026/fleet.parquet"))
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("s3://metrics/2026/fleet.parquet keeps the data contract")
    scored = command(tmp_path, "score", f"it={store.url('metrics', 'parts/')}", "--output", str(tmp_path / "o.parquet"))
    assert scored.returncode == 0, scored.stderr
    assert pq.read_table(tmp_path / "o.parquet").num_rows == 8
    put_fleet(store, tmp_path, 9)
    again = command(tmp_path, "check", store.url("metrics", "2026/fleet.parquet"), "--json")
    assert json.loads(again.stdout)["facts"]["ticks"] == 9  # a command always looks first


def test_what_cannot_be_had_ends_with_status_3_and_what_is_cached_is_used_with_a_word(
    store: ObjectServer, tmp_path: Path
) -> None:
    put_fleet(store, tmp_path, 6)
    there, missing = store.url("metrics", "2026/fleet.parquet"), store.url("metrics", "nothing.csv")
    assert command(tmp_path, "check", there).returncode == 0
    gone = command(tmp_path, "check", missing)
    assert (gone.returncode, gone.stdout) == (3, "")
    assert "There is no object at s3://metrics/nothing.csv" in gone.stderr
    store.stop()
    away = command(tmp_path, "check", missing)
    assert (away.returncode, away.stdout) == (3, "")
    assert "no connection could be made" in away.stderr
    assert "Traceback" not in away.stderr
    cached = command(tmp_path, "check", there)
    assert cached.returncode == 0
    assert "Not looked at since" in cached.stderr


def test_four_workers_serve_what_changes_and_say_when_the_store_is_away(store: ObjectServer, tmp_path: Path) -> None:
    put_fleet(store, tmp_path, 6)
    address = f"prod={store.url('metrics', '2026/fleet.parquet')}"
    environ = {**CREDENTIALS, "TFT_DASH_OBJECT_LOOK": "1"}
    with running("serve", address, "--workers", "4", folder=tmp_path, **environ) as server:
        first = listed(server, "prod")
        assert (first["kind"], first["ticks"], first["notices"]) == ("object-store", 6, [])
        put_fleet(store, tmp_path, 9)
        eventually(lambda: listed(server, "prod"), lambda found: found["ticks"] == 9)
        store.stop()
        told = eventually(lambda: listed(server, "prod"), lambda found: found["notices"])
        assert "Not looked at since" in told["notices"][0]
        assert told["ticks"] == 9
        tick = f"{server.url}/api/v1/sources/prod/ticks/8?model=thresholds"
        eventually(lambda: get(tick)[0], lambda status: status == 200)
        store.start()
        put_fleet(store, tmp_path, 12)
        eventually(lambda: listed(server, "prod"), lambda found: (found["ticks"], found["notices"]) == (12, []))
        said = "".join(server.said) + str(get(f"{server.url}/api/v1/datasets")[1])
        assert "Traceback" not in said
        assert not any(secret in said for secret in (ACCESS_KEY, SECRET_KEY))
    copies = list((tmp_path / "cache/objects").glob("*/versions/*.held"))
    assert len(copies) <= 2  # the last one, and at most the one that somebody still read at the end


@pytest.mark.usefixtures("credentials")
def test_a_store_that_says_nothing_is_given_up_and_nobody_waits_for_what_nobody_wants(store: ObjectServer) -> None:
    store.put("metrics", "it.csv", b"x" * 10_000)
    location = store.url("metrics", "it.csv")
    found = ask_look(location, lambda: True)
    with pytest.raises(CancelledError):
        ask_copy(location, found, Path("/nowhere"), lambda _share: None, lambda: False)
    store.pause()
    with pytest.raises(UnreachableError, match="did not answer in time"):
        ask_look(location, lambda: True, within_seconds=3)


@pytest.mark.usefixtures("credentials")
def test_an_object_is_known_by_its_etag_though_size_and_second_are_the_same(store: ObjectServer) -> None:
    location = store.url("metrics", "it.csv")
    seen = []
    for content in (b"aaaa", b"bbbb", b"bbbb"):
        store.put("metrics", "it.csv", content)
        seen.append(ask_look(location, lambda: True).objects[0])
    assert seen[0].etag != seen[1].etag == seen[2].etag
