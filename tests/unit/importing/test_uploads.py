"""Uploads: whatever is sent, it is taken in or refused in words, and nothing lies outside its folder."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tft_dash.errors import LimitError, StorageError, UnknownNameError, UsageError
from tft_dash.importing.guarded.guard import Limits, guarded
from tft_dash.importing.mapping import read_mapping, to_yaml
from tft_dash.importing.naming import demand_name, label_of, name_of
from tft_dash.importing.uploads import Upload, Uploads
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store

GOOD = (
    b"timestamp,server_name,cpu_pct\n"
    b"2026-11-24T08:00:00Z,web-1,50\n2026-11-24T08:01:00Z,web-1,51\n2026-11-24T08:02:00Z,web-1,52\n"
)
FOREIGN = b"time,host,cpu\n2026-11-24T08:00:00Z,a,50\n2026-11-24T08:01:00Z,a,51\n"
MB = 1 << 20

MakeUploads = Callable[..., Uploads]


def no_limit(_needed: int) -> None:
    """There is room for anything."""


def uploads_in(folder: Path, **flags: object) -> Uploads:
    store = Store(f"sqlite:///{folder}/store.sqlite")
    given = {"limit_bytes": 64 * MB, "room": no_limit, **flags}
    return Uploads(folder / "uploads", folder / "cache", Documents(store, "mapping"), **given)  # type: ignore[arg-type]


@pytest.fixture
def make_uploads(tmp_path: Path) -> MakeUploads:
    return lambda **flags: uploads_in(tmp_path, **flags)


def settled(uploads: Uploads, upload_id: str) -> Upload:
    for _ in range(1200):
        upload = uploads.get(upload_id)
        if upload.state != "working":
            return upload
        time.sleep(0.05)
    raise AssertionError("the work never ended")


def admitted(uploads: Uploads, filename: str, content: bytes) -> Upload:
    received = uploads.receive(filename, io.BytesIO(content), len(content))
    uploads.admit(received.id)
    return settled(uploads, received.id)


def left_in(folder: Path) -> list[str]:
    """Every path below a folder, but the store's own and the cache's."""
    found = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    return [name for name in found if not name.startswith(("store.sqlite", "cache"))]


def parquet_of(table: pa.Table, **flags: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **flags)
    return sink.getvalue()


def zipped() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return sink.getvalue()


def giant_page() -> bytes:
    """A few kilobytes that are gigabytes once they are read: one text, told a thousand times by a dictionary."""
    indices = pa.array(np.zeros(2048, np.int32))
    text = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * (4 * MB)]))
    stamps = pa.array(np.arange(2048) * 10**9, pa.timestamp("ns", tz="UTC"))
    table = pa.table({"timestamp": stamps, "host": text, "cpu": np.zeros(2048)})
    return parquet_of(table, compression="zstd", store_schema=False)


def many_rows() -> bytes:
    """A small table whose footer says that it holds four billion rows."""
    plain = plain_parquet()
    length = int.from_bytes(plain[-8:-4], "little")
    footer = plain[-8 - length : -8].replace(b"\x16" + varint(2 * 5000), b"\x16" + varint(2 * 4_000_000_000), 1)
    return plain[: -8 - length] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def varint(number: int) -> bytes:
    """A number as Parquet's footer has it."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def plain_parquet() -> bytes:
    stamps = pa.array(np.arange(5000) * 10**9, pa.timestamp("ns", tz="UTC"))
    return parquet_of(pa.table({"timestamp": stamps, "server_name": ["a"] * 5000, "cpu_pct": np.arange(5000) % 97.0}))


def nested() -> bytes:
    return parquet_of(pa.table({"timestamp": [[1], [2]], "host": [{"a": 1}, {"a": 2}]}))


REFUSED: Mapping[str, tuple[str, Callable[[], bytes], str]] = {
    "zip": ("a.csv", zipped, "zip archive or an Excel workbook"),
    "xlsx": ("book.xlsx", zipped, "save the sheet as CSV"),
    "gzip": ("a.csv.gz", lambda: gzip.compress(GOOD), "gunzip"),
    "gzip-renamed": ("a.csv", lambda: gzip.compress(GOOD), "gzip archive"),
    "html": ("a.csv", lambda: b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML"),
    "json": ("a.csv", lambda: b'{"a": 1}', "JSON"),
    "empty": ("a.csv", lambda: b"", "empty"),
    "only-header": ("a.csv", lambda: GOOD.splitlines(keepends=True)[0], "no rows"),
    "noise": ("a.csv", lambda: np.random.default_rng(1).bytes(20_000), "binary"),
    "nul": ("a.csv", lambda: GOOD + b"2026-11-24T08:03:00Z,\x00,1\n", "binary"),
    "utf-16": ("a.csv", lambda: GOOD.decode().encode("utf-16"), "UTF-16"),
    "truncated": ("a.parquet", lambda: plain_parquet()[:-2000], "cut off"),
    "html-comment": ("a.csv", lambda: b"<!-- saved --><html>", "HTML"),
    "utf-16-unmarked": ("a.csv", lambda: GOOD.decode().encode("utf-16-le"), "UTF-16"),
    "old-mac": ("a.csv", lambda: GOOD.replace(b"\n", b"\r"), "line ends"),
    "only-nested": ("a.parquet", nested, "no column that can be read"),
    "one-column": ("a.csv", lambda: b"r b swpd\n1 0 7\n2 0 7\n", "one column only"),
    "broken-footer": ("a.parquet", lambda: plain_parquet()[:-300] + b"\xff" * 292 + plain_parquet()[-8:], "damaged"),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Upload]]]:
    """What becomes of every bad file; they are sent side by side, as browsers do."""
    folder = tmp_path_factory.mktemp("bad")
    uploads = uploads_in(folder)
    with ThreadPoolExecutor(3) as pool:
        sent = {key: pool.submit(admitted, uploads, name, make()) for key, (name, make, _) in REFUSED.items()}
        yield folder, {key: upload.result() for key, upload in sent.items()}


@pytest.mark.parametrize("key", REFUSED)
def test_what_is_no_table_is_refused_in_words(outcomes: tuple[Path, dict[str, Upload]], key: str) -> None:
    folder, found = outcomes
    assert found[key].state == "refused"
    assert REFUSED[key][2].lower() in found[key].message.lower()
    assert str(folder) not in found[key].message
    assert not [path for path in (folder / "uploads").iterdir() if path.name != ".incoming"]


def test_a_file_that_keeps_the_contract_becomes_a_dataset(make_uploads: MakeUploads) -> None:
    uploads = make_uploads()
    upload = admitted(uploads, "shop.csv", GOOD)
    assert (upload.state, upload.name) == ("ready", "shop")
    (dataset,) = uploads.datasets()
    assert dataset.path.read_bytes() == GOOD
    uploads.remove("shop")
    assert uploads.datasets() == ()
    with pytest.raises(UnknownNameError):
        uploads.remove("../shop")


def test_a_foreign_file_is_mapped_and_the_next_of_its_columns_remembers(make_uploads: MakeUploads) -> None:
    uploads = make_uploads()
    first = admitted(uploads, "first.csv", FOREIGN)
    assert (first.state, first.remembered) == ("needs-mapping", False)
    assert first.mapping is not None
    shown = uploads.preview(first.id)
    assert shown.problems == ()
    assert "cpu_pct" in shown.after.columns
    uploads.admit(first.id, mapping=first.mapping, name="mine")
    done = settled(uploads, first.id)
    assert (done.state, done.name) == ("ready", "mine")
    assert [dataset.mapping for dataset in uploads.datasets()] == [True]
    assert (uploads.datasets()[0].path.parent / "mapping.yaml").is_file()
    second = admitted(uploads, "second.csv", FOREIGN)
    assert second.remembered
    assert second.mapping is not None
    assert second.mapping.spec == first.mapping.spec


def test_a_mapping_is_not_offered_for_the_same_columns_of_another_measurement(make_uploads: MakeUploads) -> None:
    uploads = make_uploads()
    content = b"timestamp,value\n2026-11-24T08:00:00Z,50\n2026-11-24T08:01:00Z,51\n"
    cpu = admitted(uploads, "ec2_cpu.csv", content)
    uploads.admit(cpu.id, mapping=cpu.mapping)
    assert settled(uploads, cpu.id).state == "ready"
    latency = admitted(uploads, "ec2_latency.csv", content)
    assert not latency.remembered
    assert latency.mapping is not None
    assert set(latency.mapping.spec.columns.metrics()) == {"latency_ms"}
    assert admitted(uploads, "rds_cpu.csv", content).remembered


def test_what_is_amiss_is_told_without_the_advice_that_a_mapping_makes_idle(make_uploads: MakeUploads) -> None:
    uploads = make_uploads()
    semicolons = admitted(uploads, "<b>.csv", GOOD.replace(b",", b";"))
    assert semicolons.message == "Its columns are separated by semicolons. A mapping says how to read it."
    latin = admitted(uploads, "latin.csv", GOOD.replace(b"web-1", b"web-\xe4"))
    assert latin.message == "It is not UTF-8 text: see line 2. A mapping says how to read it."


def test_a_mapping_that_is_being_changed_is_kept_until_it_is_admitted(make_uploads: MakeUploads) -> None:
    uploads = make_uploads()
    upload = admitted(uploads, "first.csv", FOREIGN)
    proposed = upload.mapping
    assert proposed is not None
    uploads.keep_draft(upload.id, proposed, 1)
    assert uploads.get(upload.id).mapping == proposed
    changed = read_mapping(to_yaml(proposed).replace("unit: percent", "unit: fraction"), "the test")
    assert changed != proposed
    uploads.keep_draft(upload.id, changed, 3)
    assert make_uploads().get(upload.id).mapping == changed
    late = read_mapping(to_yaml(changed).replace("unit: fraction", "unit: percent"), "an older draft that comes last")
    assert late != changed
    uploads.keep_draft(upload.id, late, 2)
    assert make_uploads().get(upload.id).mapping == changed
    uploads.admit(upload.id, mapping=proposed)
    assert settled(uploads, upload.id).mapping == proposed


def test_a_name_that_is_taken_gets_a_number(make_uploads: MakeUploads) -> None:
    uploads = make_uploads(taken=lambda: ["shop"])
    assert admitted(uploads, "shop.csv", GOOD).name == "shop-2"


@pytest.mark.parametrize(
    "filename",
    [
        "../../../x.csv",
        "/srv/x.csv",
        "..\\..\\x.csv",
        "x\x00.csv",
        "x" * 300,
        "\u202egpj.csv",
        "..",
        "",
        "<b>x</b>.csv",
    ],
)
def test_a_files_name_is_a_label_and_never_a_path(make_uploads: MakeUploads, tmp_path: Path, filename: str) -> None:
    upload = make_uploads().receive(filename, io.BytesIO(GOOD), None)
    assert upload.label.isprintable()
    assert not set(upload.label) & {"/", "\\", "\x00", "\u202e"}
    assert demand_name(name_of(upload.label))
    assert {name.split("/")[0] for name in left_in(tmp_path)} == {"uploads"}


@pytest.mark.parametrize("name", ["../x", "/x", "x\x00", "x" * 81, "", ".incoming", "a/b", "ä"])
def test_a_name_that_could_leave_the_folder_is_refused(make_uploads: MakeUploads, tmp_path: Path, name: str) -> None:
    uploads = make_uploads()
    upload = uploads.receive("x.csv", io.BytesIO(GOOD), None)
    with pytest.raises(UsageError, match="cannot be called"):
        uploads.admit(upload.id, name=name)
    assert uploads.get(upload.id).state == "received"
    assert {path.split("/")[0] for path in left_in(tmp_path)} == {"uploads"}


@pytest.mark.parametrize("upload_id", ["..", "../..", "0" * 16, "x\x00", ""])
def test_an_id_that_is_none_is_unknown(make_uploads: MakeUploads, upload_id: str) -> None:
    with pytest.raises(UnknownNameError):
        make_uploads().get(upload_id)


def test_a_label_keeps_what_people_read() -> None:
    assert label_of("C:\\data\\Über Größe.csv") == "Über Größe.csv"
    assert name_of("Über Größe.csv") == "Uber-Groe"


class Counting(io.BytesIO):
    """A stream that counts what is taken from it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


def test_more_than_the_limit_is_refused_by_its_announced_length_before_a_byte_is_read(
    make_uploads: MakeUploads, tmp_path: Path
) -> None:
    stream = Counting(b"x" * (3 * MB))
    with pytest.raises(LimitError, match="TFT_DASH_UPLOAD_MB"):
        make_uploads(limit_bytes=MB).receive("x.csv", stream, 3 * MB)
    assert stream.taken == 0
    assert not list((tmp_path / "uploads" / ".incoming").iterdir())


def test_more_than_the_limit_is_refused_while_it_streams(make_uploads: MakeUploads, tmp_path: Path) -> None:
    stream = Counting(b"x" * (8 * MB))
    with pytest.raises(LimitError, match="TFT_DASH_UPLOAD_MB"):
        make_uploads(limit_bytes=MB).receive("x.csv", stream, None)
    assert stream.taken <= 3 * MB
    assert not list((tmp_path / "uploads" / ".incoming").iterdir())


def test_a_body_that_ends_early_leaves_nothing(make_uploads: MakeUploads, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make_uploads().receive("x.csv", io.BytesIO(GOOD), len(GOOD) + 10)
    assert not list((tmp_path / "uploads" / ".incoming").iterdir())


def test_a_disk_that_is_full_is_told_and_nothing_is_left(make_uploads: MakeUploads, tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device"):
        make_uploads().receive("x.csv", Full(), None)
    assert not list((tmp_path / "uploads" / ".incoming").iterdir())


def test_no_room_refuses_an_upload(make_uploads: MakeUploads, tmp_path: Path) -> None:
    def full(_needed: int) -> None:
        raise LimitError("no room (TFT_DASH_DISK_GB)")

    with pytest.raises(LimitError, match="TFT_DASH_DISK_GB"):
        make_uploads(room=full).receive("x.csv", io.BytesIO(GOOD), len(GOOD))
    assert not list((tmp_path / "uploads" / ".incoming").iterdir())


def test_a_process_that_takes_too_much_memory_is_ended_and_the_one_that_watches_lives() -> None:
    def greedy() -> None:
        blocks = []
        while True:
            blocks.append(np.ones(8 * MB))

    reason = guarded(greedy, Limits(memory_bytes=1 << 29), lambda: False)
    assert reason is not None
    assert "0.5 GB of memory" in reason


def test_a_table_that_is_gigabytes_once_it_is_read_is_refused(make_uploads: MakeUploads) -> None:
    bomb = giant_page()
    assert len(bomb) < MB
    uploads = make_uploads(limits=Limits(memory_bytes=1 << 29, cpu_seconds=60))
    assert admitted(uploads, "bomb.parquet", bomb).state == "refused"
    assert uploads.datasets() == ()
    assert admitted(make_uploads(), "shop.csv", GOOD).state == "ready"


def test_a_table_that_claims_billions_of_rows_is_refused_by_what_it_says_of_itself(make_uploads: MakeUploads) -> None:
    bomb = many_rows()
    assert len(bomb) < MB
    upload = admitted(make_uploads(), "bomb.parquet", bomb)
    assert upload.state == "refused"
    assert "Split it by time" in upload.message


def test_nested_columns_are_named_and_not_read(make_uploads: MakeUploads) -> None:
    stamps = pa.array(np.arange(3) * 10**9, pa.timestamp("ns", tz="UTC"))
    table = pa.table({"ts": stamps, "host": ["a"] * 3, "cpu": [1.0, 2, 3], "more": [{"a": 1}] * 3})
    upload = admitted(make_uploads(), "nested.parquet", parquet_of(table))
    assert upload.state == "needs-mapping"
    assert upload.mapping is not None
    assert "more is of type struct<a: int64>, which cannot be read" in upload.mapping.metadata.description


def test_an_upload_can_be_discarded(make_uploads: MakeUploads, tmp_path: Path) -> None:
    uploads = make_uploads()
    upload = uploads.receive("x.csv", io.BytesIO(GOOD), None)
    uploads.admit(upload.id)
    uploads.discard(upload.id)
    with pytest.raises(UnknownNameError):
        uploads.get(upload.id)
    assert uploads.pending() == ()


def test_an_upload_whose_process_died_is_noticed(make_uploads: MakeUploads, tmp_path: Path) -> None:
    uploads = make_uploads()
    upload = uploads.receive("x.csv", io.BytesIO(GOOD), None)
    state = tmp_path / "uploads" / ".incoming" / upload.id / "state.json"
    state.write_text('{"state": "working", "message": "", "name": null}')
    found = uploads.get(upload.id)
    assert found.state == "refused"
    assert "Try again" in found.message
    uploads.admit(upload.id)
    assert settled(uploads, upload.id).state == "ready"
