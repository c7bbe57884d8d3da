"""What kind of file lies at a path, told by its bytes and not by its name."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from tft_dash.errors import SourceMissingError, TableError, shorten

CSV: Final = "csv"
PARQUET: Final = "parquet"
PARQUET_MAGIC: Final = b"PAR1"
_SNIFF_BYTES: Final = 65_536
_CHUNK: Final = 1 << 20
_EXPECTED: Final = "Give a CSV file (commas, UTF-8) or a Parquet file."

_MARKUP: Final = (
    b"<!doctype",
    b"<!--",
    b"<?xml",
    b"<html",
    b"<head",
    b"<body",
    b"<meta",
    b"<title",
    b"<table",
    b"<div",
)
_FOREIGN: Final = (
    (b"PARE", "an encrypted Parquet file", "Write it again without encryption."),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Unpack it, or save the sheet as CSV (UTF-8)."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it with gunzip."),
    (b"BZh", "a bzip2 archive", "Unpack it with bunzip2."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it with unzstd."),
    (b"ARROW1", "an Arrow IPC (Feather) file", "Write it as Parquet."),
    (b"ORC", "an ORC file", "Write it as Parquet."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV or Parquet."),
    (b"%PDF", "a PDF document", _EXPECTED),
    (b"\xff\xfe\x00\x00", "text in UTF-32", "Save it as UTF-8."),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8."),
)


def detect_format(path: Path) -> str:
    """:data:`CSV` or :data:`PARQUET`.

    :raises SourceMissingError: the file is not there or may not be read.
    :raises TableError: it is empty, cut off, or neither of the two; says what it seems to be.
    """
    size, head, tail = _ends(path)
    where = shorten(str(path))
    if size == 0:
        raise TableError(f"{where} is empty (0 bytes). Write it again, or give another file.")
    if head.startswith(PARQUET_MAGIC):
        if size < 12 or tail != PARQUET_MAGIC:
            raise TableError(
                f"{where} is a Parquet file that was cut off: its footer is missing after {size:,} bytes. "
                "Copy or write it again, completely."
            )
        return PARQUET
    for magic, what, advice in _FOREIGN:
        if head.startswith(magic):
            raise TableError(f"{where} is {what}, not a table that can be read. {advice}")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    if start.startswith(_MARKUP):
        raise TableError(
            f"{where} is a web page (HTML or XML), not a table: often a login or error page saved by a download. "
            f"Fetch it again. {_EXPECTED}"
        )
    if start.startswith((b"{", b"[")):
        raise TableError(f"{where} is JSON, not a table. {_EXPECTED}")
    if _looks_like_utf16(head):
        raise TableError(f"{where} is text in UTF-16, not a table that can be read. Save it as UTF-8.")
    if b"\x00" in head:
        raise TableError(f"{where} is a binary file of an unknown kind. {_EXPECTED}")
    return CSV


def _looks_like_utf16(head: bytes) -> bool:
    """Whether every other byte is empty, as in Latin text of two bytes a letter that does not say so at its start."""
    first, second = head[:512:2], head[1:512:2]
    return len(head) > 8 and ((set(second) == {0} and 0 not in first) or (set(first) == {0} and 0 not in second))


def damaged_parquet(where: str, error: Exception) -> str:
    """That a Parquet file cannot be read, why, and what to do."""
    reason = shorten(" ".join(str(error).split()), 160).rstrip(".: ")
    return f"{shorten(where)} is a damaged Parquet file: {reason}. Copy or write it again."


def _ends(path: Path) -> tuple[int, bytes, bytes]:
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF_BYTES)
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - 4))
            return size, head, file.read(4)
    except FileNotFoundError as error:
        raise SourceMissingError(f"There is no file {shorten(str(path))}. Check the path.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceMissingError(f"{shorten(str(path))} cannot be read: {reason}. Check its permissions.") from error


def read_header(path: Path) -> tuple[list[str], int]:
    """The column names of a CSV file, and the byte where its rows begin.

    :raises TableError: the header is not UTF-8, not separated by commas, or endless.
    """
    where = shorten(str(path))
    with path.open("rb") as file:
        lines = _Lines(file)
        try:
            names = next((row for row in csv.reader(lines, strict=True) if any(cell.strip() for cell in row)), [])
        except UnicodeDecodeError as error:
            raise TableError(f"{where}: its first line is not UTF-8 text. Save the file as UTF-8.") from error
        except csv.Error as error:
            raise TableError(f"{where}: its first line is not a CSV header ({error}). {_EXPECTED}") from error
        offset = file.tell()
    if not names:
        raise TableError(f"{where} holds no text. Write it again, or give another file.")
    _refuse_other_separators(where, names)
    return names, offset


def demand_utf8(path: Path) -> None:
    """Read a text file through once, for its encoding.

    :raises TableError: it is not UTF-8; says from which line on.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
                lines += chunk.count(b"\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            line = lines + error.object.count(b"\n", 0, error.start)
            raise TableError(f"{shorten(str(path))} is not UTF-8 text: see line {line:,}. Save it as UTF-8.") from error


class _Lines:
    """Text lines of a binary file, read one by one so that the file's position stays exact."""

    _LIMIT: Final = 1 << 20

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        first = self._file.tell() == 0
        line = self._file.readline(self._LIMIT)
        if not line:
            raise StopIteration
        if len(line) == self._LIMIT:
            raise csv.Error(f"no line end within {self._LIMIT:,} bytes")
        return line.decode("utf-8-sig" if first else "utf-8")


def _refuse_other_separators(where: str, names: Sequence[str]) -> None:
    if len(names) > 1:
        return
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in names[0]:
            raise TableError(f"{where}: its columns are separated by {word}. Save it with commas as separators.")
