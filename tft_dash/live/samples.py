"""What a feed hands over: samples in columns, in any order, and what was wrong with those that are not among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tft_dash.schema import METRIC_NAMES, CodeArray, FloatArray

Times = NDArray[np.datetime64]
Names = NDArray[np.object_]
Flags = NDArray[np.bool_]

EXAMPLES_KEPT: Final = 5


@dataclass(frozen=True, slots=True)
class Rejected:
    """Samples, or values of samples, that were not acceptable, all by one rule.

    :param rule: its name in :data:`tft_dash.sources.rules.RULES`.
    :param count: how many.
    :param examples: the first few, in words.
    """

    rule: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of several servers and instants; every array is (samples,).

    :param times: UTC, ``datetime64[ms]``.
    :param servers: names, as objects.
    :param metrics: metric name → float32, NaN = missing; only metrics of the contract.
    :param profiles: as objects; None or ``""`` = not said.
    :param states: codes of the contract's states where the source tells them; ``NO_STATE`` = it does not.
    :param up: False = the source says itself that the server is down.
    :param rejected: what was not acceptable.
    :param now: the source's own clock as it answered; None = it does not tell.
    :param late: samples that the feed has dropped itself, because they came after their tick was closed.
    :param future: samples that the feed has dropped itself, because they were ahead of the clock.
    :param duplicate: samples that the feed has dropped itself, because it had them already.
    :param until: the answer speaks of no later tick than this instant's, whatever was asked for; None = it does.
    """

    times: Times
    servers: Names
    metrics: Mapping[str, FloatArray]
    profiles: Names | None = None
    states: CodeArray | None = None
    up: Flags | None = None
    rejected: tuple[Rejected, ...] = ()
    now: np.datetime64 | None = None
    late: int = 0
    future: int = 0
    duplicate: int = 0
    until: np.datetime64 | None = None

    def __post_init__(self) -> None:
        wanted = (len(self.times),)
        columns: dict[str, Any] = {"servers": self.servers, **self.metrics}
        columns |= {name: getattr(self, name) for name in ("profiles", "states", "up")}
        for name, values in columns.items():
            if values is not None and values.shape != wanted:
                raise ValueError(f"Samples: {name} has the shape {values.shape}; the times have {wanted}.")
        unknown = set(self.metrics) - set(METRIC_NAMES)
        if unknown:
            raise ValueError(f"Samples: {', '.join(sorted(unknown))} is no metric of the contract.")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def rejected_count(self) -> int:
        """How many samples or values were not acceptable."""
        return sum(one.count for one in self.rejected)

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        servers: Sequence[str],
        metrics: Mapping[str, ArrayLike],
        *,
        profiles: Sequence[str | None] | None = None,
        up: ArrayLike | None = None,
        rejected: Iterable[Rejected] = (),
        now: np.datetime64 | None = None,
    ) -> Samples:
        """Samples from plain lists.

        :raises ValueError: the columns are not equally long, or a metric is unknown.
        """
        return cls(
            np.asarray(times, "datetime64[ms]"),
            objects(servers),
            {name: np.asarray(values, np.float32) for name, values in metrics.items()},
            profiles=None if profiles is None else objects(profiles),
            up=None if up is None else np.asarray(up, bool),
            rejected=tuple(rejected),
            now=now,
        )


def objects(values: Sequence[Any]) -> Names:
    """A column of texts."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def no_samples(
    *, rejected: Iterable[Rejected] = (), now: np.datetime64 | None = None, late: int = 0, future: int = 0
) -> Samples:
    """An answer without a sample: the source is there and has nothing."""
    return Samples(np.zeros(0, "datetime64[ms]"), objects(()), {}, None, None, None, tuple(rejected), now, late, future)


def joined(parts: Sequence[Samples]) -> Samples:
    """Several deliveries as one; what a part does not have is missing in its rows."""
    if len(parts) == 1:
        return parts[0]
    names = [name for name in METRIC_NAMES if any(name in part.metrics for part in parts)]
    empty = no_samples()
    clocks = [part.now for part in parts if part.now is not None]
    ends = [part.until for part in parts if part.until is not None]
    return Samples(
        np.concatenate([empty.times, *(part.times for part in parts)]),
        np.concatenate([empty.servers, *(part.servers for part in parts)]),
        {name: np.concatenate([_metric(part, name) for part in parts]) for name in names},
        profiles=_column(parts, "profiles", None, object),
        states=_column(parts, "states", -1, np.int8),
        up=_column(parts, "up", True, bool),
        rejected=merged(one for part in parts for one in part.rejected),
        now=max(clocks) if clocks else None,
        late=sum(part.late for part in parts),
        future=sum(part.future for part in parts),
        duplicate=sum(part.duplicate for part in parts),
        until=min(ends) if ends else None,
    )


def merged(rejected: Iterable[Rejected]) -> tuple[Rejected, ...]:
    """One entry for every rule."""
    found: dict[str, Rejected] = {}
    for one in rejected:
        before = found.get(one.rule)
        if before is None:
            found[one.rule] = one
        else:
            examples = (*before.examples, *one.examples)[:EXAMPLES_KEPT]
            found[one.rule] = Rejected(one.rule, before.count + one.count, examples)
    return tuple(found.values())


def _metric(part: Samples, name: str) -> FloatArray:
    values = part.metrics.get(name)
    return np.full(len(part), np.nan, np.float32) if values is None else values


def _column(parts: Sequence[Samples], name: str, missing: Any, kind: Any) -> Any:  # noqa: ANN401 - any column
    columns = [getattr(part, name) for part in parts]
    if all(column is None for column in columns):
        return None
    return np.concatenate([
        np.full(len(part), missing, kind) if column is None else column
        for part, column in zip(parts, columns, strict=True)
    ])  # fmt: skip
