"""Series of an answer as rows of a table (servers × instants), with what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.importing.units import converted
from tft_dash.live.feeds.complaints import Complaints
from tft_dash.live.feeds.prometheus.client import Answer
from tft_dash.live.feeds.prometheus.identity import Identity, Labels, shown
from tft_dash.live.feeds.prometheus.ranges import Span
from tft_dash.schema import METRIC, FloatArray
from tft_dash.sources.files.values import judge

Row = NDArray[np.float64]
Rows = NDArray[np.float64]
_NO_NAME: Final = "bad-server-name"


@dataclass(frozen=True, slots=True)
class Lines:
    """The series of an answer that are of servers of this source; lists and rows are in the same order.

    :param targets: what the names are made from.
    :param names: the servers'.
    :param values: (series, points) NaN = none.
    """

    labels: list[Labels]
    targets: list[str]
    names: list[str]
    values: Rows


def lines(answer: Answer, span: Span, identity: Identity, what: str, complaints: Complaints) -> Lines:
    """What an answer says of the instants of ``span``."""
    found = Lines([], [], [], np.zeros((0, span.points)))
    every: list[list[Any]] = []
    for series in answer.series:
        labels, pairs = series.get("metric", {}), series.get("values")
        if pairs is None:
            count = len(series.get("histograms", ()))
            words = f"{what}: {shown(labels)} is a native histogram; use histogram_quantile() on it"
            complaints.add("unusable-column", count, words)
            continue
        target = identity.target(labels)
        name = identity.name(target) if target else ""
        if name is None:
            continue
        if not name:
            complaints.add(_NO_NAME, len(pairs), f"{what}: {shown(labels)} names no server")
            continue
        found.labels.append(labels)
        found.targets.append(target)
        found.names.append(name)
        every.append(pairs)
    return replace(found, values=_values(every, span))


def _values(every: list[list[Any]], span: Span) -> Rows:
    """(series, points), read in one go: a thousand small arrays would cost more than the numbers in them."""
    values = np.full((len(every), span.points), np.nan)
    flat = [pair for pairs in every for pair in pairs]
    times = np.array([pair[0] for pair in flat], np.float64)
    places = (np.rint(times * 1000).astype(np.int64) - span.first_ms) // span.step_ms
    series = np.repeat(np.arange(len(every)), [len(pairs) for pairs in every])
    inside = (places >= 0) & (places < span.points)
    numbers = np.array([float(pair[1]) for pair in flat], np.float64)
    values[series[inside], places[inside]] = numbers[inside]
    return values


def highest(found: Lines) -> dict[str, Row]:
    """Target → the highest of its values at every instant."""
    rows: dict[str, Row] = {}
    for target, values in zip(found.targets, found.values, strict=True):
        rows[target] = np.fmax(rows[target], values) if target in rows else values
    return rows


def measured(metric: str, unit: str, found: Lines, span: Span, complaints: Complaints) -> dict[str, FloatArray]:
    """Server → the values of a metric, in the contract's unit and range; of several series the highest counts."""
    values = converted(found.values, metric, unit)
    judged = judge(values, METRIC[metric])
    for rule, wrong in (("infinite-value", judged.infinite), ("out-of-range", judged.outside)):
        if wrong is not None:
            line, place = np.argwhere(wrong)[0]
            time = np.datetime64(int(span.times_ms[place]), "ms")
            words = f"{metric} {values[line, place]:g} of {found.names[line]} at {time}Z"
            complaints.add(rule, int(wrong.sum()), words)
    rows: dict[str, FloatArray] = {}
    for labels, name, row in zip(found.labels, found.names, judged.values, strict=True):
        before = rows.get(name)
        if before is None:
            rows[name] = row
            continue
        both = int((~np.isnan(before) & ~np.isnan(row)).sum())
        words = f"{metric}: several series of '{name}', such as {shown(labels)}; the highest counts"
        complaints.add("duplicate-row", both, words)
        rows[name] = np.fmax(before, row)
    return rows
