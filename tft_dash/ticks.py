"""One tick of a live source as it was recorded: what was measured, what was said of it, when, by which model."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.schema import DRIVERS_PER_SERVER, METRIC_NAMES, CodeArray, FloatArray

FLEET_SCALARS: Final = ("prob_30m", "prob_8h", "cpu_median", "latency_p95", "error_mean")
"""The fleet's figures of one tick, in the order in which they are stored."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The servers of a live source at a time; a tick names the roster by which its arrays are.

    :param number: made from the content: equal rosters have equal numbers, for ever and everywhere.
    """

    number: int
    servers: tuple[str, ...]
    profiles: tuple[str, ...]

    @classmethod
    def of(cls, servers: Sequence[str], profiles: Sequence[str]) -> Roster:
        """The roster of these servers, in this order."""
        content = json.dumps([list(servers), list(profiles)]).encode()
        return cls(int.from_bytes(hashlib.sha256(content).digest()[:6], "big"), tuple(servers), tuple(profiles))


NO_ROSTER: Final = Roster.of((), ())


@dataclass(frozen=True, slots=True)
class Counts:
    """Samples that came with a tick and are not in it; see :mod:`tft_dash.live` for what each word means.

    :param rejected: those that were not acceptable.
    """

    late: int = 0
    duplicate: int = 0
    future: int = 0
    rejected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.late + other.late,
            self.duplicate + other.duplicate,
            self.future + other.future,
            self.rejected + other.rejected,
        )

    @property
    def any(self) -> bool:
        """Whether anything is not in its tick."""
        return bool(self.late or self.duplicate or self.future or self.rejected)


NO_COUNTS: Final = Counts()


@dataclass(frozen=True, slots=True)
class TickRecord:
    """A recorded tick. It is a fact: written once, in order, and never computed again.

    :param time: the tick's own, UTC, to the millisecond.
    :param issued: when it was judged and recorded; long after ``time`` where it was back-filled.
    :param model: identity of the model's card.
    :param roster: by which the arrays are.
    :param metrics: metric name → (servers,) float32; NaN = missing; only metrics that some server had.
    :param states: (servers,) codes; ``NO_STATE`` = nothing was reported.
    :param risk: (servers,) float32 in [0, 1]; NaN = nothing to say.
    :param driver_metric: (servers, 2) int8, index into ``METRICS``; -1 = none.
    :param driver_usual: (servers, 2) float32.
    :param server_prob_30m: (servers,) float32; NaN = the model has none.
    :param prob_30m: of the fleet; NaN = nothing to say.
    :param cpu_median: over the servers that report; NaN = none does. The other fleet figures likewise.
    :param reporting: how many servers have a value of some metric at this tick.
    :param silent_ticks: (servers,) int32, ticks since the server's last sample; 0 = it has one at this tick.
    :param counts: what arrived since the tick before and is in no tick.
    """

    source: str
    tick: int
    time: np.datetime64
    issued: np.datetime64
    model: str
    roster: Roster
    metrics: Mapping[str, FloatArray]
    states: CodeArray
    risk: FloatArray
    driver_metric: CodeArray
    driver_usual: FloatArray
    server_prob_30m: FloatArray
    server_prob_8h: FloatArray
    prob_30m: float
    prob_8h: float
    cpu_median: float
    latency_p95: float
    error_mean: float
    reporting: int
    silent_ticks: NDArray[np.int32]
    counts: Counts = NO_COUNTS

    @property
    def servers(self) -> tuple[str, ...]:
        """The names, in the arrays' order."""
        return self.roster.servers

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles, in the arrays' order."""
        return self.roster.profiles

    @property
    def scalars(self) -> tuple[float, ...]:
        """The fleet's figures in the order of :data:`FLEET_SCALARS`."""
        return tuple(float(getattr(self, name)) for name in FLEET_SCALARS)


ARRAYS: Final[Mapping[str, tuple[Any, int, float]]] = {
    "states": (np.int8, 1, -1),
    "risk": (np.float32, 1, np.nan),
    "driver_metric": (np.int8, DRIVERS_PER_SERVER, -1),
    "driver_usual": (np.float32, DRIVERS_PER_SERVER, np.nan),
    "server_prob_30m": (np.float32, 1, np.nan),
    "server_prob_8h": (np.float32, 1, np.nan),
    "silent_ticks": (np.int32, 1, 0),
}
"""Name → type, values per server, and what stands for nothing."""

_VERSION: Final = 1
_LEVEL: Final = 1
_MAY_BE_LEFT_OUT: Final = ("driver_usual", "server_prob_30m", "server_prob_8h", "silent_ticks")


def pack(record: TickRecord) -> bytes:
    """The arrays of a record as compact bytes; exact to the last bit.

    The bytes of equal place in each number lie together: alike as they are, they compress far better so.
    """
    metrics = [name for name in METRIC_NAMES if name in record.metrics]
    arrays = [name for name in ARRAYS if name not in _MAY_BE_LEFT_OUT or _says_something(name, getattr(record, name))]
    head = ",".join(metrics) + ";" + ",".join(arrays)
    parts = [_shuffled(np.asarray(record.metrics[name], np.float32)) for name in metrics]
    parts += [_shuffled(np.asarray(getattr(record, name), ARRAYS[name][0])) for name in arrays]
    plain = head.encode()
    return bytes([_VERSION]) + zlib.compress(len(plain).to_bytes(2, "big") + plain + b"".join(parts), _LEVEL)


def unpack(payload: bytes, servers: int) -> dict[str, Any]:
    """The arrays that :func:`pack` has written: ``metrics`` and those of :data:`ARRAYS`.

    :raises ValueError: the bytes are not such a payload, or were written by a newer version.
    """
    if not payload or payload[0] != _VERSION:
        raise ValueError("a tick's payload has an unknown layout")
    try:
        plain = zlib.decompress(payload[1:])
    except zlib.error as error:
        raise ValueError(f"a tick's payload is damaged ({error})") from error
    size = int.from_bytes(plain[:2], "big")
    metrics, _, arrays = plain[2 : 2 + size].decode().partition(";")
    reader = _Reader(plain, 2 + size, servers)
    found: dict[str, Any] = {"metrics": {name: reader.read(np.float32, 1) for name in _words(metrics)}}
    given = _words(arrays)
    for name, (kind, width, nothing) in ARRAYS.items():
        shape = (servers,) if width == 1 else (servers, width)
        found[name] = reader.read(kind, width) if name in given else np.full(shape, nothing, kind)
    reader.demand_end()
    return found


class _Reader:
    """Reads one array after the other."""

    def __init__(self, plain: bytes, place: int, servers: int) -> None:
        self._plain, self._place, self._servers = plain, place, servers

    def read(self, kind: Any, width: int) -> NDArray[Any]:  # noqa: ANN401 - any type of number
        size, count = np.dtype(kind).itemsize, self._servers * width
        end = self._place + size * count
        if end > len(self._plain):
            raise ValueError("a tick's payload is too short for its servers")
        stored = np.frombuffer(self._plain, np.uint8, size * count, self._place).reshape(size, count)
        self._place = end
        values: NDArray[Any] = np.ascontiguousarray(stored.T).view(kind).reshape(-1)
        return values if width == 1 else values.reshape(self._servers, width)

    def demand_end(self) -> None:
        if self._place != len(self._plain):
            raise ValueError("a tick's payload is too long for its servers")


def _says_something(name: str, values: NDArray[Any]) -> bool:
    nothing = ARRAYS[name][2]
    return bool(np.any(~np.isnan(values) if np.isnan(nothing) else values != nothing))


def _shuffled(values: NDArray[Any]) -> bytes:
    flat = np.ascontiguousarray(values).reshape(-1)
    return np.ascontiguousarray(flat.view(np.uint8).reshape(len(flat), flat.itemsize).T).tobytes()


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]
