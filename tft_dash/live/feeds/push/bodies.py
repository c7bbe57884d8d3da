"""A request's body as columns: JSON, JSON lines or Arrow IPC, packed with gzip or not; never larger than is allowed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
import pyarrow as pa

from tft_dash.errors import LimitError, MediaTypeError, UsageError, shorten
from tft_dash.live.feeds.push.arrow import arrow_columns
from tft_dash.schema import COLUMNS

JSON: Final = "application/json"
LINES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
ARROW: Final = (
    "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file", "application/x-apache-arrow-stream",
)  # fmt: skip
PACKED: Final = ("gzip", "x-gzip")
PLAIN: Final = ("", "identity")
_CHUNK: Final = 1 << 16
_GZIP_BITS: Final = 31
_LIST: Final = "samples"


class Stream(Protocol):
    """What a body is read from."""

    def read(self, size: int = ..., /) -> bytes:
        """At most ``size`` bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """What was sent, in columns, whatever they are called.

    :param columns: name → values; JSON's as they are, Arrow's as an array; none for a name that is not the contract's.
    :param repeated: names that stand there more than once; the first is read.
    """

    rows: int
    columns: Mapping[str, list[Any] | pa.Array]
    repeated: tuple[str, ...] = ()


def received(stream: Stream, declared: int | None, encoding: str, most: int) -> bytes:
    """The body, unpacked.

    :param declared: its length as the sender says; None = it does not.
    :raises LimitError: it is larger than ``most``, as sent or unpacked.
    :raises MediaTypeError: it is packed otherwise.
    :raises UsageError: it is damaged.
    """
    packing = encoding.strip().lower()
    if packing not in (*PLAIN, *PACKED):
        raise MediaTypeError(
            f"Content-Encoding is '{shorten(encoding, 40)}'. Send the body as it is, or packed with gzip."
        )
    if declared is not None and declared > most:
        raise _too_large(most)
    unpacked = bytearray()
    pieces = _unpacked(stream, most) if packing in PACKED else _pieces(stream)
    for piece in pieces:
        unpacked += piece
        if len(unpacked) > most:
            raise _too_large(most)
    return bytes(unpacked)


def parsed(body: bytes, mimetype: str, most_rows: int) -> Table:
    """What a body holds.

    :raises MediaTypeError: it is of a kind that is not read here.
    :raises LimitError: it has more than ``most_rows`` rows.
    :raises UsageError: it is not what it says.
    """
    if mimetype in ARROW:
        return Table(*arrow_columns(body, most_rows))
    if mimetype in LINES:
        return _table(_lines(body, most_rows), most_rows)
    if mimetype == JSON:
        return _table(_rows(_json(body)), most_rows)
    said = f"Content-Type is '{shorten(mimetype, 60)}'" if mimetype else "There is no Content-Type"
    raise MediaTypeError(f"{said}. Send {JSON}, {LINES[0]} or {ARROW[0]}, with that type.")


def _pieces(stream: Stream) -> Any:  # noqa: ANN401 - a generator of bytes
    while piece := stream.read(_CHUNK):
        yield piece


def _unpacked(stream: Stream, most: int) -> Any:  # noqa: ANN401 - a generator of bytes
    """A little at a time: a few bytes may stand for a hundred thousand."""
    unpacker, taken, rest = zlib.decompressobj(_GZIP_BITS), 0, b""
    try:
        while piece := rest or stream.read(_CHUNK):
            taken += 0 if rest else len(piece)
            if taken > most:
                raise _too_large(most)
            if unpacker.eof:  # several packed parts, one after the other, are one
                unpacker = zlib.decompressobj(_GZIP_BITS)
            yield unpacker.decompress(piece, _CHUNK)
            rest = unpacker.unconsumed_tail or unpacker.unused_data
    except zlib.error as error:
        raise UsageError(
            f"The body is no gzip, or a damaged one ({error}). Leave Content-Encoding out if it is not packed."
        ) from error
    if not unpacker.eof:
        raise UsageError("The packed body ends too early: a part of it is missing. Send it again.")


def _too_large(most: int) -> LimitError:
    return LimitError(
        f"The body is larger than {most // 10**6:,} MB, unpacked. Send fewer samples at a time, or raise "
        "TFT_DASH_PUSH_MB."
    )


def _json(text: bytes, where: str = "The body") -> Any:  # noqa: ANN401 - any JSON value
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where} is not JSON: {error}. NaN and Infinity are not, either: write null.") from error


def _lines(body: bytes, most_rows: int) -> list[Any]:
    rows: list[Any] = []
    for number, line in enumerate(body.splitlines(), start=1):
        if line.strip():
            rows.append(_json(line, f"Line {number}"))
            if len(rows) > most_rows:
                break
    return rows


def _rows(plain: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(plain, dict) and _LIST in plain:
        extra = sorted(set(plain) - {_LIST})
        if extra:
            raise UsageError(f"Beside '{_LIST}' there is '{shorten(extra[0])}', which says nothing here. Leave it out.")
        plain = plain[_LIST]
    elif isinstance(plain, dict) and set(plain) & set(COLUMNS):
        plain = [plain]
    if not isinstance(plain, list):
        raise UsageError(
            f'The body is {_kind(plain)}. Send {{"{_LIST}": [{{"timestamp": …, "server_name": …, "cpu_pct": …}}, …]}}, '
            "or that list alone."
        )
    return plain


def _table(rows: Sequence[Any], most_rows: int) -> Table:
    if len(rows) > most_rows:
        raise LimitError(
            f"There are {len(rows):,} rows; {most_rows:,} are taken at a time. Send them in parts, or raise "
            "TFT_DASH_PUSH_ROWS."
        )
    names: dict[str, None] = {}
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise UsageError(f"Row {number} is {_kind(row)}. Each row is an object with the contract's columns.")
        names |= dict.fromkeys(row)
    # Only the contract's: as many other names as rows would need the square of that, which no body's size bounds.
    columns = {name: [row.get(name) for row in rows] if name in COLUMNS else [] for name in names}
    return Table(len(rows), columns)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    words = {dict: "an object without samples", list: "a list", str: "text", bool: "true or false"}
    return words.get(type(value), "a number")
