"""Histories to learn from and to measure on: every server's series laid end to end, with what happened next.

One row is one server at one five-minute step. A row's window are the 96 rows that end with it, its future the rows
after it; both lie within the server's own series for every row that :meth:`Histories.usable` names. Arrays may be
memory-mapped, so that a fleet need not fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, PROFILES, STEP_SECONDS, TARGETS, WEEK_MINUTES
from tft_dash.models.forecasting.outcomes import outcomes_of
from tft_dash.schema import Window

LATEST: Final = NODES[-1]
Rows = NDArray[np.int64]
_TARGETS: Final = [INPUTS.index(name) for name in TARGETS]
_BEFORE: Final = np.arange(CONTEXT) - (CONTEXT - 1)
_AFTER: Final = np.array(NODES)
_MONDAY_MINUTES: Final = 3 * 1440
"""1970 began on a Thursday."""
_CODES: Final = {name: place for place, name in enumerate(PROFILES)}


@dataclass(frozen=True)
class Histories:
    """Series of servers, end to end. All but ``begin``, ``ticks`` and ``profile`` have a row per server and step.

    :param begin: (servers,) the first row of each series.
    :param ticks: (servers,) its length.
    :param profile: (servers,) codes of the profiles.
    :param metrics: (rows, 8) raw values in the order of ``INPUTS``, NaN = missing.
    :param minute: of the week, UTC.
    :param first: steps to the first critical step after each.
    :param critical: whether the server is critical now.
    :param onset: whether an incident begins here.
    :param counted: whether it counts in an evaluation: see ``outcomes.Outcomes``.
    """

    begin: Rows
    ticks: Rows
    profile: NDArray[np.int64]
    metrics: NDArray[np.float32]
    minute: NDArray[np.float32]
    first: NDArray[np.int16]
    critical: NDArray[np.bool_]
    onset: NDArray[np.bool_]
    counted: NDArray[np.bool_]

    @property
    def servers(self) -> int:
        """How many series there are."""
        return len(self.begin)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.metrics)

    @property
    def incidents(self) -> int:
        """How many incidents begin in these histories."""
        return int(self.onset.sum())

    @property
    def days(self) -> float:
        """How many days one server's series spans on average."""
        return float(self.ticks.mean()) * STEP_SECONDS / 86_400 if self.servers else 0.0

    def server_of(self, rows: Rows) -> Rows:
        """The series in which each row lies."""
        return np.searchsorted(self.begin, rows, side="right") - 1

    def windows(self, rows: Rows) -> NDArray[np.float32]:
        """(count, 96, 8) the windows that end at these rows."""
        return self.metrics[rows[:, None] + _BEFORE]

    def futures(self, rows: Rows) -> NDArray[np.float32]:
        """(count, nodes, targets) what the targets were at the horizon nodes."""
        return self.metrics[rows[:, None] + _AFTER][:, :, _TARGETS]

    def tick_of(self, rows: Rows) -> Rows:
        """The number of each row within its series."""
        return rows - self.begin[self.server_of(rows)]

    def usable(self, servers: Sequence[int] | None = None, first: float = 0.0, last: float = 1.0) -> Rows:
        """Rows with a whole window and a whole horizon around them, where the server reports and is not critical.

        :param servers: only of these series.
        :param first: only rows whose window begins after this share of the series,
        :param last: and whose horizon ends before this share.
        """
        found = []
        for server in range(self.servers) if servers is None else servers:
            begin, ticks = int(self.begin[server]), int(self.ticks[server])
            low = begin + round(first * ticks) + CONTEXT - 1
            high = begin + round(last * ticks) - LATEST
            rows = np.arange(low, max(high, low), dtype=np.int64)
            reports = ~np.isnan(self.metrics[low : max(high, low)]).all(1)
            found.append(rows[reports & ~self.critical[low : max(high, low)]])
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def part(self, servers: Sequence[int]) -> Histories:
        """Only these series, copied."""
        spans = [slice(int(self.begin[at]), int(self.begin[at] + self.ticks[at])) for at in servers]
        chosen = np.array(servers, np.int64)
        ticks = self.ticks[chosen]
        rows = {name: np.concatenate([getattr(self, name)[span] for span in spans]) for name in _PER_ROW}
        return Histories(_begins(ticks), ticks, self.profile[chosen], **rows)


_PER_SERVER: Final = ("begin", "ticks", "profile")
_PER_ROW: Final = tuple(field.name for field in fields(Histories) if field.name not in _PER_SERVER)


def history_of(window: Window) -> Histories:
    """The servers of one recording at five-minute steps."""
    nothing = np.full((window.ticks, len(window.servers)), np.nan, np.float32)
    stacked = np.stack([window.metrics.get(name, nothing) for name in INPUTS], axis=-1)
    found = outcomes_of(window.metrics)
    start = int(window.start.astype("datetime64[m]").astype(np.int64))
    minutes = (start + 5 * np.arange(window.ticks) + _MONDAY_MINUTES) % WEEK_MINUTES
    ticks = np.full(len(window.servers), window.ticks, np.int64)
    return Histories(
        begin=_begins(ticks),
        ticks=ticks,
        profile=np.array([_CODES.get(name, 0) for name in window.profiles], np.int64),
        metrics=np.ascontiguousarray(stacked.transpose(1, 0, 2)).reshape(-1, len(INPUTS)),
        minute=np.tile(minutes.astype(np.float32), len(window.servers)),
        first=found.first.T.ravel(),
        critical=found.critical.T.ravel(),
        onset=found.onset.T.ravel(),
        counted=found.counted.T.ravel(),
    )


def joined(parts: Sequence[Histories]) -> Histories:
    """The series of several histories, one after the other, in memory."""
    ticks = np.concatenate([part.ticks for part in parts])
    rows = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _PER_ROW}
    return Histories(_begins(ticks), ticks, np.concatenate([part.profile for part in parts]), **rows)


def save(histories: Histories, folder: Path) -> None:
    """Write one ``.npy`` file per array."""
    folder.mkdir(parents=True, exist_ok=True)
    for field in fields(Histories):
        np.save(folder / f"{field.name}.npy", getattr(histories, field.name))


def opened(folders: Sequence[Path], together: Path) -> Histories:
    """The histories in several folders as one, memory-mapped; the joined files are written to ``together``."""
    together.mkdir(parents=True, exist_ok=True)
    ticks = np.concatenate([np.load(folder / "ticks.npy") for folder in folders])
    profile = np.concatenate([np.load(folder / "profile.npy") for folder in folders])
    rows = {name: _laid_end_to_end([folder / f"{name}.npy" for folder in folders], together / f"{name}.npy")
            for name in _PER_ROW}  # fmt: skip
    return Histories(_begins(ticks), ticks, profile, **rows)


def _laid_end_to_end(paths: Sequence[Path], target: Path) -> NDArray[Any]:
    """The arrays in ``paths`` as one file; never more than one of them in memory."""
    parts = [np.load(path, mmap_mode="r") for path in paths]
    shape = (sum(len(part) for part in parts), *parts[0].shape[1:])
    whole = np.lib.format.open_memmap(target, "w+", parts[0].dtype, shape)
    at = 0
    for part in parts:
        whole[at : at + len(part)] = part
        at += len(part)
    whole.flush()
    return np.load(target, mmap_mode="r")


def _begins(ticks: Rows) -> Rows:
    return np.concatenate([[0], np.cumsum(ticks)[:-1]]).astype(np.int64)
