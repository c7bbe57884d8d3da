"""Histories to learn from and to measure on: every server's series laid end to end, with what happened next.

One row is one server at one five-minute step. A row's window are the 96 rows that end with it, its future the rows
after it; both lie within the server's own series for every row that :meth:`Histories.usable` names. Arrays may be
memory-mapped, so that a fleet need not fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, PROFILES, STEP_SECONDS, TARGETS, WEEK_MINUTES
from tft_dash.models.forecasting.outcomes import outcomes_of
from tft_dash.schema import Window
from tft_dash.zones import minutes_ahead

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
    :param minute: of the fleet's week.
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
        return int(np.count_nonzero(self.onset))

    def incidents_of(self, servers: Sequence[int]) -> int:
        """How many incidents begin on these servers."""
        return sum(int(np.count_nonzero(self.onset[self.span(server)])) for server in servers)

    def span(self, server: int) -> slice:
        """The rows of one series."""
        return slice(int(self.begin[server]), int(self.begin[server] + self.ticks[server]))

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

    def some_usable(self, most: int, first: float = 0.0, last: float = 1.0) -> Rows:
        """About ``most`` of the usable rows at most, evenly; all where there are fewer."""
        every = max(1, -(-self.rows // most))
        parts = [self.usable([server], first, last)[::every] for server in range(self.servers)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

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

    def stretch(self, first: int, last: int) -> Histories:
        """The series from ``first`` to before ``last``: views, nothing is copied."""
        ticks = self.ticks[first:last]
        begin = int(self.begin[first])
        rows = {name: getattr(self, name)[begin : begin + int(ticks.sum())] for name in _PER_ROW}
        return Histories(_begins(ticks), ticks, self.profile[first:last], **rows)

    def part(self, servers: Sequence[int]) -> Histories:
        """Only these series, copied."""
        spans = [self.span(server) for server in servers]
        chosen = np.array(servers, np.int64)
        ticks = self.ticks[chosen]
        rows = {name: np.concatenate([getattr(self, name)[span] for span in spans]) for name in _PER_ROW}
        return Histories(_begins(ticks), ticks, self.profile[chosen], **rows)


_PER_SERVER: Final = ("begin", "ticks", "profile")
_PER_ROW: Final = tuple(field.name for field in fields(Histories) if field.name not in _PER_SERVER)
_JOINED: Final = ("ticks", "profile", *_PER_ROW, "risk")
_BLOCK: Final = 262_144


def history_of(window: Window, zone: tzinfo = UTC) -> Histories:
    """The servers of one recording at five-minute steps.

    :param zone: by whose clock the fleet's days run.
    """
    nothing = np.full((window.ticks, len(window.servers)), np.nan, np.float32)
    stacked = np.stack([window.metrics.get(name, nothing) for name in INPUTS], axis=-1)
    found = outcomes_of(window.metrics)
    start = int(window.start.astype("datetime64[m]").astype(np.int64))
    times = start + 5 * np.arange(window.ticks)
    minutes = (times + minutes_ahead(times * 60_000, zone) + _MONDAY_MINUTES) % WEEK_MINUTES
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


def thinned(rows: Rows, most: int) -> Rows:
    """At most ``most`` of the rows, evenly."""
    return rows[:: max(1, -(-len(rows) // most))]


def save(histories: Histories, folder: Path) -> None:
    """Write one ``.npy`` file per array."""
    folder.mkdir(parents=True, exist_ok=True)
    for field in fields(Histories):
        np.save(folder / f"{field.name}.npy", getattr(histories, field.name))


def laid_end_to_end(folders: Sequence[Path], target: Path) -> None:
    """Write the series of several folders, one after the other, as one; never more than a block of them in memory."""
    for name in _JOINED:
        _join([folder / f"{name}.npy" for folder in folders], target / f"{name}.npy")


def opened(folder: Path) -> Histories:
    """The histories in a folder, those per row memory-mapped."""
    ticks, profile = np.load(folder / "ticks.npy"), np.load(folder / "profile.npy")
    rows = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _PER_ROW}
    return Histories(_begins(ticks), ticks, profile, **rows)


def _join(paths: Sequence[Path], target: Path) -> None:
    parts = [np.load(path, mmap_mode="r") for path in paths]
    shape = (sum(len(part) for part in parts), *parts[0].shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(parts[0].dtype), "fortran_order": False, "shape": shape}
    # Written, not assigned through a map: pages that were assigned stay in memory, and a full disk kills the process.
    with target.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            for at in range(0, len(part), _BLOCK):
                file.write(np.ascontiguousarray(part[at : at + _BLOCK]).data)


def _begins(ticks: Rows) -> Rows:
    return np.concatenate([[0], np.cumsum(ticks)[:-1]]).astype(np.int64)
