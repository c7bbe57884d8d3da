"""The second pass over a recording: every value into its cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.schema import METRIC, NO_STATE, STATE, Metric
from tft_dash.sources.cubes.cube import STATE_FILE, TIME_FILE, create_array, no_sample, release
from tft_dash.sources.files.values import NOT_A_STATE, judge, read_numbers, read_states
from tft_dash.sources.findings import Findings, Mark, Rows, range_of
from tft_dash.sources.recording.collisions import (
    STATE_KEY,
    Samples,
    by_time,
    count_collisions,
    first_of_cells,
    joined,
    missing,
)
from tft_dash.sources.recording.scan import GoodRows
from tft_dash.sources.recording.survey import Survey
from tft_dash.sources.recording.ticking import Ticking

_SPILL_ROWS: Final = 1 << 18
"""Samples that meet an earlier one of their cell wait until all are known, or until there are this many."""

_RELEASE_ROWS: Final = 1 << 21
"""After so many rows the pages that they touched leave this process's memory, which so stays bounded."""

NS_PER_UNIT: Final[Mapping[str, int]] = {"ms": 1_000_000, "us": 1_000, "ns": 1}


class Filler:
    """The arrays of a cube while rows are assigned to them.

    :ivar metrics: the metrics that the files have columns for.
    :ivar ticks: how many ticks there are; the arrays have one more than the grid at most.
    :ivar values: metric name, and ``"state"`` → (ticks × servers,) values.
    :ivar offsets: (ticks × servers,) as in ``time.npy``; ``nothing`` where there is no sample.
    """

    def __init__(
        self, folder: Path, survey: Survey, metrics: Sequence[str], files: Sequence[str], findings: Findings
    ) -> None:
        self._survey, self._findings = survey, findings
        self._files = {name: place for place, name in enumerate(files)}
        self._names = tuple(files)
        self.metrics = tuple(metrics)
        self._ticking = Ticking(survey.grid, in_order=survey.in_order)
        self.ticks = survey.grid.ticks
        # One tick to spare, for a last sample that is pushed.
        shape = (survey.grid.ticks + 1, len(survey.servers))
        self._unit = NS_PER_UNIT[survey.time_unit]
        # A sample is less than two steps away from its tick's nominal time.
        narrow = 2 * survey.grid.step // self._unit < np.iinfo(np.int32).max
        kind = np.int32 if narrow else np.int64
        self.nothing = no_sample(kind)
        arrays = {name: create_array(folder / f"{name}.npy", np.float32, shape, np.nan) for name in metrics}
        arrays[STATE_KEY] = create_array(folder / f"{STATE_FILE}.npy", np.int8, shape, NO_STATE)
        offsets = create_array(folder / f"{TIME_FILE}.npy", kind, shape, self.nothing)
        self._unreleased = 0
        self.values: dict[str, NDArray[Any]] = {name: array.reshape(-1) for name, array in arrays.items()}
        self.offsets = offsets.reshape(-1)
        self._spilled: list[Samples] = []
        self._agreeing = self._differing = 0

    def add(self, block: GoodRows) -> NDArray[np.int64]:
        """Assign a block's rows; their ticks."""
        survey, rows = self._survey, block.rows
        servers = survey.places[rows.codes]
        ticks = self._ticking.ticks(rows.times, servers)
        self.ticks = max(self.ticks, int(ticks.max(initial=0)) + 1)
        cells = ticks * len(survey.servers) + servers
        samples = Samples(
            cells,
            rows.times,
            self._read(block),
            np.full(len(cells), self._files[rows.file], np.int32),
            rows.numbers,
        )
        direct = first_of_cells(cells) & (self.offsets[cells] == self.nothing)
        if direct.all():
            self._assign(samples)
        else:
            self._assign(samples.pick(direct))
            self._spilled.append(samples.pick(~direct))
        if sum(len(part.cells) for part in self._spilled) > _SPILL_ROWS:
            self._settle()
        self._unreleased += len(cells)
        if self._unreleased > _RELEASE_ROWS:
            self.release()
        return ticks

    def finish(self) -> None:
        """Settle the cells that several samples fell into."""
        self._settle()
        if self._agreeing or self._differing:
            detail = f"{self._agreeing:,} with the same values, {self._differing:,} with others"
            self._findings.note("duplicate-row", detail=detail)

    def release(self) -> None:
        """Take the arrays' pages out of this process's memory."""
        self._unreleased = 0
        for array in (*self.values.values(), self.offsets):
            release(array)

    def _read(self, block: GoodRows) -> dict[str, NDArray[Any]]:
        count = len(block.rows.numbers)
        read: dict[str, NDArray[Any]] = {}
        for name in self.metrics:
            column = block.columns.get(name)
            absent = np.full(count, np.nan, np.float32)
            read[name] = absent if column is None else self._metric(METRIC[name], column, block.rows)
        states = np.full(count, NO_STATE, np.int8)
        if STATE in block.columns:
            states = read_states(block.columns[STATE])
            unknown = states == NOT_A_STATE
            Mark(self._findings, block.rows, STATE).mask("unknown-state", unknown, block.columns[STATE])
            states[unknown] = NO_STATE
        read[STATE_KEY] = states
        return read

    def _metric(self, metric: Metric, column: pa.Array, rows: Rows) -> NDArray[np.float32]:
        numbers = read_numbers(column)
        judged = judge(numbers.values, metric)
        mark = Mark(self._findings, rows, metric.name)
        mark.mask("text-in-number", numbers.text, column)
        mark.mask("infinite-value", judged.infinite, column)
        mark.mask("out-of-range", judged.outside, column, detail=range_of(metric))
        return judged.values

    def _assign(self, samples: Samples) -> None:
        """The last value of a cell stays."""
        servers = len(self._survey.servers)
        nominal = self._survey.grid.times_of(samples.cells // servers)
        self.offsets[samples.cells] = (samples.times - nominal) // self._unit
        for name, values in samples.values.items():
            said = ~missing(name, values)
            if said.all():
                self.values[name][samples.cells] = values
            elif said.any():
                self.values[name][samples.cells[said]] = values[said]

    def _settle(self) -> None:
        if not self._spilled:
            return
        spilled = joined(self._spilled)
        self._spilled = []
        ordered = by_time(joined([self._occupants(np.unique(spilled.cells)), spilled]))
        agreeing, differing = count_collisions(ordered, self._findings, self._names, self._survey.servers)
        self._agreeing += agreeing
        self._differing += differing
        self._assign(ordered)

    def _occupants(self, cells: NDArray[np.int64]) -> Samples:
        """What the grid holds in ``cells``."""
        nominal = self._survey.grid.times_of(cells // len(self._survey.servers))
        times = nominal + self.offsets[cells].astype(np.int64) * self._unit
        values = {name: array[cells] for name, array in self.values.items()}
        unknown = np.zeros(len(cells), np.int64)
        return Samples(cells, times, values, unknown.astype(np.int32), unknown)
