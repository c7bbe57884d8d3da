"""The work on uploads: so much of it at a time, ended when nobody wants it, and nothing kept that nobody needs."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tft_dash.errors import UnknownNameError, UsageError
from tft_dash.importing.guarded.desk import Desk
from tft_dash.importing.guarded.guard import Limits, guarded
from tft_dash.importing.guarded.slots import PLACES, slot
from tft_dash.importing.uploads import Upload, Uploads
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store

GOOD = b"timestamp,server_name,cpu_pct\n2026-11-24T08:00:00Z,web-1,50\n2026-11-24T08:01:00Z,web-1,51\n"


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return make(tmp_path)


def make(folder: Path, **flags: object) -> Uploads:
    store = Store(f"sqlite:///{folder}/store.sqlite")
    given = {"limit_bytes": 1 << 20, "room": lambda _needed: None, **flags}
    return Uploads(folder / "uploads", folder / "cache", Documents(store, "mapping"), **given)  # type: ignore[arg-type]


def settled(uploads: Uploads, upload_id: str) -> Upload:
    return until(lambda: (upload := uploads.get(upload_id)).state != "working" and upload)


def until(found: Callable[[], Upload | bool]) -> Upload:
    for _ in range(1200):
        answer = found()
        if isinstance(answer, Upload):
            return answer
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_what_was_received_lies_with_its_dataset_and_goes_with_it(uploads: Uploads, tmp_path: Path) -> None:
    upload = uploads.receive("shop.csv", io.BytesIO(GOOD), None)
    uploads.admit(upload.id)
    assert settled(uploads, upload.id).state == "ready"
    holders = [path for path in (tmp_path / "uploads").rglob("*") if path.is_file() and path.read_bytes() == GOOD]
    assert holders == [tmp_path / "uploads" / "shop" / "shop.csv"]
    uploads.remove("shop")
    assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file() and path.read_bytes() == GOOD]


def test_an_admitted_upload_is_neither_admitted_nor_looked_at_again(uploads: Uploads) -> None:
    upload = uploads.receive("shop.csv", io.BytesIO(GOOD), None)
    uploads.admit(upload.id)
    settled(uploads, upload.id)
    for act in (uploads.admit, uploads.preview):
        with pytest.raises(UsageError, match="admitted already, as shop"):
            act(upload.id)


def test_discarding_ends_the_work(uploads: Uploads, tmp_path: Path) -> None:
    upload = uploads.receive("shop.csv", io.BytesIO(GOOD), None)
    desk = Desk(tmp_path / "uploads" / ".incoming" / upload.id)
    uploads.admit(upload.id)
    uploads.discard(upload.id)
    assert not desk.folder.exists()
    with pytest.raises(UnknownNameError):
        uploads.get(upload.id)
    assert uploads.datasets() == ()


def test_work_that_is_cancelled_is_ended_where_it_stands(tmp_path: Path) -> None:
    begun = time.monotonic()

    def endless() -> None:
        (tmp_path / "begun").touch()
        time.sleep(600)

    assert guarded(endless, Limits(), (tmp_path / "begun").exists) == "It was cancelled."
    assert time.monotonic() - begun < 300


def test_work_that_takes_too_much_of_the_processor_is_ended_in_words() -> None:
    def busy() -> None:
        while True:
            pass

    reason = guarded(busy, Limits(cpu_seconds=1), lambda: False)
    assert reason is not None
    assert "1 s of processor time" in reason


def test_work_that_crashes_is_told_from_work_that_ends() -> None:
    reason = guarded(lambda: os._exit(9), Limits(), lambda: False)
    assert reason is not None
    assert "most likely the file is damaged" in reason
    assert guarded(lambda: None, Limits(), lambda: False) is None


def test_a_file_that_grows_too_large_is_an_error_and_not_a_full_disk(tmp_path: Path) -> None:
    def write() -> None:
        try:
            (tmp_path / "large").write_bytes(b"x" * 100_000)
        except OSError:
            (tmp_path / "refused").touch()

    guarded(write, Limits(file_bytes=10_000), lambda: False)
    assert (tmp_path / "refused").exists()
    assert (tmp_path / "large").stat().st_size <= 10_000


def test_so_many_uploads_are_read_at_a_time_and_the_next_waits(tmp_path: Path) -> None:
    (tmp_path / ".incoming").mkdir()
    with contextlib.ExitStack() as places:
        for _ in range(PLACES["admit"]):
            places.enter_context(slot(tmp_path, "admit", lambda: False))
        asked = iter([False, False, True])
        with slot(tmp_path, "admit", lambda: next(asked)):
            pass  # it was let in only because nobody wants it any more
        assert next(asked, None) is None
    asked = iter([False])
    with slot(tmp_path, "admit", lambda: next(asked)):
        assert next(asked, None) is None


def test_several_uploads_of_one_name_all_find_their_place(uploads: Uploads) -> None:
    sent = [uploads.receive("shop.csv", io.BytesIO(GOOD), None) for _ in range(4)]
    for upload in sent:
        uploads.admit(upload.id)
    done = [settled(uploads, upload.id) for upload in sent]
    assert {upload.state for upload in done} == {"ready"}
    assert sorted(upload.name or "" for upload in done) == ["shop", "shop-2", "shop-3", "shop-4"]


def test_what_never_arrived_as_a_whole_is_removed_after_an_hour(uploads: Uploads, tmp_path: Path) -> None:
    whole = uploads.receive("whole.csv", io.BytesIO(GOOD), None)
    partial = tmp_path / "uploads" / ".incoming" / ("a" * 16)
    partial.mkdir()
    (partial / "original").write_bytes(GOOD)
    uploads.tidy()
    assert partial.is_dir()
    for path in (partial / "original", partial):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    uploads.tidy()
    assert not partial.exists()
    assert uploads.get(whole.id).state == "received"
