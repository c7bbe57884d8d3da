"""A mapping for a foreign file, guessed from its name, its header and its first values; a person decides."""

from __future__ import annotations

import re
from collections.abc import Mapping as Group
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tft_dash.errors import shorten
from tft_dash.importing.foreign import Foreign, open_foreign
from tft_dash.importing.guessing.amounts import can_hold, is_numeric, reason_against, unit_by_values
from tft_dash.importing.guessing.clocks import guess_clock, is_clock, names_no_zone, with_clock
from tft_dash.importing.guessing.dialects import guess_dialect
from tft_dash.importing.guessing.layouts import guess_narrow, guess_wide, server_pattern
from tft_dash.importing.guessing.samples import demand_hope, take_sample
from tft_dash.importing.guessing.servers import guess_servers
from tft_dash.importing.guessing.words import (
    PART_WORDS,
    RATE_WORDS,
    REQUEST_WORDS,
    column_for,
    kind_of,
    metric_for,
    plain_word,
    unit_for,
)
from tft_dash.importing.mapping import Mapping, parse_mapping
from tft_dash.importing.naming import name_of
from tft_dash.importing.parts import SERVER_MARK, Csv, Timestamp
from tft_dash.importing.units import UNIT_WORDS, has_percent_sign, numbers_of, own_unit
from tft_dash.schema import COLUMNS, METRIC_NAMES, PROFILE, SERVER_NAME, STATE, TIMESTAMP
from tft_dash.sources.files.formats import CSV, detect_format

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
        return found | (set(self.stamp.columns()) if self.stamp else set())


def propose(path: Path) -> Mapping:
    """What the columns of the file at ``path`` most likely mean; its description says why.

    It may lack a time, a server or a metric where nothing speaks for one; ``fit_problems`` names what lacks.

    :raises SourceMissingError: the file is not there.
    :raises TableError: it is no table at all.
    """
    dialect = guess_dialect(path) if detect_format(path) == CSV else Csv()
    foreign = open_foreign(path, dialect)
    draft = _Draft(path, dialect, foreign, take_sample(foreign))
    demand_hope(path.name, foreign, draft.sample)
    _find_clock(draft)
    _find_columns(draft)
    _drop_what_cannot_be(draft)
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


def _find_clock(draft: _Draft) -> None:
    """The column of times: one that is called so before one that only looks like it."""
    named = [name for name in draft.sample if column_for(name) == TIMESTAMP and not is_clock(draft.sample[name])]
    hinted = [name for name in draft.sample if re.search(r"time|date|stamp", name, re.IGNORECASE)]
    for name in dict.fromkeys([*named, *hinted, *draft.sample]):
        found = guess_clock(name, draft.sample[name].slice(0, 1000), draft.dialect.decimal)
        if found is not None:
            draft.stamp = with_clock(found[0], draft.sample)
            if found[1]:
                draft.notes.append(f"{shorten(found[1], 120)}.")
            if names_no_zone(draft.stamp, draft.sample[name].slice(0, 1000)):
                draft.notes.append(f"{shorten(name, 40)} names no zone and is read as UTC.")
            return
    draft.notes.append("No column looks like times.")


def _find_columns(draft: _Draft) -> None:
    stamp = draft.stamp.from_ if draft.stamp else None
    for name in draft.foreign.columns:
        column = column_for(name)
        if name == stamp or column is None or column == TIMESTAMP or column in draft.columns:
            continue
        if name in draft.sample and can_hold(column, draft.sample[name], draft.dialect.decimal):
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
        pattern = None if _has_metric(draft) else server_pattern([name for name in draft.sample if name != stamp])
        if pattern is not None:
            draft.layout = "wide"
            draft.notes.append(f"There is a column for each server; write {pattern} at the metric that they measure.")
            return
        _find_server(draft)
    _value_column(draft)


def _use_narrow(draft: _Draft, found: tuple[str, str, dict[str, str]]) -> None:
    metric, value, words = found
    draft.layout, draft.narrow = "narrow", {"metric": metric, "value": value}
    draft.columns = {
        name: part for name, part in draft.columns.items() if name not in METRIC_NAMES and part["from"] != metric
    }
    draft.columns |= {name: {"from": word} for name, word in words.items()}
    if SERVER_NAME not in draft.columns:
        _find_server(draft)


def _find_server(draft: _Draft) -> None:
    """A column that tells apart the rows of one time; where there is none, all rows are of one server."""
    used = draft.used() | ({draft.narrow["metric"], draft.narrow["value"]} if draft.narrow else set())
    if draft.stamp is not None and draft.narrow is None:
        free = [name for name in draft.sample if name not in used]
        found = guess_servers(draft.sample, free, draft.stamp.from_)
        if found is not None:
            draft.columns[SERVER_NAME] = {"from": found}
            draft.notes.append(
                f"{shorten(found, 40)} is taken as the server, as it tells rows of one time apart; check it."
            )
            return
    name = name_of(draft.path.name)
    draft.columns[SERVER_NAME] = {"value": name[:60]}
    draft.notes.append(f"No column names a server; every row is taken as of one, called {name[:60]} after the file.")


def _has_metric(draft: _Draft) -> bool:
    return any(name in METRIC_NAMES for name in draft.columns)


def _value_column(draft: _Draft) -> None:
    """A table with one unnamed measurement: what it measures may stand in the file's name."""
    if _has_metric(draft):
        return
    values = [name for name in draft.sample if plain_word(name) in _VALUE_WORDS and name not in draft.used()]
    values = [name for name in values if is_numeric(draft.sample[name], draft.dialect.decimal)]
    if not values:
        return
    metric, stem = metric_for(draft.path.stem), plain_word(draft.path.stem)
    if metric is not None:
        draft.columns[metric] = {"from": values[0]}
        draft.notes.append(f"{values[0]} is taken as {metric} because of the file's name.")
    elif REQUEST_WORDS.search(stem):
        draft.notes.append(
            f"{values[0]} seems to count requests, which no metric of the contract does. Choose a metric only if you "
            "know that it measures that; else it can be kept for the inspector and not be played."
        )
    else:
        draft.notes.append(f"Nothing says what {values[0]} measures; choose its metric.")


def _drop_what_cannot_be(draft: _Draft) -> None:
    """Take out metrics whose values are not what their names say, and say so."""
    for metric in METRIC_NAMES:
        part = draft.columns.get(metric)
        if part is None or draft.layout != "long":
            continue
        server = draft.columns.get(SERVER_NAME, {}).get("from")
        values, _ = numbers_of(draft.sample[part["from"]], draft.dialect.decimal)
        reason = reason_against(metric, part["from"], values, draft.sample.get(server) if server else None)
        if reason:
            del draft.columns[metric]
            draft.notes.append(f"{shorten(part['from'], 40)} {reason}.")


def _finish_units(draft: _Draft) -> None:
    for metric in METRIC_NAMES:
        part = draft.columns.get(metric)
        if part is None:
            continue
        columns = _columns(draft, part["from"])
        said = unit_for(metric, part["from"])
        if said is None and kind_of(metric) == "percent" and any(has_percent_sign(column) for column in columns):
            said = "percent"
        unit, why = (said, "by its name") if said else unit_by_values(metric, _known(columns, draft.dialect.decimal))
        part["unit"] = unit
        name = shorten(part["from"], 40)
        if why and not said:
            draft.notes.append(f"{name} is taken as {UNIT_WORDS[unit]} {why}; check it.")
        elif said and unit != own_unit(metric):
            draft.notes.append(f"{name} is taken as {UNIT_WORDS[unit]} {why}.")
        if metric == "cpu_pct" and PART_WORDS.search(plain_word(part["from"])):
            draft.notes.append(f"{name} is the share of users' programs only, not the whole CPU's.")
        if said and kind_of(metric) == "rate" and not RATE_WORDS.search(plain_word(part["from"])):
            draft.notes.append(f"If {name} counts per interval, it is no rate: leave it out.")


def _columns(draft: _Draft, source: str) -> list[pa.Array]:
    """The sample's columns of a metric, whatever the layout."""
    if draft.narrow is not None:
        names = np.array([str(name).strip() for name in draft.sample[draft.narrow["metric"]].to_pylist()])
        return [draft.sample[draft.narrow["value"]].filter(pa.array(names == source))]
    if draft.layout != "wide":
        return [draft.sample[source]] if source in draft.sample else []
    before, _, after = source.partition(SERVER_MARK)
    stamp = draft.stamp.from_ if draft.stamp else None
    named = {name: column for name, column in draft.sample.items() if name != stamp}
    return [column for name, column in named.items() if name.startswith(before) and name.endswith(after)]


def _known(columns: Sequence[pa.Array], decimal: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    numbers = [numbers_of(column, decimal)[0] for column in columns if is_numeric(column, decimal)]
    joined = np.concatenate(numbers) if numbers else np.empty(0)
    return joined[np.isfinite(joined)]


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
    metadata = {"name": name[:64], "description": _printable([*draft.notes, *unread])}
    document = {"apiVersion": "tft-dash/v1", "kind": "Mapping", "metadata": metadata, "spec": spec}
    return parse_mapping(document, f"The proposal for {shorten(draft.path.name)}")


def _printable(notes: Sequence[str]) -> str:
    """A sentence a line."""
    lines = ["".join(letter if letter.isprintable() else " " for letter in note) for note in notes]
    return "\n".join(lines)[:4000]
