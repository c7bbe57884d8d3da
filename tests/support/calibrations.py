"""A fleet's own calibration, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tft_dash.models.calibrated.document import FleetCalibration
from tft_dash.models.forecasting.calibration import Line
from tft_dash.schema import ModelCard


def calibration(card: ModelCard, met: tuple[str, ...], **parts: Any) -> FleetCalibration:
    """One that lowers every probability; ``parts`` stand in for its own.

    :param met: the servers that it was fitted to.
    """
    made: dict[str, Any] = {
        "name": "ours-1",
        "created": datetime(2026, 11, 1, tzinfo=UTC),
        "model": card.name,
        "model_identity": card.identity,
        "sources": ("early-warning",),
        "servers": met,
        "outcomes": "threshold crossings",
        "span": "",
        "server": {"30m": Line(slope=0.5, intercept=-2.0), "8h": Line(slope=0.0, intercept=-3.0)},
        "fleet": {"30m": Line(slope=0.5, intercept=-1.0), "8h": Line(slope=0.5, intercept=-1.0)},
        "rows": 10,
        "incidents": 9,
        "later_incidents": 3,
        "whole": {},
        "record": {},
    }
    return FleetCalibration.model_validate({**made, **parts})
