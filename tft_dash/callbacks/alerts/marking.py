"""Marks of alerts for the monitor's trend: what was recorded up to a tick, so that a moment looks the same for ever."""

from __future__ import annotations

from tft_dash.alerts.observing import milliseconds
from tft_dash.figures.alerts.marks import marks_of
from tft_dash.frame import AlertMark, Frame
from tft_dash.services import Services


def marks_up_to(services: Services, frame: Frame) -> tuple[AlertMark, ...]:
    """Where alerts fired and were over within the frame's history; nothing for a recording."""
    if not frame.source.live:
        return ()
    first, last = (milliseconds(frame.source.time_of(tick)) for tick in (frame.history.first, frame.tick))
    return marks_of(services.alerts.changes(frame.source.name, first_ms=first, last_ms=last))
