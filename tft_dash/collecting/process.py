"""One collector process: everything that collects one source, built from the settings, run until it is stopped."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from tft_dash.alerting.couriers import Courier, Couriers
from tft_dash.alerting.judge import AlertJudge
from tft_dash.answering import BEST, FALLBACK, ServedModels
from tft_dash.collecting.collector import Collector, Plan
from tft_dash.collecting.drift import DriftKeeper
from tft_dash.collecting.keeping import Keeper, Limits
from tft_dash.collecting.leading import Lead
from tft_dash.collecting.polling import Polling
from tft_dash.collecting.recording import Recorder
from tft_dash.errors import StorageError, UsageError
from tft_dash.frame import SourceDescription
from tft_dash.live.adapters import Feed, Stored
from tft_dash.live.clock import SteadyClock
from tft_dash.live.specs import LiveSpec
from tft_dash.models.base import RiskModel
from tft_dash.schema import METRIC_NAMES
from tft_dash.settings import Settings
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import JUDGING
from tft_dash.sharing.watch import ExchangeWatch, watch_places
from tft_dash.store.engine import Store, store_url
from tft_dash.store.live import Hooks, Leases, LiveFacts, LiveStore
from tft_dash.ticks import Roster
from tft_dash.zones import FleetZones

logger = logging.getLogger(__name__)

FAULT_SECONDS: Final = 10.0
_HOUR: Final = 3600.0


def holder_name() -> str:
    """This process, for people and for its leases: host, number, and what tells it from a later one of that number."""
    return f"{socket.gethostname()[:120]}:{os.getpid()}:{os.urandom(4).hex()}"


@contextlib.contextmanager
def opened_collector(
    settings: Settings, spec: LiveSpec, *, feed: Feed | None = None, hooks: Hooks | None = None
) -> Iterator[Collector]:
    """The collector of one source; it lets go of its lease, its feed and the store at the end.

    :param feed: stands in for the one that ``spec`` names.
    :param hooks: what is done within the recording transactions; by default alerts are judged, and receivers told.
    :raises UsageError: an option is impossible, or the model is none.
    :raises TftDashError: the rules or the receivers that are set cannot be used.
    """
    store = Store(store_url(settings))
    source = feed or spec.open()
    if isinstance(source, Stored):
        source.keep_in(store, spec.name, marks=True)
    clock = SteadyClock()
    delay = spec.delay_for(source.step_seconds)
    facts = LiveFacts(spec.name, spec.identity, spec.kind, spec.place, source.step_seconds, delay)
    forget = _given(spec.forget_hours, settings.live_forget_hours) * _HOUR
    backfill = _given(spec.backfill_hours, settings.live_backfill_hours) * _HOUR
    limits, model = Limits.of(settings), _model_of(settings, spec, source.step_seconds)
    sharing = _shared_models(settings, store)
    drift = DriftKeeper(store, spec.name, limits, model)
    collector = Collector(
        Plan(spec.name, source.step_seconds, forget),
        Polling(source, delay, round(backfill / source.step_seconds), clock),
        Lead(Leases(store), facts, holder_name()),
        Recorder(
            spec.name,
            LiveStore(store),
            Keeper(store, spec.name, limits),
            hooks or AlertJudge(settings).hooks,
            drift,
        ),
        model=model,
        store_clock=clock,
    )
    couriers = Couriers(Courier(settings, store, spec.name), spec.name)
    if sharing is not None:
        sharing.begin()
    if hooks is None:
        couriers.start()
    try:
        yield collector
    finally:
        if sharing is not None:
            sharing.close()
        drift.close()
        collector.close()
        couriers.stop()
        source.close()
        store.close()


def _shared_models(settings: Settings, store: Store) -> ExchangeWatch | None:
    """Has this host judge by the models and calibrations of all; None = there are no other hosts.

    What they have is here before the first tick is judged, unless the store is away: then nothing is judged either.
    """
    if not store.is_shared:
        return None
    exchange = Exchange(settings.data, store)
    try:
        exchange.synchronise(JUDGING)
    except StorageError as error:
        logger.warning("The models of the other hosts are not here yet: %s", error)
    return watch_places(exchange, "judging", JUDGING)


def run(collector: Collector, stop: threading.Event) -> None:
    """Collect until ``stop`` is set. A fault of our own is logged; then everything is read from the store anew."""
    while not stop.is_set():
        try:
            wait = collector.round()
        except UsageError:
            raise
        except Exception:  # a collector that ends helps nobody; this is the edge that reports it
            logger.exception("the collector met an error of its own, and begins anew")
            collector.start_over()
            wait = FAULT_SECONDS
        stop.wait(wait)


def _given(own: float | None, common: float) -> float:
    return common if own is None else own


def _model_of(settings: Settings, spec: LiveSpec, step_seconds: float) -> Callable[[Roster], RiskModel]:
    """Gives the model that judges: as the source's option says, else as set for all, as calibrated for this fleet.

    The best model for a source that begins now is one that needs no history.

    :raises UsageError: nothing is registered under that name.
    """
    models = ServedModels(settings.data / "models", zones=FleetZones(settings.fleet_zones))
    name = spec.model or settings.model
    name = FALLBACK if name in ("", BEST) else name
    models.model(name)

    def model(roster: Roster) -> RiskModel:
        about = SourceDescription(
            name=spec.name, kind=spec.kind, servers=roster.servers, profiles=roster.profiles, metrics=METRIC_NAMES,
            step_seconds=step_seconds, start=np.datetime64(0, "ms"), ticks=None, phases=(), tick_wall_seconds=None,
            simulated=False, title=spec.name, notices=(), digest="", growing=True,
        )  # fmt: skip
        found = models.answering(about, name)
        if found.instead is not None and found.instead not in told:
            told.add(found.instead)
            logger.warning("%s: %s", spec.name, found.instead)
        return found.model

    told: set[str] = set()
    return model
