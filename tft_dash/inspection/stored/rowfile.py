"""The rows of a recording as one Arrow file in the cache, mapped rather than read.

::

    rows.arrow      blocks of rows: row, file, then c0, c1, … for the columns; text as codes where words repeat
    clock.arrow     the same blocks: tick, server
    words.arrow     the words behind the codes: one row, a list for every such column
    columns.json    names, types, kinds; files; servers; number of rows
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.inspection.stored.kinds import NUMBER, TEXT

ROWS_FILE: Final = "rows.arrow"
CLOCK_FILE: Final = "clock.arrow"
WORDS_FILE: Final = "words.arrow"
COLUMNS_FILE: Final = "columns.json"

ROW: Final = "row"
FILE: Final = "file"
TICK: Final = "tick"
SERVER: Final = "server"
UNKNOWN: Final = -1
"""The tick and server of a row that has no readable time or name."""


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column of the rows.

    :param field: what rows call it: ``row``, ``file``, or ``c`` and its place in the file.
    :param name: as the file calls it; may occur twice, or be anything at all.
    :param type: Arrow's name for its type in the file.
    :param kind: of its values: text, number, time or flag.
    :param coded: whether it is kept as codes into its words.
    :param note: what a reader must know about it; None = nothing.
    """

    field: str
    name: str
    type: str
    kind: str
    coded: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands in ``columns.json``.

    :param columns: those of the files, in their order.
    :param ticks: how many ticks the recording has; 0 = it has no clock.
    """

    columns: tuple[StoredColumn, ...]
    files: tuple[str, ...]
    servers: tuple[str, ...]
    ticks: int
    step_seconds: float
    rows: int

    def write(self, folder: Path) -> None:
        """Into ``columns.json``."""
        (folder / COLUMNS_FILE).write_bytes(orjson.dumps(asdict(self)))


def read_layout(folder: Path) -> Layout:
    """What ``columns.json`` says.

    :raises OSError, ValueError, KeyError, TypeError: there is none, or it is damaged.
    """
    plain = orjson.loads((folder / COLUMNS_FILE).read_bytes())
    return Layout(
        columns=tuple(StoredColumn(**column) for column in plain["columns"]),
        files=tuple(plain["files"]),
        servers=tuple(plain["servers"]),
        ticks=plain["ticks"],
        step_seconds=plain["step_seconds"],
        rows=plain["rows"],
    )


class RowFile:
    """The rows, memory-mapped; what is not touched costs no memory.

    :raises OSError, ValueError, KeyError, TypeError: the folder is not there, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = read_layout(folder)
        self.columns = self._columns()
        self._batches = _joined(_mapped(folder / ROWS_FILE), _mapped(folder / CLOCK_FILE))
        self._schema = self._batches[0].schema if self._batches else pa.schema([])
        self._starts = np.concatenate([[0], np.cumsum([batch.num_rows for batch in self._batches])]).astype(np.int64)
        words = _mapped(folder / WORDS_FILE)
        self._words = {name: words[0].column(name) for name in words[0].schema.names} if words else {}

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.layout.rows

    def words(self, field: str) -> pa.Array:
        """The words behind the codes of a column."""
        if field == FILE:
            return pa.array(self.layout.files, pa.string())
        return self._words[field].values

    def chunks(self, field: str) -> Iterator[pa.Array]:
        """A stored column block by block; codes for coded text."""
        place = self._schema.get_field_index(field)
        return (batch.column(place) for batch in self._batches)

    def codes(self, field: str) -> NDArray[Any]:
        """(rows,) codes of a coded column; :data:`UNKNOWN` = missing."""
        return self.whole(field, lambda chunk: pc.fill_null(chunk, UNKNOWN).to_numpy(zero_copy_only=False), np.int32)

    def whole(self, field: str, read: Any, kind: Any) -> NDArray[Any]:  # noqa: ANN401 - numpy's own looseness
        """(rows,) a whole column, each block as ``read`` gives it."""
        result = np.empty(self.rows, kind)
        for first, stop, chunk in zip(self._starts[:-1], self._starts[1:], self.chunks(field), strict=True):
            result[first:stop] = read(chunk)
        return result

    def spans(self, size: int) -> Iterator[pa.RecordBatch]:
        """All rows in order, at most ``size`` at a time."""
        for batch in self._batches:
            for first in range(0, batch.num_rows, size):
                yield batch.slice(first, size)

    def take(self, positions: NDArray[np.integer[Any]], fields: Sequence[str]) -> pa.RecordBatch:
        """The rows at ``positions``, at least one, in that order."""
        places = [self._schema.get_field_index(field) for field in fields]
        block = np.searchsorted(self._starts, positions, side="right") - 1
        order = np.argsort(block, kind="stable")
        parts = []
        for number in np.unique(block):
            mine = positions[order][block[order] == number] - self._starts[number]
            batch = self._batches[number].select(places)
            first, count = int(mine[0]), len(mine)
            neighbours = count == int(mine[-1]) - first + 1 and bool((np.diff(mine) == 1).all())
            parts.append(batch.slice(first, count) if neighbours else batch.take(pa.array(mine)))
        joined = parts[0] if len(parts) == 1 else pa.concat_batches(parts)
        if len(parts) == 1 and bool((np.diff(order) == 1).all()):
            return joined
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return joined.take(pa.array(back))

    def column(self, field: str) -> StoredColumn:
        """The column called ``field``."""
        return next(column for column in self.columns if column.field == field)

    def _columns(self) -> tuple[StoredColumn, ...]:
        numbers = StoredColumn(ROW, "row", "uint32", NUMBER, coded=False, note="The row's number in its file.")
        files = StoredColumn(FILE, "file", "string", TEXT, coded=True, note="The file that the row stands in.")
        several = len(self.layout.files) > 1
        return (numbers, *((files,) if several else ()), *self.layout.columns)


def _joined(rows: list[pa.RecordBatch], clock: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Blocks with the columns of both files; nothing is copied."""
    return [
        pa.RecordBatch.from_arrays([*one.columns, *other.columns], [*one.schema.names, *other.schema.names])
        for one, other in zip(rows, clock, strict=True)
    ]


def _mapped(path: Path) -> list[pa.RecordBatch]:
    if path.stat().st_size == 0:
        return []
    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        return [reader.get_batch(place) for place in range(reader.num_record_batches)]
