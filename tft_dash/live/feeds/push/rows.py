"""Rows that somebody pushed, held against the contract: the rules and words are those of tables in files."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.errors import shorten
from tft_dash.live.feeds.push.bodies import Table
from tft_dash.live.feeds.push.report import Report, refusal_words
from tft_dash.schema import (
    COLUMNS,
    LABEL_COLUMNS,
    METRIC,
    METRIC_NAMES,
    NO_STATE,
    PROFILE,
    SERVER_NAME,
    SERVER_NAME_LIMIT,
    STATE,
    TIMESTAMP,
    FloatArray,
)
from tft_dash.sources.files.times import NO_TIME, TimeReader
from tft_dash.sources.files.values import NOT_A_STATE, can_hold, judge, read_numbers, read_states
from tft_dash.sources.findings import range_of
from tft_dash.store.pushed.values import PushedRows

_MS: Final = 1_000_000
_LONGEST_TEXT: Final = 200
_NAMES_TOLD: Final = 20
"""So many columns that are not the contract's are told of by name, and held against it."""
_OTHER_NAMES: Final[Mapping[str, str]] = {
    "time": TIMESTAMP, "ts": TIMESTAMP, "datetime": TIMESTAMP, "host": SERVER_NAME, "hostname": SERVER_NAME,
    "instance": SERVER_NAME, "server": SERVER_NAME, "name": SERVER_NAME, "role": PROFILE, "service": PROFILE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """What is acceptable of a delivery, and what is wrong with the rest.

    :param places: (rows,) where each acceptable row stood in the delivery, from 0.
    """

    rows: PushedRows
    places: NDArray[np.int64]
    report: Report


def judged(table: Table) -> Judged:
    """Hold rows against the contract: a value that cannot be is missing, a row that cannot be is left out.

    :raises TableError: there is no time, no server or nothing measured in the whole of it.
    """
    report = Report(table.rows)
    columns = {name: _usable(name, values, report) for name, values in table.columns.items() if name in COLUMNS}
    columns = {name: values for name, values in columns.items() if values is not None}
    _remark_repeated(table, report)
    _remark_unknown(table, columns, report)
    if table.rows:
        _demand_columns(table, columns)
    times = _times(columns.get(TIMESTAMP, pa.nulls(table.rows)), report)
    servers = _words(columns.get(SERVER_NAME, pa.nulls(table.rows)), table.rows)
    report.know(times, servers)
    good = _good_rows(columns, times, servers, report)
    metrics = {name: _metric(name, columns[name], good, report) for name in METRIC_NAMES if name in columns}
    states = _states(columns, good, table.rows, report)
    profiles = _profiles(columns, good, table.rows, report)
    measured = states != NO_STATE
    for values in metrics.values():
        measured |= ~np.isnan(values)
    # A row of which every value was wrong is told about already; it is left out without another word.
    report.rows("empty-row", good & ~measured & ~report.touched, None)
    report.rejected |= good & ~measured
    places = np.flatnonzero(good & measured)
    return _kept(places, times, servers, profiles=profiles, states=states, metrics=metrics, report=report)


def _kept(
    places: NDArray[np.int64],
    times: NDArray[np.int64],
    servers: Sequence[str],
    *,
    profiles: Sequence[str],
    states: NDArray[np.int8],
    metrics: Mapping[str, FloatArray],
    report: Report,
) -> Judged:
    # Fractions of a millisecond belong to the tick of the next one: a sample is never put before its own time.
    whole = -(-times[places] // _MS)
    rows = PushedRows(
        whole,
        [servers[place] for place in places],
        [profiles[place] for place in places],
        states[places],
        {name: values[places] for name, values in metrics.items()},
        report.rejections(),
    )
    return Judged(rows, places, report)


def _usable(name: str, values: list[Any] | pa.Array, report: Report) -> pa.Array | None:
    """A column of the contract in Arrow; what it holds may still be wrong. None = it cannot be read at all."""
    if name in LABEL_COLUMNS:
        return None
    if isinstance(values, list):
        return _array(values, numeric=name in METRIC or name == TIMESTAMP)
    kind = values.type
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    # A few bytes of a dictionary or a view may stand for any size: they are read for words alone, which are short.
    expands = pa.types.is_string_view(inner) or (
        pa.types.is_dictionary(kind) and (name not in (SERVER_NAME, PROFILE, STATE) or not _short(values))
    )
    if expands or not can_hold(name, kind):
        report.remark("unusable-column", name, str(kind))
        return None
    return values


def _short(words: pa.DictionaryArray) -> bool:
    return all(word is None or len(str(word)) <= _LONGEST_TEXT for word in words.dictionary.to_pylist())


def _array(values: list[Any], *, numeric: bool) -> pa.Array:
    """JSON values in Arrow: numbers where all are, else text; what is no text as it was written."""
    kinds = {type(value) for value in values} - {type(None)}
    if numeric and kinds and kinds <= {int, float}:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
        except (pa.ArrowException, OverflowError):
            pass
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    if value is None:
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _demand_columns(table: Table, columns: Mapping[str, pa.Array]) -> None:
    for name in (TIMESTAMP, SERVER_NAME):
        if name not in columns:
            there = "no column" if name not in table.columns else "nothing readable in the column"
            raise refusal_words("missing-column", f"There is {there} '{name}'{_guess(name, table.columns)}")
    if not set(columns) & {*METRIC_NAMES, STATE}:
        raise refusal_words("missing-column", f"There is none of the columns {', '.join(METRIC_NAMES)}")


def _guess(name: str, there: Iterable[str]) -> str:
    others = [*itertools.islice((other for other in there if other not in COLUMNS), _NAMES_TOLD)]
    found = [other for other in others if _OTHER_NAMES.get(other.lower()) == name]
    found = found or difflib.get_close_matches(name, others, n=1, cutoff=0.6)
    return f"; is it '{shorten(found[0])}'?" if found else ""


def _remark_unknown(table: Table, columns: Mapping[str, pa.Array], report: Report) -> None:
    for name in LABEL_COLUMNS:
        if name in table.columns:
            report.remark("label-column", name)
    unknown = [name for name in table.columns if name not in COLUMNS and name not in LABEL_COLUMNS]
    missing = [known for known in COLUMNS if known not in columns]
    for name in unknown[:_NAMES_TOLD]:
        near = difflib.get_close_matches(name, missing, 1, 0.6)
        report.remark("unknown-column", f"{shorten(name)} (is it '{near[0]}'?)" if near else shorten(name))
    if len(unknown) > _NAMES_TOLD:
        report.remark("unknown-column", f"Each of {len(unknown) - _NAMES_TOLD:,} further columns")


def _remark_repeated(table: Table, report: Report) -> None:
    for name in table.repeated[:_NAMES_TOLD]:
        report.remark("duplicate-column", shorten(name))
    if len(table.repeated) > _NAMES_TOLD:
        report.remark("duplicate-column", f"Each of {len(table.repeated) - _NAMES_TOLD:,} further columns")


def _times(column: pa.Array, report: Report) -> NDArray[np.int64]:
    reader = TimeReader()
    times = reader.read(column)
    report.naive_rows = reader.naive_rows
    return times


def _good_rows(
    columns: Mapping[str, pa.Array], times: NDArray[np.int64], servers: Sequence[str], report: Report
) -> NDArray[np.bool_]:
    no_time = times == NO_TIME
    no_name = np.array([not _is_name(name) for name in servers], bool)
    report.rows("bad-timestamp", no_time, columns.get(TIMESTAMP), column=TIMESTAMP)
    report.rows("bad-server-name", no_name, columns.get(SERVER_NAME), column=SERVER_NAME)
    return ~no_time & ~no_name


def _metric(name: str, column: pa.Array, good: NDArray[np.bool_], report: Report) -> FloatArray:
    numbers = read_numbers(column)
    found = judge(numbers.values, METRIC[name])
    for rule, wrong, detail in (
        ("text-in-number", numbers.text, ""),
        ("infinite-value", found.infinite, ""),
        ("out-of-range", found.outside, range_of(METRIC[name])),
    ):
        if wrong is not None:
            report.values(rule, name, wrong & good, column, detail)
    return found.values


def _states(columns: Mapping[str, pa.Array], good: NDArray[np.bool_], rows: int, report: Report) -> NDArray[np.int8]:
    if STATE not in columns:
        return np.full(rows, NO_STATE, np.int8)
    codes = read_states(columns[STATE])
    unknown = codes == NOT_A_STATE
    report.values("unknown-state", STATE, unknown & good, columns[STATE], "")
    return np.where(unknown, np.int8(NO_STATE), codes).astype(np.int8)


def _profiles(columns: Mapping[str, pa.Array], good: NDArray[np.bool_], rows: int, report: Report) -> Sequence[str]:
    if PROFILE not in columns:
        return [""] * rows
    words = _words(columns[PROFILE], rows)
    wrong = np.array([bool(word) and not _is_name(word) for word in words], bool)
    report.values("bad-profile", PROFILE, wrong & good, columns[PROFILE], "")
    return ["" if bad else word for word, bad in zip(words, wrong, strict=True)]


def _words(column: pa.Array, rows: int) -> list[str]:
    """The words of a column; "" = none."""
    if len(column) != rows:
        raise ValueError("the columns are not equally long")
    return ["" if word is None else str(word).strip() for word in column.to_pylist()]


def _is_name(word: str) -> bool:
    return 0 < len(word) <= SERVER_NAME_LIMIT and word.isprintable()
