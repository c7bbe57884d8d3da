"""A mapping for a foreign file, guessed from its name, its header and its first values; a person decides."""

from __future__ import annotations

import re
from collections.abc import Mapping as Group
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tft_dash.errors import shorten
from tft_dash.importing.foreign import Foreign, open_foreign
from tft_dash.importing.guessing.clocks import guess_clock
from tft_dash.importing.guessing.dialects import guess_dialect
from tft_dash.importing.guessing.layouts import guess_narrow, guess_wide
from tft_dash.importing.guessing.words import (
    REQUEST_WORDS,
    column_for,
    kind_of,
    metric_for,
    plain_word,
    unit_for,
)
from tft_dash.importing.mapping import Mapping, parse_mapping
from tft_dash.importing.naming import name_of
from tft_dash.importing.parts import LONGEST_COLUMN_NAME, Csv, Timestamp
from tft_dash.importing.stamps import numbers_of
from tft_dash.importing.units import UNIT_WORDS, own_unit
from tft_dash.schema import COLUMNS, METRIC_NAMES, PROFILE, SERVER_NAME, STATE, STATES, TIMESTAMP
from tft_dash.sources.files.formats import CSV, detect_format

SAMPLE_ROWS: Final = 50_000
_SAMPLE_COLUMNS: Final = 400
_VALUE_WORDS: Final = frozenset({"value", "val", "values", "reading", "measurement", "metric_value", "usage", "y"})
_KEPT: Final = 50


@dataclass(slots=True)
class _Draft:
    """A mapping in the making."""

    path: Path
    dialect: Csv
    foreign: Foreign
    sample: Group[str, pa.Array]
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    layout: str = "long"
    narrow: dict[str, str] | None = None
    stamp: Timestamp | None = None
    notes: list[str] = field(default_factory=list)

    def used(self) -> set[str]:
        found = {part["from"] for part in self.columns.values() if "from" in part}
        return found | ({self.stamp.from_} if self.stamp else set())


def propose(path: Path) -> Mapping:
    """What the columns of the file at ``path`` most likely mean; its description says why.

    It may lack a time, a server or a metric where nothing speaks for one; ``fit_problems`` names what lacks.

    :raises SourceMissingError: the file is not there.
    :raises TableError: it is no table at all.
    """
    dialect = guess_dialect(path) if detect_format(path) == CSV else Csv()
    foreign = open_foreign(path, dialect)
    draft = _Draft(path, dialect, foreign, _sample(foreign))
    _find_clock(draft)
    _find_columns(draft)
    _finish_units(draft)
    return _document(draft)


def changes_nothing(mapping: Mapping) -> bool:
    """Whether a mapping reads every column as the contract would by itself."""
    spec = mapping.spec
    stamp = spec.timestamp
    if spec.layout != "long" or spec.csv != Csv() or stamp is None:
        return False
    if stamp.from_ != TIMESTAMP or stamp.format in ("excel", "day-first", "month-first", "custom"):
        return False
    for name in (*METRIC_NAMES, SERVER_NAME, PROFILE, STATE):
        part = getattr(spec.columns, name)
        if part is not None and (part.from_ != name or getattr(part, "unit", None) not in (None, _own(name))):
            return False
    return True


def _own(name: str) -> str | None:
    return own_unit(name) if name in METRIC_NAMES else None


def _sample(foreign: Foreign) -> dict[str, pa.Array]:
    """The first rows of the first columns; a name that a mapping cannot hold is passed over."""
    readable = [name for name in foreign.columns if name not in foreign.unusable]
    names = [name for name in readable if len(name) <= LONGEST_COLUMN_NAME][:_SAMPLE_COLUMNS]
    found: dict[str, list[pa.Array]] = {name: [] for name in names}
    rows = 0
    for block in foreign.blocks(names) if names else ():
        for name in names:
            found[name].append(block.columns[name])
        rows += block.rows
        if rows >= SAMPLE_ROWS:
            break
    return {name: pa.concat_arrays(parts) for name, parts in found.items() if parts}


def _find_clock(draft: _Draft) -> None:
    """The column of times: one that is called so before one that only looks like it."""
    named = [name for name in draft.sample if column_for(name) == TIMESTAMP]
    hinted = [name for name in draft.sample if re.search(r"time|date|stamp", name, re.IGNORECASE)]
    for name in dict.fromkeys([*named, *hinted, *draft.sample]):
        found = guess_clock(name, draft.sample[name].slice(0, 1000), draft.dialect.decimal)
        if found is not None:
            draft.stamp = found[0]
            if found[1]:
                draft.notes.append(f"{shorten(found[1], 120)}.")
            return
    draft.notes.append("No column looks like times.")


def _find_columns(draft: _Draft) -> None:
    stamp = draft.stamp.from_ if draft.stamp else None
    for name in draft.foreign.columns:
        column = column_for(name)
        if name == stamp or column is None or column == TIMESTAMP or column in draft.columns:
            continue
        if name in draft.sample and _holds(column, draft.sample[name], draft.dialect.decimal):
            draft.columns[column] = {"from": name}
    others = [name for name in draft.sample if name != stamp]
    narrow = guess_narrow(draft.sample, others, draft.columns)
    if narrow is not None:
        _use_narrow(draft, narrow)
        return
    if SERVER_NAME not in draft.columns:
        wide = guess_wide([name for name in draft.foreign.columns if name != stamp], metric_for(draft.path.stem))
        if wide is not None:
            draft.layout = "wide"
            kept = {name: part for name, part in draft.columns.items() if name == PROFILE}
            draft.columns = {**kept, **{metric: {"from": pattern} for metric, pattern in wide.items()}}
            return
        _single_server(draft)
    _value_column(draft)


def _holds(column: str, values: pa.Array, decimal: str) -> bool:
    """Whether a column's values can be what its name says."""
    if column in METRIC_NAMES:
        return _is_numeric(values, decimal)
    if column == STATE:
        words = set(values.slice(0, 1000).drop_null().to_pylist())
        return bool(words) and words <= set(STATES)
    return True


def _is_numeric(values: pa.Array, decimal: str) -> bool:
    values = values.slice(0, 5000)
    if pa.types.is_timestamp(values.type) or pa.types.is_boolean(values.type) or pa.types.is_date(values.type):
        return False
    _, text = numbers_of(values, decimal)
    present = len(values) - values.null_count
    return present == 0 or text is None or float(text.sum()) < 0.5 * present


def _use_narrow(draft: _Draft, found: tuple[str, str, dict[str, str]]) -> None:
    metric, value, words = found
    draft.layout, draft.narrow = "narrow", {"metric": metric, "value": value}
    draft.columns = {
        name: part for name, part in draft.columns.items() if name not in METRIC_NAMES and part["from"] != metric
    }
    draft.columns |= {name: {"from": word} for name, word in words.items()}
    if SERVER_NAME not in draft.columns:
        _single_server(draft)


def _single_server(draft: _Draft) -> None:
    name = name_of(draft.path.name)
    draft.columns[SERVER_NAME] = {"value": name[:60]}
    draft.notes.append(f"No column names a server; every row is taken as of one, called {name[:60]} after the file.")


def _value_column(draft: _Draft) -> None:
    """A table with one unnamed measurement: what it measures may stand in the file's name."""
    if any(name in METRIC_NAMES for name in draft.columns):
        return
    values = [name for name in draft.sample if plain_word(name) in _VALUE_WORDS and name not in draft.used()]
    values = [name for name in values if _is_numeric(draft.sample[name], draft.dialect.decimal)]
    if not values:
        return
    metric, stem = metric_for(draft.path.stem), plain_word(draft.path.stem)
    if metric is not None:
        draft.columns[metric] = {"from": values[0]}
        draft.notes.append(f"{values[0]} is taken as {metric} because of the file's name.")
    elif REQUEST_WORDS.search(stem):
        draft.notes.append(
            f"{values[0]} seems to count requests, which no metric of the contract does. If it can stand in for one "
            "(say net_in_mb_s), map it to that and say so in the description; else it cannot be shown."
        )
    else:
        draft.notes.append(f"Nothing says what {values[0]} measures; choose its metric.")


def _finish_units(draft: _Draft) -> None:
    for metric in METRIC_NAMES:
        part = draft.columns.get(metric)
        if part is None:
            continue
        said = unit_for(metric, part["from"].replace("{server}", ""))
        values = _values(draft, part["from"])
        unit, why = (said, "by its name") if said else _unit_by_values(metric, values)
        part["unit"] = unit
        if why and unit != own_unit(metric):
            draft.notes.append(f"{shorten(part['from'], 40)} is taken as {UNIT_WORDS[unit]} {why}.")
        elif why and part["from"] != metric and not said:
            draft.notes.append(f"{shorten(part['from'], 40)} is taken as {UNIT_WORDS[unit]} {why}; check it.")


def _values(draft: _Draft, source: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The sample's values of a metric, whatever the layout; empty when there are none."""
    if draft.narrow is not None:
        names = np.array([str(name).strip() for name in draft.sample[draft.narrow["metric"]].to_pylist()])
        column = draft.sample[draft.narrow["value"]].filter(pa.array(names == source))
        columns = [column]
    elif draft.layout == "wide":
        before, _, after = source.partition("{server}")
        columns = [v for name, v in draft.sample.items() if name.startswith(before) and name.endswith(after)]
        stamp = draft.stamp.from_ if draft.stamp else None
        columns = [v for name, v in draft.sample.items() if any(v is column for column in columns) and name != stamp]
    else:
        columns = [draft.sample[source]] if source in draft.sample else []
    numbers = [numbers_of(column, draft.dialect.decimal)[0] for column in columns if _is_numeric(column, ",")]
    joined = np.concatenate(numbers) if numbers else np.empty(0)
    return joined[np.isfinite(joined)]


def _unit_by_values(metric: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[str, str]:
    """The unit that the values speak for, and the words for it; empty words where they say nothing."""
    own, kind = own_unit(metric), kind_of(metric)
    if not len(values):
        return own, ""
    low, high, middle = (float(np.min(values)), float(np.max(values)), float(np.median(values)))
    span = f"because its values run from {low:.3g} to {high:.3g}"
    if kind == "percent":
        unit = "fraction" if high <= 1.0 else "percent"
        return unit, span if unit != own or high <= 5 else ""
    if kind == "time":
        unit = "s" if middle < 2 and metric == "latency_ms" else "us" if middle > 100_000 else "ms"
        return unit, f"because its middle value is {middle:.3g}"
    unit = "B/s" if middle > 50_000 else own
    return unit, f"because its middle value is {middle:.3g}" if unit != own else ""


def _document(draft: _Draft) -> Mapping:
    used = draft.used()
    rest = [name for name in draft.foreign.columns if name not in used and name not in COLUMNS]
    keep = [name for name in rest if name in draft.sample][:_KEPT] if draft.layout == "long" else []
    name = re.sub(r"[^a-z0-9_-]+", "-", name_of(draft.path.name).lower()).strip("-_") or "mapping"
    unread = [f"{shorten(column, 40)} is of type {kind}, which cannot be read." for column, kind in
              list(draft.foreign.unusable.items())[:5]]  # fmt: skip
    spec: dict[str, Any] = {
        "csv": draft.dialect.model_dump(),
        "layout": draft.layout,
        "columns": draft.columns,
        "keep": keep,
    }
    if draft.narrow is not None:
        spec["narrow"] = draft.narrow
    if draft.stamp is not None:
        spec["timestamp"] = draft.stamp.model_dump(by_alias=True)
    metadata = {"name": name[:64], "description": _printable(" ".join([*draft.notes, *unread]))}
    document = {"apiVersion": "tft-dash/v1", "kind": "Mapping", "metadata": metadata, "spec": spec}
    return parse_mapping(document, f"The proposal for {shorten(draft.path.name)}")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:4000]
