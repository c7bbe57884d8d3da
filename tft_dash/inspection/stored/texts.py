"""What the texts of a CSV column are: numbers, truth values, times, or just text. Decided once, by all values."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tft_dash.sources.files.times import NO_TIME, TimeReader
from tft_dash.sources.files.values import read_numbers

_MISSING_WORDS: Final = ("", "na", "n/a", "#n/a", "null", "none", "nan", "-nan", "nil", "-")
_TRUE: Final = ("true", "yes")
_FALSE: Final = ("false", "no")
_TIME_TYPE: Final = pa.timestamp("ns")


class TextTyper:
    """Finds the one type that every present value of a column has, and reads the column as that.

    :param text: whether it is text without looking.
    :ivar type: int64, double, bool, timestamp or string.
    """

    def __init__(self, *, text: bool = False) -> None:
        self.type: pa.DataType = pa.string()
        self._seen = text

    def see(self, column: pa.Array) -> None:
        """Some of the column's texts."""
        if column.null_count == len(column) or (self._seen and self.type == pa.string()):
            return
        if not self._seen:
            self.type = next(
                (kind for kind in (pa.int64(), pa.float64(), pa.bool_(), _TIME_TYPE) if _fits(column, kind)),
                pa.string(),
            )
            # Words for "missing" fit anything, and so decide nothing.
            self._seen = not _says_nothing(column)
            return
        if _fits(column, self.type):
            return
        wider = self.type == pa.int64() and _fits(column, pa.float64())
        self.type = pa.float64() if wider else pa.string()

    def read(self, column: pa.Array) -> pa.Array:
        """The texts as :attr:`type`."""
        if self.type == pa.string():
            return pc.dictionary_encode(column)
        return _read(column, self.type)


def _fits(column: pa.Array, kind: pa.DataType) -> bool:
    if kind == pa.float64():
        text = read_numbers(column).text
        return text is None or not text.any()
    read = _read_or_none(column, kind)
    if read is None:
        return False
    return read.null_count == (column.null_count if kind == _TIME_TYPE else _without_words(column).null_count)


def _read_or_none(column: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return _read(column, kind)
    except pa.ArrowInvalid:
        return None


def _read(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if kind == pa.float64():
        values = read_numbers(column).values
        return pa.array(values, pa.float64(), from_pandas=True)
    if kind == _TIME_TYPE:
        times = TimeReader().read(column)
        return pa.array(times, mask=times == NO_TIME).view(_TIME_TYPE)
    if kind == pa.int64():
        try:
            return pc.cast(column, pa.int64())
        except pa.ArrowInvalid:
            return pc.cast(_without_words(column), pa.int64())
    plain = pc.utf8_lower(_without_words(column))
    true, false = (pc.is_in(plain, pa.array(words)) for words in (_TRUE, _FALSE))
    return pc.if_else(pc.or_(true, false), true, None)


def _without_words(column: pa.Array) -> pa.Array:
    """Trimmed texts, null for the words that stand for a missing value."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(pc.utf8_lower(trimmed), pa.array(_MISSING_WORDS)), None, trimmed)


def _says_nothing(column: pa.Array) -> bool:
    return bool(_without_words(column).null_count == len(column))
