"""The copy of what lies in an object store: whole, bounded, renewed when something changes, and never said to be newer
than it is."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyarrow import fs
from support.local_store import LocalStore
from support.recordings import fleet_table, write_csv, write_parquet

from tft_dash.errors import (
    CancelledError,
    DataError,
    LimitError,
    NotReadyError,
    SourceMissingError,
    StorageError,
    TableError,
    UnreachableError,
    UsageError,
)
from tft_dash.sources.remote.failures import in_words
from tft_dash.sources.remote.mirror import LIMIT_BYTES, Mirror
from tft_dash.sources.remote.objects import look
from tft_dash.sources.remote.source import ObjectStoreSource

URL = "s3://bucket/fleet.csv"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    write_csv(tmp_path / "store" / "bucket" / "fleet.csv", fleet_table(3))
    return LocalStore(tmp_path / "store")


def mirror_of(
    store: LocalStore, folder: Path, url: str = URL, *, look_seconds: float = 0.0, limit: int = LIMIT_BYTES
) -> Mirror:
    return Mirror(url, folder / "cache", look_seconds=look_seconds, limit_bytes=limit, ask=(store.look, store.copy))


def change(folder: Path, ticks: int, name: str = "bucket/fleet.csv") -> None:
    write_csv(folder / "store" / name, fleet_table(ticks))


def read(mirror: Mirror) -> str:
    _, path, hold = mirror.open()
    hold.release()
    return path.read_text()


def test_what_lies_in_the_store_is_copied_once_and_read_from_the_copy(store: LocalStore, tmp_path: Path) -> None:
    whole = (tmp_path / "store/bucket/fleet.csv").read_text()
    assert [read(mirror_of(store, tmp_path)) for _ in range(3)] == [whole] * 3
    assert store.copies == 1


def test_what_changed_is_copied_and_the_older_copy_goes_when_nobody_reads_it(store: LocalStore, tmp_path: Path) -> None:
    mirror = mirror_of(store, tmp_path)
    version, path, hold = mirror.open()
    change(tmp_path, 5)
    mirror.look()
    assert mirror.version() != version
    assert path.exists()  # it is read still
    hold.release()
    mirror.look()
    assert not path.exists()
    assert read(mirror) == (tmp_path / "store/bucket/fleet.csv").read_text()


def test_looks_are_as_far_apart_as_is_said_whoever_looks(store: LocalStore, tmp_path: Path) -> None:
    mirrors = [mirror_of(store, tmp_path, look_seconds=3600) for _ in range(4)]
    for mirror in mirrors:
        read(mirror)
        mirror.look()
    assert len(store.asked) == 1
    mirrors[0].open(look_first=True)[2].release()
    assert len(store.asked) == 2


def test_many_at_once_make_one_copy(store: LocalStore, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: read(mirror_of(store, tmp_path, look_seconds=60)), range(8)))
    assert len(set(texts)) == 1
    assert store.copies == 1


def test_a_store_that_is_away_leaves_the_copy_and_the_time_since_when(store: LocalStore, tmp_path: Path) -> None:
    mirror = mirror_of(store, tmp_path)
    before = read(mirror)
    assert mirror.remarks() == ()
    store.fail()
    mirror.look()
    first = mirror.remarks()
    assert len(first) == 1
    assert "Not looked at since" in first[0]
    assert "no connection could be made" in first[0]
    since = mirror.state().failing_since
    state = next((tmp_path / "cache/objects").glob("*/state.json"))
    state.write_text(state.read_text().replace(f'"failing_since": {since}', f'"failing_since": {since - 100}'))
    mirror.look()
    assert mirror.state().failing_since == since - 100  # the first look that failed
    assert mirror.remarks() != first
    assert read(mirror) == before
    assert read(mirror_of(store, tmp_path)) == before
    store.down = None
    change(tmp_path, 4)
    mirror.look()
    assert mirror.remarks() == ()
    assert read(mirror) != before


def test_an_object_that_went_leaves_its_copy_and_says_so(store: LocalStore, tmp_path: Path) -> None:
    mirror = mirror_of(store, tmp_path)
    read(mirror)
    (tmp_path / "store/bucket/fleet.csv").unlink()
    mirror.look()
    assert "There is no object at s3://bucket/fleet.csv" in mirror.remarks()[0]
    assert mirror.version()


def test_a_copy_that_nobody_has_compared_for_long_is_told_of(store: LocalStore, tmp_path: Path) -> None:
    mirror = mirror_of(store, tmp_path)
    read(mirror)
    state = next((tmp_path / "cache/objects").glob("*/state.json"))
    text = state.read_text()
    looked_at = str(mirror.state().looked_at)
    state.write_text(text.replace(looked_at, str(time.time() - 4000)))
    assert "was last looked at" in mirror_of(store, tmp_path).remarks()[0]


def test_without_a_copy_a_store_that_is_away_is_unreachable_and_not_asked_by_every_reader(
    store: LocalStore, tmp_path: Path
) -> None:
    store.fail()
    for _ in range(3):
        with pytest.raises(UnreachableError, match="no connection"):
            mirror_of(store, tmp_path, look_seconds=60).open()
    assert len(store.asked) == 1
    assert mirror_of(store, tmp_path).remarks() == ()


def test_what_is_not_there_is_missing_and_what_is_no_table_is_said_to_be_none(
    store: LocalStore, tmp_path: Path
) -> None:
    with pytest.raises(SourceMissingError, match="no object at s3://bucket/nothing"):
        mirror_of(store, tmp_path, "s3://bucket/nothing").open()
    (tmp_path / "store/bucket/notes").mkdir()
    (tmp_path / "store/bucket/notes/a.txt").write_text("hello")
    with pytest.raises(DataError, match="No object below s3://bucket/notes is a table"):
        mirror_of(store, tmp_path, "s3://bucket/notes").open()


def test_a_copy_is_whole_or_not_there_and_a_stopped_one_leaves_nothing(store: LocalStore, tmp_path: Path) -> None:
    write_parquet(tmp_path / "store/bucket/more/a.parquet", fleet_table(4))
    write_parquet(tmp_path / "store/bucket/more/b.parquet", fleet_table(4))
    several = mirror_of(store, tmp_path, "s3://bucket/more")
    store.meanwhile = several.close
    with pytest.raises(CancelledError):
        several.open()
    assert not several.version()
    assert not list((tmp_path / "cache/objects").glob("*/versions/*.partial-*"))
    store.meanwhile = lambda: None
    _, path, hold = mirror_of(store, tmp_path, "s3://bucket/more").open()
    hold.release()
    assert sorted(file.name for file in path.iterdir()) == ["a.parquet", "b.parquet"]


def test_an_object_that_changes_while_it_is_copied_is_copied_anew(store: LocalStore, tmp_path: Path) -> None:
    changes = iter([7])

    def meanwhile() -> None:
        for ticks in changes:
            change(tmp_path, ticks)

    store.meanwhile = meanwhile
    assert read(mirror_of(store, tmp_path)) == (tmp_path / "store/bucket/fleet.csv").read_text()


def test_an_object_that_never_rests_is_given_up(store: LocalStore, tmp_path: Path) -> None:
    count = iter(range(4, 100))
    store.meanwhile = lambda: change(tmp_path, next(count))
    with pytest.raises(UnreachableError, match="keeps changing"):
        read(mirror_of(store, tmp_path))


def test_a_damaged_copy_is_made_anew(store: LocalStore, tmp_path: Path) -> None:
    mirror = mirror_of(store, tmp_path, look_seconds=60)
    _, path, hold = mirror.open()
    hold.release()
    whole = path.read_text()
    path.write_text("half")
    assert read(mirror_of(store, tmp_path, look_seconds=60)) == whole


def test_an_emptied_cache_is_filled_again(store: LocalStore, tmp_path: Path) -> None:
    mirror = mirror_of(store, tmp_path, look_seconds=60)
    whole = read(mirror)
    for path in sorted((tmp_path / "cache").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert read(mirror_of(store, tmp_path, look_seconds=60)) == whole


def test_copies_that_nobody_reads_make_room_the_oldest_first_and_those_that_are_read_stay(
    store: LocalStore, tmp_path: Path
) -> None:
    size = (tmp_path / "store/bucket/fleet.csv").stat().st_size
    for name in "abc":
        (tmp_path / f"store/bucket/{name}.csv").write_bytes((tmp_path / "store/bucket/fleet.csv").read_bytes())
    opened = {}
    for age, name in enumerate("ab"):
        mirror = mirror_of(store, tmp_path, f"s3://bucket/{name}.csv", limit=2 * size)
        _, path, hold = mirror.open()
        opened[name] = (path, hold)
        held = path.parent.with_name(f"{path.parent.name}.held")
        os.utime(held, (1000 + age, 1000 + age))
    with pytest.raises(LimitError, match="TFT_DASH_OBJECT_CACHE_GB"):
        mirror_of(store, tmp_path, limit=2 * size).open()
    opened["b"][1].release()
    mirror_of(store, tmp_path, limit=2 * size).open(look_first=True)[2].release()
    assert opened["a"][0].exists()
    assert not opened["b"][0].exists()
    opened["a"][1].release()
    mirror_of(store, tmp_path, "s3://bucket/c.csv", limit=2 * size).open()[2].release()
    assert not opened["a"][0].exists()


def test_what_is_larger_than_all_copies_may_be_is_refused_before_a_byte_is_copied(
    store: LocalStore, tmp_path: Path
) -> None:
    with pytest.raises(LimitError, match="more than the"):
        mirror_of(store, tmp_path, limit=10).open()
    assert store.copies == 0


def test_a_cache_that_cannot_be_written_is_told(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError, match="TFT_DASH_CACHE"):
        mirror_of(store, tmp_path).open()


class Tricky:
    """A listing with keys that no folder would hold."""

    keys = ("a.csv", "x/../../../etc/cron.d/e.csv", "/abs.csv", "d.csv", "d.csv/b.csv", "n\0l.csv", "y" * 300 + ".csv")

    def get_file_info(self, asked: object) -> object:
        if isinstance(asked, str):
            return fs.FileInfo(asked, fs.FileType.NotFound)
        return [fs.FileInfo(f"bucket/t/{key}", fs.FileType.File, size=3, mtime_ns=1) for key in self.keys]


def test_keys_that_no_file_can_have_are_left_out_and_told() -> None:
    found = look(Tricky(), "bucket/t", "s3://bucket/t")  # type: ignore[arg-type]
    assert [one.name for one in found.objects] == ["a.csv", "d.csv/b.csv"]
    assert len(found.left_out) == 5


def test_what_a_store_says_is_put_into_words_without_a_secret() -> None:
    url = "s3://AKID:hush%2Fhush@bucket/x.csv"
    for said, kind, words in (
        ("AWS Error NO_SUCH_BUCKET during HeadBucket", SourceMissingError, "no such bucket"),
        ("AWS Error ACCESS_DENIED during HeadObject", UnreachableError, "does not let us in"),
        ("curlCode: 28, Timeout was reached", UnreachableError, "did not answer in time"),
        ("something about hush/hush and AKID at s3://AKID:hush%2Fhush@bucket/x.csv", UnreachableError, "something"),
    ):
        told = in_words(OSError(said), url, "26")
        assert type(told) is kind
        assert words in str(told)
        assert "hush" not in str(told)
        assert "AKID" not in str(told)
    told = in_words(NotImplementedError("Got S3 URI but Arrow compiled without S3 support"), url, "26")
    assert isinstance(told, UsageError)
    assert "pyarrow 26" in str(told)
    assert "without support for s3://" in str(told)


def test_a_recording_that_cannot_be_played_is_told_by_its_address(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "store/bucket/fleet.csv").write_text("hello,world\n1,2\n")
    source = ObjectStoreSource(URL, name="it", cache_folder=tmp_path / "cache", ask=(store.look, store.copy))
    with pytest.raises(TableError) as refused:
        source.describe()
    source.close()
    assert str(refused.value).startswith("s3://bucket/fleet.csv has no timestamp")


def test_a_source_stays_the_same_and_says_when_another_would_be_newer(store: LocalStore, tmp_path: Path) -> None:
    ask = (store.look, store.copy)
    source = ObjectStoreSource(URL, name="it", cache_folder=tmp_path / "cache", look_seconds=0, ask=ask)
    assert not source.is_here()
    assert source.describe().ticks == 3
    assert source.describe().kind == "object-store"
    change(tmp_path, 5)
    source.watch()
    assert source.outdated()
    assert source.describe().ticks == 3
    newer = ObjectStoreSource(URL, name="it", cache_folder=tmp_path / "cache", ask=ask)
    assert newer.describe().ticks == 5
    assert not newer.outdated()
    source.close()
    source.close()
    with pytest.raises(NotReadyError):  # never on with newer data
        source.read()
    newer.close()


def test_what_a_killed_copier_left_goes_at_the_next_copy(store: LocalStore, tmp_path: Path) -> None:
    mirror = mirror_of(store, tmp_path)
    mirror.open()[2].release()
    versions = next((tmp_path / "cache/objects").glob("*/versions"))
    left = versions / "0123.partial-1-1"
    left.mkdir()
    change(tmp_path, 7)
    mirror.look(fresh=True)
    assert not left.exists()


def test_closing_stops_a_copy_that_is_being_made(store: LocalStore, tmp_path: Path) -> None:
    ask = (store.look, store.copy)
    source = ObjectStoreSource(URL, name="it", cache_folder=tmp_path / "cache", ask=ask)
    arrived, go_on = threading.Event(), threading.Event()
    write_parquet(tmp_path / "store/bucket/fleet.csv", fleet_table(3))

    def meanwhile() -> None:
        arrived.set()
        go_on.wait(20)
        change(tmp_path, 9)  # so that there is more to copy

    store.meanwhile = meanwhile
    with ThreadPoolExecutor(2) as pool:
        made = pool.submit(source.describe)
        assert arrived.wait(20)
        closed = pool.submit(source.close)
        while not source.mirror.closed:
            time.sleep(0.01)
        go_on.set()
        with pytest.raises(CancelledError):
            made.result(20)
        closed.result(20)
