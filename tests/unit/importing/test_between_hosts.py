"""Uploads of a portal whose hosts have a folder each: whichever is asked goes on with what another one received."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tft_dash.errors import StorageError, UnknownNameError, UsageError
from tft_dash.importing.between_hosts import DesksBetweenHosts
from tft_dash.importing.guarded.desk import WORKING, Desk
from tft_dash.importing.mapping import read_mapping, to_yaml
from tft_dash.importing.uploads import Upload, Uploads
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import RECEIVED, TABLES
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store
from tft_dash.store.schema import SHARED_UPLOADS
from tft_dash.store.shared import SharedTable
from tft_dash.store.uploads import DEAD_MS, SharedUpload, SharedUploadTable

GOOD = b"timestamp,server_name,cpu_pct\n2026-11-24T08:00:00Z,web-1,50\n2026-11-24T08:01:00Z,web-1,51\n"
FOREIGN = b"time,host,cpu\n2026-11-24T08:00:00Z,a,50\n2026-11-24T08:01:00Z,a,51\n"


class Host:
    """A host with its uploads."""

    def __init__(self, data: Path, store: Store) -> None:
        self.data, self._store = data, store
        self.exchange = Exchange(data, store)
        self.uploads = Uploads(
            data / "uploads",
            data / "cache",
            Documents(store, "mapping"),
            limit_bytes=1 << 20,
            room=lambda _needed: None,
            between=DesksBetweenHosts(self.exchange, store),
        )

    def go(self) -> None:
        """What a host that serves does every second."""
        self.exchange.synchronise(TABLES, settle_seconds=0)
        self.uploads.exchange()

    def receive(self, name: str, content: bytes) -> Upload:
        """A file arrives."""
        return self.uploads.receive(name, io.BytesIO(content), None)

    def desk(self, upload: Upload) -> Desk:
        """The folder of an upload on this host."""
        return Desk(self.data / "uploads" / ".incoming" / upload.id)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield made
    made.close()


@pytest.fixture
def hosts(tmp_path: Path, store: Store) -> tuple[Host, Host]:
    return Host(tmp_path / "a", store), Host(tmp_path / "b", store)


def until(tell: Callable[[], str], wanted: str) -> None:
    for _ in range(1200):
        if tell() == wanted:
            return
        time.sleep(0.05)
    raise AssertionError(f"still {tell()}")


def silence(store: Store) -> None:
    """Nobody has heard of any host for long."""
    with store.write() as connection:
        connection.execute(update(SHARED_UPLOADS).values(beat_ms=SHARED_UPLOADS.c.beat_ms - DEAD_MS - 1))


def test_a_dataset_is_ready_where_it_is_asked_for_once_it_can_be_had_there(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    assert [one.id for one in b.uploads.pending()] == [upload.id]
    b.uploads.admit(upload.id)
    until(lambda: str(b.desk(upload).read("state.json")["state"]), "ready")
    # It is made, and lies on one host alone: nobody is told that it is ready.
    assert {host.uploads.get(upload.id).state for host in hosts} == {"working"}
    b.go()
    assert b.uploads.get(upload.id).state == "ready"
    assert a.uploads.get(upload.id).state == "working"
    a.go()
    assert a.uploads.get(upload.id).state == "ready"
    assert [dataset.name for dataset in a.uploads.datasets()] == ["shop"]
    assert a.exchange.elsewhere(RECEIVED, upload.id) is None
    a.uploads.remove("shop")
    for host in (*hosts, *hosts):
        host.go()
        assert not host.uploads.datasets()
        assert not host.uploads.pending()


def test_while_one_host_works_the_others_do_not_and_go_on_when_it_has_died(
    hosts: tuple[Host, Host], store: Store
) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    desk = a.desk(upload)
    lock = desk.take()
    assert lock is not None
    desk.set_state(WORKING)
    desk.report(0.25)
    assert a.uploads.get(upload.id).progress == 0.25
    assert (b.uploads.get(upload.id).state, b.uploads.get(upload.id).progress) == ("working", 0.25)
    with pytest.raises(UsageError, match="being worked on"):
        b.uploads.admit(upload.id)
    silence(store)
    os.close(lock)
    assert b.uploads.get(upload.id).state == "refused"
    assert "ended before it was done" in b.uploads.get(upload.id).message
    assert a.uploads.get(upload.id).state == "refused"
    b.uploads.admit(upload.id)
    until(lambda: str(b.desk(upload).read("state.json")["state"]), "ready")


def test_one_that_is_discarded_on_one_host_goes_on_all_and_its_work_ends(
    hosts: tuple[Host, Host], store: Store
) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    a.desk(upload).set_state(WORKING)
    b.uploads.discard(upload.id)
    a.go()
    assert not a.desk(upload).folder.exists()
    for host in hosts:
        assert not host.uploads.pending()
        with pytest.raises(UnknownNameError):
            host.uploads.get(upload.id)
    assert SharedUploadTable(store).ids() == frozenset()
    assert a.exchange.elsewhere(RECEIVED, upload.id) is None


def test_a_mapping_that_is_changed_on_one_host_is_gone_on_with_on_another(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    upload = a.receive("foreign.csv", FOREIGN)
    a.uploads.admit(upload.id)
    until(lambda: a.uploads.get(upload.id).state and b.uploads.get(upload.id).state, "needs-mapping")
    proposed = b.uploads.get(upload.id).mapping
    assert proposed is not None
    changed = read_mapping(to_yaml(proposed).replace("unit: percent", "unit: fraction"), "the test")
    b.uploads.keep_draft(upload.id, changed, 7)
    assert a.uploads.get(upload.id).mapping == changed
    a.uploads.keep_draft(upload.id, proposed, 6)
    assert b.uploads.get(upload.id).mapping == changed
    assert b.uploads.preview(upload.id, proposed).rows_checked == 2


def test_what_was_received_before_there_were_other_hosts_is_given(tmp_path: Path, store: Store) -> None:
    alone = Uploads(
        tmp_path / "a/uploads", tmp_path / "a/cache", Documents(store, "mapping"), limit_bytes=1 << 20,
        room=lambda _needed: None,
    )  # fmt: skip
    upload = alone.receive("shop.csv", io.BytesIO(GOOD), None)
    a, b = Host(tmp_path / "a", store), Host(tmp_path / "b", store)
    assert not b.uploads.pending()
    a.go()
    assert [one.id for one in b.uploads.pending()] == [upload.id]


def test_what_was_received_and_is_nowhere_any_more_is_told(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    a.exchange.remove(RECEIVED, upload.id)
    with pytest.raises(UsageError, match="send the file again"):
        b.uploads.admit(upload.id)


def test_an_upload_that_nobody_wants_any_more_is_forgotten_by_all(hosts: tuple[Host, Host], store: Store) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    b.uploads.get(upload.id)
    for path in (a.desk(upload).folder, *a.desk(upload).folder.iterdir()):
        os.utime(path, (1, 1))
    a.uploads.tidy()
    b.go()
    assert not b.desk(upload).folder.exists()
    assert SharedUploadTable(store).ids() == frozenset()


def test_the_exchange_does_not_meddle_with_an_upload_that_is_being_received(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hosts
    whole = SharedTable.put

    def put(self: SharedTable, *part: Any) -> bool:
        a.go()  # the process of this host that exchanges, in the middle of it
        return whole(self, *part)

    with monkeypatch.context() as patch:
        patch.setattr(SharedTable, "put", put)
        upload = a.receive("shop.csv", GOOD)
    for host in hosts:
        assert [one.id for one in host.uploads.pending()] == [upload.id]
    assert b.uploads.preview(upload.id).rows_checked == 2


@pytest.mark.parametrize("broken", ["publish", "add"])
def test_an_upload_that_cannot_be_given_is_refused_whole(
    hosts: tuple[Host, Host], store: Store, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    a, _b = hosts

    def away(*_: object, **__: object) -> None:
        raise StorageError("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(*{"publish": (Exchange, "publish"), "add": (SharedUploadTable, "add")}[broken], away)
        with pytest.raises(StorageError, match="is away"):
            a.receive("shop.csv", GOOD)
    for host in hosts:
        host.go()
        assert not host.uploads.pending()
    assert a.exchange.given(RECEIVED, seconds=0) == {}


def test_a_process_that_dies_while_it_gives_leaves_what_the_next_one_finishes(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    (a.desk(upload).folder / ".shared").unlink()  # killed before it noted that it had
    a.go()
    assert (a.desk(upload).folder / ".shared").exists()
    assert b.uploads.preview(upload.id).rows_checked == 2


def test_a_store_that_was_lost_is_given_the_uploads_again(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    a, _ = hosts
    upload = a.receive("shop.csv", GOOD)
    fresh = Store(f"sqlite:///{tmp_path}/fresh.sqlite")
    again, other = Host(a.data, fresh), Host(tmp_path / "c", fresh)
    again.go()
    again.go()
    assert [one.id for one in other.uploads.pending()] == [upload.id]
    assert other.uploads.preview(upload.id).rows_checked == 2
    fresh.close()


def test_a_host_that_was_silent_for_long_and_has_not_died_is_right_all_the_same(
    hosts: tuple[Host, Host], store: Store
) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    a.uploads.admit(upload.id)
    assert b.uploads.get(upload.id).state == "working"
    until(lambda: str(a.desk(upload).read("state.json")["state"]), "ready")
    silence(store)
    assert b.uploads.get(upload.id).state == "refused"
    for host in (a, b, a):
        host.go()
    assert [host.uploads.get(upload.id).state for host in hosts] == ["ready", "ready"]
    assert not b.desk(upload).original.exists()


def test_the_beat_goes_on_while_a_dataset_is_on_its_way_to_the_others(hosts: tuple[Host, Host], store: Store) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    a.uploads.admit(upload.id)
    until(lambda: str(a.desk(upload).read("state.json")["state"]), "ready")
    silence(store)
    a.uploads.exchange()
    assert b.uploads.get(upload.id).state == "working"


def test_who_gives_way_is_led_to_his_own_dataset(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    found = []
    for host, content in ((a, GOOD), (b, GOOD.replace(b"web", b"app"))):
        upload = host.receive("shop.csv", content)
        host.uploads.admit(upload.id)
        until(lambda host=host, upload=upload: str(host.desk(upload).read("state.json")["state"]), "ready")  # type: ignore[misc]
        found.append(upload)
    for host in (a, b, b, a):
        host.go()
    for host in hosts:
        assert [host.uploads.get(upload.id).name for upload in found] == ["shop", "shop-2"]
        assert (host.data / "uploads/shop-2/shop-2.csv").read_bytes() == GOOD.replace(b"web", b"app")


def test_two_who_need_what_was_received_at_the_same_moment_both_get_it(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    upload = a.receive("shop.csv", GOOD)
    with ThreadPoolExecutor(4) as pool:
        shown = list(pool.map(lambda _: b.uploads.preview(upload.id).rows_checked, range(4)))
    assert shown == [2] * 4


def test_one_upload_that_cannot_be_gone_on_with_hinders_no_other(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = hosts
    bad, good = a.receive("bad.csv", GOOD), a.receive("good.csv", FOREIGN)
    whole = SharedUploadTable.get

    def get(self: SharedUploadTable, upload_id: str) -> SharedUpload | None:
        if upload_id == bad.id:
            raise StorageError("This one is away.")
        return whole(self, upload_id)

    monkeypatch.setattr(SharedUploadTable, "get", get)
    a.desk(good).write_text("progress", "0.5")
    a.go()
    a.go()
    assert b.uploads.get(good.id).state == "received"
    assert b.desk(good).text("progress") == "0.5"
    assert caplog.text.count("This one is away.") == 1


def test_a_draft_of_a_browser_whose_clock_is_behind_is_kept(hosts: tuple[Host, Host]) -> None:
    a, _ = hosts
    upload = a.receive("foreign.csv", FOREIGN)
    a.uploads.admit(upload.id)
    until(lambda: a.uploads.get(upload.id).state, "needs-mapping")
    proposed = a.uploads.get(upload.id).mapping
    assert proposed is not None
    changed = read_mapping(to_yaml(proposed).replace("unit: percent", "unit: fraction"), "the test")
    a.uploads.keep_draft(upload.id, changed, 1_000_000)
    a.uploads.keep_draft(upload.id, proposed, 900_000)
    assert a.uploads.get(upload.id).mapping == proposed
