"""From a foreign file to a table of the contract: one pass, a block at a time, the same bytes for the same input."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tft_dash.errors import TableError
from tft_dash.importing.fit import demand_fit
from tft_dash.importing.foreign import open_foreign
from tft_dash.importing.losses import Losses
from tft_dash.importing.mapping import Mapping
from tft_dash.importing.parts import Spec
from tft_dash.importing.reshaping import Rows, rows_of
from tft_dash.progress import Progress, silent
from tft_dash.scenarios.writing.atomic import file_set
from tft_dash.schema import COLUMNS, INCIDENT_PHASE, PROBLEM_CHILD, PROFILE, SERVER_NAME, STATE, TIMESTAMP
from tft_dash.sources.files.times import NO_TIME

GROUP_ROWS: Final = 1 << 20
_STAMP: Final = pa.timestamp("ns", tz="UTC")
_WORDS: Final = (SERVER_NAME, PROFILE, STATE, INCIDENT_PHASE, PROBLEM_CHILD)


def convert(
    path: Path, mapping: Mapping, output: Path, progress: Progress = silent, *, losses: Losses | None = None
) -> int:
    """Write the file at ``path`` as a Parquet table of the contract.

    :param losses: is told what could not be read; it is missing in the table.
    :return: how many rows were written.
    :raises MappingError: the mapping does not fit the file; says every mistake.
    :raises TableError: the file cannot be read.
    :raises StorageError: the output cannot be written.
    """
    with file_set(output.parent) as files:
        return write_table(path, mapping, files.begin(output.name), losses or Losses(), progress)


def write_table(
    path: Path, mapping: Mapping, file: BinaryIO, losses: Losses, progress: Progress = silent, *, most_rows: int = 0
) -> int:
    """As :func:`convert`, into an open file.

    :param most_rows: end after about so many rows of the table; 0 = never.
    """
    foreign = open_foreign(path, mapping.spec.csv)
    demand_fit(foreign, mapping, path.name)
    written = 0
    with _Writer(file, table_schema(mapping.spec)) as writer:
        for rows, done in rows_of(foreign, mapping.spec, losses, most_rows=most_rows):
            if rows.rows:
                writer.write(rows)
            written += rows.rows
            progress(done)
            if most_rows and written >= most_rows:
                break
    losses.malformed = foreign.malformed
    if not written:
        raise TableError(f"{path.name} has a header and no rows. Export it again, with its values.")
    progress(1.0)
    return written


def table_schema(spec: Spec) -> pa.Schema:
    """The columns of the table that a mapping makes, in the contract's order, then those kept."""
    given = {TIMESTAMP, *spec.columns.metrics()}
    given |= {name for name in _WORDS if getattr(spec.columns, name) is not None}
    if spec.layout == "wide":
        given.add(SERVER_NAME)
    fields = [(name, _kind(name)) for name in COLUMNS if name in given]
    kept = spec.keep if spec.layout == "long" else ()
    return pa.schema([*fields, *((name, pa.string()) for name in kept)])


def _kind(column: str) -> pa.DataType:
    if column == TIMESTAMP:
        return _STAMP
    return pa.dictionary(pa.int32(), pa.string()) if column in _WORDS else pa.float64()


class _Writer:
    """Gathers rows into row groups of an even size."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._schema = pa.schema([(field.name, _plain(field.type)) for field in schema])
        # Without the Arrow schema the columns read back as plain text rather than as pandas categories.
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd", store_schema=False)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, rows: Rows) -> None:
        columns = [self._column(rows, name) for name in self._schema.names]
        self._waiting.append(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows += rows.rows
        if self._rows >= GROUP_ROWS:
            self._flush()

    def _column(self, rows: Rows, name: str) -> pa.Array:
        if name == TIMESTAMP:
            return pa.array(rows.times, mask=rows.times == NO_TIME).cast(_STAMP)
        if name in rows.metrics:
            values = rows.metrics[name]
            return pa.array(values, mask=np.isnan(values))
        return rows.words[name]

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=GROUP_ROWS)
        self._waiting, self._rows = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
            self._writer.close()
            return
        with contextlib.suppress(OSError):
            self._writer.close()


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
