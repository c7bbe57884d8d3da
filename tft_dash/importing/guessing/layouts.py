"""Whether a table has a column per server, or a row per metric."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tft_dash.importing.guessing.words import metric_for, plain_word
from tft_dash.importing.parts import SERVER_MARK
from tft_dash.schema import METRIC_NAMES

_SEPARATORS: Final = (".", ":", "/", "|", " ", "_", "-")
_NAME_WORDS: Final = frozenset(
    {"metric", "metric_name", "name", "measure", "measurement", "counter", "field", "parameter", "key", "counter_name"}
)
_VALUE_WORDS: Final = frozenset({"value", "val", "metric_value", "reading", "measurement_value", "counter_value", "y"})
_NUMBERED: Final = re.compile(r"^(.*?[A-Za-z].*?)[-_ .]?\d+$")
_REPEATED: Final = re.compile(r" \(\d+\)$")
_MOST_WORDS: Final = 200
_SERVER: Final = re.compile(r"[\w.:-]+")
_PART_AT_END: Final = re.compile(r"[\w.:-]+$")
_PART_AT_START: Final = re.compile(r"^[\w.:-]+")


def guess_wide(columns: Sequence[str], metric_of_file: str | None) -> dict[str, str] | None:
    """Metric → pattern of its columns when there is a column per server; None when there is not."""
    columns = [name for name in columns if not _REPEATED.search(name)]
    labelled = _labelled(columns)
    if labelled is not None:
        return labelled
    best: dict[str, str] = {}
    most = 1
    for separator in _SEPARATORS:
        for metric_last in (True, False):
            found, count = _split(columns, separator, metric_last=metric_last)
            if count > most:
                best, most = found, count
    if best and most >= max(2, len(columns) // 2):
        return best
    stems = Counter(match.group(1) for name in columns if (match := _NUMBERED.match(name)) and metric_for(name) is None)
    if metric_of_file and len(columns) > 1 and stems and sum(stems.values()) >= len(columns) * 0.8:
        return {metric_of_file: SERVER_MARK}
    return None


def _labelled(columns: Sequence[str]) -> dict[str, str] | None:
    """Patterns by metric where the server stands between spaces, quotes or brackets, as in ``cpu{host="web-1"}``."""
    groups: dict[str, list[str]] = {}
    for name in columns:
        metric = metric_for(name)
        if metric is not None:
            groups.setdefault(metric, []).append(name)
    patterns = {metric: pattern for metric, names in groups.items() if (pattern := server_pattern(names))}
    count = sum(len(groups[metric]) for metric in patterns)
    return patterns if count and count >= len(columns) // 2 else None


def server_pattern(names: Sequence[str]) -> str | None:
    """What names have in common, with ``{server}`` where they differ in a name of its own; None when they do not."""
    if len(names) < 2 or any(SERVER_MARK in name for name in names):
        return None
    before = _beginning(names)
    after = _beginning([name[len(before) :][::-1] for name in names])[::-1]
    before, after = _PART_AT_END.sub("", before), _PART_AT_START.sub("", after)
    servers = [name[len(before) : len(name) - len(after)] for name in names]
    quoted = before.endswith(('"', "'"))
    told = all(_SERVER.fullmatch(server) and (quoted or metric_for(server) is None) for server in servers)
    named = quoted or any(re.search(r"\d|-", server) for server in servers)
    return f"{before}{SERVER_MARK}{after}" if told and named and (before or after) else None


def _beginning(names: Sequence[str]) -> str:
    """What all names begin with."""
    first, last = min(names), max(names)
    return first[
        : next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    ]


def _split(columns: Sequence[str], separator: str, *, metric_last: bool) -> tuple[dict[str, str], int]:
    """Patterns by metric for one way of cutting the names, and how many columns they speak of; 0 = one server only."""
    words: dict[str, Counter[str]] = {}
    servers = set()
    for name in columns:
        before, found, after = name.rpartition(separator) if metric_last else name.partition(separator)
        word, server = (after, before) if metric_last else (before, after)
        metric = metric_for(word) if found and server else None
        # What is left must be a name of its own, not the rest of the metric's, as in cpu_user.
        if metric is not None and (metric_for(server) is None or re.search(r"\d", server)):
            words.setdefault(metric, Counter())[word] += 1
            servers.add(server)
    if len(servers) < 2 or not any(re.search(r"\d", server) or "-" in server for server in servers):
        return {}, 0
    patterns, count = {}, 0
    for metric, seen in words.items():
        word, times = seen.most_common(1)[0]
        patterns[metric] = f"{SERVER_MARK}{separator}{word}" if metric_last else f"{word}{separator}{SERVER_MARK}"
        count += times
    return patterns, count


def guess_narrow(
    sample: Mapping[str, pa.Array], names: Sequence[str], columns: Mapping[str, Mapping[str, str]]
) -> tuple[str, str, dict[str, str]] | None:
    """The column of metric names, that of values, and metric → its word; None when the table is not narrow."""
    values = [name for name in names if plain_word(name) in _VALUE_WORDS]
    if not values or any(name in METRIC_NAMES for name in columns):
        return None
    for name in names:
        if plain_word(name) not in _NAME_WORDS or not pa.types.is_string(sample[name].type):
            continue
        words = [str(word).strip() for word in pc.unique(sample[name].drop_null()).to_pylist()[:_MOST_WORDS]]
        found: dict[str, str] = {}
        for word in words:
            metric = metric_for(word)
            if metric is not None:
                found.setdefault(metric, word)
        if found:
            return name, values[0], found
    return None
