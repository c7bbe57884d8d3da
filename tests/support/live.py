"""A live source with a clock that one can set, and collectors of it that go round by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy import Connection

from tft_dash.collecting.collector import Collector, Plan
from tft_dash.collecting.keeping import Keeper, Limits
from tft_dash.collecting.leading import Lead
from tft_dash.collecting.polling import Polling
from tft_dash.collecting.recording import Recorder
from tft_dash.errors import StorageError
from tft_dash.live.clock import SteadyClock
from tft_dash.live.feeds.memory import ManualClock, MemoryFeed
from tft_dash.models.base import RiskModel
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.store.engine import Store
from tft_dash.store.live import Hooks, Lease, Leases, LiveFacts, LiveStore, Poll
from tft_dash.ticks import Roster, TickRecord

STEP = 5.0
LIMITS = Limits(raw_seconds=1e9, keep_seconds=1e9, most_bytes=10**12)


def seconds(number: float) -> np.timedelta64:
    return np.timedelta64(round(number * 1000), "ms")


class ShakyStore(Store):
    """A store that can be away."""

    away = False

    def write(self) -> AbstractContextManager[Connection]:
        if self.away:
            raise StorageError("the store is away")
        return super().write()


class Untold(Recorder):
    """Does not tell what the source's clock showed."""

    def record(self, lease: Lease, records: Sequence[TickRecord], poll: Poll) -> None:
        super().record(lease, records, replace(poll, clock=None))


@dataclass
class World:
    """A source and the time; both stand still until they are moved.

    :ivar told: whether the store is told how far this time is from its own; else what is shown is as old as it looks.
    """

    store: Store
    name: str = "fleet"
    step: float = STEP
    clock: ManualClock = field(default_factory=ManualClock)
    elapsed: float = 1000.0
    told: bool = False
    feed: MemoryFeed = field(init=False)
    ticks: LiveStore = field(init=False)

    def __post_init__(self) -> None:
        self.feed = MemoryFeed(self.step, clock=self.clock)
        self.ticks = LiveStore(self.store)

    @property
    def now(self) -> np.datetime64:
        return self.clock()

    def forward(self, by: float) -> None:
        """Time goes on."""
        self.elapsed += by
        self.clock.forward(by)

    def report(self, cpu: float = 20.0, servers: tuple[str, ...] = ("a", "b"), ago: float = 0.0) -> None:
        """One sample of each server."""
        self.feed.report(self.now - seconds(ago), {"cpu_pct": [cpu] * len(servers)}, servers)

    def collector(
        self,
        *,
        holder: str = "one",
        model: Callable[[Roster], RiskModel] | None = None,
        hooks: Hooks | None = None,
        delay: float = 0.0,
        backfill: int = 10_000,
        forget: float = 1e9,
        limits: Limits = LIMITS,
        store: Store | None = None,
    ) -> Collector:
        """A collector, by the world's time."""
        monotonic: Callable[[], float] = lambda: self.elapsed  # noqa: E731
        own, known = store or self.store, ThresholdModel()
        facts = LiveFacts(self.name, "identity", "memory", "memory:", self.step, delay)
        clock = SteadyClock(monotonic=monotonic)
        keeper = Keeper(own, self.name, limits, monotonic=monotonic)
        return Collector(
            Plan(self.name, self.step, forget),
            Polling(self.feed, delay, backfill, clock),
            Lead(Leases(own), facts, holder),
            (Recorder if self.told else Untold)(self.name, LiveStore(own), keeper, hooks or Hooks()),
            model=model or (lambda _: known),
            store_clock=clock,
        )

    def recorded(self) -> tuple[TickRecord, ...]:
        """Everything that is recorded."""
        return self.ticks.ticks(self.name, 0, 10**9)

    def live(self, collector: Collector, ticks: int, cpu: float = 20.0) -> None:
        """So many steps go by, each with a sample of each server."""
        for _ in range(ticks):
            self.forward(self.step)
            self.report(cpu)
            collector.round()
