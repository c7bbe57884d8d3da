"""Makes the Arrow file of a recording's rows: one pass over its files, with a bounded part of them in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.inspection.stored.kinds import TEXT, convert, joint_type, kind_of, name_of, note_of
from tft_dash.inspection.stored.reading import FileColumn, FileRows, RowReader
from tft_dash.inspection.stored.rowfile import (
    FILE,
    ROW,
    ROWS_FILE,
    SERVER,
    TICK,
    UNKNOWN,
    WORDS_FILE,
    Layout,
    StoredColumn,
)
from tft_dash.progress import Progress
from tft_dash.schema import SERVER_NAME, TIMESTAMP
from tft_dash.sources.cubes.cube import CubeMeta
from tft_dash.sources.files.times import NO_TIME, TimeReader
from tft_dash.sources.files.values import places_of, read_words
from tft_dash.sources.recording.alignment import NS_PER_MS, NS_PER_SECOND

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


class _Clock:
    """Tells each row's tick and server, as the recording's cube counts them."""

    def __init__(self, reader: RowReader, meta: CubeMeta | None) -> None:
        names = [column.name for column in reader.columns]
        self._meta = meta
        self._time = names.index(TIMESTAMP) if TIMESTAMP in names else None
        self._server = names.index(SERVER_NAME) if SERVER_NAME in names else None
        self._times = TimeReader()
        self._places = {name: place for place, name in enumerate(meta.servers if meta else ())}
        self._last: tuple[pa.Array, NDArray[np.int32]] | None = None

    def read(self, rows: FileRows) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(rows,) ticks and servers; :data:`UNKNOWN` where a row has none."""
        count = len(rows.numbers)
        ticks, servers = (np.full(count, UNKNOWN, np.int32) for _ in range(2))
        if self._meta is None or self._time is None or self._server is None:
            return ticks, servers
        stamps, names = rows.columns[self._time], rows.columns[self._server]
        if stamps is not None and names is not None:
            ticks = self._ticks(self._times.read(stamps), self._meta)
            servers = self._servers(names)
        return ticks, servers

    def _ticks(self, times: NDArray[np.int64], meta: CubeMeta) -> NDArray[np.int32]:
        step = round(meta.step_seconds * NS_PER_SECOND)
        since = np.where(times == NO_TIME, 0, times - meta.start_ms * NS_PER_MS)
        nearest = (2 * since + step) // (2 * step)
        return np.where(times == NO_TIME, UNKNOWN, np.clip(nearest, 0, meta.ticks - 1)).astype(np.int32)

    def _servers(self, column: pa.Array) -> NDArray[np.int32]:
        words = read_words(column)
        if self._last is None or not self._last[0].equals(words.dictionary):
            found = [self._places.get(word, UNKNOWN) for word in words.dictionary.to_pylist()]
            self._last = (words.dictionary, np.array([*found, UNKNOWN], np.int32))
        return self._last[1][places_of(words)]


class _RowWriter:
    """Writes blocks of rows, small ones joined."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, schema)
        self._schema = schema
        self._target = max(64, min(_BLOCK_ROWS, _BLOCK_CELLS // max(1, len(schema))))
        self._pending: list[pa.RecordBatch] = []
        self._waiting = 0
        self.rows = 0

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
            self.rows += self._waiting
        self._pending, self._waiting = [], 0


def write_rows(reader: RowReader, folder: Path, meta: CubeMeta | None, progress: Progress) -> Layout:
    """Write the rows of a recording into ``folder``.

    :param meta: of the recording's cube; None = it has none, and so no clock.
    :raises TableError: a file is damaged.
    :raises OSError: the folder cannot be written.
    """
    plain: set[int] = set()
    while True:
        try:
            return _write(reader, folder, meta, plain, progress)
        except TooManyWordsError as error:
            # Seldom: most such columns are known by their first block.
            plain.add(error.place)
            (folder / ROWS_FILE).unlink(missing_ok=True)


def _write(reader: RowReader, folder: Path, meta: CubeMeta | None, plain: set[int], progress: Progress) -> Layout:
    stored = [joint_type(list(column.types)) for column in reader.columns]
    clock = _Clock(reader, meta)
    writer: _RowWriter | None = None
    words: dict[int, _Words] = {}
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
            ticks, servers = clock.read(rows)
            files = np.full(len(ticks), rows.file, np.int32)
            writer.add([*map(pa.array, (rows.numbers.astype(np.uint32), ticks, servers, files)), *kept])
            progress(rows.done)
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        (folder / ROWS_FILE).touch()
    _write_words(folder / WORDS_FILE, words)
    layout = Layout(
        columns=tuple(
            _described(place, column, stored[place], coded=place in words)
            for place, column in enumerate(reader.columns)
        ),
        files=reader.labels,
        servers=meta.servers if meta else (),
        ticks=meta.ticks if meta else 0,
        step_seconds=meta.step_seconds if meta else 0.0,
        rows=writer.rows if writer else 0,
    )
    layout.write(folder)
    return layout


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
    own = [(ROW, pa.uint32()), (TICK, pa.int32()), (SERVER, pa.int32()), (FILE, pa.int32())]
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
