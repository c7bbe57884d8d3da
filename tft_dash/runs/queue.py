"""Runs as people see them: asked for, waiting at a position, being made, done; the same from every process."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast

from tft_dash.errors import LimitError, UnknownNameError, shorten
from tft_dash.recordings import Recordings, expected_bytes, recording_name
from tft_dash.runs.runner import Runner
from tft_dash.scenarios.document import Scenario, as_mapping
from tft_dash.scenarios.format.fields import format_duration
from tft_dash.store.documents import AUTHOR_LENGTH
from tft_dash.store.engine import Store
from tft_dash.store.runs import DONE, RUNNING, RunTable, StoredRun

MOST_WAITING: Final = 100
RunState = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Run:
    """A recording that is made, or was.

    :param scenario: the document's name.
    :param source: the recording's name, and the source's in addresses.
    :param progress: share that is done, 0–1.
    :param position: in the queue, 1 = the next; None = it does not wait.
    :param message: why it failed or was stopped; what it does besides its progress; that its recording is gone.
    :param there: whether it is done and its recording is still there.
    """

    id: str
    title: str
    scenario: str
    source: str
    state: RunState
    progress: float
    position: int | None
    message: str
    rows: int
    author: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    there: bool = False


class RunQueue:
    """The runs of the portal, one queue for all its processes.

    :param row_limit: rows (servers × ticks) that a run may make.
    :param at_once: runs that are made at a time, by all processes together.
    :param other_bytes: what other things take of the room for recordings.
    """

    def __init__(
        self,
        store: Store,
        recordings: Recordings,
        *,
        row_limit: int,
        at_once: int,
        other_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._table = RunTable(store)
        self._recordings = recordings
        self._row_limit = row_limit
        self._other_bytes = other_bytes
        self._runner = Runner(self._table, recordings, at_once, other_bytes)

    def submit(self, scenario: Scenario, *, author: str = "") -> Run:
        """Ask for the recording of a document.

        The same document that waits or is being made already gives that run; a recording that is there gives a run
        that is done.

        :raises LimitError: the drill is larger than a run may be, no room can be made for it, or too many wait.
        :raises StorageError: the store or the folder of recordings cannot be written.
        """
        rows = scenario.spec.clock.ticks * scenario.spec.fleet.size
        if rows > self._row_limit:
            raise LimitError(_too_large(scenario, rows, self._row_limit))
        name = recording_name(scenario)
        facts = {
            "title": scenario.title,
            "scenario": scenario.name,
            "source": name,
            "body": json.dumps(as_mapping(scenario)),
            "rows": rows,
            "author": shorten(author, AUTHOR_LENGTH),
        }
        run_id = secrets.token_hex(8)
        if self._recordings.is_current(scenario):
            self._recordings.watch(name)  # it was just asked for: nobody may remove it before it is opened
            return self._shown(self._table.add_done(run_id, facts))
        self._recordings.make_room(expected_bytes(rows), others=self._other_bytes())
        run = self._table.add(run_id, facts, most_waiting=MOST_WAITING)
        if run is None:
            raise LimitError(f"{MOST_WAITING} runs are waiting already. Try again later, or cancel one that waits.")
        self.wake()
        return self._shown(run)

    def get(self, run_id: str) -> Run:
        """A run by its id.

        :raises UnknownNameError: there is none.
        """
        self.wake()
        return self._known(run_id)

    def recent(self, limit: int = 20) -> tuple[Run, ...]:
        """The newest runs first."""
        self.wake()
        return tuple(self._shown(run) for run in self._table.recent(limit))

    def cancel(self, run_id: str) -> Run:
        """Stop a run: at once while it waits, within moments while it is being made; a finished one stays as it is.

        Nothing is left of its recording.

        :raises UnknownNameError: there is none.
        """
        self._known(run_id)
        self._table.cancel(run_id)
        return self._known(run_id)

    def wake(self) -> None:
        """Have this process make what waits, in the background, if the portal's number at a time allows."""
        self._runner.wake()

    def keep_watch(self) -> None:
        """Have this process look by itself, every few seconds, for runs to make and recordings to remove."""
        self._runner.keep_watch()

    def stop(self) -> None:
        """Begin to stop; a signal's handler may call it. What is being made goes back to its place in the queue."""
        self._runner.stop()

    def close(self) -> None:
        """Stop making recordings in this process; what was begun goes back to its place in the queue."""
        self._runner.close()

    def _known(self, run_id: str) -> Run:
        run = self._table.get(run_id)
        if run is None:
            raise UnknownNameError("run", run_id, (run.id for run in self._table.recent(5)))
        return self._shown(run)

    def _shown(self, run: StoredRun) -> Run:
        there = run.state == DONE and self._recordings.is_there(run.source)
        message = run.message
        if run.state == DONE and not there:
            message = "Its recording has been removed since. Run it again to have it."
        elif run.cancel and run.state == RUNNING:
            message = "It is being stopped."
        return Run(
            run.id, run.title, run.scenario, run.source, cast(RunState, run.state), run.progress, run.position,
            message, run.rows, run.author, run.created, run.started, run.finished, there,
        )  # fmt: skip


def _too_large(scenario: Scenario, rows: int, limit: int) -> str:
    clock, servers = scenario.spec.clock, scenario.spec.fleet.size
    head = (
        f"This drill has {servers:,} servers × {clock.ticks:,} ticks = {rows:,} rows; a run may make {limit:,}. "
        "Take fewer servers, a shorter duration or a longer tick"
    )
    ticks = limit // servers
    coarser = -(-round(clock.duration * 1000) // ticks) / 1000 if ticks else None
    fits = f" ({format_duration(_rounded_up(coarser))} would do)" if coarser is not None and coarser < 86_400 else ""
    return f"{head}{fits}, or raise TFT_DASH_RUN_ROWS."


def _rounded_up(seconds: float) -> float:
    return seconds if seconds < 1 else float(-(-seconds // 1))
