"""What cannot be played ends in one clear paragraph, and leaves nothing behind."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.recordings import fleet_table, write_lines, write_parquet

from tft_dash.errors import SourceMissingError, TableError
from tft_dash.sources.file import FileSource

HEADER = "timestamp,server_name,cpu_pct"
GOOD = "2024-05-01T12:00:00Z,a,1"


def opened(path: Path) -> FileSource:
    source = FileSource(path, name="it", cache_folder=path.parent / "cache")
    source.prepare()
    return source


def complaint(path: Path) -> str:
    with pytest.raises(TableError) as raised:
        opened(path)
    message = str(raised.value)
    assert "\n" not in message
    assert len(message) < 800
    left = [found for found in (path.parent / "cache").rglob("*") if found.suffix not in (".json", ".lock")]
    assert [found for found in left if found.is_file() or found.name.count("partial")] == []
    return message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"\n\n \n", "holds no text"),
        (b"PAR1", "was cut off"),
        (b"PAR1" + b"x" * 50, "was cut off"),
        (b"PAR1" + b"x" * 50 + b"PAR1", "damaged Parquet"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
        (b"\xef\xbb\xbf  <html>", "web page"),
        (b'{"rows": []}', "is JSON"),
        (b"\xff\xfet\x00i\x00", "UTF-16"),
        (b"\x00\x01\x02\x03", "binary file"),
        (b"timestamp;server_name;cpu_pct\n1;2;3\n", "separated by semicolons"),
        (b"timestamp\tserver_name\tcpu_pct\n", "separated by tabs"),
        (b"timestamp,server_name,gr\xf6\xdfe\n", "not UTF-8"),
        (b"timestamp,server_name,cpu_pct\n2024-05-01T12:00:00Z,gr\xf6\xdfe,1\n", "is not UTF-8 text: see line 2."),
        (b"timestamp,server_name,cpu_pct\n2024-05-01T12:00:00Z,a,1\n1,\xf6\n", "is not UTF-8 text: see line 3."),
        (b"timestamp,server_name,cpu_pct\n", "no rows"),
        (
            b'timestamp,server_name,cpu_pct\n2024-05-01T12:00:00Z,"a' + b"x" * (5 << 20),
            "quotation mark is never closed",
        ),
        (b"x" * (2 << 20), "not a CSV header"),
        (b"a,b\n1,2\n", "has no timestamp, no server_name, no metric column. Its columns are: a, b."),
        (b"timestamp,server_name\n1,2\n", "has no metric column"),
        (b"TimeStamp,server name,CPU_pct\n1,2,3\n", "'TimeStamp' may be timestamp. 'server name' may be server_name."),
    ],
)
def test_a_file_that_is_no_metrics_table_says_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "it.csv"
    path.write_bytes(content)
    assert words in complaint(path)


def test_archives_are_named_with_the_way_to_unpack_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "it.zip", "w") as archive:
        archive.writestr("it.csv", HEADER)
    (tmp_path / "it.csv.gz").write_bytes(gzip.compress(HEADER.encode()))
    assert "zip archive or an Excel workbook" in complaint(tmp_path / "it.zip")
    assert "gunzip" in complaint(tmp_path / "it.csv.gz")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_truncated_parquet_file_is_told_from_a_foreign_one(tmp_path: Path, share: float) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(200))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "was cut off" in complaint(path)


def test_a_parquet_file_with_damaged_pages_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(400))
    content = bytearray(path.read_bytes())
    content[4:2_000] = os.urandom(1_996)
    path.write_bytes(content)
    assert "damaged" in complaint(path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["x,a,1", "y,a,1"], "none of its 2 rows can be read. 2 rows without a readable timestamp"),
        (["2024-05-01T12:00:00Z,,1"], "impossible server name"),
        (["1,2"], "too few or too many values"),
        (["2024-05-01T12:00:00Z,a,high", "2024-05-01T12:00:05Z,a,140"], "no readable value in any metric column"),
        (["2024-05-01T12:00:00Z,a,"], "Every value is missing"),
        (["2020-05-01T12:00:00Z,a,1", "2024-05-01T12:00:00Z,a,1"], "The step between samples is 4.0 years"),
        ([GOOD, "2024-05-01T12:00:05Z,a,1", "2024-05-01T12:00:10Z,a,1", "2038-05-01T12:00:00Z,a,1"], "too sparse"),
        (["17,a,1"], "For example: 17."),
    ],
)
def test_a_table_in_which_nothing_is_readable_says_why(tmp_path: Path, rows: list[str], words: str) -> None:
    assert words in complaint(write_lines(tmp_path / "it.csv", HEADER, *rows))


def test_nested_columns_are_named_with_their_type(tmp_path: Path) -> None:
    table = pa.table({"timestamp": ["2024-05-01T12:00:00Z"], "server_name": ["a"], "cpu_pct": [[1.0, 2.0]]})
    path = tmp_path / "it.parquet"
    pq.write_table(table, path)
    assert "cpu_pct is of type list<element: double>, which cannot be read" in complaint(path)


def test_a_nested_column_beside_readable_ones_is_left_out_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "it.parquet"
    pq.write_table(fleet_table(2, mem_pct=[[1.0]] * 4), path)
    about = opened(path).describe()
    assert about.metrics == ("cpu_pct", "latency_ms")
    assert any("mem_pct is of type list" in notice for notice in about.notices)


@pytest.mark.parametrize("name", ["missing.csv", "a\x00b", "n" * 10_000, "<script>alert(1)</script>.csv"])
def test_a_path_that_leads_nowhere_is_unreachable(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceMissingError, match=r"cannot be opened.*Check the path") as raised:
        opened(tmp_path / name)
    assert len(str(raised.value)) < 300
    assert raised.value.exit_status == 3


def test_a_device_is_no_recording() -> None:
    with pytest.raises(SourceMissingError, match="neither a file nor a folder"):
        FileSource(Path("/dev/null"), name="it", cache_folder=Path("/nowhere")).prepare()


def test_a_doubled_column_is_read_once_and_said_so(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "it.csv", f"{HEADER},cpu_pct", f"{GOOD},99")
    source = opened(path)
    assert source.read().window.metrics["cpu_pct"][0, 0] == 1.0
    assert "cpu_pct occurs more than once in the header; the first is read." in source.describe().notices
