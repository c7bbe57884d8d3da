"""Rows as files to take away: CSV that no spreadsheet runs, and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from pyarrow import parquet

from tft_dash.inspection.showing.cells import iso_texts
from tft_dash.inspection.stored.rowfile import RowFile, StoredColumn

_FORMULA: Final = r"^[=+\-@\t\r\n]"
_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_bytes(rows: RowFile, columns: Sequence[StoredColumn], blocks: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """A header and the blocks' rows as CSV; a missing value is empty."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow([_harmless(column.name) for column in columns])
    yield header.getvalue().encode("utf-8")
    names = [str(place) for place in range(len(columns))]
    options = arrow_csv.WriteOptions(include_header=False)
    for block in blocks:
        arrays = [_csv_values(rows, column, block.column(place)) for place, column in enumerate(columns)]
        sink = pa.BufferOutputStream()
        arrow_csv.write_csv(pa.RecordBatch.from_arrays(arrays, names), sink, options)
        yield sink.getvalue().to_pybytes()


def _csv_values(rows: RowFile, column: StoredColumn, values: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(values.type):
        return pa.array(iso_texts(values), pa.string())
    texts = _texts(rows, column, values)
    if texts is None:
        return values
    risky = pc.match_substring_regex(texts, _FORMULA)
    return pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)


def _texts(rows: RowFile, column: StoredColumn, values: pa.Array) -> pa.Array | None:
    if column.coded:
        return rows.words(column.field).take(values)
    return values if pa.types.is_string(values.type) else None


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS) else text


def write_parquet(
    rows: RowFile, columns: Sequence[StoredColumn], blocks: Iterator[pa.RecordBatch], file: BinaryIO
) -> None:
    """The blocks' rows as Parquet with the files' own column names."""
    writer: Any = None
    try:
        for block in blocks:
            arrays = [_parquet_values(rows, column, block.column(place)) for place, column in enumerate(columns)]
            batch = pa.RecordBatch.from_arrays(arrays, [column.name for column in columns])
            writer = writer or parquet.ParquetWriter(file, batch.schema, compression="zstd")
            writer.write_batch(batch)
        if writer is None:
            empty = pa.schema([(column.name, pa.string()) for column in columns])
            writer = parquet.ParquetWriter(file, empty, compression="zstd")
    finally:
        if writer is not None:
            writer.close()


def _parquet_values(rows: RowFile, column: StoredColumn, values: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(values.type):
        return values.view(pa.timestamp(values.type.unit, "UTC"))
    texts = _texts(rows, column, values)
    return values if texts is None else texts
