"""Arrow IPC from strangers: checked before anything of it is believed."""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any, Final

import pyarrow as pa

from tft_dash.errors import LimitError, UsageError, shorten
from tft_dash.schema import COLUMNS

_MAGIC: Final = b"ARROW1\0\0"
"""A file begins with it; what follows is the same as a stream."""
_BATCH: Final = 3
_DICTIONARY: Final = 2
"""Kinds of messages, by their numbers in Arrow's format."""
_PACKED: Final = (
    "The Arrow buffers are packed. Write them unpacked (pyarrow: IpcWriteOptions(compression=None)) and pack the whole "
    "body with gzip instead (Content-Encoding: gzip)."
)


def arrow_columns(body: bytes, most_rows: int) -> tuple[int, dict[str, Any], tuple[str, ...]]:
    """The rows, the columns by name, and the names that stand there more than once.

    Columns that are not the contract's are empty.

    :raises UsageError: it is no Arrow IPC, or is damaged, or packed inside: a small one could then be of any size.
    :raises LimitError: it says that there are more rows than ``most_rows``.
    """
    view = pa.py_buffer(body)
    stream = view.slice(len(_MAGIC)) if body.startswith(_MAGIC) else view
    try:
        _demand_unpacked(stream)
        return _read(stream, most_rows)
    except (pa.ArrowException, OSError, struct.error, ValueError, KeyError, IndexError) as error:
        words = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"The body is no Arrow IPC stream, or a damaged one ({shorten(words, 160)}). Write it with "
            "pyarrow.ipc.new_stream."
        ) from error


def _read(stream: pa.Buffer, most_rows: int) -> tuple[int, dict[str, Any], tuple[str, ...]]:
    batches, rows = [], 0
    with pa.ipc.open_stream(stream) as reader:
        for batch in reader:
            rows += batch.num_rows
            if rows > most_rows:
                raise LimitError(
                    f"There are more than {most_rows:,} rows. Send them in parts, or raise TFT_DASH_PUSH_ROWS."
                )
            batch.validate(full=True)
            batches.append(batch)
        schema = reader.schema
    columns: dict[str, Any] = {}
    for place, name in enumerate(schema.names):
        if name not in columns:
            known = name in COLUMNS
            parts = [batch.column(place) for batch in batches] if known else []
            columns[name] = _whole(parts, schema.field(place).type) if known else []
    repeated = {name for name, count in Counter(schema.names).items() if count > 1}
    return rows, columns, tuple(sorted(repeated))


def _whole(parts: list[pa.Array], kind: pa.DataType) -> pa.Array:
    if len(parts) == 1:
        return parts[0]
    if pa.types.is_dictionary(kind):  # a dictionary may be another one in each part
        return pa.chunked_array(parts, kind).unify_dictionaries().combine_chunks()
    return pa.concat_arrays(parts) if parts else pa.nulls(0, kind)


def _demand_unpacked(stream: pa.Buffer) -> None:
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(stream)):
        if _is_packed(message.metadata.to_pybytes()):
            raise UsageError(_PACKED)


def _is_packed(metadata: bytes) -> bool:
    """Whether a message is a batch with packed buffers, by the flatbuffer that describes it.

    Message: version, header type, header. DictionaryBatch: id, data. RecordBatch: length, nodes, buffers, compression.
    """
    message = _Table(metadata, _u32(metadata, 0))
    kind = message.byte(1)
    if kind not in (_BATCH, _DICTIONARY):
        return False
    header = message.table(2)
    if header is not None and kind == _DICTIONARY:
        header = header.table(1)
    return header is not None and header.field(3) is not None


class _Table:
    """A table of a flatbuffer: where each of its fields stands is told by a small table of offsets before it."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]

    def field(self, number: int) -> int | None:
        """Where a field stands; None = it is left out."""
        entry = 4 + 2 * number
        if entry >= struct.unpack_from("<H", self._data, self._fields)[0]:
            return None
        offset = struct.unpack_from("<H", self._data, self._fields + entry)[0]
        return self._at + offset if offset else None

    def byte(self, number: int) -> int:
        """A field of one byte; 0 = it is left out."""
        at = self.field(number)
        return 0 if at is None else self._data[at]

    def table(self, number: int) -> _Table | None:
        """A field that is a table."""
        at = self.field(number)
        return None if at is None else _Table(self._data, at + _u32(self._data, at))


def _u32(data: bytes, at: int) -> int:
    found: Any = struct.unpack_from("<I", data, at)[0]
    return int(found)
