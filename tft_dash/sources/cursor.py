"""A place in a recording for scripts and notebooks: the next tick as a table, again and again."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from tft_dash.errors import TableError, UsageError, shorten
from tft_dash.frame import SourceDescription
from tft_dash.schema import (
    COLUMNS,
    INCIDENT_PHASE,
    METRIC_NAMES,
    NO_STATE,
    PROBLEM_CHILD,
    STATES,
    Batch,
    FloatArray,
    Window,
)
from tft_dash.sources.base import START
from tft_dash.sources.file import FileSource
from tft_dash.sources.files.formats import CSV, PARQUET, detect_format

AUTO: Final = "auto"
FORMATS: Final = (AUTO, CSV, PARQUET)


class DataSource:
    """A recording and a place in it, private to whoever holds it.

    :param data_path: a CSV or Parquet file, or a folder of either.
    :param data_format: ``"auto"`` finds out by content; ``"csv"`` or ``"parquet"`` insists on it.
    :param cache_folder: where the recording's cube is kept; by default a folder that goes with the object.
    :raises UsageError: there is no such format.
    :raises SourceMissingError: nothing is at the path.
    :raises TableError: what is there cannot be played, or has another format.
    """

    def __init__(
        self, data_path: str | Path, data_format: str = AUTO, *, cache_folder: str | Path | None = None
    ) -> None:
        self.path = Path(data_path)
        _demand_format(self.path, data_format)
        folder = Path(cache_folder or tempfile.mkdtemp(prefix="tft-dash-"))
        self._forget = None if cache_folder else weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.source = FileSource(self.path, name=self.path.stem, cache_folder=folder)
        self._after = START
        self.source.prepare()

    @property
    def description(self) -> SourceDescription:
        """What the recording is."""
        return self.source.describe()

    def get_next_batch(self) -> pd.DataFrame | None:
        """The next tick, one row per server, with the contract's columns; None at the end.

        What the recording lacks is missing: a metric, or a server's sample, and its state with it. The two columns
        of a drill's script are there only if the recording has them. Times are the tick's, in UTC.
        """
        batch = self.source.read(self._after, 1, labels=True)
        if not batch.ticks:
            return None
        self._after = batch.cursor
        return self._table(batch)

    def reset(self) -> None:
        """Go back to the first tick."""
        self._after = START

    def get_current_progress(self) -> float:
        """Share of the ticks that were given out, 0–100 %."""
        return 100.0 * (self._after + 1) / (self.description.ticks or 1)

    def close(self) -> None:
        """Let go of the recording."""
        self.source.close()
        if self._forget is not None:
            self._forget()

    def _table(self, batch: Batch) -> pd.DataFrame:
        window = batch.window
        names: dict[int, str | None] = {NO_STATE: None, **dict(enumerate(STATES))}
        columns: dict[str, object] = {
            "timestamp": pd.Timestamp(window.start, tz="UTC"),
            "server_name": list(window.servers),
            "profile": list(window.profiles),
            "state": [names[code] for code in batch.states[0].tolist()],
            **{name: _row(window, name) for name in METRIC_NAMES},
        }
        if window.phases is not None:
            columns[INCIDENT_PHASE] = window.phases[0]
        children = self.source.problem_children()
        if children:
            columns[PROBLEM_CHILD] = list(children)
        return pd.DataFrame(columns)[[name for name in COLUMNS if name in columns]]


def _row(window: Window, metric: str) -> FloatArray:
    values = window.metrics.get(metric)
    return np.full(len(window.servers), np.nan, np.float32) if values is None else np.array(values[0])


def _demand_format(path: Path, wanted: str) -> None:
    if wanted not in FORMATS:
        raise UsageError(f"There is no data format '{shorten(wanted)}'. Known: {', '.join(FORMATS)}.")
    if wanted == AUTO or path.is_dir():
        return
    found = detect_format(path)
    if found != wanted:
        raise TableError(
            f"{shorten(str(path))} is {found}, not {wanted}. Leave data_format out, or name the right one."
        )
