"""Two hosts, each with a data folder of its own, and one PostgreSQL: one portal, whichever host answers."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from support.calibrations import calibration
from support.postgresql import database, postgresql
from support.serving import Server, get, running

from tft_dash.models.thresholds import ThresholdModel
from tft_dash.store.engine import Store
from tft_dash.store.schema import SHARED_FILES

SECONDS = 60
GOOD = b"timestamp,server_name,cpu_pct\n" + b"".join(
    b"2026-11-24T08:%02d:00Z,web-%d,%d\n" % (minute, server, 40 + minute) for minute in range(30) for server in range(3)
)
TWINS = (GOOD, GOOD.replace(b"web", b"app"))
FOREIGN = b"time,host,cpu\n" + b"".join(
    b"2026-11-24T08:%02d:00Z,web-%d,0.%02d\n" % (minute, server, minute) for minute in range(30) for server in range(3)
)


class RefusedError(Exception):
    """The portal has refused what was sent; its words."""


@dataclass(frozen=True)
class Host:
    """A host of the portal."""

    server: Server
    data: Path
    environ: dict[str, str]

    def get(self, path: str) -> tuple[int, Any]:
        """Status and document."""
        status, body = get(self.server.url + path)
        return status, json.loads(body)

    def send(self, path: str, body: bytes, method: str = "POST") -> Any:
        """A document sent, and the answer."""
        asked = urllib.request.Request(self.server.url + path, body, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(f"{error.code} {error.read().decode()}") from None

    def sources(self) -> list[str]:
        """The names that it lists."""
        return [one["name"] for one in self.get("/api/v1/sources")[1]]

    def place(self, path: str, content: bytes) -> None:
        """Somebody copies a file into its data folder."""
        file = self.data / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def forget_watching(self, name: str) -> None:
        """Let it be long ago that anyone on any host watched a recording."""
        store = Store(self.environ["TFT_DASH_STORE"])
        with store.write() as connection:
            connection.execute(update(SHARED_FILES).where(SHARED_FILES.c.name == name).values(watched_ms=1000))
        store.close()

    def command(self, *arguments: str) -> str:
        """What ``tft-dash`` prints on this host."""
        done = subprocess.run(
            [sys.executable, "-m", "tft_dash", *arguments],
            env={**self.environ, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Host]]:
    """Two hosts, two workers each."""
    folders = [tmp_path_factory.mktemp(name) for name in ("a", "b")]
    with postgresql() as server, database(server) as url:
        store = {"TFT_DASH_STORE": url}
        with (
            running("serve", "--workers", "2", folder=folders[0], **store) as a,
            running("serve", "--workers", "2", folder=folders[1], **store) as b,
        ):
            yield tuple(  # type: ignore[misc]
                Host(each, folder / "data", {
                    **store, "TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache"),
                })
                for each, folder in zip((a, b), folders, strict=True)
            )  # fmt: skip


def until(tell: Callable[[], Any], wanted: Callable[[Any], bool] = bool) -> Any:
    """Ask until the answer is as wanted."""
    end, found = time.monotonic() + SECONDS, None
    while time.monotonic() < end:
        found = tell()
        if wanted(found):
            return found
        time.sleep(0.2)
    raise AssertionError(f"still {found!r} after {SECONDS} s")


def made(host: Host, seed: int) -> tuple[str, dict[str, Any]]:
    """A run of the healthy drill that is done."""
    document = host.get("/api/v1/scenarios/healthy")[1]["document"]
    document["spec"]["seed"] = seed
    asked = host.send("/api/v1/scenarios/healthy/runs", json.dumps(document).encode())
    run = until(lambda: host.get(f"/api/v1/runs/{asked['id']}")[1], lambda run: run["state"] == "done")
    return str(asked["id"]), run


def answered(host: Host, path: str) -> Any:
    """The document, once it can be given."""
    return until(lambda: host.get(path), lambda said: said[0] == 200)[1]


def test_a_drill_that_one_host_made_is_watched_on_the_other_to_the_byte(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    run_id, run = made(a, 11)
    name = run["source"]
    # From the moment at which it is done, no host says that it is not there.
    there = b.get(f"/api/v1/runs/{run_id}")[1]
    assert (there["state"], there["url"]) == ("done", f"/?source={name}")
    assert b.get(f"/api/v1/sources/{name}/ticks/0")[0] in (200, 202, 503)
    assert answered(b, f"/api/v1/sources/{name}/ticks/9") == answered(a, f"/api/v1/sources/{name}/ticks/9")
    table = f"runs/{name}/{name}.parquet"
    assert (a.data / table).read_bytes() == (b.data / table).read_bytes()
    # Somebody watches it on one host: the other one does not remove it.
    until((a.data / f"runs/{name}/.watched").exists)
    with pytest.raises(RefusedError, match="is being watched"):
        a.send(f"/api/v1/datasets/{name}", b"", "DELETE")
    for host in hosts:
        os.utime(host.data / f"runs/{name}/.watched", (1, 1))
    a.forget_watching(name)
    b.send(f"/api/v1/datasets/{name}", b"", "DELETE")
    for host in hosts:
        until(host.sources, lambda names: name not in names)
        assert host.get(f"/api/v1/runs/{run_id}")[1]["url"] is None


def test_an_upload_goes_on_on_whichever_host_answers(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    upload = a.send("/api/v1/datasets?filename=foreign.csv", FOREIGN)["id"]
    assert [one["id"] for one in b.get("/api/v1/uploads")[1]] == [upload]
    assert b.send(f"/api/v1/uploads/{upload}/mapping", b"")["valid"]
    a.send(f"/api/v1/uploads/{upload}/admit", b"")
    turns = itertools.cycle(hosts)
    mapping = until(lambda: next(turns).get(f"/api/v1/uploads/{upload}")[1]["mapping"])
    mapping["spec"]["columns"]["cpu_pct"]["unit"] = "fraction"
    b.send(f"/api/v1/uploads/{upload}/admit", json.dumps({"name": "shop", "mapping": mapping}).encode())
    done = until(lambda: next(turns).get(f"/api/v1/uploads/{upload}")[1], lambda one: one["state"] == "ready")
    assert done["name"] == "shop"
    for host in hosts:  # ready means that whoever answers has it, or is about to
        until(lambda host=host: host.get(f"/api/v1/uploads/{upload}")[1]["state"], lambda state: state == "ready")  # type: ignore[misc]
        assert "shop" in until(host.sources, lambda names: "shop" in names)
    reports = [answered(host, "/api/v1/datasets/shop/report") for host in hosts]
    assert [{**report, "path": ""} for report in reports] == [{**reports[0], "path": ""}] * 2
    assert not any(host.get("/api/v1/uploads")[1] for host in hosts)
    a.send("/api/v1/datasets/shop", b"", "DELETE")
    for host in hosts:
        until(host.sources, lambda names: "shop" not in names)


def test_two_uploads_of_one_name_get_two_names_and_one_is_discarded_from_the_other_host(
    hosts: tuple[Host, Host],
) -> None:
    a, b = hosts
    texts = (*TWINS, GOOD)
    first, second, third = (
        host.send("/api/v1/datasets?filename=twin.csv", text)["id"] for host, text in zip((a, b, a), texts, strict=True)
    )
    b.send(f"/api/v1/uploads/{third}", b"", "DELETE")
    until(lambda: third not in [one["id"] for one in a.get("/api/v1/uploads")[1]])
    assert a.get(f"/api/v1/uploads/{third}")[0] == 404
    for host, upload in ((a, first), (b, second)):
        host.send(f"/api/v1/uploads/{upload}/admit", b"")
    for host in hosts:
        until(host.sources, lambda names: {"twin", "twin-2"} <= {*names})
        until(lambda host=host: not host.get("/api/v1/uploads")[1])  # type: ignore[misc]
    # Whoever had to give way is led to what is his.
    for upload, text in zip((first, second), TWINS, strict=True):
        name = b.get(f"/api/v1/uploads/{upload}")[1]["name"]
        assert (a.data / f"uploads/{name}/{name}.csv").read_bytes() == text


def test_what_is_activated_on_one_host_answers_on_all(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    path = "/api/v1/sources/demo_dataset/ticks/50?model=thresholds"
    own = answered(a, path)
    assert answered(b, path) == own
    servers = tuple(one["server_name"] for one in own["servers"])
    made = calibration(ThresholdModel.card, servers, sources=("demo_dataset",))
    a.place("calibrations/ours-1.json", made.model_dump_json(indent=1).encode())
    assert "ours-1" in until(lambda: b.command("models"), lambda said: "calibration\tours-1\tready" in said)
    b.command("models", "activate", "ours-1")
    stated = [until(lambda host=host: host.get(path)[1], lambda said: said != own) for host in hosts]  # type: ignore[misc]
    assert stated[0] == stated[1]
    a.command("models", "rollback", "--source", "demo_dataset")
    for host in hosts:
        until(lambda host=host: host.get(path)[1], lambda said: said == own)  # type: ignore[misc]


def test_a_third_host_that_comes_later_gets_everything(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    a, _ = hosts
    until(a.sources, lambda names: "twin" in names)
    with running("serve", folder=tmp_path, TFT_DASH_STORE=a.environ["TFT_DASH_STORE"]) as server:
        late = Host(server, tmp_path / "data", {})
        until(late.sources, lambda names: {"twin", "twin-2"} <= {*names})
        until((late.data / "calibrations/ours-1.json").exists)
    found = {(late.data / f"uploads/{name}/{name}.csv").read_bytes() for name in ("twin", "twin-2")}
    assert found == {*TWINS}
