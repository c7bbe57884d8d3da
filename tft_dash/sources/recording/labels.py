"""What a recording says of its servers and ticks beside the metrics: profiles, phases, problem children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.errors import shorten
from tft_dash.schema import GENERIC_PROFILE, INCIDENT_PHASE, PROBLEM_CHILD, PROFILE
from tft_dash.sources.files.values import places_of, read_flags, read_words
from tft_dash.sources.findings import Findings, Mark, Rows, counted
from tft_dash.sources.finite import NO_PHASE

_PHASES_LIMIT: Final = 64
_WORD_LIMIT: Final = 64
_UNKNOWN: Final = -1


class _Words:
    """Numbers the distinct words of a column; blank is no word."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}

    def read(self, column: pa.Array) -> NDArray[np.int64]:
        """(rows,) numbers; -1 for a missing word."""
        words = read_words(column)
        codes = [_UNKNOWN if not (word or "").strip() else self._code(word) for word in words.dictionary.to_pylist()]
        return np.array([*codes, _UNKNOWN], np.int64)[places_of(words)]

    def _code(self, word: str) -> int:
        name = shorten(word.strip(), _WORD_LIMIT)
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]


class Labels:
    """Collects them while rows pass by."""

    def __init__(self, ticks: int, servers: int, findings: Findings) -> None:
        self._findings = findings
        self._profile_words, self._phase_words = _Words(), _Words()
        self._profiles = np.full(servers, _UNKNOWN, np.int64)
        self._phase_counts = np.zeros((ticks, 0), np.int32)
        self._occupied = np.zeros(ticks, bool)
        self._children = np.zeros(servers, bool)
        self._left_out: set[str] = set()
        self._seen: set[str] = set()

    def add(
        self, rows: Rows, ticks: NDArray[np.int64], servers: NDArray[np.int32], columns: Mapping[str, pa.Array]
    ) -> None:
        """A block's rows, their ticks and servers."""
        self._occupied[ticks] = True
        self._seen.update(columns)
        if PROFILE in columns:
            self._add_profiles(rows, servers, columns[PROFILE])
        if INCIDENT_PHASE in columns:
            self._add_phases(ticks, columns[INCIDENT_PHASE])
        if PROBLEM_CHILD in columns and PROBLEM_CHILD not in self._left_out:
            flags = read_flags(columns[PROBLEM_CHILD])
            if flags is None:
                self._leave_out(PROBLEM_CHILD, "a value is neither true nor false")
            else:
                self._children[servers[flags]] = True

    def profiles(self) -> tuple[str, ...]:
        """One for every server; notes those that the recording gives none."""
        without = int(np.count_nonzero(self._profiles == _UNKNOWN))
        if without:
            whom = "any server" if without == len(self._profiles) else counted(without, "server")
            self._findings.note("no-profile", PROFILE, detail=whom)
        names = [*self._profile_words.names, GENERIC_PROFILE]
        return tuple(names[code] for code in self._profiles.tolist())

    def phases(self, ticks: int) -> tuple[NDArray[np.int16], tuple[str, ...]]:
        """The first ``ticks`` ticks' most frequent phases as codes, and the phases' names.

        A tick without rows keeps the phase of the one before.
        """
        names = tuple(self._phase_words.names)
        if INCIDENT_PHASE in self._left_out or not names:
            return np.full(ticks, NO_PHASE, np.int16), ()
        counts = self._phase_counts[:ticks]
        codes = counts.argmax(axis=1).astype(np.int16)
        codes[counts.max(axis=1) == 0] = NO_PHASE
        last_occupied = np.maximum.accumulate(np.where(self._occupied[:ticks], np.arange(ticks), 0))
        return codes[last_occupied], names

    def problem_children(self) -> tuple[bool, ...]:
        """One for every server; empty when the recording has no such column."""
        if PROBLEM_CHILD in self._left_out or PROBLEM_CHILD not in self._seen:
            return ()
        return tuple(self._children.tolist())

    def _add_profiles(self, rows: Rows, servers: NDArray[np.int32], column: pa.Array) -> None:
        codes = self._profile_words.read(column)
        fresh = np.flatnonzero((codes != _UNKNOWN) & (self._profiles[servers] == _UNKNOWN))[::-1]
        # Backwards, so that the first row of a server is assigned last and stays.
        self._profiles[servers[fresh]] = codes[fresh]
        changed = (codes != _UNKNOWN) & (codes != self._profiles[servers])
        Mark(self._findings, rows, PROFILE).mask("profile-change", changed, column)

    def _add_phases(self, ticks: NDArray[np.int64], column: pa.Array) -> None:
        if INCIDENT_PHASE in self._left_out:
            return
        codes = self._phase_words.read(column)
        count = len(self._phase_words.names)
        if count > _PHASES_LIMIT:
            self._leave_out(INCIDENT_PHASE, f"it has more than {_PHASES_LIMIT} different phases")
            return
        more = count - self._phase_counts.shape[1]
        if more:
            self._phase_counts = np.pad(self._phase_counts, ((0, 0), (0, more)))
        said = codes != _UNKNOWN
        np.add.at(self._phase_counts, (ticks[said], codes[said]), 1)

    def _leave_out(self, column: str, reason: str) -> None:
        self._left_out.add(column)
        self._findings.note("unreadable-label", column, detail=reason)
