"""A recording that is not there: whether it is being made, or why there is none."""

from __future__ import annotations

from typing import Final

from tft_dash.errors import NotReadyError, SourceMissingError, TftDashError, UnknownNameError
from tft_dash.runs.queue import Run
from tft_dash.services import Services

RUNS_SEARCHED: Final = 200


def awaited(services: Services, name: str, error: UnknownNameError) -> TftDashError:
    """What to say of the source ``name``, which ``error`` says is unknown.

    NotReadyError while it is being made or waits for that; else why it is not there, as far as a run of it tells.
    """
    run = next((run for run in services.runs.recent(RUNS_SEARCHED) if run.source == name), None)
    if run is None:
        return error
    if run.state in ("queued", "running"):
        return NotReadyError(_waiting(run), run.progress)
    again = f"Run the scenario '{run.scenario}' again, on the page Scenarios."
    if run.state == "done":
        return SourceMissingError(f"The recording '{name}' was made, and has been removed since. {again}")
    why = f" {run.message}" if run.message else ""
    how = "was stopped before it was done" if run.state == "cancelled" else "could not be made"
    return SourceMissingError(f"The recording '{name}' {how}.{why} {again}")


def _waiting(run: Run) -> str:
    if run.position is None:
        return f"The recording '{run.source}' is being made"
    return f"The recording '{run.source}' waits to be made, at position {run.position} of the queue"
