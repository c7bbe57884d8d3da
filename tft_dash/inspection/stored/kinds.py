"""The four kinds of values that a column can hold, and how an Arrow column becomes one of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

TEXT: Final = "text"
NUMBER: Final = "number"
TIME: Final = "time"
FLAG: Final = "flag"

TEXT_LIMIT: Final = 1_000
"""A longer text is cut: a repeated long one would otherwise fill the memory when it is spelled out."""


def kind_of(stored: pa.DataType) -> str:
    """The kind of values in a stored column."""
    if pa.types.is_boolean(stored):
        return FLAG
    if pa.types.is_timestamp(stored):
        return TIME
    numeric = pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_decimal(stored)
    return NUMBER if numeric else TEXT


def stored_type(kind: pa.DataType) -> pa.DataType:
    """The type in which values of ``kind`` are kept: numbers, times in UTC without a zone, flags, and else text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_timestamp(kind):
        return pa.timestamp(kind.unit)
    if pa.types.is_date(kind):
        return pa.timestamp("s" if pa.types.is_date32(kind) else "ms")
    return pa.string() if kind_of(kind) == TEXT else kind


def joint_type(kinds: list[pa.DataType]) -> pa.DataType:
    """The stored type of a column that has these types in a recording's files."""
    stored = list(dict.fromkeys(stored_type(kind) for kind in kinds if not pa.types.is_null(kind)))
    if len(stored) < 2:
        return stored[0] if stored else pa.string()
    if all(kind_of(kind) == NUMBER for kind in stored):
        return pa.float64()
    return pa.timestamp("ms") if all(kind_of(kind) == TIME for kind in stored) else pa.string()


def name_of(kind: pa.DataType) -> str:
    """Arrow's name for a type; how its values are encoded does not matter."""
    return str(kind.value_type if pa.types.is_dictionary(kind) else kind)


def note_of(kind: pa.DataType) -> str | None:
    """What a reader must know about how a type is shown; None = nothing."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_nested(kind):
        return "Nested values are shown as JSON text."
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "Bytes are shown as hexadecimal text."
    plain = is_text(kind) or pa.types.is_null(kind)
    return f"Values of type {kind} are shown as text." if stored_type(kind) == pa.string() and not plain else None


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds text as it is."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def convert(column: pa.Array, stored: pa.DataType) -> pa.Array:
    """``column`` as ``stored``; NaN becomes null, and text comes as a dictionary."""
    if stored == pa.string():
        return texts_of(column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(stored):
        return _times(column, stored)
    if column.type != stored:
        column = pc.cast(column, stored, safe=False)
    if pa.types.is_floating(stored):
        return without_nan(column)
    return column


def without_nan(column: pa.Array) -> pa.Array:
    """A column of floats in which NaN is missing, too."""
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    nothing = np.isnan(values)
    if int(np.count_nonzero(nothing)) == column.null_count:
        return column
    return pa.array(values, column.type, mask=nothing)


def texts_of(column: pa.Array) -> pa.DictionaryArray:
    """Any column as a dictionary of text."""
    if pa.types.is_dictionary(column.type):
        words = _spelled(column.dictionary)
        return pa.DictionaryArray.from_arrays(column.indices, words)
    if is_text(column.type):
        encoded = pc.dictionary_encode(column)
        return pa.DictionaryArray.from_arrays(encoded.indices, _spelled(encoded.dictionary))
    return pc.dictionary_encode(_spelled(column))


def _spelled(column: pa.Array) -> pa.Array:
    """Values as text of bounded length."""
    kind = column.type
    if is_text(kind):
        texts = column if kind == pa.string() else pc.cast(column, pa.string())
        return pc.utf8_slice_codeunits(texts, 0, TEXT_LIMIT)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array(
            [None if value is None else f"0x{value[:64].hex()}" for value in column.to_pylist()], pa.string()
        )
    if pa.types.is_nested(kind):
        return pa.array([None if not value.is_valid else _json(value) for value in column], pa.string())
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([str(value)[:TEXT_LIMIT] if value.is_valid else None for value in column], pa.string())


def _json(value: pa.Scalar) -> str:
    try:
        text = orjson.dumps(value.as_py(), default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (ValueError, TypeError, OverflowError):
        text = str(value)
    return text[:TEXT_LIMIT]


def _times(column: pa.Array, stored: pa.DataType) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        # A zone only says how a time is shown; what is kept is UTC.
        column = (
            column.view(pa.timestamp(kind.unit))
            if not column.null_count
            else pc.cast(pc.cast(column, pa.timestamp(kind.unit, "UTC")), pa.int64()).view(pa.timestamp(kind.unit))
        )
    if column.type == stored:
        return column
    if pa.types.is_date64(column.type):
        column = pc.cast(column, pa.timestamp("ms"))
    return pc.cast(column, stored, safe=False)


def numbers_of(column: pa.Array) -> NDArray[np.floating[Any]]:
    """A stored column of numbers, times (seconds since 1970) or flags as floats; NaN = missing."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        whole: NDArray[Any] = pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False)
        return whole.astype(np.float64) / per_second
    if not pa.types.is_floating(kind):
        column = pc.cast(column, pa.float64(), safe=False)
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values
