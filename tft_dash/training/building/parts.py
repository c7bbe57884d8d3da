"""One part of the work: the histories of some servers of one fleet, written to a folder of ``.npy`` files.

A part is whole or not there: it is written beside its folder and renamed. Whoever finds it there leaves it as it is.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import StorageError, TftDashError, shorten
from tft_dash.models.base import MODELS
from tft_dash.schema import Window
from tft_dash.training.building.origins import FleetFacts, Origin
from tft_dash.training.histories import history_of, save
from tft_dash.zones import zone_of

ROWS: Final = 400_000
"""Of a part: bounds what a process holds to some 100 MB."""
RAW_VALUES: Final = 4_000_000
"""Of one metric, where a finer recording is averaged."""
RISK_FILE: Final = "risk.npy"


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is asked for: servers ``first`` to before ``last`` of a fleet, into ``folder``."""

    origin: Origin
    first: int
    last: int
    folder: Path


def tasks_of(origins: Sequence[Origin], facts: Sequence[FleetFacts], folder: Path, rows: int = ROWS) -> list[Task]:
    """The parts of all fleets, in order of fleets and servers."""
    found = []
    for number, (origin, about) in enumerate(zip(origins, facts, strict=True)):
        size = min(rows // max(about.ticks, 1), RAW_VALUES // max(origin.raw_ticks(), 1))
        for first in range(0, about.servers, max(size, 1)):
            last = min(first + max(size, 1), about.servers)
            found.append(Task(origin, first, last, folder / f"{number:05d}-{first:06d}-{last:06d}"))
    return found


def build(task: Task) -> TftDashError | None:
    """Make one part; what went wrong is returned, for not every way between processes carries an error unharmed."""
    if task.folder.is_dir():
        return None
    # Two workers may be given the same part when one was thought lost; each writes under a name of its own.
    work = task.folder.with_name(f".{task.folder.name}.{socket.gethostname()}-{os.getpid()}.part")
    try:
        window = task.origin.window(task.first, task.last)
        shutil.rmtree(work, ignore_errors=True)
        save(history_of(window, zone_of(task.origin.zone or "UTC")), work)
        np.save(work / RISK_FILE, risks(window))
        if not task.folder.is_dir():
            work.replace(task.folder)
    except TftDashError as error:
        return error
    except OSError as error:
        if not task.folder.is_dir():
            return StorageError(
                f"{shorten(str(task.folder.parent), 200)} cannot be written: {error.strerror or error}. "
                "Free some space, or take another --output."
            )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return None


def risks(window: Window) -> NDArray[np.float32]:
    """(rows,) the risk that the model ``thresholds`` gives, in the order of the rows of the window's history."""
    found: NDArray[np.float32] = MODELS.load("thresholds")().assess_recording(window).risk
    return found.T.ravel()
