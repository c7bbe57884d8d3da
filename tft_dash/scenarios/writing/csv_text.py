"""CSV text of a drill, made here so that its bytes are equal everywhere and for good.

A block is laid out as a table of bytes in which every field has its full width and unused places are NUL; leaving the
NULs out gives the text. That costs a tenth of formatting value by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.scenarios.fleet import server_names, server_profiles
from tft_dash.scenarios.format.parts import Spec
from tft_dash.scenarios.generate import Block, affected_servers, phase_places
from tft_dash.scenarios.signals import Integers
from tft_dash.schema import COLUMNS, METRICS, STATES

Bytes = NDArray[np.uint8]

HEADER: Final = (",".join(COLUMNS) + "\n").encode()
_NEEDS_QUOTES: Final = frozenset(',"\r\n')
_ZERO: Final = ord("0")


class CsvText:
    """Turns blocks of one drill into CSV text, without the header."""

    def __init__(self, spec: Spec) -> None:
        servers = list(server_names(spec.fleet.profiles))
        struck = set(affected_servers(spec))
        self._start_ms = round(spec.clock.start.timestamp() * 1000)
        self._tick_ms = round(spec.clock.tick * 1000)
        self._servers = _table(servers)
        self._profiles = _table([profile.name for profile in server_profiles(spec.fleet.profiles)])
        # NO_STATE is -1, so that it finds the empty word at the end.
        self._states = _table([*STATES, ""])
        self._phases = _table([phase.name for phase in spec.story])
        self._phase_places = phase_places(spec)
        self._struck = _table(["true" if name in struck else "false" for name in servers])

    def lines(self, block: Block) -> bytes:
        """The block's rows by tick, then server; times in UTC with ``Z``, silent metrics and states empty."""
        ticks, servers = block.silent.shape
        fields = [
            np.broadcast_to(self._times(block)[:, None, :], (ticks, servers, 24)),
            np.broadcast_to(self._servers, (ticks, *self._servers.shape)),
            np.broadcast_to(self._profiles, (ticks, *self._profiles.shape)),
            self._states[block.states],
        ]
        fields += [
            _decimals(block.scaled[place], metric.decimals, block.silent) for place, metric in enumerate(METRICS)
        ]
        phases = self._phases[self._phase_places[block.first : block.first + ticks]]
        fields.append(np.broadcast_to(phases[:, None, :], (ticks, servers, phases.shape[1])))
        fields.append(np.broadcast_to(self._struck, (ticks, *self._struck.shape)))
        return _joined(fields)

    def _times(self, block: Block) -> Bytes:
        """(ticks, 24): milliseconds are written only if some tick of the drill has any."""
        ticks = np.arange(block.first, block.first + block.ticks, dtype=np.int64)
        instants = (self._start_ms + ticks * self._tick_ms).astype("datetime64[ms]")
        has_ms = self._start_ms % 1000 or self._tick_ms % 1000
        words = np.datetime_as_string(instants, unit="ms" if has_ms else "s")
        return _table([f"{word}Z" for word in words], width=24)


def _table(words: Sequence[str], width: int = 0) -> Bytes:
    """(words, widest) their UTF-8, padded with NUL; quoted where CSV asks for it."""
    encoded = [_quoted(word).encode() for word in words]
    width = max(width, *map(len, encoded))
    return np.frombuffer(b"".join(word.ljust(width, b"\0") for word in encoded), np.uint8).reshape(-1, width)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"' if _NEEDS_QUOTES & set(word) else word


def _decimals(scaled: Integers, decimals: int, silent: NDArray[np.bool_]) -> Bytes:
    """(ticks, servers, width) whole numbers of their last decimal as decimal text: 3510 → ``35.10``."""
    digits = max(len(str(int(scaled.max()))), decimals + 1)
    text = np.zeros((*scaled.shape, digits + 1), np.uint8)
    left: NDArray[Any] = scaled.astype(np.uint32 if digits < 10 else np.uint64)
    for place in range(digits):
        rest = left // 10
        column = digits - place if place < decimals else digits - place - 1
        written = (left - rest * 10).astype(np.uint8) + np.uint8(_ZERO)
        text[..., column] = written if place <= decimals else np.where(left == 0, 0, written)
        left = rest
    text[..., digits - decimals] = ord(".")
    text[silent] = 0
    return text


def _joined(fields: Sequence[Bytes]) -> bytes:
    """The fields with commas between them and a line feed at each row's end, NULs left out."""
    width = sum(field.shape[-1] + 1 for field in fields)
    rows = np.empty((*fields[0].shape[:2], width), np.uint8)
    at = 0
    for field in fields:
        rows[..., at : at + field.shape[-1]] = field
        at += field.shape[-1] + 1
        rows[..., at - 1] = ord(",")
    rows[..., -1] = ord("\n")
    flat = rows.reshape(-1)
    return flat[flat != 0].tobytes()
