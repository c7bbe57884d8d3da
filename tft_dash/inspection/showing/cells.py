"""Stored values as a page shows them: plain, short, and safe for a script that reads JSON."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.errors import shorten
from tft_dash.inspection.stored.kinds import NUMBER
from tft_dash.inspection.stored.rowfile import RowFile, StoredColumn

CELL_LENGTH: Final = 200
_EXACT: Final = 1 << 53
"""Whole numbers beyond this lose digits in a browser, and so travel as text."""

Cell = str | float | int | bool | None


def plain_cells(rows: RowFile, column: StoredColumn, values: pa.Array) -> list[Cell]:
    """Values of one column, None for a missing one."""
    if column.coded:
        values = rows.words(column.field).take(values)
    return _numeric_cells(values) if column.kind == NUMBER else _other_cells(values)


def _other_cells(values: pa.Array) -> list[Cell]:
    kind = values.type
    if pa.types.is_string(kind):
        return [None if text is None else shorten(text, CELL_LENGTH) for text in values.to_pylist()]
    if pa.types.is_timestamp(kind):
        return list(iso_texts(values))
    return list(values.to_pylist())


def _numeric_cells(values: pa.Array) -> list[Cell]:
    kind = values.type
    if pa.types.is_float32(kind):
        # The shortest number that is this float, rather than the same with a tail of digits.
        texts = values.to_numpy(zero_copy_only=False).astype(str)
        return [_float(float(text)) for text in texts.tolist()]
    if pa.types.is_floating(kind):
        return [None if value is None else _float(value) for value in values.to_pylist()]
    if pa.types.is_integer(kind):
        return [value if value is None or abs(value) <= _EXACT else str(value) for value in values.to_pylist()]
    return [None if value is None else _decimal(str(value)) for value in values.to_pylist()]


def iso_texts(values: pa.Array) -> list[str | None]:
    """Times in UTC as ISO 8601, as exact as they are kept; milliseconds and less only where there are any."""
    stamps: NDArray[Any] = pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy(zero_copy_only=False)
    texts = np.datetime_as_string(stamps.view(f"datetime64[{values.type.unit}]")).tolist()
    there = values.is_valid().to_pylist()
    return [_short(text) if good else None for text, good in zip(texts, there, strict=True)]


def _short(text: str) -> str:
    head, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{head}.{fraction}Z" if fraction else f"{head}Z"


def _float(value: float) -> Cell:
    if np.isfinite(value):
        return value
    return None if np.isnan(value) else ("∞" if value > 0 else "-∞")


def _decimal(text: str) -> Cell:
    number = float(text)
    return number if len(text.replace(".", "").lstrip("-0")) <= 15 else text
