"""Metric, state and label columns as numpy arrays, with what could not be read told apart from what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.schema import (
    INCIDENT_PHASE,
    NO_STATE,
    PROBLEM_CHILD,
    PROFILE,
    SERVER_NAME,
    STATE,
    STATES,
    TIMESTAMP,
    CodeArray,
    Metric,
)

_MISSING_WORDS: Final = ("", "na", "n/a", "#n/a", "null", "none", "nan", "-nan", "nil", "-")
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$|^[+-]?(inf|infinity|Inf|Infinity|INF)$"
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
NOT_A_STATE: Final = -2
"""Stands for a word that is no state, where :data:`NO_STATE` stands for no word at all."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A metric's column.

    :param values: (rows,) as wide as they were written; NaN where missing or unreadable.
    :param text: (rows,) True where something stood that is no number; None = nowhere.
    """

    values: NDArray[np.floating[Any]]
    text: NDArray[np.bool_] | None


def can_hold(column: str, kind: pa.DataType) -> bool:
    """Whether a column of the contract can be read from an Arrow type at all."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    texts = _is_text(kind) or pa.types.is_null(kind)
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if column == TIMESTAMP:
        return texts or numbers or pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    if column == PROBLEM_CHILD:
        return texts or pa.types.is_boolean(kind) or pa.types.is_integer(kind)
    if column in (SERVER_NAME, PROFILE, STATE, INCIDENT_PHASE):
        return texts or (column == SERVER_NAME and pa.types.is_integer(kind))
    return texts or numbers or pa.types.is_decimal(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def read_numbers(column: pa.Array) -> Numbers:
    """A metric's column, as it is written: neither ranges nor infinities are judged here."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_null(kind):
        return Numbers(np.full(len(column), np.nan, np.float32), None)
    if pa.types.is_floating(kind):
        return Numbers(column.to_numpy(zero_copy_only=False), None)
    if not _is_text(kind):
        return Numbers(_floats(pc.cast(column, pa.float64(), safe=False)), None)
    column = pc.cast(column, pa.string())
    try:
        return Numbers(_floats(pc.cast(column, pa.float64())), None)
    except pa.ArrowInvalid:
        return _read_texts(column)


def _read_texts(column: pa.Array) -> Numbers:
    column = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(pc.utf8_lower(column), pa.array(_MISSING_WORDS, column.type))
    numeric = pc.match_substring_regex(column, _NUMBER)
    text = pc.and_not(pc.invert(pc.or_(numeric, missing)), pc.is_null(column))
    values = pc.cast(pc.if_else(numeric, column, None), pa.float64())
    return Numbers(_floats(values), pc.fill_null(text, False).to_numpy(zero_copy_only=False))


def _floats(column: pa.Array) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.to_numpy(zero_copy_only=False)
    return values


@dataclass(frozen=True, slots=True)
class Judged:
    """A metric's column against its range.

    :param values: (rows,) float32; NaN where missing or not acceptable.
    :param infinite: (rows,) or None = nowhere.
    :param outside: (rows,) or None = nowhere.
    """

    values: NDArray[np.float32]
    infinite: NDArray[np.bool_] | None
    outside: NDArray[np.bool_] | None


def judge(values: NDArray[np.floating[Any]], metric: Metric) -> Judged:
    """Hold values against a metric's range; what is too large for float32 is outside."""
    high = min(metric.high, float(np.finfo(np.float32).max))
    # One pass decides the common case: NaN compares false, and a column without trouble has no other false.
    fine = (values >= metric.low) & (values <= high)
    wrong = ~(fine | np.isnan(values))
    if not wrong.any():
        return Judged(values.astype(np.float32), None, None)
    infinite = np.isinf(values)
    outside = wrong & ~infinite
    kept = np.where(fine, values, np.nan).astype(np.float32)
    return Judged(kept, infinite if infinite.any() else None, outside if outside.any() else None)


def read_words(column: pa.Array) -> pa.DictionaryArray:
    """A column of words as a dictionary array of text."""
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(pc.cast(column, pa.string()))
    if column.dictionary.type != pa.string():
        column = pa.DictionaryArray.from_arrays(column.indices, pc.cast(column.dictionary, pa.string()))
    return column


def places_of(words: pa.DictionaryArray) -> NDArray[np.int64]:
    """Each row's place in the dictionary; -1 for null."""
    places: NDArray[np.int64] = pc.fill_null(pc.cast(words.indices, pa.int64()), -1).to_numpy(zero_copy_only=False)
    return places


def read_states(column: pa.Array) -> CodeArray:
    """State codes; :data:`NO_STATE` where missing, :data:`NOT_A_STATE` for an unknown word."""
    words = read_words(column)
    known = {word: code for code, word in enumerate(STATES)}
    codes = [NO_STATE if word in (None, "") else known.get(word, NOT_A_STATE) for word in words.dictionary.to_pylist()]
    table = np.array([*codes, NO_STATE], np.int8)
    return table[places_of(words)]


def read_flags(column: pa.Array) -> NDArray[np.bool_] | None:
    """A label column of truth values, null as False; None when a value is neither true nor false."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        return pc.fill_null(column, False).to_numpy(zero_copy_only=False)
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(column, pa.string())))
    words = read_words(texts)
    flags = [False if word in (None, "") else _FLAGS.get(word) for word in words.dictionary.to_pylist()]
    if None in flags:
        return None
    return np.array([*flags, False], bool)[places_of(words)]
