"""What is known of a live source at a moment, whoever collects it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Row

from tft_dash.store.live.clock import instant
from tft_dash.ticks import Counts

NO_TIME_AHEAD: Final = np.timedelta64(0, "ms")
STALE_SLACK_SECONDS: Final = 1.5
"""Ticks are recorded, and noticed, a moment after they are over."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """A row of the table of live sources.

    :param identity: equal for equal addresses, secrets left out.
    :param place: the address without its secrets, for people.
    :param origin: time of tick 0; None = no tick was recorded yet.
    :param latest: the newest recorded tick; -1 = none.
    :param roster: number of the roster of the newest tick; 0 = none.
    :param metrics: those of which there ever was a value.
    :param model: identity of the card that judged it.
    :param polled: when the source was last asked, by the store's clock.
    :param answered: when it last answered.
    :param problem: why the last poll brought nothing; "" = it went well.
    :param newest: time of the newest sample that was recorded.
    :param counts: over the source's whole life.
    :param rejections: the newest rule → count and examples of what was not acceptable.
    :param holder: who collects it.
    :param epoch: rises with every change of the holder.
    :param until: end of the holder's lease, unless it renews it.
    :param now: the store's clock as this was read.
    :param clock_ahead: by how much the clock that closes its ticks was ahead of the store's as the newest was recorded.
    :param store_away: whether the store cannot be read at the moment: all this is what was known before.
    """

    name: str
    identity: str
    kind: str
    place: str
    step_seconds: float
    delay_seconds: float
    origin: np.datetime64 | None
    latest: int
    roster: int
    metrics: tuple[str, ...]
    model: str
    polled: np.datetime64 | None
    answered: np.datetime64 | None
    problem: str
    newest: np.datetime64 | None
    counts: Counts
    rejections: tuple[tuple[str, int, tuple[str, ...]], ...]
    holder: str
    epoch: int
    until: np.datetime64
    now: np.datetime64
    clock_ahead: np.timedelta64 = NO_TIME_AHEAD
    store_away: bool = False

    @property
    def ticks(self) -> int:
        """How many ticks there have been."""
        return self.latest + 1

    @property
    def latest_time(self) -> np.datetime64 | None:
        """Time of the newest recorded tick."""
        return None if self.origin is None else self.time_of(self.latest)

    @property
    def collected(self) -> bool:
        """Whether somebody collects it at the moment."""
        return bool(self.holder and self.until > self.now)

    @property
    def answers(self) -> bool:
        """Whether the source answered when it was last asked."""
        return self.answered is not None and (self.polled is None or bool(self.answered >= self.polled))

    @property
    def age_seconds(self) -> float | None:
        """Since the time of the newest tick, by the clock that closes ticks; None = no tick was recorded yet.

        By another clock a source whose own is some seconds off would never be current, or always.
        """
        if self.latest_time is None:
            return None
        return float((self.now + self.clock_ahead - self.latest_time) / np.timedelta64(1, "ms")) / 1000.0

    @property
    def stale_seconds(self) -> float:
        """The age of the newest tick from which on it is not current: the next one has been due for half a step.

        That is at most two steps after the source has fallen silent, whenever in its step it does.
        """
        return self.step_seconds + self.delay_seconds + max(self.step_seconds / 2, STALE_SLACK_SECONDS)

    @property
    def stale(self) -> bool:
        """Whether the newest tick is not current."""
        return (self.age_seconds or 0.0) > self.stale_seconds

    @property
    def lag_seconds(self) -> float | None:
        """How long the next tick has been due, by that clock, too; 0 = everything due is recorded; None = no tick."""
        age = self.age_seconds
        if age is None:
            return None
        return max(0.0, age - self.step_seconds - self.delay_seconds)

    def time_of(self, tick: int) -> np.datetime64:
        """Time of a tick.

        :raises ValueError: no tick was recorded yet.
        """
        if self.origin is None:
            raise ValueError(f"'{self.name}' has no tick yet")
        return self.origin + np.timedelta64(round(tick * self.step_seconds * 1000), "ms")


def state_of(row: Row[Any], now_ms: int) -> LiveState:
    """A row as read from the table."""
    until, now = instant(row.until_ms), instant(now_ms)
    assert until is not None and now is not None  # noqa: S101 - both columns are never null
    return LiveState(
        name=row.name,
        identity=row.identity,
        kind=row.kind,
        place=row.place,
        step_seconds=row.step_ms / 1000,
        delay_seconds=row.delay_ms / 1000,
        origin=instant(row.origin_ms),
        latest=row.latest,
        roster=row.latest_roster,
        metrics=tuple(row.metrics.split()),
        model=row.model,
        polled=instant(row.polled_ms),
        answered=instant(row.answered_ms),
        problem=row.problem,
        newest=instant(row.newest_ms),
        counts=Counts(row.late, row.duplicate, row.future, row.rejected),
        rejections=tuple((rule, count, tuple(examples)) for rule, count, examples in json.loads(row.rejections)),
        holder=row.holder,
        epoch=row.epoch,
        until=until,
        now=now,
        clock_ahead=np.timedelta64(row.clock_ms or 0, "ms"),
    )
