"""Makes the Arrow file of a recording's rows: one pass over its files, with a bounded part of them in memory.

What the scan for the verdict tells of a row, its tick and its server, comes afterwards, so that the two passes can run
side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.inspection.stored.clock import ClockNotes
from tft_dash.inspection.stored.kinds import TEXT, convert, joint_type, kind_of, name_of, note_of
from tft_dash.inspection.stored.reading import FileColumn, RowReader
from tft_dash.inspection.stored.rowfile import (
    CLOCK_FILE,
    FILE,
    ROW,
    ROWS_FILE,
    UNKNOWN,
    WORDS_FILE,
    Layout,
    StoredColumn,
)
from tft_dash.progress import Progress
from tft_dash.sources.cubes.cube import CubeMeta
from tft_dash.sources.files.values import places_of

WORDS_LIMIT: Final = 131_072
"""A text column with more distinct values is kept as plain text."""
_WORDS_BYTES: Final = 16 << 20
_MANY: Final = 4_096
_TYPING_SHARE: Final = 0.4
_BLOCK_ROWS: Final = 65_536
_BLOCK_CELLS: Final = 1 << 22


class TooManyWordsError(Exception):
    """A column turned out to have too many distinct texts for codes.

    :param place: of the column.
    """

    def __init__(self, place: int) -> None:
        self.place = place
        super().__init__(f"column {place} has more than {WORDS_LIMIT} distinct values")


class _Words:
    """Numbers the distinct texts of a column."""

    def __init__(self, place: int) -> None:
        self._place = place
        self.words: list[str] = []
        self._codes: dict[str | None, int] = {None: UNKNOWN}
        self._bytes = 0
        self._last: tuple[pa.Array, NDArray[np.int32]] | None = None

    def codes(self, column: pa.DictionaryArray) -> pa.Array:
        """(rows,) int32, null for a missing text."""
        if self._last is None or not self._last[0].equals(column.dictionary):
            found = [self._code(word) for word in column.dictionary.to_pylist()]
            self._last = (column.dictionary, np.array([*found, UNKNOWN], np.int32))
        codes = self._last[1][places_of(column)]
        return pa.array(codes, pa.int32(), mask=codes == UNKNOWN)

    def _code(self, word: str | None) -> int:
        code = self._codes.get(word)
        if code is None:
            code = self._codes[word] = len(self.words)
            self.words.append(word or "")
            self._bytes += len(word or "")
            if code >= WORDS_LIMIT or self._bytes > _WORDS_BYTES:
                raise TooManyWordsError(self._place)
        return code


@dataclass(frozen=True, slots=True)
class Written:
    """The rows as they lie in their file, before anything is known of the recording.

    :param batches: how many rows each block has.
    :param clock: what tells of their ticks and servers.
    """

    columns: tuple[StoredColumn, ...]
    files: tuple[str, ...]
    batches: tuple[int, ...]
    clock: ClockNotes


class _RowWriter:
    """Writes blocks of rows, small ones joined.

    :ivar batches: how many rows each block has.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, schema)
        self._schema = schema
        self._target = max(64, min(_BLOCK_ROWS, _BLOCK_CELLS // max(1, len(schema))))
        self._pending: list[pa.RecordBatch] = []
        self._waiting = 0
        self.batches: list[int] = []

    def add(self, arrays: Sequence[pa.Array]) -> None:
        batch = pa.RecordBatch.from_arrays(list(arrays), schema=self._schema)
        self._pending.append(batch)
        self._waiting += batch.num_rows
        if self._waiting >= self._target:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()
        self._file.close()

    def _flush(self) -> None:
        if self._waiting:
            joined = self._pending[0] if len(self._pending) == 1 else pa.concat_batches(self._pending)
            self._writer.write_batch(joined)
            self.batches.append(self._waiting)
        self._pending, self._waiting = [], 0


def write_rows(reader: RowReader, folder: Path, progress: Progress) -> Written:
    """Write the rows of a recording into ``folder``; :func:`finish_rows` makes them complete.

    :raises TableError: a file is damaged.
    :raises OSError: the folder cannot be written.
    """
    plain: set[int] = set()
    while True:
        try:
            return _write(reader, folder, plain, progress)
        except TooManyWordsError as error:
            # Seldom: most such columns are known by their first block.
            plain.add(error.place)
            (folder / ROWS_FILE).unlink(missing_ok=True)


def finish_rows(written: Written, folder: Path, meta: CubeMeta | None) -> Layout:
    """Add the rows' ticks and servers, and say what there is.

    :param meta: of the recording's cube; None = it has none, and so no clock.
    """
    written.clock.finish(folder / CLOCK_FILE, written.batches, meta)
    layout = Layout(
        columns=written.columns,
        files=written.files,
        servers=meta.servers if meta else (),
        ticks=meta.ticks if meta else 0,
        step_seconds=meta.step_seconds if meta else 0.0,
        rows=sum(written.batches),
    )
    layout.write(folder)
    return layout


def _write(reader: RowReader, folder: Path, plain: set[int], progress: Progress) -> Written:
    stored = [joint_type(list(column.types)) for column in reader.columns]
    writer: _RowWriter | None = None
    words: dict[int, _Words] = {}
    clock = ClockNotes(folder, [column.name for column in reader.columns])
    try:
        for rows in reader.blocks():
            arrays = [
                _stored(column, kind, len(rows.numbers)) for column, kind in zip(rows.columns, stored, strict=True)
            ]
            if writer is None:
                plain |= {place for place, array in enumerate(arrays) if _mostly_distinct(array)}
                coded = [place for place, kind in enumerate(stored) if kind == pa.string() and place not in plain]
                words = {place: _Words(place) for place in coded}
                writer = _RowWriter(folder / ROWS_FILE, _schema(stored, coded))
            kept = [
                words[place].codes(array) if place in words else _decoded(array) for place, array in enumerate(arrays)
            ]
            clock.note(rows)
            files = np.full(len(rows.numbers), rows.file, np.int32)
            writer.add([*map(pa.array, (rows.numbers.astype(np.uint32), files)), *kept])
            progress(rows.done)
    finally:
        clock.close()
        if writer is not None:
            writer.close()
    if writer is None:
        (folder / ROWS_FILE).touch()
    _write_words(folder / WORDS_FILE, words)
    columns = (
        _described(place, column, stored[place], coded=place in words) for place, column in enumerate(reader.columns)
    )
    return Written(tuple(columns), reader.labels, tuple(writer.batches if writer else ()), clock)


def _stored(column: pa.Array | None, kind: pa.DataType, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, pa.dictionary(pa.int32(), pa.string()) if kind == pa.string() else kind)
    return convert(column, kind)


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _mostly_distinct(column: pa.Array) -> bool:
    """Whether codes would save nothing."""
    if not pa.types.is_dictionary(column.type):
        return False
    present = len(column) - column.null_count
    return present >= _MANY and len(column.dictionary) > present / 2


def _schema(stored: Sequence[pa.DataType], coded: Sequence[int]) -> pa.Schema:
    codes = set(coded)
    own = [(ROW, pa.uint32()), (FILE, pa.int32())]
    return pa.schema(
        [*own, *((f"c{place}", pa.int32() if place in codes else kind) for place, kind in enumerate(stored))]
    )


def _write_words(path: Path, words: dict[int, _Words]) -> None:
    if not words:
        path.touch()
        return
    columns: dict[str, Any] = {
        f"c{place}": pa.array([found.words], pa.list_(pa.string())) for place, found in words.items()
    }
    table = pa.table(columns)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _described(place: int, column: FileColumn, stored: pa.DataType, *, coded: bool) -> StoredColumn:
    kind = TEXT if coded else kind_of(stored)
    return StoredColumn(
        field=f"c{place}",
        name=column.name,
        type=" or ".join(dict.fromkeys(name_of(one) for one in column.types)),
        kind=kind,
        coded=coded,
        note=_note(column, kind),
    )


def _note(column: FileColumn, kind: str) -> str | None:
    if column.typed and kind != TEXT:
        return f"Text in the file; every value is a {kind}."
    if len({name_of(one) for one in column.types}) > 1:
        return f"The files disagree about its type; its values are shown as {kind}."
    return note_of(column.types[0]) if column.types else None
