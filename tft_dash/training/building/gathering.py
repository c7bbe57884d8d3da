"""The parts of all fleets as one memory-mapped history: only what is touched is ever in memory.

::

    <folder>/parts/…       what the workers have made; removed once it is joined
    <folder>/<array>.npy   all rows, end to end
    <folder>/fleets.json   of what; written last, so that work that was killed is gone on with
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import StorageError, shorten
from tft_dash.files import write_whole
from tft_dash.progress import Progress, silent
from tft_dash.training.building.crew import Crew
from tft_dash.training.building.origins import FleetFacts, Origin
from tft_dash.training.building.parts import RISK_FILE, ROWS, tasks_of
from tft_dash.training.histories import Histories, laid_end_to_end, opened

MARK: Final = "fleets.json"
VERSION: Final = "1"


@dataclass(frozen=True)
class Gathered:
    """Fleets and their series, one fleet after the other.

    :param risk: (rows,) what the model ``thresholds`` says of each row.
    """

    fleets: tuple[FleetFacts, ...]
    history: Histories
    risk: NDArray[np.float32]


def gathered(
    origins: Sequence[Origin], facts: Sequence[FleetFacts], folder: Path, crew: Crew, progress: Progress = silent,
    *, rows: int = ROWS,
) -> Gathered:  # fmt: skip
    """Build what is not there yet, and open it.

    :param facts: those of ``origins``.
    :param rows: about how many a part has; the result does not depend on it.
    :raises StorageError: the folder cannot be written.
    """
    key = _key(origins)
    parts = folder / "parts" / key[:16]
    try:
        if not _finished(folder, key):
            _clear(folder, parts)
            tasks = tasks_of(origins, facts, parts, rows)
            crew.build(tasks, lambda share: progress(0.9 * share))
            laid_end_to_end([task.folder for task in tasks], folder)
            write_whole(folder / MARK, json.dumps({"key": key, "fleets": [about.name for about in facts]}))
        shutil.rmtree(folder / "parts", ignore_errors=True)
        progress(1.0)
        return Gathered(tuple(facts), opened(folder), np.load(folder / RISK_FILE, mmap_mode="r"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(
            f"{shorten(str(folder), 200)} cannot be written: {reason}. Free some space there."
        ) from error


def _clear(folder: Path, parts: Path) -> None:
    """Remove what was made of other fleets, or joined in part only."""
    for other in (*folder.glob("*"), *parts.parent.glob("*")):
        if other.is_file():
            other.unlink()
        elif other not in (parts, parts.parent):
            shutil.rmtree(other)
    parts.mkdir(parents=True, exist_ok=True)


def _finished(folder: Path, key: str) -> bool:
    try:
        return bool(json.loads((folder / MARK).read_text())["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _key(origins: Sequence[Origin]) -> str:
    words = json.dumps([VERSION, *(origin.key() for origin in origins)])
    return hashlib.sha256(words.encode()).hexdigest()
