"""Everything the pages, the API and the commands ask, built from :class:`Settings` and closed once."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tft_dash.alerting.desk import AlertDesk
from tft_dash.answering import BEST, FALLBACK, FORECAST, Answering, ServedModels
from tft_dash.background import WAIT_SECONDS, Background
from tft_dash.comparing import Comparison, Side, compare
from tft_dash.errors import DataError, TftDashError
from tft_dash.frame import Frame, ModelVersion, ServerForecast, ServerTrace, SourceDescription
from tft_dash.importing.between_hosts import DesksBetweenHosts
from tft_dash.importing.uploads import Uploads
from tft_dash.inspection.inspector import Inspector
from tft_dash.library.scenarios import ScenarioLibrary
from tft_dash.live.feeds.push.desk import PushDesk
from tft_dash.live.source import LiveSource
from tft_dash.models.base import MODELS, RiskModel
from tft_dash.models.calibrated.shelf import ShelvedCalibration
from tft_dash.monitor import Monitor
from tft_dash.previews import Preview, make_preview, sampled_scenario
from tft_dash.recordings import Recordings
from tft_dash.resources import demo_data_folder
from tft_dash.runs.queue import RunQueue
from tft_dash.scenarios.document import Scenario, document_digest
from tft_dash.scenarios.library import DEFAULT_DRILL
from tft_dash.schema import ModelCard
from tft_dash.served import CONFIGURED, UPLOAD, Place, ServedSources
from tft_dash.settings import Settings
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import CALIBRATION, JUDGING, MODEL, RECEIVED, TABLES
from tft_dash.sharing.watch import ExchangeWatch, watch_places
from tft_dash.sources.base import Source
from tft_dash.sources.remote.address import LIVE, OBJECT_STORE
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store, store_url
from tft_dash.store.live import JudgedSpans, LiveState, LiveStore
from tft_dash.ticks import TickRecord
from tft_dash.watching.watch import Drift, DriftPoint
from tft_dash.watching.watches import Watches
from tft_dash.zones import FleetZones

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence

DEFAULT_MODEL: Final = FALLBACK
PREVIEWS_KEPT: Final = 8
_GB: Final = 10**9
_MB: Final = 10**6


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A source as the catalogue knows it: where it is, and whether it can be shown.

    :param where: its path or address, fit for pages.
    :param problem: why it cannot be shown at the moment; None = it can.
    """

    name: str
    where: str
    description: SourceDescription | None
    problem: str | None


class Services:
    """The one owner of sources, models, scenarios, runs and the monitor in a process.

    :param wait_seconds: how long a request waits for a recording that is being prepared; None = to the end.
    :param look_seconds: how long a change of a source's file may go unnoticed.
    :raises UsageError: a source has an impossible name.

    A source whose file is missing or broken is listed with its problem; the others are served.

    :ivar live: what is recorded of live sources.
    :ivar alerts: problems, silences and rules, as people meet them.
    :ivar pushes: takes the samples that are pushed.
    :ivar library: the team's scenarios.
    :ivar recordings: drills made on the server.
    :ivar runs: the queue in which they are made.
    :ivar uploads: files that people brought, and the mappings that made them fit.
    :ivar mappings: remembered mappings.
    :ivar inspector: what is in a dataset, and what is wrong with it.
    """

    def __init__(
        self, settings: Settings, *, wait_seconds: float | None = WAIT_SECONDS, look_seconds: float = 1.0
    ) -> None:
        self.settings = settings
        background = Background(wait_seconds)
        self.monitor = Monitor(settings.cache, background)
        self.inspector = Inspector(settings.cache, background)
        self._store = Store(store_url(settings))
        self.live = LiveStore(self._store)
        self.alerts = AlertDesk(self._store, settings)
        self.library = ScenarioLibrary(self._store)
        self.mappings = Documents(self._store, "mapping")
        self._exchange = Exchange(settings.data, self._store) if self._store.is_shared else None
        self.recordings = Recordings(
            settings.data / "runs",
            disk_bytes=round(settings.disk_gb * _GB),
            keep_seconds=settings.keep_days * 86_400,
            exchange=self._exchange,
        )
        self.uploads = Uploads(
            settings.data / "uploads",
            settings.cache,
            self.mappings,
            limit_bytes=settings.upload_mb * _MB,
            room=lambda needed: self.recordings.make_room(needed, others=self._upload_bytes()),
            taken=lambda: [name for name in self.source_names() if self.origin(name) != UPLOAD],
            prepare="tft_dash.inspection.preparing:prepare",
            between=None if self._exchange is None else DesksBetweenHosts(self._exchange, self._store),
        )
        self.runs = RunQueue(
            self._store,
            self.recordings,
            row_limit=settings.run_rows,
            at_once=settings.runs_at_once,
            other_bytes=self._upload_bytes,
        )
        specs = settings.sources or tuple(str(path) for path in shipped_drills())
        self._served = ServedSources(
            specs, settings.cache, self.uploads, self.recordings, look_seconds=look_seconds,
            options={
                OBJECT_STORE: _object_store(settings, look_first=wait_seconds is None), LIVE: {"store": self.live},
            },
        )  # fmt: skip
        self.pushes = PushDesk(settings, self._store, self._served.live())
        self.models = ServedModels(
            settings.data / "models", zones=FleetZones(settings.fleet_zones), look_seconds=look_seconds
        )
        self._watches = Watches(
            settings.cache,
            background,
            JudgedSpans(self._store),
            days=settings.drift_days,
            least=settings.drift_least,
            look_seconds=look_seconds,
        )
        self._exchanges = () if self._exchange is None else _exchanges(self._exchange, self.uploads)
        self._previews: OrderedDict[tuple[str, str], Preview] = OrderedDict()
        self._lock = threading.Lock()

    def source_names(self) -> tuple[str, ...]:
        """The sources served: the configured ones in the order given, then uploads, then generated recordings."""
        return self._served.names()

    def recording_names(self) -> tuple[str, ...]:
        """Those of the sources served that have an end: they can be inspected and compared, a live source cannot."""
        return self._served.recordings()

    def configured_names(self) -> tuple[str, ...]:
        """The sources that the settings name, in the order given."""
        return tuple(name for name in self.source_names() if self.origin(name) == CONFIGURED)

    def live_names(self) -> tuple[str, ...]:
        """The configured sources that are live."""
        return tuple(each.name for each in self._served.live())

    def place(self, name: str) -> Place:
        """Where a source lies, and whether it is configured, uploaded or generated.

        :raises UnknownNameError: there is none of that name.
        """
        return self._served.place(name)

    def path(self, name: str) -> Path:
        """The file or folder of a source, or the copy that stands for it here.

        :raises NotReadyError: it is being copied.
        :raises UnreachableError: it cannot be copied.
        """
        return self._served.path(name)

    def origin(self, name: str) -> str:
        """``configured``, ``upload`` or ``run``."""
        return self._served.place(name).origin

    def source(self, name: str) -> Source:
        """The source called ``name``; a file that changed on disk is opened anew.

        :raises UnknownNameError: there is none of that name.
        """
        return self._served.source(name)

    def remove(self, name: str) -> None:
        """Remove an upload or a generated recording.

        :raises UsageError: it is a configured source, or somebody watches it.
        """
        self.inspector.forget(self.path(name))
        self._served.remove(name)

    def model(self, name: str) -> RiskModel:
        """The risk model called ``name``.

        :raises UnknownNameError: nothing is registered under that name.
        """
        return self.models.model(name)

    def model_names(self) -> tuple[str, ...]:
        """The risk models there are; the set one first, else the one that answers for every source."""
        first = DEFAULT_MODEL if self.settings.model in ("", BEST) else self.settings.model
        return tuple(sorted(MODELS.names(), key=lambda name: (name != first, name)))

    def model_choices(self) -> tuple[str, ...]:
        """What a page can ask for: the models, and the best that a source allows; what it starts with comes first."""
        others = [name for name in (BEST, *self.model_names()) if name != self.first_choice()]
        return (self.first_choice(), *others)

    def first_choice(self) -> str:
        """What a page asks for at first: the model that is set, else the best that the source allows."""
        return self.settings.model or BEST

    def default_model(self) -> str:
        """The model that is set, else the best there is."""
        return self.models.best() if self.settings.model in ("", BEST) else self.settings.model

    def cards(self) -> tuple[ModelCard, ...]:
        """The card of every model that can answer."""
        return self.models.cards(self.model_names())

    def artefacts(self) -> tuple[ModelVersion, ...]:
        """Every version of the forecast, the newest first; a refused one with its problem."""
        return self.models.artefacts()

    def calibrations(self) -> tuple[ShelvedCalibration, ...]:
        """The calibrations that were fitted here; a broken one with its problem."""
        return self.models.calibrations.all()

    def model_evidence(self, name: str) -> Evidence | None:
        """What was measured of a model; None where nothing was.

        :raises ModelRefusedError: the document is damaged.
        """
        return self.models.evidence(name)

    def answering(self, source: str, model: str) -> Answering:
        """The model that answers for a source when ``model`` is asked, and why it is another one."""
        found = self.source(source)
        if isinstance(found, LiveSource):
            return self._recorded_by(found, found.record(found.state().latest), model)
        return self.models.answering(self.describe(source), model)

    def describe(self, source: str) -> SourceDescription:
        """The description of a source."""
        found = self.monitor.describe(self.source(source))
        remarks = self._served.remarks(source)
        return replace(found, notices=(*found.notices, *remarks)) if remarks else found

    def live_state(self, source: str, *, seen: int = -1) -> LiveState | None:
        """What is known of a live source at this moment, by the store's clock; None for a recording.

        :param seen: a tick that the caller has seen already: no answer is older than that.
        :raises SourceUnreachableError: nobody has ever collected it.
        """
        found = self.source(source)
        return found.state(seen=seen) if isinstance(found, LiveSource) else None

    def kept_tick(self, source: str, tick: int, *, back: bool) -> int:
        """The tick that is kept at or after ``tick``, or at or before it; of a recording the tick itself."""
        found = self.source(source)
        return found.kept(tick, back=back) if isinstance(found, LiveSource) else tick

    def oldest_tick(self, source: str) -> int:
        """The oldest tick that can be shown: 0 for a recording."""
        found = self.source(source)
        return found.oldest() if isinstance(found, LiveSource) else 0

    def entries(self) -> tuple[SourceEntry, ...]:
        """Every source with its description or its problem; one bad source hides no other."""
        names = self.source_names()
        for name in names:
            self.monitor.begin(self.source(name))
        return tuple(self._entry(name) for name in names)

    def frame(self, source: str, model: str, tick: int) -> Frame:
        """One tick of a source, judged by a model, or by the one that answers in its place."""
        found = self.source(source)
        if isinstance(found, LiveSource):
            record = found.record(tick)
            by = self._recorded_by(found, record, model)
            return self.monitor.frame(found, by.model, record.tick, instead=by.instead)
        answering = self.answering(source, model)
        return self.monitor.frame(
            self.source(source), answering.model, tick, instead=answering.instead, remarks=answering.remarks,
            aged=self._served.remarks(source),
        )  # fmt: skip

    def forecast(self, source: str, tick: int, server: int) -> ServerForecast | None:
        """What the forecast expects of one server from a tick on; None where it cannot answer for the source."""
        found, about = self.source(source), self.describe(source)
        if isinstance(found, LiveSource):
            name = found.record(tick).servers[server]
            if name not in about.servers:
                return None
            server = about.servers.index(name)
        return self.models.forecast(found, about, tick, server)

    def drift(self, source: str) -> Drift:
        """How the forecasts for a source have held.

        Those for a live source are judged by its collector, six hours at a time.

        :raises DataError: the forecast does not answer for it.
        :raises NotReadyError: that is being found out.
        """
        found, answering = self.source(source), self.answering(source, FORECAST)
        if answering.problem is not None:
            raise DataError(answering.problem)
        if isinstance(found, LiveSource):
            if not answering.model.card.forecasts:  # it was judged by a forecast that does not answer any more
                raise DataError(
                    self.models.answering(self.describe(source), FORECAST).instead or "No forecast answers."
                )
            return self._watches.recorded(found, answering.model.card)
        return self._watches.result(self.source(source), self.describe(source), answering.model)

    def drift_at(self, frame: Frame) -> DriftPoint | None:
        """How the forecasts have held up to a frame's tick; None where nobody knows yet. Never waits."""
        if not frame.card.forecasts:
            return None
        name = frame.source.name
        found = self.source(name)
        if isinstance(found, LiveSource):
            with contextlib.suppress(TftDashError):  # the page goes on with what it knows, and says what is away
                return self._watches.recorded(found, frame.card).at(frame.tick)
            return None
        known = self._watches.known(frame.source, frame.card)
        if known is None:
            self._watches.begin(self.source(name), frame.source, self.answering(name, FORECAST).model)
        return None if known is None else known.at(frame.tick)

    def watched(self) -> tuple[tuple[str, Drift | None], ...]:
        """The configured sources for which the forecast answers, each with how it has held; None = not known yet.

        One that is not known is begun, one at a time. One that is being prepared is left out until it is.
        """
        found: list[tuple[str, Drift | None]] = []
        making = False
        for name in self.configured_names():
            try:
                source = self.source(name)
                if isinstance(source, LiveSource):
                    found += self._watched_live(source)
                    continue
                about = self.describe(name)
                answering = self.answering(name, self.first_choice())
            except TftDashError:  # the pages tell why it cannot be shown, or not yet
                continue
            if answering.model.card.forecasts:
                drift = self._watches.known(about, answering.model.card)
                if drift is None and not making:
                    self._watches.begin(self.source(name), about, answering.model)
                making = making or drift is None
                found.append((name, drift))
        return tuple(found)

    def watchable(self) -> tuple[str, ...]:
        """The sources whose forecasts can be held against what came: live ones that have some, and all recordings."""
        return (*(name for name in self.live_names() if self._is_forecast(name)), *self.recording_names())

    def _is_forecast(self, name: str) -> bool:
        try:
            return self.answering(name, BEST).model.card.forecasts
        except TftDashError:  # the pages tell why it cannot be shown
            return False

    def _watched_live(self, source: LiveSource) -> list[tuple[str, Drift | None]]:
        card = self.answering(source.name, BEST).model.card
        if not card.forecasts:
            return []
        drift = self._watches.recorded(source, card)
        return [(source.name, drift if drift.points else None)]

    def trace(self, frame: Frame, server: int) -> ServerTrace:
        """The last ticks of one server up to ``frame``."""
        source, model = frame.source.name, self.answering(frame.source.name, frame.card.name).model
        return self.monitor.trace(self.source(source), model, frame.tick, server)

    def preview(self, scenario: Scenario, model: str) -> Preview:
        """What a drill will do, judged by a model; the last few are kept."""
        clock = sampled_scenario(scenario).spec.clock
        answering = self.models.answering_drill(model, clock.tick, clock.ticks)
        key = (document_digest(scenario), f"{answering.model.card.identity} {answering.instead}")
        with self._lock:
            known = self._previews.get(key)
            if known is not None:
                self._previews.move_to_end(key)
                return known
        made = make_preview(scenario, answering.model, instead=answering.instead)
        with self._lock:
            self._previews[key] = made
            while len(self._previews) > PREVIEWS_KEPT:
                self._previews.popitem(last=False)
        return made

    def comparison(self, a_source: str, a_model: str, b_source: str, b_model: str) -> Comparison:
        """Two recordings, or one under two models, on one clock.

        :raises NotReadyError: one of them is being prepared or assessed.
        """
        return compare(self._side(a_source, a_model), self._side(b_source, b_model))

    def tick_seconds(self, description: SourceDescription) -> float:
        """Seconds a tick takes on the page at speed 1: as set, else as the recording declares."""
        declared = description.tick_wall_seconds
        if self.settings.origin.get("refresh", "default") != "default" or declared is None:
            return self.settings.refresh
        return declared

    def exchange_models(self) -> None:
        """Have the models and calibrations that the portal's other hosts have, and give them this one's, at once.

        For a command that reads or changes them; nothing happens where the store is a file of this host.

        :raises StorageError: the store cannot be reached.
        """
        if self._exchange is not None:
            self._exchange.synchronise(JUDGING, settle_seconds=0)

    def is_chosen(self, name: str) -> bool:
        """Whether a version of the forecast is the one that answers, or a calibration answers for some source."""
        chosen = any(version.version == name and version.active for version in self.artefacts())
        return chosen or any(one.name == name and one.active for one in self.calibrations())

    def remove_model(self, name: str) -> str:
        """Remove one of the team's own models, or a calibration, from every host; what it was, in words.

        :raises UnknownNameError: there is neither of that name.
        :raises UsageError: it answers.
        :raises StorageError: it cannot be removed.
        """
        is_calibration = name in self.models.calibrations.names()
        shelf = self.models.calibrations if is_calibration else self.models.shelf
        shelf.remove(name)
        if self._exchange is not None:
            self._exchange.remove(CALIBRATION if is_calibration else MODEL, f"{name}.json" if is_calibration else name)
        return f"The calibration '{name}'" if is_calibration else f"tft {name}"

    def resume(self) -> None:
        """Make the runs that other processes have left, now and later; remove recordings that are too old.

        For a process that serves. What hinders it is logged, and told on the pages.
        """
        for each in self._exchanges:
            each.begin()
        self.runs.keep_watch()
        self._served.keep_watch()

    def stop(self) -> None:
        """Begin to end: runs go back to the queue at once, while requests are answered to their end."""
        self.runs.stop()
        for each in self._exchanges:
            each.stop()

    def close(self) -> None:
        """Let go of every source, the queue and the store. Closing twice is fine."""
        self._served.close()
        self.runs.close()
        for each in self._exchanges:
            each.close()
        self._store.close()

    def _recorded_by(self, source: LiveSource, record: TickRecord, asked: str) -> Answering:
        """The model that has judged a recorded tick, whichever is asked now."""
        name = record.model.partition(" ")[0]
        if name not in MODELS.names():
            return Answering(self.models.model(FALLBACK), None)
        found = self.models.answering(source.describe_at(record), name)
        problem = None
        if asked not in (BEST, name):
            problem = (
                f"'{source.name}' is a live source: its ticks are judged once, as they are recorded, and never again. "
                f"model={asked} among its options has '{asked}' judge it from then on."
            )
        return Answering(found.model, problem)

    def _side(self, source_name: str, model_name: str) -> Side:
        source, model = self.source(source_name), self.answering(source_name, model_name).model
        said = self.monitor.assessed(source, model).assessments
        return Side(self.monitor.describe(source), model.card, said.prob_30m, said.prob_8h)

    def _upload_bytes(self) -> int:
        return self.uploads.used_bytes()

    def _entry(self, name: str) -> SourceEntry:
        where = self.place(name).shown
        try:
            return SourceEntry(name, where, self.describe(name), None)
        except TftDashError as error:
            return SourceEntry(name, where, None, str(error))


def _exchanges(exchange: Exchange, uploads: Uploads) -> tuple[ExchangeWatch, ...]:
    """What a process that serves does for the other hosts, and they for it."""
    return (
        watch_places(exchange, "judging", JUDGING),
        watch_places(exchange, "tables", TABLES),
        ExchangeWatch(exchange, "uploads", uploads.exchange, lambda: exchange.tidy((RECEIVED,))),
    )


def _object_store(settings: Settings, *, look_first: bool) -> dict[str, object]:
    room = round(settings.object_cache_gb * _GB)
    return {"look_first": look_first, "look_seconds": settings.object_look, "limit_bytes": room}


def shipped_drills() -> tuple[Path, ...]:
    """The drills that travel with the package, the default one first."""
    found = sorted(demo_data_folder().glob("*.parquet"), key=lambda path: (path.stem != DEFAULT_DRILL, path.stem))
    return tuple(found)
