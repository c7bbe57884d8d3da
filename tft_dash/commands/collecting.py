"""The command that collects live sources without the web."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Final

import click

from tft_dash.collecting.process import opened_collector, run
from tft_dash.collecting.supervising import Supervisor, watch_parent
from tft_dash.commands.terminal import say, settings_from
from tft_dash.errors import TftDashError, UnknownNameError, UsageError
from tft_dash.live.specs import LiveSpec, live_spec
from tft_dash.settings import PREFIX, Settings
from tft_dash.sources.catalogue import Named, discover, discover_all
from tft_dash.sources.remote.address import LIVE
from tft_dash.store.alerts.judged import forget_source
from tft_dash.store.engine import Store, store_url
from tft_dash.store.live import LiveStore, forget_live

_HANDED_ON: Final = (
    "model", "fleet_zones", "data", "cache", "store", "alert_rules", "alert_dependencies", "alert_receivers",
    "public_url", "host", "port", "base_path",
)  # fmt: skip
REFUSED: Final = 1


@click.command()
@click.argument("source", nargs=-1)
@click.option("--model", help="The risk model that judges; a source's own option model= wins.")
@click.option("--forget", metavar="NAME", help="Drop the recorded history of a live source, and end.")
@click.option("--idle", is_flag=True, help="Stay although no live source is set, as a Procfile's process must.")
@click.option("--parent", type=int, hidden=True, help="The process with which this one ends.")
def collect(source: tuple[str, ...], model: str | None, forget: str | None, idle: bool, parent: int | None) -> None:
    """Collect live sources: poll, judge, record. A SOURCE is a URL, name=URL, or the name of one that is set.

    Without a SOURCE all live sources of TFT_DASH_SOURCES are collected, each by a process of its own. Where another
    process collects a source already, this one stands by and takes over when that one ends.

    \b
    Example:
      tft-dash collect 'fleet=prometheus+http://127.0.0.1:9090/?mapping=node'
    """
    settings = settings_from(model=model)
    if forget is not None:
        _forget(settings, forget)
        return
    stop = _stop_on_signal()
    if idle and not source and not live_sources(settings):
        say("tft-dash collect: no live source is set; there is nothing to do.")
        stop.wait()
        return
    found = wanted(settings, source)
    if parent is not None:
        watch_parent(parent, stop)
    logging.basicConfig(stream=sys.stderr, format="tft-dash collect: %(message)s")
    logging.getLogger("tft_dash").setLevel(logging.INFO)
    if len(found) > 1:
        supervisor = Supervisor()
        keep(supervisor, settings, found)
        supervisor.run(stop)
        return
    try:
        _collect_one(settings, live_spec(found[0]), stop)
    except TftDashError as error:
        if parent is None:
            raise
        # A web server takes the higher statuses of a child for its own workers'.
        say(f"tft-dash collect: {error}")
        click.get_current_context().exit(REFUSED)


def wanted(settings: Settings, asked: Sequence[str]) -> tuple[Named, ...]:
    """The live sources that are asked for; all that are set where none is.

    :raises UsageError: there is none, or one of them is not live.
    """
    known = {named.name: named for named in discover_all(settings.sources, demand=False)}
    live = {name: named for name, named in known.items() if named.kind == LIVE}
    if not asked:
        if not live:
            raise UsageError(
                "There is no live source to collect. Name one, as in "
                f"tft-dash collect fleet=prometheus+http://host:9090, or set {PREFIX}SOURCES."
            )
        return tuple(live.values())
    found = tuple(known[spec] if spec in known else discover(spec, demand=False) for spec in asked)
    for named in found:
        live_spec(named)
    return found


def live_sources(settings: Settings) -> tuple[Named, ...]:
    """The live ones among the sources that are set, each checked as far as can be without asking it.

    :raises UsageError: an option of one of them is impossible.
    """
    found = tuple(named for named in discover_all(settings.sources, demand=False) if named.kind == LIVE)
    for named in found:
        live_spec(named).open().close()
    return found


def keep(supervisor: Supervisor, settings: Settings, sources: Sequence[Named]) -> None:
    """Have a process for each source. What it is told goes through its environment: others see arguments."""
    common = {PREFIX + name.upper(): _told(getattr(settings, name)) for name in _HANDED_ON if getattr(settings, name)}
    for named in sources:
        environ = {**common, f"{PREFIX}SOURCES": f"{named.name}={named.location}"}
        supervisor.add(named.name, ["collect", named.name], environ)


def _told(value: object) -> str:
    """A setting's value as its variable holds it."""
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _collect_one(settings: Settings, spec: LiveSpec, stop: threading.Event) -> None:
    with opened_collector(settings, spec) as collector:
        say(f"tft-dash collect: collecting {spec.name} from {spec.place}")
        run(collector, stop)


def _forget(settings: Settings, name: str) -> None:
    store = Store(store_url(settings))
    try:
        with store.write() as connection:
            found = forget_live(connection, name)
            if found:
                forget_source(connection, name)
        if not found:
            raise UnknownNameError("live source", name, [state.name for state in LiveStore(store).states()])
    finally:
        store.close()
    say(f"The recorded history of '{name}' is dropped.")


def _stop_on_signal() -> threading.Event:
    """Set at the first request to end; at the second the process ends at once."""
    stop = threading.Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            sys.exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop
