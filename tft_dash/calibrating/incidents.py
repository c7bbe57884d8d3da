"""Incidents that people know of: a file of servers, begins, ends and, if there are, verdicts.

Read are CSV, Parquet and JSON tables with the columns ``server`` and ``start``, and if they are there ``end`` and
``label``; JSON may also be the ground truth of a published recording, with ``faults`` or ``series`` of ``windows``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tft_dash.errors import DataError, SourceMissingError, shorten

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "server": ("server", "server_name", "root_cause_server", "host"),
    "start": ("start", "begin", "started", "started_at", "injection_time"),
    "end": ("end", "ended", "ended_at", "resolved_at"),
    "label": ("label", "outcome", "verdict", "resource"),
}
"""What the columns may be called, the first that is there counts; ``resource`` is that of published faults."""
HAPPENED: Final = frozenset({"true", "1", "yes", "incident", "real", "confirmed", "true positive", "right"})
NOTHING: Final = frozenset({"false", "0", "no", "no incident", "false alarm", "false positive", "wrong", "noise"})
UNCLEAR: Final = frozenset({"", "unclear", "unknown", "ambiguous", "none", "null", "?"})
MOST_BYTES: Final = 256_000_000
_LISTS: Final = ("incidents", "problems", "outcomes", "alerts")


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """What is known of one span of a server's time.

    :param server: None = of every server, for spans of which nobody knows.
    :param start: UTC, to the millisecond.
    :param happened: False = it was looked at and there was none; None = nobody knows, so the span does not count.
    """

    server: str | None
    start: np.datetime64
    end: np.datetime64
    happened: bool | None


class _RowError(Exception):
    """What is wrong with one row."""


def read_incidents(path: Path) -> tuple[KnownIncident, ...]:
    """The incidents in a file.

    :raises SourceMissingError: it cannot be read.
    :raises DataError: it holds something else; every message names the row and what to do.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{_named(path)} has more than {MOST_BYTES // 10**6} MB, which no list of incidents needs.")
        content = path.read_bytes()
    except OSError as error:
        raise SourceMissingError(f"--outcomes {_named(path)} cannot be read: {error.strerror}.") from error
    rows = _rows(path, content)
    found, problems = [], []
    for number, row in enumerate(rows, 1):
        try:
            found.append(_incident(row))
        except _RowError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        more = f" (and {len(problems) - 5} more rows)" if len(problems) > 5 else ""
        raise DataError(f"--outcomes {_named(path)}: {'; '.join(problems[:5])}{more}. Mend the file.")
    if not found:
        raise DataError(f"--outcomes {_named(path)} holds no incident. {_EXPECTED}")
    return tuple(found)


_EXPECTED: Final = (
    "Expected is a table (CSV, Parquet or JSON) with the columns server, start, and if known end and label "
    "(true, false or unclear)."
)


def _rows(path: Path, content: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        if content[:4] == b"PAR1":
            return list(pq.read_table(pa.BufferReader(content)).to_pylist())
        text = content.decode("utf-8-sig")
        if text.lstrip()[:1] in ("[", "{"):
            return _of_json(path, json.loads(text))
        if "\x00" in text:
            raise UnicodeError("binary")
        return _of_csv(text)
    except (UnicodeError, csv.Error, json.JSONDecodeError, pa.ArrowException, RecursionError, OSError) as error:
        words = shorten(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise DataError(f"--outcomes {_named(path)} cannot be read as a table: {words}. {_EXPECTED}") from error


def _of_csv(text: str) -> list[dict[str, Any]]:
    lines = text.splitlines()
    head = lines[0] if lines else ""
    delimiter = max(",;\t", key=head.count)
    return [dict(row) for row in csv.DictReader(io.StringIO(text), delimiter=delimiter) if any(row.values())]


def _of_json(path: Path, value: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        value = _of_truth(value)
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise DataError(f"--outcomes {_named(path)} is JSON, but no list of incidents. {_EXPECTED}")
    return value


def _of_truth(value: Mapping[str, Any]) -> object:
    """The rows in an object: a named list, or the ground truth of a published recording."""
    for name in _LISTS:
        if isinstance(value.get(name), list):
            return value[name]
    if isinstance(value.get("faults"), list):
        seconds = value.get("window_seconds")
        window = float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else 0.0
        faults = [{**fault, "_seconds": window} if isinstance(fault, Mapping) else fault for fault in value["faults"]]
        return [*_unscored(value.get("ambiguous")), *(_of_fault(fault) for fault in faults)]
    if isinstance(value.get("series"), Mapping):
        return [
            {**window, "server": server} if isinstance(window, Mapping) else window
            for server, one in value["series"].items()
            for window in (one.get("windows", []) if isinstance(one, Mapping) else [one])
        ]
    return value


def _of_fault(fault: object) -> object:
    """A fault that its recording cannot show (``resource`` false) is one of which nobody can tell."""
    if isinstance(fault, Mapping) and fault.get("resource") is False:
        return {**fault, "resource": "unclear"}
    return fault


def _unscored(spans: object) -> list[Mapping[str, Any]]:
    pairs = spans if isinstance(spans, list) else []
    return [
        {"server": None, "start": span[0], "end": span[1], "label": "unclear"}
        for span in pairs
        if isinstance(span, list) and len(span) == 2
    ]


def _incident(row: Mapping[str, Any]) -> KnownIncident:
    server, start = _field(row, "server"), _field(row, "start")
    if start is None:
        raise _RowError(f"it has no {_either('start')}")
    begin = _time(start, "start")
    last = _field(row, "end")
    end = begin + np.timedelta64(round(1000 * float(row.get("_seconds", 0.0))), "ms")
    if last is not None:
        end = _time(last, "end")
    if end < begin:
        raise _RowError(f"it ends ({end}) before it starts ({begin})")
    happened = _label(_field(row, "label")) if _name(row, "label") else True
    name = None if server is None else str(server)
    if name is None and happened is not None:
        raise _RowError(f"it has no {_either('server')}; only a span labelled unclear may be of the whole fleet")
    return KnownIncident(name, begin, end, happened)


def _name(row: Mapping[str, Any], field: str) -> str | None:
    known = {str(name).strip().lower(): name for name in row if name is not None}
    return next((known[name] for name in NAMES[field] if name in known), None)


def _field(row: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401 - a cell
    name = _name(row, field)
    value = None if name is None else row[name]
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def _either(field: str) -> str:
    return f"{NAMES[field][0]} (column {' or '.join(NAMES[field])})"


def _time(value: object, field: str) -> np.datetime64:
    """UTC, to the millisecond; a time without a zone is UTC."""
    found = value
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            found = None
    if not isinstance(found, datetime):
        raise _RowError(f"its {field} {shorten(repr(value))} is no time; write it like 2026-03-01T09:30:00Z")
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    since = found - datetime(1970, 1, 1)  # noqa: DTZ001 - both are UTC
    return np.datetime64(since // timedelta(milliseconds=1), "ms")


def _label(value: object) -> bool | None:
    word = "" if value is None else str(value).strip().lower().replace("_", " ").replace("-", " ")
    if word in HAPPENED:
        return True
    if word in NOTHING:
        return False
    if word in UNCLEAR:
        return None
    raise _RowError(f"its label {shorten(repr(value))} is none of true, false and unclear")


def _named(path: Path) -> str:
    return shorten(str(path), 200)
