"""A live source that is a Prometheus, or anything that speaks as it does: Thanos, Mimir, VictoriaMetrics.

Prometheus answers at any instant with the last value of the five minutes before it, and ``rate()`` with what its span
holds. So a value by itself does not tell whether it is one: the true time of a server's last sample is asked for, too
(``timestamp(up)``), and what is older than a step counts as missing. A target that is down has ``up`` 0, and is
offline; one that has vanished has no ``up``, and is missing. What ``rate()`` still has of either is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from tft_dash.errors import SourceUnreachableError
from tft_dash.live.feeds.complaints import Complaints
from tft_dash.live.feeds.prometheus.client import Answer, Client
from tft_dash.live.feeds.prometheus.configuration import Configuration, configured
from tft_dash.live.feeds.prometheus.identity import Identity
from tft_dash.live.feeds.prometheus.notes import notes_of
from tft_dash.live.feeds.prometheus.ranges import FIRST_GUESS, Span, aligned, in_pieces, points_for
from tft_dash.live.feeds.prometheus.reading import Row, highest, lines, measured
from tft_dash.live.samples import Flags, Samples, joined, no_samples, objects
from tft_dash.schema import FloatArray

PARTIAL: Final = "partial-answer"


def open_prometheus(url: str, options: Mapping[str, str]) -> PrometheusFeed:
    """The feed for ``prometheus+http(s)://…``; nothing is asked yet.

    :raises UsageError: an option is unknown or impossible.
    """
    return PrometheusFeed(configured(url, options))


class PrometheusFeed:
    """See :class:`tft_dash.live.adapters.Feed`.

    :ivar series: column → how many series its query gave when it was asked last; ``up`` is among them.
    """

    def __init__(self, configuration: Configuration, client: Client | None = None) -> None:
        self.configuration = configuration
        self.step_seconds = configuration.step_seconds
        self.client = client or Client(configuration.base, configuration.access, configuration.timeout_seconds)
        self.series: dict[str, int] = {}
        spec = configuration.mapping.spec
        self.identity = Identity(spec.server, spec.profile)

    def fetch(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """See :meth:`tft_dash.live.adapters.Feed.fetch`; the instants are whole multiples of the step since 1970."""
        now_ms = self._now_ms()
        step_ms = self.configuration.step_ms
        span = aligned(_ms(start), min(_ms(end), now_ms), step_ms)
        found = in_pieces(span, self._points, self._piece)
        now = np.datetime64(now_ms, "ms")
        return joined([no_samples(now=now), *found])

    def notes(self) -> tuple[str, ...]:
        """See :meth:`tft_dash.live.probing.probe.Explaining.notes`."""
        return notes_of(self.configuration, self.series, self.client)

    def close(self) -> None:
        """See :meth:`tft_dash.live.adapters.Feed.close`."""
        self.client.close()

    def _now_ms(self) -> int:
        answer = self.client.ask("query", {"query": "time()"}, "the time")
        try:
            return round(float(answer.series[1]) * 1000)
        except (IndexError, TypeError, ValueError):
            raise SourceUnreachableError(
                f"The Prometheus at {self.configuration.base} does not tell the time. Check the address."
            ) from None

    def _points(self) -> int:
        return points_for(max(self.series.values(), default=FIRST_GUESS))

    def _piece(self, span: Span) -> Samples:
        return _Piece(self, span).samples()

    def ask(self, what: str, promql: str, span: Span, complaints: Complaints) -> Answer:
        """A question about instants; warnings are told, or refused, as configured."""
        parameters = {
            "query": promql,
            "start": _seconds(span.first_ms),
            "end": _seconds(span.last_ms),
            "step": _seconds(span.step_ms),
            "timeout": f"{max(1, round(self.configuration.timeout_seconds * 1000))}ms",
        }
        if self.configuration.refuse_partial:
            parameters["partial_response"] = "false"  # Thanos
        answer = self.client.ask("query_range", parameters, what)
        if answer.kind != "matrix":
            raise SourceUnreachableError(
                f"The Prometheus at {self.configuration.base} answers for {what} with a {answer.kind}, not with series."
            )
        for warning in answer.warnings:
            if self.configuration.refuse_partial:
                raise SourceUnreachableError(
                    f"The Prometheus at {self.configuration.base} has only a part of {what}: {warning}. It is asked "
                    "again; without partial=refuse what there is would be taken."
                )
            complaints.add(PARTIAL, 1, f"{what}: {warning}")
        self.series[what] = len(answer.series)
        return answer


class _Piece:
    """One span: every question about it, put together."""

    def __init__(self, feed: PrometheusFeed, span: Span) -> None:
        self._feed, self._span = feed, span
        self._spec = feed.configuration.mapping.spec
        self._complaints = Complaints()
        self._heard: dict[str, dict[str, Row]] = {}
        self._profiles: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def samples(self) -> Samples:
        """All samples of the span."""
        tables = {name: self._measured(name) for name in self._spec.columns.given()}
        up = self._up()
        servers = sorted({*self._names.values()})
        place = {name: row for row, name in enumerate(servers)}
        newest = self._newest(place)
        is_up = self._is_up(up, place)
        present = ~np.isnan(newest)
        metrics = {name: _grid(table, place, newest.shape, is_up) for name, table in tables.items()}
        at, when = np.nonzero(present)
        grid = self._span.times_ms[when]
        times = np.clip(np.rint(newest[at, when]).astype(np.int64), grid - self._span.step_ms + 1, grid)
        return Samples(
            times.astype("datetime64[ms]"),
            objects([servers[row] for row in at]),
            {name: values[at, when] for name, values in metrics.items()},
            profiles=objects([self._profiles.get(servers[row], "") for row in at]),
            up=is_up[at, when],
            rejected=self._complaints.all(),
        )

    def _measured(self, name: str) -> dict[str, FloatArray]:
        column = self._spec.columns.given()[name]
        heard = self._heard_of(column.seen or self._spec.seen or self._spec.up or "")
        found = lines(self._answer(name, column.query), self._span, self._feed.identity, name, self._complaints)
        silent = np.full(self._span.points, np.nan)
        times = np.reshape([heard.get(target, silent) for target in found.targets], found.values.shape)
        new = replace(found, values=np.where(self._is_new(times), found.values, np.nan))
        return measured(name, column.unit, new, self._span, self._complaints)

    def _up(self) -> dict[str, Row]:
        """Target → what its ``up`` says, where that is new; NaN elsewhere."""
        selector = self._spec.up
        if selector is None:
            return {}
        heard = self._heard_of(selector)
        answer = self._answer("up", selector)
        rows = highest(lines(answer, self._span, self._feed.identity, "up", Complaints()))
        return {
            target: np.where(self._is_new(heard[target]), row, np.nan)
            for target, row in rows.items()
            if target in heard
        }

    def _is_up(self, up: Mapping[str, Row], place: Mapping[str, int]) -> Flags:
        """(servers, points) False where a target of the server is down, and none is up."""
        some_up, some_down = (np.zeros((len(place), self._span.points), bool) for _ in range(2))
        for target, row in up.items():
            some_up[place[self._names[target]]] |= row > 0
            some_down[place[self._names[target]]] |= row <= 0
        return np.asarray(some_up | ~some_down)

    def _heard_of(self, selector: str) -> dict[str, Row]:
        """Target → the true time of the sample that Prometheus answers with at every instant, ms since 1970."""
        if selector not in self._heard:
            answer = self._answer("timestamp", f"timestamp({selector})")
            found = lines(answer, self._span, self._feed.identity, selector, self._complaints)
            for labels, target, name in zip(found.labels, found.targets, found.names, strict=True):
                self._names[target] = name
                self._profiles[name] = max(self._feed.identity.profile(labels), self._profiles.get(name, ""))
            self._heard[selector] = {target: row * 1000 for target, row in highest(found).items()}
        return self._heard[selector]

    def _is_new(self, heard_ms: Row) -> Flags:
        age = self._span.times_ms - heard_ms
        return np.asarray((age >= 0) & (age <= self._feed.configuration.max_age_seconds * 1000))

    def _newest(self, place: Mapping[str, int]) -> Row:
        """(servers, points) when each was last heard of, if that is new; else NaN."""
        newest = np.full((len(place), self._span.points), np.nan)
        for rows in self._heard.values():
            for target, heard in rows.items():
                row = place[self._names[target]]
                newest[row] = np.fmax(newest[row], np.where(self._is_new(heard), heard, np.nan))
        return newest

    def _answer(self, what: str, text: str) -> Answer:
        return self._feed.ask(what, self._feed.configuration.promql(text), self._span, self._complaints)


def _grid(rows: Mapping[str, FloatArray], place: Mapping[str, int], shape: tuple[int, ...], is_up: Flags) -> FloatArray:
    values = np.full(shape, np.nan, np.float32)
    for name, row in rows.items():
        if name in place:
            values[place[name]] = row
    values[~is_up] = np.nan
    return values


def _seconds(time_ms: int) -> str:
    """To the millisecond, without the rounding of binary numbers."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def _ms(time: np.datetime64) -> int:
    return int(time.astype("datetime64[ms]").astype(np.int64))
