"""Samples of one server that share a tick: the later wins, and a missing value never overwrites a measured one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tft_dash.schema import NO_STATE
from tft_dash.sources.findings import Example, Findings, iso_time

STATE_KEY = "state"


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples and the cells of the grid that they fall into.

    :param cells: (rows,) tick × servers + server.
    :param times: (rows,) nanoseconds since 1970.
    :param values: metric name → (rows,) float32, and ``"state"`` → (rows,) int8.
    :param files: (rows,) number of the file.
    :param numbers: (rows,) row number in the file.
    """

    cells: NDArray[np.int64]
    times: NDArray[np.int64]
    values: Mapping[str, NDArray[Any]]
    files: NDArray[np.int32]
    numbers: NDArray[np.int64]

    def pick(self, chosen: NDArray[Any]) -> Samples:
        """Those of ``chosen``, a mask or places."""
        values = {name: array[chosen] for name, array in self.values.items()}
        return Samples(self.cells[chosen], self.times[chosen], values, self.files[chosen], self.numbers[chosen])


def joined(parts: Sequence[Samples]) -> Samples:
    """All parts one after the other, which is the order of their rows."""
    return Samples(
        np.concatenate([part.cells for part in parts]),
        np.concatenate([part.times for part in parts]),
        {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
        np.concatenate([part.files for part in parts]),
        np.concatenate([part.numbers for part in parts]),
    )


def first_of_cells(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True for the first row of every cell."""
    if len(cells) < 2 or (np.diff(cells) > 0).all():
        return np.ones(len(cells), bool)
    order = np.argsort(cells, kind="stable")
    fresh = np.concatenate([[True], cells[order][1:] != cells[order][:-1]])
    first = np.empty(len(cells), bool)
    first[order] = fresh
    return first


def by_time(samples: Samples) -> Samples:
    """Ordered by cell, then time, then row: assigned in this order, the last value of every cell stays."""
    return samples.pick(np.lexsort((np.arange(len(samples.cells)), samples.times, samples.cells)))


def missing(name: str, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a column of :attr:`Samples.values` says nothing."""
    return values == NO_STATE if name == STATE_KEY else np.isnan(values)


def count_collisions(
    ordered: Samples, findings: Findings, files: Sequence[str], servers: Sequence[str]
) -> tuple[int, int]:
    """Note the samples that give way to a later one of their cell.

    :param ordered: as :func:`by_time` gives them, with every sample of each cell; row number 0 = no longer known.
    :returns: how many repeat the time of another sample, with equal and with different values.
    """
    follows = np.zeros(len(ordered.cells), bool)
    follows[1:] = ordered.cells[1:] == ordered.cells[:-1]
    same_time = follows.copy()
    same_time[1:] &= ordered.times[1:] == ordered.times[:-1]
    for rule, mask in (("duplicate-row", same_time), ("shared-tick", follows & ~same_time)):
        places = np.flatnonzero(mask)
        findings.count(rule, len(places))
        told = np.where(ordered.numbers[places] > 0, places, places - 1)
        told = told[np.lexsort((ordered.numbers[told], ordered.files[told]))]
        wanted = findings.wants_example(rule, None) if len(told) else 0
        findings.example(rule, None, [_example(ordered, int(place), files, servers) for place in told[:wanted]])
    agrees = _agrees_with_previous(ordered)
    return int(np.count_nonzero(same_time & agrees)), int(np.count_nonzero(same_time & ~agrees))


def _agrees_with_previous(ordered: Samples) -> NDArray[np.bool_]:
    agrees = np.ones(len(ordered.cells), bool)
    for name, values in ordered.values.items():
        nothing = missing(name, values)
        agrees[1:] &= (values[1:] == values[:-1]) | (nothing[1:] & nothing[:-1])
    return agrees


def _example(samples: Samples, place: int, files: Sequence[str], servers: Sequence[str]) -> Example:
    return Example(
        file=files[samples.files[place]],
        row=int(samples.numbers[place]),
        time=iso_time(int(samples.times[place])),
        server=servers[samples.cells[place] % len(servers)],
        value=None,
    )
