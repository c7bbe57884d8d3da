"""What every risk model offers, and the table of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, runtime_checkable

from tft_dash.frame import SourceDescription
from tft_dash.progress import Progress, silent
from tft_dash.registry import Registry
from tft_dash.schema import Assessments, ModelCard, Window


class RiskModel(Protocol):
    """Judges a fleet.

    Causal: row ``t`` of an answer depends on rows ``0…t`` of the window only, so that cutting the future off
    changes nothing earlier. Stateless: the same window always gets the same answer.
    """

    card: ModelCard

    def assess(self, window: Window) -> Assessments:
        """The last tick of ``window`` judged, as :class:`Assessments` of one tick."""
        ...

    def assess_recording(self, recording: Window, progress: Progress = silent) -> Assessments:
        """Every tick of a whole recording judged, each by its past alone."""
        ...


@runtime_checkable
class Choosy(Protocol):
    """A risk model that cannot answer for every source."""

    def fits(self, about: SourceDescription) -> str | None:
        """Why it cannot answer for a source, as the rest of a sentence; None = it can."""
        ...


def unfit(model: RiskModel, about: SourceDescription) -> str | None:
    """Why ``model`` cannot answer for a source, as the rest of a sentence; None = it can."""
    return model.fits(about) if isinstance(model, Choosy) else None


MODELS: Final[Registry[Callable[[], RiskModel]]] = Registry(
    "risk model",
    {
        "thresholds": "tft_dash.models.thresholds:ThresholdModel",
        "scripted": "tft_dash.models.scripted:ScriptedModel",
        "tft": "tft_dash.models.tft:TftModel",
    },
    group="tft_dash.models",
)
