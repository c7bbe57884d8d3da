"""Series of an answer as rows of a table (servers × instants), with what was wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
_NO_NAME: Final = "bad-server-name"


@dataclass(frozen=True, slots=True)
class Line:
    """One series.

    :param target: what the name is made from.
    :param name: the server's.
    :param values: (points,) NaN = none.
    """

    labels: Labels
    target: str
    name: str
    values: Row


def lines(answer: Answer, span: Span, identity: Identity, what: str, complaints: Complaints) -> Iterator[Line]:
    """The series that are of a server of this source."""
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
        yield Line(labels, target, name, _row(pairs, span))


def _row(pairs: list[Any], span: Span) -> Row:
    row = np.full(span.points, np.nan)
    times = np.array([pair[0] for pair in pairs], np.float64)
    places = (np.rint(times * 1000).astype(np.int64) - span.first_ms) // span.step_ms
    inside = (places >= 0) & (places < span.points)
    row[places[inside]] = np.array([float(pair[1]) for pair in pairs], np.float64)[inside]
    return row


def highest(found: Iterable[Line]) -> dict[str, Row]:
    """Target → the highest of its values at every instant."""
    rows: dict[str, Row] = {}
    for line in found:
        rows[line.target] = np.fmax(rows[line.target], line.values) if line.target in rows else line.values
    return rows


class Table:
    """The values of one metric, (servers, points)."""

    def __init__(self, metric: str, unit: str, span: Span, complaints: Complaints) -> None:
        self._metric, self._unit, self._span, self._complaints = metric, unit, span, complaints
        self.rows: dict[str, FloatArray] = {}

    def add(self, line: Line, is_new: NDArray[np.bool_]) -> None:
        """A series, with where its values are new rather than repeated; of several of a server the highest counts."""
        values = converted(np.where(is_new, line.values, np.nan), self._metric, self._unit)
        judged = judge(values, METRIC[self._metric])
        for rule, wrong in (("infinite-value", judged.infinite), ("out-of-range", judged.outside)):
            if wrong is not None:
                self._complain(rule, line, values, wrong)
        before = self.rows.get(line.name)
        if before is None:
            self.rows[line.name] = judged.values
            return
        both = int((~np.isnan(before) & ~np.isnan(judged.values)).sum())
        words = f"{self._metric}: several series of '{line.name}', such as {shown(line.labels)}; the highest counts"
        self._complaints.add("duplicate-row", both, words)
        self.rows[line.name] = np.fmax(before, judged.values)

    def _complain(self, rule: str, line: Line, values: Row, wrong: NDArray[np.bool_]) -> None:
        place = int(np.flatnonzero(wrong)[0])
        time = np.datetime64(int(self._span.times_ms[place]), "ms")
        words = f"{self._metric} {values[place]:g} of {line.name} at {time}Z"
        self._complaints.add(rule, int(wrong.sum()), words)
