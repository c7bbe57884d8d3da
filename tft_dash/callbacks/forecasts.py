"""What the live monitor shows of a model that forecasts, beyond what every model gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tft_dash.errors import TftDashError
from tft_dash.figures.forecast import panel
from tft_dash.figures.models.values import track_record
from tft_dash.frame import Frame, ServerTrace, TrackRecord
from tft_dash.schema import ModelCard
from tft_dash.services import Services
from tft_dash.theme import Theme

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence


class Forecasts:
    """A server's forecast for its panel, and the record of a model's probabilities.

    :param services: where both come from.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._records: dict[str, tuple[str, TrackRecord | None]] = {}

    def record(self, card: ModelCard) -> TrackRecord | None:
        """How often the model's probabilities came true, worded once for each version of it."""
        evidence = self._evidence(card)
        if evidence is None:
            return None
        digest, record = self._records.get(card.name, ("", None))
        if digest != evidence.digest:
            record = track_record(evidence)
            self._records[card.name] = (evidence.digest, record)
        return record

    def panel(self, frame: Frame, trace: ServerTrace, theme: Theme | None) -> dict[tuple[str, str], Any]:
        """The server's forecast where the frame's model makes one; else that part of the panel is hidden.

        :param theme: for a whole figure; None = the page has one of the same server.
        """
        if not frame.card.forecasts:
            return {panel.HIDDEN: True}
        forecast = self._services.forecast(frame.source.name, frame.tick, trace.server)
        if forecast is None:
            return {panel.HIDDEN: True}
        return panel.drawing(frame, trace, forecast, self._evidence(frame.card), theme)

    def _evidence(self, card: ModelCard) -> Evidence | None:
        """What was measured of a model that forecasts; damaged evidence is told on ``/models``, and costs no tick.

        None where a fleet's own calibration restates the model: what was measured is of the model's own probabilities.
        """
        if not card.forecasts or card.fitted:
            return None
        try:
            return self._services.model_evidence(card.name)
        except TftDashError:
            return None
