"""Parquet of a drill: the same rows as its CSV, a row group per block."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tft_dash.scenarios.fleet import server_names, server_profiles
from tft_dash.scenarios.format.parts import Spec
from tft_dash.scenarios.generate import Block, affected_servers, phase_places
from tft_dash.schema import (
    INCIDENT_PHASE,
    METRIC_NAMES,
    METRICS,
    NO_STATE,
    PROBLEM_CHILD,
    PROFILE,
    SERVER_NAME,
    STATE,
    STATES,
    TIMESTAMP,
)

METADATA_KEY: Final = "tft_dash"
"""Under this key a drill says in the file itself what it is, so that it is recognised after being renamed."""

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_SCHEMA: Final = pa.schema(
    [
        (TIMESTAMP, pa.timestamp("ms", tz="UTC")),
        (SERVER_NAME, _TEXT),
        (PROFILE, _TEXT),
        (STATE, _TEXT),
        *((name, pa.float64()) for name in METRIC_NAMES),
        (INCIDENT_PHASE, _TEXT),
        (PROBLEM_CHILD, pa.bool_()),
    ]
)


class ParquetDrill:
    """Writes blocks of one drill as row groups."""

    def __init__(self, spec: Spec, file: BinaryIO) -> None:
        servers = list(server_names(spec.fleet.profiles))
        struck = set(affected_servers(spec))
        self._start_ms = round(spec.clock.start.timestamp() * 1000)
        self._tick_ms = round(spec.clock.tick * 1000)
        self._servers = pa.array(servers)
        self._profiles = _coded([profile.name for profile in server_profiles(spec.fleet.profiles)])
        self._phases = pa.array([phase.name for phase in spec.story])
        self._phase_places = phase_places(spec)
        self._struck = np.array([name in struck for name in servers])
        # Without the Arrow schema the columns read back as plain text rather than as pandas categories.
        self._writer = pq.ParquetWriter(file, _SCHEMA, compression="zstd", store_schema=False)

    def write(self, block: Block) -> None:
        """Add the block's rows, by tick, then server."""
        ticks, servers = block.silent.shape
        times = self._start_ms + np.arange(block.first, block.first + ticks, dtype=np.int64) * self._tick_ms
        silent = block.silent.reshape(-1)
        states = np.where(block.states == NO_STATE, len(STATES), block.states).reshape(-1)
        phases = np.repeat(self._phase_places[block.first : block.first + ticks], servers)
        every = np.tile(np.arange(servers, dtype=np.int32), ticks)
        names, codes = self._profiles
        columns = [
            pa.array(np.repeat(times, servers)).cast(pa.timestamp("ms", tz="UTC")),
            _dictionary(every, self._servers),
            _dictionary(np.tile(codes, ticks), names),
            _dictionary(states, pa.array(STATES), states == len(STATES)),
            *(pa.array(block.values(place).reshape(-1), mask=silent) for place in range(len(METRICS))),
            _dictionary(phases, self._phases),
            pa.array(np.tile(self._struck, ticks)),
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA), row_group_size=ticks * servers)

    def describe(self, description: Mapping[str, Any]) -> None:
        """What the file says about itself."""
        self._writer.add_key_value_metadata({METADATA_KEY: json.dumps(description, sort_keys=True)})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._writer.close()
            return
        with contextlib.suppress(OSError):
            self._writer.close()


def _coded(words: Sequence[str]) -> tuple[pa.Array, NDArray[np.int32]]:
    """The distinct words in order, and for each word its place among them."""
    places = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return pa.array(list(places)), np.array([places[word] for word in words], np.int32)


def _dictionary(places: NDArray[Any], words: pa.Array, silent: NDArray[np.bool_] | None = None) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=silent), words)
