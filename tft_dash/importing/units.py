"""The units that a foreign column may be in, as a closed table: unit → how a value becomes the contract's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.schema import METRIC_NAMES
from tft_dash.sources.files.values import read_numbers

PercentUnit = Literal["percent", "fraction"]
RatioUnit = Literal["fraction", "percent"]
TimeUnit = Literal["ms", "s", "us", "ns"]
RateUnit = Literal["MB/s", "B/s", "kB/s", "KiB/s", "MiB/s", "GB/s", "GiB/s", "bit/s", "kbit/s", "Mbit/s", "Gbit/s"]

Scale = tuple[float, float]
"""Multiply by the first, divide by the second: a division by a whole number is exact where a product is not."""

_PERCENT: Final[Mapping[str, Scale]] = {"percent": (1, 1), "fraction": (100, 1)}
_RATIO: Final[Mapping[str, Scale]] = {"fraction": (1, 1), "percent": (1, 100)}
_TIME: Final[Mapping[str, Scale]] = {"ms": (1, 1), "s": (1000, 1), "us": (1, 1000), "ns": (1, 1_000_000)}
_RATE: Final[Mapping[str, Scale]] = {
    "MB/s": (1, 1),
    "B/s": (1, 1_000_000),
    "kB/s": (1, 1000),
    "KiB/s": (1024, 1_000_000),
    "MiB/s": (1_048_576, 1_000_000),
    "GB/s": (1000, 1),
    "GiB/s": (1_073_741_824, 1_000_000),
    "bit/s": (1, 8_000_000),
    "kbit/s": (1, 8000),
    "Mbit/s": (1, 8),
    "Gbit/s": (125, 1),
}
UNITS: Final[Mapping[str, Mapping[str, Scale]]] = {
    "cpu_pct": _PERCENT,
    "mem_pct": _PERCENT,
    "latency_ms": _TIME,
    "error_rate": _RATIO,
    "disk_io_mb_s": _RATE,
    "net_in_mb_s": _RATE,
    "net_out_mb_s": _RATE,
    "gc_pause_ms": _TIME,
}
"""Metric → the units it may be given in; the contract's own first."""

_GROUPED: Final[Mapping[str, str]] = {
    ".": r"^\s*[+-]?\d{1,3}(,\d{3})+(\.\d+)?\s*%?\s*$",
    ",": r"^\s*[+-]?\d{1,3}(\.\d{3})+(,\d+)?\s*%?\s*$",
}
"""Decimal sign → numbers whose thousands are set apart by the other one."""

UNIT_WORDS: Final[Mapping[str, str]] = {
    "percent": "per cent (0–100)",
    "fraction": "fraction (0–1)",
    "ms": "milliseconds",
    "s": "seconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "MB/s": "MB/s (10⁶ bytes)",
    "B/s": "bytes/s",
    "kB/s": "kB/s (1,000 bytes)",
    "KiB/s": "KiB/s (1,024 bytes)",
    "MiB/s": "MiB/s (2²⁰ bytes)",
    "GB/s": "GB/s (10⁹ bytes)",
    "GiB/s": "GiB/s (2³⁰ bytes)",
    "bit/s": "bit/s",
    "kbit/s": "kbit/s",
    "Mbit/s": "Mbit/s",
    "Gbit/s": "Gbit/s",
}
"""Unit → as shown to people."""


def own_unit(metric: str) -> str:
    """The unit that the contract has a metric in."""
    return next(iter(UNITS[metric]))


def converted(values: NDArray[Any], metric: str, unit: str) -> NDArray[np.float64]:
    """Values in the contract's unit, as float64; NaN stays NaN."""
    times, over = UNITS[metric][unit]
    wide: NDArray[np.float64] = values.astype(np.float64)
    if times != 1:
        wide = wide * times
    return wide if over == 1 else wide / over


def every_metric() -> tuple[str, ...]:
    """The metrics that have units, in the contract's order."""
    return tuple(name for name in METRIC_NAMES if name in UNITS)


def numbers_of(column: pa.Array, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """A column's numbers, and where something stood that is none (None = nowhere).

    In text a sign of per cent behind a number, and marks between its thousands, are passed over.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _plain_numbers(column, decimal)
    try:
        read = read_numbers(column)
    except pa.ArrowNotImplementedError:  # times, say
        return np.full(len(column), np.nan), pc.is_valid(column).to_numpy(zero_copy_only=False)
    return read.values.astype(np.float64), read.text


def _plain_numbers(column: pa.Array, decimal: str) -> pa.Array:
    mark = "." if decimal == "," else ","
    if _has(column, mark):
        grouped = pc.match_substring_regex(column, _GROUPED[decimal])
        column = pc.if_else(grouped, pc.replace_substring(column, mark, ""), column)
    if decimal == ",":
        column = pc.replace_substring(column, ",", ".")
    return pc.replace_substring_regex(column, r"\s*%\s*$", "") if _has(column, "%") else column


def has_percent_sign(column: pa.Array) -> bool:
    """Whether a column of text has a sign of per cent in it."""
    return pa.types.is_string(column.type) and _has(column, "%")


def _has(column: pa.Array, letter: str) -> bool:
    return bool(pc.any(pc.match_substring(column, letter)).as_py())
