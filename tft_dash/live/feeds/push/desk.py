"""The desk where samples are pushed: who may, how much, what is acceptable, and what became of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import BusyError, NotThereError, UnknownNameError
from tft_dash.live.adapters import scheme_of
from tft_dash.live.feeds.push.bodies import Stream, parsed, received
from tft_dash.live.feeds.push.configuration import Configuration, Tokens, configured, demand_entry
from tft_dash.live.feeds.push.report import Report
from tft_dash.live.feeds.push.rows import Judged, judged
from tft_dash.live.feeds.push.writing import Writer
from tft_dash.live.specs import live_spec
from tft_dash.settings import Settings
from tft_dash.sources.catalogue import Named
from tft_dash.store.engine import Store
from tft_dash.store.pushed.taking import take
from tft_dash.store.pushed.values import DUPLICATE, FUTURE, LATE, ROW_BYTES, TAKEN, Limits, Taken

KIND: Final = "push"
_MB: Final = 10**6
_GB: Final = 10**9
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came.

    :param length: of the body, as the sender says; None = it does not.
    """

    stream: Stream
    length: int | None
    mimetype: str
    encoding: str
    authorization: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery.

    :ivar status: 200 = all of it was taken, or was there already; 202 = a part; 422 = nothing.
    """

    source: str
    taken: Taken
    report: Report

    @property
    def status(self) -> int:
        """As of HTTP."""
        good = self.taken.count(TAKEN) + self.taken.count(DUPLICATE)
        if good == self.report.sent and not self.report.told:
            return 200
        return 202 if good else 422

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        report = self.report
        counts = {"accepted": TAKEN, "duplicate": DUPLICATE, "late": LATE, "future": FUTURE}
        failed = f"None of the {report.sent:,} rows was taken; errors says why of each." if self.status == 422 else None
        return {
            **({} if failed is None else {"error": failed}),
            "source": self.source,
            "rows": report.sent,
            **{name: self.taken.count(fate) for name, fate in counts.items()},
            "rejected": int(report.rejected.sum()) - self.taken.count(LATE) - self.taken.count(FUTURE),
            "values_rejected": report.values_rejected,
            "errors": [error.as_dict() for error in report.errors],
            "errors_left_out": report.told - len(report.errors),
            "findings": report.findings(),
        }


class PushDesk:
    """Takes what is pushed to the sources that are configured for it.

    :param sources: the live sources as somebody named them; those of other kinds are not pushed.
    :raises UsageError: an option of a push source is impossible.
    """

    def __init__(self, settings: Settings, store: Store, sources: Sequence[Named]) -> None:
        self._settings = settings
        pushed = [live_spec(named) for named in sources if scheme_of(named.location) == KIND]
        self._specs = {spec.name: spec for spec in pushed}
        self._configured: Mapping[str, Configuration] = {
            name: configured(spec.url, spec.options) for name, spec in self._specs.items()
        }
        self._writer = Writer(lambda source, rows, limits: take(store, source, rows, limits), settings.threads // 2)
        self._refused: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """The sources that are pushed."""
        return tuple(self._specs)

    def take(self, name: str, sent: Sent) -> Outcome:
        """Take a delivery to a source; it is kept when this returns.

        :raises UnknownNameError: there is no such push source.
        :raises UsageError: it may not be sent, or cannot be read.
        :raises DataError: nothing in it could be used.
        :raises BusyError: too much comes in.
        :raises StorageError: it could not be kept.
        """
        self._demand_source(name)
        demand_entry(name, self._tokens(name), sent.authorization)
        self._demand_patience(name)
        with self._writer.slot():
            found = self._read(sent)
            taken = self._writer.take(name, found.rows, self._limits(name))
        self._demand_taken(name, taken)
        _note_fates(found, taken)
        return Outcome(name, taken, found.report)

    def _read(self, sent: Sent) -> Judged:
        body = received(sent.stream, sent.length, sent.encoding, self._settings.push_mb * _MB)
        return judged(parsed(body, sent.mimetype, self._settings.push_rows))

    def _demand_source(self, name: str) -> None:
        if name in self._specs:
            return
        if not self._specs:
            raise NotThereError(
                "No source is pushed here. Add one to TFT_DASH_SOURCES: name=push://name?step=5s&token_file=PATH."
            )
        raise UnknownNameError("push source", name, self._specs)

    def _tokens(self, name: str) -> list[Tokens]:
        own = self._configured[name].tokens
        if own is not None:
            return [own]
        files = [Tokens.in_file(str(self._settings.push_token_file))] if self._settings.push_token_file else []
        return [Tokens.in_text(self._settings.push_token), *files]

    def _limits(self, name: str) -> Limits:
        settings, step = self._settings, self._configured[name].step_seconds
        delay = self._specs[name].delay_for(step)
        return Limits(
            step_ms=round(step * 1000),
            delay_ms=round(delay * 1000),
            rows_per_second=float(settings.push_rate),
            keep_ms=round(settings.push_keep_hours * _HOUR_MS),
            most_rows=max(1, round(settings.push_gb * _GB) // ROW_BYTES),
        )

    def _demand_patience(self, name: str) -> None:
        """Whoever was told to come later is not read before: that would cost what is to be spared."""
        until, words = self._refused.get(name, (0.0, ""))
        left = until - time.monotonic()
        if left > 0:
            raise BusyError(words, left)

    def _demand_taken(self, name: str, taken: Taken) -> None:
        if not taken.retry_seconds:
            return
        words = (
            f"The room for samples that wait to be collected is full (TFT_DASH_PUSH_GB): is '{name}' collected? "
            "Nothing of this was kept; send it again later."
            if taken.crowded
            else f"More than {self._settings.push_rate:,} rows a second are pushed to '{name}' (TFT_DASH_PUSH_RATE). "
            "Nothing of this was kept; send it again later."
        )
        with self._lock:
            self._refused[name] = (time.monotonic() + min(taken.retry_seconds, 5.0), words)
        raise BusyError(words, taken.retry_seconds)


def _note_fates(found: Judged, taken: Taken) -> None:
    for rule, fate in (("late-sample", LATE), ("future-sample", FUTURE)):
        wrong: NDArray[np.bool_] = np.zeros(found.report.sent, bool)
        wrong[found.places[taken.fates == fate]] = True
        found.report.rows(rule, wrong, None)
