"""Files that every host has: given, fetched, changed, removed, and never lost when two hosts differ."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tft_dash.errors import StorageError
from tft_dash.sharing import exchange as exchanging
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import CALIBRATION, JUDGING, MODEL, MODEL_CHOICE, RECEIVED, RUN, TABLES, UPLOAD, Place
from tft_dash.store.engine import Store
from tft_dash.store.schema import SHARED_FILES, SHARED_PARTS
from tft_dash.store.shared import PART_BYTES, STALE_MS, SharedTable

ALL = (*JUDGING, *TABLES)
BIG = os.urandom(2 * PART_BYTES + 17)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One store for all hosts."""
    found = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield found
    found.close()


class Host:
    """A host of the portal, with a data folder of its own."""

    def __init__(self, data: Path, store: Store) -> None:
        self.data = data
        self.exchange = Exchange(data, store)

    def go(self) -> None:
        """Exchange everything once."""
        self.exchange.synchronise(ALL, settle_seconds=0)

    def write(self, path: str, content: bytes | str) -> Path:
        """A file in the data folder."""
        file = self.data / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def run(self, name: str, content: bytes = BIG) -> None:
        """A recording that was made here."""
        self.write(f"runs/{name}/{name}.parquet", content)
        self.write(f"runs/{name}/{name}_metadata.json", "{}")

    def holds(self) -> dict[str, bytes]:
        """All files, without notes."""
        files = (path for path in self.data.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.data)): path.read_bytes()
            for path in files
            if not any(part.startswith(".") for part in path.relative_to(self.data).parts)
        }


@pytest.fixture
def hosts(tmp_path: Path, store: Store) -> tuple[Host, Host]:
    """Two hosts of one portal."""
    return Host(tmp_path / "a", store), Host(tmp_path / "b", store)


def stored(store: Store) -> int:
    """How many parts are in the store."""
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(SHARED_PARTS)).scalar_one())


def age(store: Store, milliseconds: int, **values: Any) -> None:
    """Let everything in the store be older."""
    with store.write() as connection:
        connection.execute(update(SHARED_FILES).values(changed_ms=SHARED_FILES.c.changed_ms - milliseconds, **values))


def test_what_one_host_has_the_others_get_to_the_byte(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.run("drill-1")
    a.write("uploads/shop/shop.csv", "timestamp,server_name\n")
    a.write("uploads/shop/upload.json", "{}")
    a.write("models/2.0/card.json", "{}")
    a.write("models/2.0/model.onnx", BIG)
    a.write("models/active.json", '{"version": "2.0"}')
    a.write("calibrations/ours.json", "{}")
    a.write("calibrations/active.json", "{}")
    a.write("calibrations/empty.json", "")
    a.go()
    b.go()
    assert b.holds() == a.holds()
    table = "runs/drill-1/drill-1.parquet"
    assert (b.data / table).stat().st_mtime_ns == (a.data / table).stat().st_mtime_ns


def test_nothing_is_written_when_nothing_has_changed(hosts: tuple[Host, Host], store: Store) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    b.go()
    with store.read() as connection:
        before = connection.execute(select(SHARED_FILES)).all()
    inode = (b.data / "runs/drill-1/drill-1.parquet").stat().st_ino
    for host in (a, b, a, b):
        host.go()
    with store.read() as connection:
        assert connection.execute(select(SHARED_FILES)).all() == before
    assert (b.data / "runs/drill-1/drill-1.parquet").stat().st_ino == inode


def test_what_is_half_written_is_nobodys_yet(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.write("runs/drill-1/drill-1.parquet", BIG)
    a.write("runs/drill-2/.drill-2.parquet.x.part", BIG)
    a.write("models/2.0/model.onnx", BIG)
    a.write("uploads/.incoming/0123456789abcdef/original", BIG)
    a.write("elsewhere/x.json", "{}")
    a.go()
    b.go()
    assert not b.holds()


def test_a_file_that_was_just_written_by_hand_waits_until_it_is_left_alone(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.write("calibrations/ours.json", "{")
    a.exchange.synchronise(ALL, settle_seconds=3_600)
    b.go()
    assert not b.holds()


def test_a_choice_goes_to_and_fro_and_the_last_one_counts(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    for number, (one, other) in enumerate(((a, b), (b, a), (b, a), (a, b))):
        one.write("models/active.json", f'{{"version": "{number}"}}')
        one.go()
        other.go()
        assert other.holds() == one.holds() == {"models/active.json": f'{{"version": "{number}"}}'.encode()}


def test_what_is_removed_goes_everywhere_and_stays_away(hosts: tuple[Host, Host], store: Store) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    b.go()
    assert b.exchange.given(RUN).keys() == {"drill-1"}
    b.exchange.remove(RUN, "drill-1")
    assert not b.exchange.given(RUN)
    for host in (a, b, a, b):
        host.go()
    assert not a.holds()
    assert not b.holds()
    assert stored(store) == 0
    assert b.exchange.elsewhere(RUN, "drill-1") is None


def test_what_is_made_again_after_it_was_removed_is_there_again(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    b.go()
    b.exchange.remove(RUN, "drill-1")
    b.go()
    b.run("drill-1", b"made anew")
    b.go()
    a.go()
    assert a.holds() == b.holds()
    assert a.holds()["runs/drill-1/drill-1.parquet"] == b"made anew"


def test_a_file_that_is_lost_on_one_host_comes_back(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.write("calibrations/ours.json", "{}")
    a.run("drill-1")
    a.go()
    b.go()
    (b.data / "calibrations/ours.json").unlink()
    (b.data / "runs/drill-1/drill-1_metadata.json").unlink()
    b.go()
    a.go()
    assert b.holds() == a.holds()


def test_a_store_that_was_lost_is_filled_again_and_takes_nothing_away(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    b.go()
    held = a.holds()
    fresh = Store(f"sqlite:///{tmp_path}/another.sqlite")
    again = [Host(host.data, fresh) for host in (a, b)]
    for host in (*again, *again):
        host.go()
    assert [host.holds() for host in again] == [held, held]
    assert Exchange(tmp_path / "c", fresh).elsewhere(RUN, "drill-1") is not None
    fresh.close()


def test_the_same_made_on_two_hosts_is_one(hosts: tuple[Host, Host], caplog: pytest.LogCaptureFixture) -> None:
    a, b = hosts
    a.run("drill-1")
    b.run("drill-1")
    os.utime(b.data / "runs/drill-1/drill-1.parquet", (1, 1))
    with caplog.at_level(logging.WARNING):
        for host in (a, b, a, b):
            host.go()
    assert a.holds() == b.holds()
    assert (b.data / "runs/drill-1/drill-1.parquet").stat().st_mtime == 1
    assert not caplog.records


def test_of_two_that_differ_the_first_counts_and_the_other_is_set_aside(
    hosts: tuple[Host, Host], caplog: pytest.LogCaptureFixture
) -> None:
    a, b = hosts
    for host, content in ((a, "A"), (b, "B")):
        host.write("models/2.0/card.json", content)
        host.write("models/active.json", content)
    with caplog.at_level(logging.WARNING):
        for host in (a, b, a, b):
            host.go()
    assert a.holds() == {"models/2.0/card.json": b"A", "models/active.json": b"A"}
    held = b.holds()
    aside = {path: content for path, content in held.items() if path.startswith("set-aside/")}
    assert sorted(aside.values()) == [b"B", b"B"]
    assert {path: content for path, content in held.items() if path not in aside} == a.holds()
    assert len(caplog.records) == 2
    assert "another '2.0'" in caplog.text


def test_a_dataset_that_has_the_name_of_another_hosts_gets_another(hosts: tuple[Host, Host]) -> None:
    a, b = hosts

    def make_way(name: str) -> None:
        (b.data / "uploads" / name).rename(b.data / "uploads" / f"{name}-2")

    b.exchange.make_way["upload"] = make_way
    for host, content in ((a, "A"), (b, "B")):
        host.write("uploads/shop/shop.csv", content)
        host.write("uploads/shop/upload.json", "{}")
    for host in (a, b, b, a):
        host.go()
    assert a.holds() == b.holds()
    assert a.holds()["uploads/shop/shop.csv"] == b"A"
    assert a.holds()["uploads/shop-2/shop.csv"] == b"B"


def test_a_drill_that_differs_is_the_stores(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.run("drill-1", b"A")
    b.run("drill-1", b"B")
    for host in (a, b):
        host.go()
    assert b.holds() == a.holds()
    assert a.holds()["runs/drill-1/drill-1.parquet"] == b"A"


def test_a_writer_that_died_is_followed_by_another(hosts: tuple[Host, Host], store: Store) -> None:
    a, b = hosts
    table = SharedTable(store)
    assert table.begin("run", "drill-1", "dead", instead_of=None)
    assert table.put("run", "drill-1", "dead", 0, b"half")
    a.run("drill-1")
    a.go()
    b.go()
    assert not b.holds()  # it may still be alive
    age(store, STALE_MS + 1)
    a.go()
    b.go()
    assert b.holds() == a.holds()
    assert not table.put("run", "drill-1", "dead", 1, b"late")
    assert not table.finish("run", "drill-1", "dead", 4, "[]")
    assert stored(store) == 3


def test_a_new_version_that_was_never_finished_gives_way_to_the_one_before(
    hosts: tuple[Host, Host], store: Store, tmp_path: Path
) -> None:
    a, b = hosts
    a.write("models/active.json", "1")
    a.go()
    b.go()
    known = SharedTable(store).find("model-choice", "active.json")
    assert known is not None
    assert SharedTable(store).begin("model-choice", "active.json", "dead", instead_of=known.stamp)
    age(store, STALE_MS + 1)
    b.go()
    c = Host(tmp_path / "c", store)
    c.go()
    assert not c.holds()
    age(store, 600_000)
    b.go()
    c.go()
    assert c.holds() == b.holds() == {"models/active.json": b"1"}


def test_bytes_that_were_damaged_in_the_store_never_arrive(
    hosts: tuple[Host, Host], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = hosts
    a.run("drill-1")
    a.write("calibrations/ours.json", "{}")
    a.go()
    with store.write() as connection:
        connection.execute(update(SHARED_PARTS).where(SHARED_PARTS.c.number == 1).values(payload=b"x" * PART_BYTES))
    with caplog.at_level(logging.WARNING):
        b.go()
        b.go()
    assert b.holds() == {"calibrations/ours.json": b"{}"}
    assert len(caplog.records) == 1
    assert "'drill-1' (run) cannot be shared with the other hosts: its bytes in the store are damaged" in caplog.text


def test_a_name_from_the_store_never_leaves_the_data_folder(hosts: tuple[Host, Host], store: Store) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    age(store, 0, name="../../escaped")
    b.go()
    assert not b.holds()
    assert not (b.data.parent / "escaped").exists()
    age(store, 0, name="drill-1", files='[{"name": "../x", "bytes": 1, "changed_ns": 0, "sha256": ""}]')
    b.go()
    assert not b.holds()


def test_a_drill_that_somebody_watches_on_one_host_is_watched_on_all(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    b.go()
    mark = a.data / "runs/drill-1/.watched"
    mark.touch()
    os.utime(mark, (1_000_000_000, 1_000_000_000))
    a.go()
    b.go()
    assert (b.data / "runs/drill-1/.watched").stat().st_mtime == 1_000_000_000
    os.utime(b.data / "runs/drill-1/.watched", (1_000_000_100, 1_000_000_100))
    b.go()
    a.go()
    assert mark.stat().st_mtime == 1_000_000_100


def test_a_file_may_be_given_and_fetched_alone(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    name = "0123456789abcdef"
    a.write(f"uploads/.incoming/{name}/original", BIG)
    assert a.exchange.publish(RECEIVED, name)
    b.go()
    assert b.exchange.arriving(RECEIVED, name) == 0
    found = b.exchange.elsewhere(RECEIVED, name)
    assert found is not None
    assert b.exchange.fetch(RECEIVED, name, found)
    assert (b.data / f"uploads/.incoming/{name}/original").read_bytes() == BIG


def test_what_changes_while_it_is_read_is_not_given(
    hosts: tuple[Host, Host], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hosts
    a.run("drill-1")
    whole = SharedTable.put

    def put(self: SharedTable, *part: Any) -> bool:
        a.write("runs/drill-1/drill-1.parquet", os.urandom(9))
        return whole(self, *part)

    with monkeypatch.context() as patch:
        patch.setattr(SharedTable, "put", put)
        a.go()
    b.go()
    assert not b.holds()
    a.go()
    b.go()
    assert b.holds() == a.holds()
    a.exchange.table.sweep()
    assert stored(store) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, store: Store) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageError, match="TFT_DASH_DATA"):
        Exchange(tmp_path / "data", store).synchronise(ALL)


@pytest.mark.parametrize("place", [MODEL, CALIBRATION, MODEL_CHOICE, RUN, UPLOAD])
@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "", "x\x00", ".hidden"])
def test_nothing_can_be_called_like_a_path(place: Place, name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r".*"):
        place.path(tmp_path, name)


def test_what_is_made_here_while_something_arrives_is_not_lost(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hosts
    a.write("uploads/shop/shop.csv", BIG)
    a.write("uploads/shop/upload.json", "A")
    a.write("models/active.json", "A")
    a.go()
    whole = SharedTable.part

    def part(self: SharedTable, stamp: str, number: int) -> bytes | None:
        if not (b.data / "uploads/shop").exists():
            b.write("uploads/shop/shop.csv", "made here")
            b.write("uploads/shop/upload.json", "B")
            b.write("models/active.json", "B")
        return whole(self, stamp, number)

    with monkeypatch.context() as patch:
        patch.setattr(SharedTable, "part", part)
        b.go()
    assert b.holds()["uploads/shop/shop.csv"] == b"made here"
    assert b.holds()["models/active.json"] == b"B"
    b.go()
    assert a.holds().items() <= b.holds().items()
    kept = {content for path, content in b.holds().items() if path.startswith("set-aside/")}
    assert {b"made here", b"B"} <= kept


def test_a_file_that_is_missing_in_a_folder_comes_back_and_its_lack_is_not_shared(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.write("models/2.0/card.json", "{}")
    a.write("models/2.0/model.onnx", BIG)
    a.go()
    b.go()
    held = a.holds()
    (b.data / "models/2.0/model.onnx").unlink()
    b.go()
    a.go()
    assert b.holds() == held
    assert a.holds() == held


def test_a_store_that_was_set_back_takes_nothing_away_that_came_after(
    hosts: tuple[Host, Host], store: Store, tmp_path: Path
) -> None:
    a, b = hosts
    a.write("models/active.json", "1")
    a.run("drill-1")
    a.go()
    b.exchange.remove(RUN, "drill-1")
    for host in hosts:
        host.go()
    shutil.copy(tmp_path / "store.sqlite", tmp_path / "dump.sqlite")
    b.run("drill-1", b"made anew")
    b.write("models/active.json", "2")
    b.go()
    a.go()
    held = a.holds()
    assert held["models/active.json"] == b"2"
    old = Store(f"sqlite:///{tmp_path}/dump.sqlite")
    again = [Host(host.data, old) for host in hosts]
    for host in (*again, *again):
        host.go()
    assert [host.holds() for host in again] == [held, held]
    old.close()


def test_of_two_states_that_meet_in_an_empty_store_the_later_one_counts(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    a, b = hosts
    a.write("models/active.json", "1")
    a.go()
    b.go()
    b.write("models/active.json", "2")
    b.go()  # and a is away
    fresh = Store(f"sqlite:///{tmp_path}/fresh.sqlite")
    stale, newer = Host(a.data, fresh), Host(b.data, fresh)
    for host in (stale, newer, stale):
        host.go()
    assert stale.holds() == newer.holds() == {"models/active.json": b"2"}
    fresh.close()


def test_a_folder_that_somebody_is_filling_is_left_alone_and_one_that_nobody_fills_is_set_aside(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hosts
    a.write("models/2.0/card.json", "A")
    a.run("drill-1")
    a.go()
    b.write("models/2.0/model.onnx", "copied by hand")
    b.write("runs/drill-1/.drill-1.parquet.x.part", "half")
    b.go()
    assert b.holds() == {"models/2.0/model.onnx": b"copied by hand"}
    assert (b.data / "runs/drill-1/.drill-1.parquet.x.part").exists()
    monkeypatch.setattr(exchanging, "UNFINISHED_SECONDS", 0.0)
    b.go()
    assert a.holds().items() <= b.holds().items()
    assert b"copied by hand" in b.holds().values()


def test_what_cannot_be_had_is_not_asked_for_again_and_again(
    hosts: tuple[Host, Host], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    with store.write() as connection:
        connection.execute(update(SHARED_PARTS).where(SHARED_PARTS.c.number == 2).values(payload=b"x"))
    read = []
    whole = SharedTable.part
    monkeypatch.setattr(
        SharedTable, "part", lambda self, stamp, number: read.append(number) or whole(self, stamp, number)
    )
    for _ in range(3):
        b.go()
    assert len(read) <= 4
    monkeypatch.setattr(exchanging, "AGAIN_SECONDS", 0.0)
    b.exchange._failed.clear()
    b.go()
    assert len(read) > 4


def test_what_was_interrupted_is_swept(hosts: tuple[Host, Host], store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = hosts
    table = SharedTable(store)
    assert table.begin("run", "drill-1", "dead", instead_of=None)
    assert table.put("run", "drill-1", "dead", 0, b"half")
    assert table.begin("received", "0123456789abcdef", "lost", instead_of=None)
    assert table.put("received", "0123456789abcdef", "lost", 0, b"whole")
    assert table.finish("received", "0123456789abcdef", "lost", 5, "[]")
    left = a.write("runs/.work/dead/drill-1.parquet", "half")
    a.exchange.tidy(ALL)
    assert stored(store) == 2
    assert left.exists()
    age(store, 86_400_001)
    monkeypatch.setattr(exchanging, "LEFT_SECONDS", 0.0)
    a.exchange.tidy(ALL)
    assert stored(store) == 0
    assert not left.parent.exists()
    a.run("drill-1")
    a.go()
    b.go()
    assert b.holds() == a.holds()


def test_notes_of_what_is_nowhere_any_more_go(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.run("drill-1")
    a.run("drill-2")
    a.go()
    b.go()
    a.exchange.remove(RUN, "drill-1")
    shutil.rmtree(b.data / "runs/drill-1")
    b.exchange.tidy(ALL)
    notes = {path.name for path in (b.data / ".shared/run").iterdir()}
    assert notes == {"drill-2.json", "drill-2.lock"}
    b.go()
    a.go()
    assert a.holds() == b.holds()
    assert not (a.data / "runs/drill-1").exists()


def test_a_place_may_be_a_mount_of_its_own(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    a, b = hosts
    a.run("drill-1")
    a.go()
    other = Path("/dev/shm") if Path("/dev/shm").is_dir() else tmp_path  # noqa: S108 - another file system
    with tempfile.TemporaryDirectory(dir=other) as folder:
        b.data.mkdir(parents=True)
        (b.data / "runs").symlink_to(folder)
        b.go()
        assert (Path(folder) / "drill-1/drill-1.parquet").read_bytes() == BIG
        a.exchange.remove(RUN, "drill-1")
        b.go()
        assert not (Path(folder) / "drill-1").exists()


def test_a_name_that_nothing_can_have_is_nowhere(hosts: tuple[Host, Host]) -> None:
    assert hosts[0].exchange.arriving(RUN, "a\ud800b") is None
    assert hosts[0].exchange.arriving(UPLOAD, "../x") is None
