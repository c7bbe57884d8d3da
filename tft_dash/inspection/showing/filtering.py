"""Filters as typed values held against Arrow columns; no expression is ever evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.errors import UnknownNameError, UsageError, shorten
from tft_dash.inspection.stored.kinds import FLAG, TEXT, TIME
from tft_dash.inspection.stored.rowfile import FILE, RowFile, StoredColumn
from tft_dash.inspection.views import BETWEEN, BLANK, NOT_BLANK, Filter

Mask = NDArray[np.bool_]

_COMPARED: Final[Mapping[str, Callable[..., Any]]] = {
    "equals": pc.equal,
    "not-equals": pc.not_equal,
    "less": pc.less,
    "at-most": pc.less_equal,
    "more": pc.greater,
    "at-least": pc.greater_equal,
}
_MATCHED: Final[Mapping[str, Callable[..., Any]]] = {
    "contains": pc.match_substring,
    "starts": pc.starts_with,
    "ends": pc.ends_with,
}


def find_column(rows: RowFile, name: str) -> StoredColumn:
    """The column of that field, or else the first of that name.

    :raises UnknownNameError: there is none.
    """
    for column in rows.columns:
        if column.field == name:
            return column
    for column in rows.layout.columns:
        if column.name == name:
            return column
    raise UnknownNameError("column", name, [column.name for column in rows.layout.columns][:40])


def matching(rows: RowFile, condition: Filter) -> Mask:
    """(rows,) which rows pass; a missing value passes ``blank`` and ``not-equals`` only.

    :raises UsageError: the column has another kind of values, or there is no such column.
    """
    column = find_column(rows, condition.column)
    if condition.operator in (BLANK, NOT_BLANK):
        there = _by_chunk(rows, column.field, pc.is_valid)
        return there if condition.operator == NOT_BLANK else ~there
    if condition.kind != column.kind:
        raise UsageError(
            f"The column '{shorten(column.name)}' holds values of kind {column.kind}; a filter of kind "
            f"{condition.kind} cannot be held against it."
        )
    if column.kind == TEXT and (column.coded or column.field == FILE):
        return _words_matching(rows, column, condition)
    return _by_chunk(rows, column.field, lambda chunk: _test(chunk, condition))


def _by_chunk(rows: RowFile, field: str, test: Callable[[pa.Array], pa.Array]) -> Mask:
    return rows.whole(field, lambda chunk: pc.fill_null(test(chunk), False).to_numpy(zero_copy_only=False), bool)


def _words_matching(rows: RowFile, column: StoredColumn, condition: Filter) -> Mask:
    """By the words rather than by the rows."""
    words = rows.words(column.field)
    good = pc.fill_null(_test(words, condition), False).to_numpy(zero_copy_only=False)
    # A missing text has the code -1, and so the last entry.
    table = np.append(good, condition.operator == "not-equals")
    return table[rows.codes(column.field)]


def _test(values: pa.Array, condition: Filter) -> pa.Array:
    if condition.kind == TEXT:
        return _text_test(values, condition)
    if condition.operator == BETWEEN:
        low, high = _bounds(values.type, condition)
        return pc.and_(_compared(values, "at-least", low), _compared(values, "at-most", high))
    value = _operand(values.type, condition, condition.value)
    found = _compared(values, condition.operator, value)
    return pc.fill_null(found, True) if condition.operator == "not-equals" else found


def _bounds(kind: pa.DataType, condition: Filter) -> tuple[Any, Any]:
    return _operand(kind, condition, condition.value), _operand(kind, condition, condition.value_to)


def _compared(values: pa.Array, operator: str, value: Any) -> pa.Array:  # noqa: ANN401 - any kind of value
    kind = values.type
    if pa.types.is_timestamp(kind):
        # As whole numbers of the finer unit of both, so that no time falls between two units.
        return _COMPARED[operator](pc.cast(values, pa.int64()), value)
    if isinstance(value, bool):
        return _COMPARED[operator](values, pa.scalar(value))
    if pa.types.is_integer(kind) and isinstance(value, int):
        limits = np.iinfo(kind.to_pandas_dtype())
        if limits.min <= value <= limits.max:
            return _COMPARED[operator](values, pa.scalar(value, kind))
    if pa.types.is_float32(kind):
        # What a person reads as 0.1 is not the double 0.1.
        return _COMPARED[operator](values, pa.scalar(np.float32(value), kind))
    return _COMPARED[operator](pc.cast(values, pa.float64(), safe=False), pa.scalar(float(value)))


def _operand(kind: pa.DataType, condition: Filter, value: Any) -> Any:  # noqa: ANN401 - any kind of value
    """A filter's value as its column has them."""
    if condition.kind == FLAG:
        return bool(value)
    if condition.kind != TIME:
        return value
    stamp = np.datetime64(str(value))
    return pa.scalar(_count(stamp, kind.unit), pa.int64())


def _count(stamp: np.datetime64, unit: str) -> int:
    """A time in units since 1970, rounded down, whatever its own unit."""
    nanoseconds = int(stamp.astype("datetime64[s]").astype(np.int64)) * 10**9
    if np.datetime_data(stamp)[0] in ("ms", "us", "ns", "ps"):
        nanoseconds = int(stamp.astype("datetime64[ns]").astype(np.int64))
    count = nanoseconds // {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    limits = np.iinfo(np.int64)
    return min(max(count, int(limits.min)), int(limits.max))


def _text_test(values: pa.Array, condition: Filter) -> pa.Array:
    text = str(condition.value)
    if condition.operator in _MATCHED:
        # The pattern is literal: Arrow quotes it itself.
        return _MATCHED[condition.operator](values, text, ignore_case=True)
    found = _COMPARED[condition.operator](values, pa.scalar(text))
    return pc.fill_null(found, True) if condition.operator == "not-equals" else found
