"""The process that reads a file nobody vouches for: ``python -m tft_dash.importing.guarded.child <job file>``.

It outlives the worker that began it, watches the process that does the reading, and writes down how it ended.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tft_dash.errors import TftDashError
from tft_dash.importing.guarded.desk import NEEDS_MAPPING, READY, REFUSED, Desk
from tft_dash.importing.guarded.guard import Limits, guarded
from tft_dash.importing.guarded.publishing import publish
from tft_dash.importing.guarded.slots import slot
from tft_dash.importing.guarded.tasks import admit, preview
from tft_dash.progress import Progress

TASKS: Final = {"admit": admit, "preview": preview}
_STEP: Final = 0.005
"""Progress is written down in steps of this size."""


def main(arguments: Sequence[str]) -> int:
    """Do the job in the file that is named; its outcome is a file beside it."""
    job_file = Path(arguments[0])
    job: dict[str, Any] = json.loads(job_file.read_bytes())
    desk = Desk(job_file.parent)
    lock = job.get("lock")
    supervisor = os.getpid()
    result = f"{job['token']}.result.json"

    def work() -> None:
        if lock is not None:
            os.close(lock)  # it stands for the process that writes down how this one ended
        desk.write(result, _outcome(job, desk, _watched(desk, supervisor)))

    with slot(Path(job["uploads"]), job["task"], desk.is_cancelled):
        reason = guarded(work, Limits(**job["limits"]), desk.is_cancelled)
    outcome = desk.read(result) if reason is None else {"state": REFUSED, "message": reason}
    if job["task"] != "admit":
        desk.write(result, outcome)
        return 0
    _conclude(desk, job, outcome or {"state": REFUSED, "message": "Reading it left no result. Try again."})
    return 0


def _watched(desk: Desk, supervisor: int) -> Progress:
    last = -1.0

    def report(share: float) -> None:
        nonlocal last
        if os.getppid() != supervisor:
            os._exit(1)  # nobody is left to read the outcome
        if share - last >= _STEP or share >= 1.0:
            last = share
            desk.report(share)

    return report


def _outcome(job: dict[str, Any], desk: Desk, progress: Progress) -> dict[str, Any]:
    try:
        return TASKS[job["task"]](job, desk, progress)
    except TftDashError as error:
        problems = [list(problem) for problem in getattr(error, "problems", ())]
        return {"state": REFUSED, "message": str(error), "problems": problems}


def _conclude(desk: Desk, job: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Give the dataset its place, or say why there is none."""
    state, message = outcome["state"], outcome.get("message", "")
    if outcome.get("problems"):
        state = NEEDS_MAPPING
    if state != READY:
        desk.set_state(state, message)
        return
    try:
        desk.set_state(READY, message, publish(desk, job))
    except OSError as error:
        desk.set_state(REFUSED, f"It could not be put in its place: {error.strerror or error}. Try again.")
    else:
        # The dataset has what was received; another name for it here would keep its bytes when that is removed.
        for left in (desk.original, desk.folder / job["file"]):
            left.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
