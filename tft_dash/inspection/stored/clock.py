"""Each row's tick and server: noted while the rows are read, told once the scan knows the recording's steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.inspection.stored.reading import FileRows
from tft_dash.inspection.stored.rowfile import SERVER, TICK, UNKNOWN
from tft_dash.schema import SERVER_NAME, TIMESTAMP
from tft_dash.sources.cubes.cube import CubeMeta
from tft_dash.sources.files.times import NO_TIME, TimeReader
from tft_dash.sources.files.values import places_of, read_words
from tft_dash.sources.recording.alignment import NS_PER_MS, NS_PER_SECOND

_SCHEMA: Final = pa.schema([(TICK, pa.int32()), (SERVER, pa.int32())])


class ClockNotes:
    """Times and servers of rows in files of their own, until :meth:`finish` turns them into ticks and places.

    :param folder: where the notes lie meanwhile.
    :param names: of the recording's columns.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._time = names.index(TIMESTAMP) if TIMESTAMP in names else None
        self._server = names.index(SERVER_NAME) if SERVER_NAME in names else None
        self._paths = folder / "times.noted", folder / "servers.noted"
        self._files = [path.open("wb") for path in self._paths]
        self._times = TimeReader()
        self._names: dict[str | None, int] = {}
        self._last: tuple[pa.Array, NDArray[np.int32]] | None = None

    def note(self, rows: FileRows) -> None:
        """Take down a block's times and servers."""
        times, servers = np.full(len(rows.numbers), NO_TIME, np.int64), np.full(len(rows.numbers), UNKNOWN, np.int32)
        if self._time is not None and self._server is not None:
            stamps, names = rows.columns[self._time], rows.columns[self._server]
            if stamps is not None and names is not None:
                times, servers = self._times.read(stamps), self._codes(names)
        for file, noted in zip(self._files, (times, servers), strict=True):
            file.write(np.ascontiguousarray(noted).data)

    def close(self) -> None:
        """Nothing more is noted."""
        for file in self._files:
            file.close()

    def finish(self, path: Path, batches: Sequence[int], meta: CubeMeta | None) -> None:
        """Write ticks and servers, as ``meta`` counts them, into the Arrow file at ``path``; the notes go.

        :param batches: rows of each of its blocks.
        :param meta: of the recording's cube; None = no row has a tick or a server.
        """
        places = {name: place for place, name in enumerate(meta.servers if meta else ())}
        table = np.array([*(places.get(str(name), UNKNOWN) for name in self._names), UNKNOWN], np.int32)
        with (
            self._paths[0].open("rb") as times,
            self._paths[1].open("rb") as codes,
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, _SCHEMA) as writer,
        ):
            for size in batches:
                ticks = _ticks(np.fromfile(times, np.int64, size), meta)
                servers = table[np.fromfile(codes, np.int32, size)]
                writer.write_batch(pa.RecordBatch.from_arrays([pa.array(ticks), pa.array(servers)], schema=_SCHEMA))
        for noted in self._paths:
            noted.unlink()

    def _codes(self, column: pa.Array) -> NDArray[np.int32]:
        words = read_words(column)
        if self._last is None or not self._last[0].equals(words.dictionary):
            found = [self._names.setdefault(word, len(self._names)) for word in words.dictionary.to_pylist()]
            self._last = (words.dictionary, np.array([*found, UNKNOWN], np.int32))
        return self._last[1][places_of(words)]


def _ticks(times: NDArray[np.int64], meta: CubeMeta | None) -> NDArray[np.int32]:
    if meta is None:
        return np.full(len(times), UNKNOWN, np.int32)
    step = round(meta.step_seconds * NS_PER_SECOND)
    since = np.where(times == NO_TIME, 0, times - meta.start_ms * NS_PER_MS)
    nearest = (2 * since + step) // (2 * step)
    return np.where(times == NO_TIME, UNKNOWN, np.clip(nearest, 0, meta.ticks - 1)).astype(np.int32)
