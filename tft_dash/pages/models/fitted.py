"""The calibrations that were fitted here: for which sources, from what, and what each was worth on later data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dash import html

from tft_dash.pages.models.wording import measured, table
from tft_dash.pages.wording import DASH, plural

if TYPE_CHECKING:
    from tft_dash.models.calibrated.document import FleetCalibration
    from tft_dash.models.calibrated.shelf import ShelvedCalibration

_COLUMNS: Final = (("server 30m", "One server, 30 min"), ("server 8h", "8 h"), ("fleet 30m", "The fleet, 30 min"),
                   ("fleet 8h", "8 h"))  # fmt: skip


def calibrations(found: Sequence[ShelvedCalibration]) -> list[Any]:
    """A row for each; a broken one with what is wrong with it."""
    how = html.P(
        ["Fit one: ", html.Code("tft-dash calibrate SOURCE"), ". It answers for its sources alone, after ",
         html.Code("tft-dash models activate NAME"), "; ", html.Code("tft-dash models rollback --source SOURCE"),
         " goes back."],
        className="quiet",
    )  # fmt: skip
    if not found:
        words = "None was fitted: every source is answered by the model's own probabilities."
        return [html.P(words), how]
    head = ["Calibration", "In use", "Fitted on", *(title for _, title in _COLUMNS)]
    rows = [[one.name, _use(one), _origin(one), *_skills(one.calibration)] for one in found]
    gloss = "Brier skill on later data, against the rate that was known before; above 0 is better."
    return [table(head, rows, "Calibrations fitted here"), html.P(gloss, className="quiet"), how]


def _use(one: ShelvedCalibration) -> Any:  # noqa: ANN401 - a Dash component
    if one.problem is not None:
        return html.Span("refused", className="tag tag-warning")
    if one.active:
        return html.Span(f"for {', '.join(one.active)}", className="tag tag-active")
    return "not active"


def _origin(one: ShelvedCalibration) -> str:
    made = one.calibration
    if made is None:
        return one.problem or ""
    return f"{plural(made.incidents, 'incident')} of {made.span}; {made.outcomes}. Restates {made.model_identity}."


def _skills(made: FleetCalibration | None) -> list[Any]:
    told = [None if made is None else made.record.get(key) for key, _ in _COLUMNS]
    return [DASH if one is None else measured(one.after.skill_over_before) for one in told]
