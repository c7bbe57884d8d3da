"""The rows of a recording, page by page, in the view that somebody wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.errors import UsageError
from tft_dash.inspection.showing.cells import Cell, plain_cells
from tft_dash.inspection.showing.exports import csv_bytes, write_parquet
from tft_dash.inspection.showing.filtering import find_column
from tft_dash.inspection.showing.ordering import is_arranged, positions_of
from tft_dash.inspection.stored.rowfile import TICK, RowFile, StoredColumn
from tft_dash.inspection.views import View

PAGE_LIMIT: Final = 500
PAGE_COLUMNS: Final = 300
"""A page of a wider table holds the first of its columns unless others are named."""
_EXPORT_ROWS: Final = 16_384
_EXPORT_CELLS: Final = 1 << 20

RowColumn = StoredColumn
"""A column as a grid needs it: ``field`` is its neutral key in the rows, ``name`` what people read."""


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some consecutive rows of a view.

    :param rows: field → value, and ``tick``: the recording's tick, None = the row has no readable time.
    :param matching: how many rows the view has.
    """

    rows: list[dict[str, Cell]]
    matching: int


class Rows:
    """All rows of a recording; nothing of them is in memory but what is asked for."""

    def __init__(self, rows: RowFile) -> None:
        self._rows = rows

    @property
    def columns(self) -> tuple[RowColumn, ...]:
        """The row's number, its file where there are several, and every column of the files in their order."""
        return self._rows.columns

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self._rows.rows

    def is_arranged(self, view: View) -> bool:
        """Whether a page of ``view`` is at hand: it needs no work on all rows."""
        return is_arranged(self._rows, view)

    def arrange(self, view: View) -> None:
        """Do the work on all rows that the pages of ``view`` need, for all processes.

        :raises UsageError: a filter or a sort does not fit its column.
        """
        positions_of(self._rows, view)

    def page(self, view: View, first: int = 0, limit: int = 100, columns: Sequence[str] = ()) -> RowPage:
        """``limit`` rows of ``view`` from place ``first`` on.

        :param columns: fields or names; by default the first :data:`PAGE_COLUMNS`.
        :raises UsageError: ``first`` or ``limit`` is impossible, or a filter does not fit its column.
        """
        if first < 0 or not 0 <= limit <= PAGE_LIMIT:
            raise UsageError(f"A page begins at row 0 or later and has at most {PAGE_LIMIT} rows.")
        order = positions_of(self._rows, view)
        count = self.total if order is None else len(order)
        stop = min(first + limit, count)
        places = np.arange(first, stop) if order is None else np.asarray(order[first:stop], np.int64)
        shown = self._chosen(columns) if columns else self.columns[:PAGE_COLUMNS]
        return RowPage(self._read(places, shown), count)

    def export_csv(self, view: View) -> Iterator[bytes]:
        """The view as CSV in UTF-8, block by block; texts that a spreadsheet would run get a leading apostrophe."""
        columns = self._rows.layout.columns
        blocks = self._blocks(view)
        return csv_bytes(self._rows, columns, blocks)

    def export_parquet(self, view: View, file: BinaryIO) -> None:
        """The view as Parquet into ``file``; times carry the zone UTC."""
        write_parquet(self._rows, self._rows.layout.columns, self._blocks(view), file)

    def _chosen(self, names: Sequence[str]) -> tuple[RowColumn, ...]:
        return tuple(dict.fromkeys(find_column(self._rows, name) for name in names[:PAGE_COLUMNS]))

    def _read(self, places: NDArray[np.int64], columns: Sequence[RowColumn]) -> list[dict[str, Cell]]:
        if not len(places):
            return []
        batch = self._rows.take(places, [*(column.field for column in columns), TICK])
        cells = [plain_cells(self._rows, column, batch.column(place)) for place, column in enumerate(columns)]
        ticks = [None if tick < 0 else tick for tick in batch.column(len(columns)).to_pylist()]
        fields = [*(column.field for column in columns), TICK]
        return [dict(zip(fields, row, strict=True)) for row in zip(*cells, ticks, strict=True)]

    def _blocks(self, view: View) -> Iterator[pa.RecordBatch]:
        """The view's rows with the files' own columns, a bounded number at a time."""
        order = positions_of(self._rows, view)
        fields = [column.field for column in self._rows.layout.columns]
        size = max(64, min(_EXPORT_ROWS, _EXPORT_CELLS // max(1, len(fields))))
        if order is None:
            return (batch.select(fields) for batch in self._rows.spans(size))
        return (self._rows.take(order[first : first + size], fields) for first in range(0, len(order), size))
