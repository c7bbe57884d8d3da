"""Which risk model answers for which source: the one that was asked for, or another one and the reason in words."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tft_dash.errors import DataError, ModelRefusedError
from tft_dash.frame import ModelVersion, ServerForecast, SourceDescription
from tft_dash.models.base import MODELS, RiskModel, unfit
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.models.calibrated.shelf import CalibrationShelf
from tft_dash.models.forecasting.shelf import Shelf, Shelved
from tft_dash.schema import ModelCard, Window
from tft_dash.sources.base import Source
from tft_dash.zones import FleetZones

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence
    from tft_dash.models.tft import TftModel

BEST: Final = "best"
"""Stands for the best model that a source allows."""
FORECAST: Final = "tft"
FALLBACK: Final = "thresholds"
"""Answers for every source."""
FORECASTS_KEPT: Final = 256
CALIBRATED_KEPT: Final = 64
SECONDS_PER_WINDOW: Final = 0.0006
MOST_WINDOWS: Final = 500_000
"""Up to so many the forecast judges a source unasked: five minutes of one processor."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The model that answers.

    :param problem: why it is not the one that was asked for, as a sentence; None = it is.
    :param unfitted: why a calibration that was chosen for the source does not restate it; None = nothing is amiss.
    """

    model: RiskModel
    problem: str | None
    unfitted: str | None = None

    @property
    def instead(self) -> str | None:
        """The problem, and who answers in its place."""
        if self.problem is None:
            return None
        return f"{self.problem} '{self.model.card.name}' ({self.model.card.title}) answers in its place."

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a viewer must know of who answers, beside :attr:`instead`."""
        return () if self.unfitted is None else (self.unfitted,)


class ServedModels:
    """The registered risk models in a process; which version of the forecast answers can change at any time.

    :param folder: of the team's own forecast models; the fitted calibrations lie beside it.
    :param zones: by whose clocks the fleets' days run.
    :param look_seconds: how long an activation may go unnoticed.
    """

    def __init__(self, folder: Path, *, zones: FleetZones | None = None, look_seconds: float = 1.0) -> None:
        self._zones = zones or FleetZones()
        self.shelf = Shelf(folder, look_seconds=look_seconds)
        self.calibrations = CalibrationShelf(folder.parent / "calibrations", look_seconds=look_seconds)
        self._calibrated: OrderedDict[tuple[str, str], CalibratedModel] = OrderedDict()
        self._loaded: dict[str, RiskModel] = {}
        self._forecasts: OrderedDict[tuple[str, str, int, int], ServerForecast] = OrderedDict()
        self._lock = threading.Lock()

    def model(self, name: str) -> RiskModel:
        """The risk model called ``name``.

        :raises UnknownNameError: nothing is registered under that name.
        :raises ModelRefusedError: it is the forecast, and its artefact is refused.
        """
        if name == FORECAST:
            return self.forecaster()
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = MODELS.load(name)()
            return self._loaded[name]

    def forecaster(self, zone: str = "") -> TftModel:
        """The forecast that answers.

        :param zone: by whose clock the fleet's days run; "" = UTC.
        :raises ModelRefusedError: its artefact is refused.
        """
        from tft_dash.models.tft import TftModel  # noqa: PLC0415 - only a process that forecasts needs it

        artefact = self.shelf.current()
        with self._lock:
            key = f"{FORECAST} {zone}"
            known = self._loaded.get(key)
            if not isinstance(known, TftModel) or known.artefact is not artefact:
                known = self._loaded[key] = TftModel(artefact, zone)
            return known

    def cards(self, names: tuple[str, ...]) -> tuple[ModelCard, ...]:
        """The cards of those of ``names`` that can answer."""
        found = []
        for name in names:
            try:
                found.append(self.model(name).card)
            except ModelRefusedError:  # artefacts() tells why
                continue
        return tuple(found)

    def best(self) -> str:
        """The name of the best model that can answer for some source."""
        return FORECAST if self.cards((FORECAST,)) else FALLBACK

    def answering(self, about: SourceDescription, name: str) -> Answering:
        """Who answers for a source when ``name`` is asked; its probabilities as its own history has taught.

        :raises UnknownNameError: nothing is registered under that name.
        """
        return self._fitted(about, self._answering(about, name))

    def _zone(self, about: SourceDescription) -> str:
        return self._zones.of(about.name, simulated=about.simulated)

    def _fitted(self, about: SourceDescription, found: Answering) -> Answering:
        """The same, with the calibration that was chosen for the source; it never speaks for another fleet."""
        card = found.model.card
        try:
            calibration = self.calibrations.current(about.name, card.name)
        except ModelRefusedError as error:
            return replace(found, unfitted=f"The calibration of '{about.name}' does not answer. {error}")
        if calibration is None:
            return found
        unmet = calibration.unmet(about.servers)
        if calibration.model_identity != card.identity:
            unmet = f"it was fitted to {calibration.model_identity}, and {card.identity} answers"
        if unmet is not None:
            words = f"The calibration '{calibration.name}' was chosen for '{about.name}' and does not fit: {unmet}."
            return replace(found, unfitted=f"{words} The probabilities are the model's own. Run tft-dash calibrate.")
        key = (card.identity, calibration.digest)
        with self._lock:
            known = self._calibrated.get(key)
            if known is None or known.base is not found.model:
                known = self._calibrated[key] = CalibratedModel(found.model, calibration)
                while len(self._calibrated) > CALIBRATED_KEPT:
                    self._calibrated.popitem(last=False)
        return replace(found, model=known)

    def _answering(self, about: SourceDescription, name: str) -> Answering:
        wanted = FORECAST if name == BEST else name
        try:
            forecaster = self.forecaster(self._zone(about)) if wanted == FORECAST else None
            model = forecaster or self.model(wanted)
            windows = forecaster.windows(about) if forecaster is not None and name == BEST else 0
        except ModelRefusedError as error:
            return Answering(self.model(FALLBACK), str(error))
        problem = unfit(model, about)
        if problem is None and windows > MOST_WINDOWS:
            return Answering(self.model(FALLBACK), _too_large(about, windows))
        if problem is None:
            return Answering(model, None)
        return Answering(self.model(FALLBACK), f"'{wanted}' cannot answer for '{about.name}': {problem}.")

    def answering_drill(self, name: str, step_seconds: float, ticks: int) -> Answering:
        """Who answers for a drill that is not made yet."""
        if name != FORECAST:
            return Answering(self.model(name), None)
        try:
            model = self.forecaster()
        except ModelRefusedError as error:
            return Answering(self.model(FALLBACK), str(error))
        problem = model.suits(step_seconds, ticks)
        if problem is None:
            return Answering(model, None)
        return Answering(self.model(FALLBACK), f"'{name}' cannot answer for this preview: {problem}.")

    def artefacts(self) -> tuple[ModelVersion, ...]:
        """Every version of the forecast, the newest first; a refused one with its problem."""
        return tuple(_version(one) for one in reversed(self.shelf.all()))

    def evidence(self, name: str) -> Evidence | None:
        """What was measured of the forecast that answers; None for any other model, and where nothing was.

        :raises ModelRefusedError: the document is damaged.
        """
        return self.shelf.evidence() if name == FORECAST else None

    def forecast(self, source: Source, about: SourceDescription, tick: int, server: int) -> ServerForecast | None:
        """What the forecast expects of one server from a tick on; None where it cannot answer for the source."""
        from tft_dash.models.forecasting.ahead import forecast_of, ticks_needed  # noqa: PLC0415 - see forecaster()

        try:
            model = self.forecaster(self._zone(about))
        except ModelRefusedError:
            return None
        if unfit(model, about) is not None:
            return None
        stated = self._fitted(about, Answering(model, None)).model
        key = (about.digest, stated.card.identity, tick, server)
        with self._lock:
            if key in self._forecasts:
                self._forecasts.move_to_end(key)
                return self._forecasts[key]
        first = max(0, tick + 1 - ticks_needed(about.step_seconds))
        window = _alone(source.read(first - 1, tick + 1 - first).window, server)
        made = forecast_of(model, window, tick, server)
        if isinstance(stated, CalibratedModel):
            made = _restated(stated, made)
        with self._lock:
            self._forecasts[key] = made
            while len(self._forecasts) > FORECASTS_KEPT:
                self._forecasts.popitem(last=False)
        return made


def _restated(model: CalibratedModel, forecast: ServerForecast) -> ServerForecast:
    from tft_dash.models.forecasting.curve import restated  # noqa: PLC0415 - see ServedModels.forecaster()

    soon, late = (np.array([value], np.float32) for value in (forecast.prob_30m, forecast.prob_8h))
    said = model.servers(soon, late)
    return restated(forecast, float(said[0][0]), float(said[1][0]))


def demand_fit(answering: Answering, asked: str) -> RiskModel:
    """The model that was asked for.

    :raises DataError: another one answers, and it was not left open which.
    """
    if answering.problem is not None and asked != BEST:
        raise DataError(f"{answering.problem} Choose --model {FALLBACK}.")
    return answering.model


def _too_large(about: SourceDescription, windows: int) -> str:
    return (
        f"Judging the whole of '{about.name}' by '{FORECAST}' would take about "
        f"{windows * SECONDS_PER_WINDOW / 60:,.0f} minutes. Choose '{FORECAST}' to have it done all the same."
    )


def _alone(window: Window, server: int) -> Window:
    metrics = {name: values[:, server : server + 1] for name, values in window.metrics.items()}
    name, profile = window.servers[server], window.profiles[server]
    return Window(window.start, window.step_seconds, (name,), (profile,), metrics)


def _version(one: Shelved) -> ModelVersion:
    card = None if one.artefact is None else one.artefact.card
    return ModelVersion(
        version=one.version,
        title="" if card is None else card.title,
        created="" if card is None else card.created.date().isoformat(),
        trained_on="" if card is None else card.trained_on.description,
        simulated=None if card is None else card.trained_on.simulated,
        active=one.active,
        shipped=one.shipped,
        problem=one.problem,
    )
