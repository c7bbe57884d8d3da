"""Which servers a fleet has, and whom a fault strikes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from tft_dash.scenarios.format.parts import Fault, Fleet, Profile, Selector

Places = NDArray[np.intp]
"""Places of servers in their fleet, ascending."""

Group = tuple[str, int, int]
"""Servers that stand side by side: their prefix, the place of the first, and how many."""


def server_names(profiles: Sequence[Profile]) -> Iterator[str]:
    """Every server's name in the fleet's order: ``web-001``, ``web-002``, …"""
    return (f"{profile.server_prefix}-{number:03d}" for profile in profiles for number in range(1, profile.count + 1))


def server_profiles(profiles: Sequence[Profile]) -> Iterator[Profile]:
    """Every server's profile, in the same order as :func:`server_names`."""
    return (profile for profile in profiles for _ in range(profile.count))


class Roster:
    """The servers of a fleet by their places in it.

    :ivar names: every server's name, in the fleet's order.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.names = tuple(server_names(fleet.profiles))

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Every server's place by its name."""
        return {name: place for place, name in enumerate(self.names)}

    def struck(self, fault: Fault, seed: int) -> Places:
        """The places of the servers that ``fault`` strikes, in order; may be none in a small fleet."""
        whom = fault.whom
        if whom.names is not None:
            return np.array(sorted({self.place[name] for name in whom.names if name in self.place}), np.intp)
        groups = tuple(self._groups(whom))
        if whom.share is not None:
            return _drawn(seed, fault.id, whom.share, groups)
        return np.concatenate([np.zeros(0, np.intp), *(np.arange(start, start + count) for _, start, count in groups)])

    def lots(self, whom: Selector) -> int:
        """How many lots must be drawn to find whom a selector means."""
        return 0 if whom.share is None else sum(count for _, _, count in self._groups(whom))

    def _groups(self, whom: Selector) -> Iterator[Group]:
        start = 0
        for profile in self._fleet.profiles:
            if whom.profile in (None, profile.name):
                limit = 1 if whom.first_of_each else whom.first or profile.count
                yield profile.server_prefix, start, min(limit, profile.count)
            start += profile.count


def struck_servers(fault: Fault, fleet: Fleet, seed: int) -> tuple[int, ...]:
    """The places in the fleet of the servers that ``fault`` strikes, in order; may be none in a small fleet."""
    return tuple(Roster(fleet).struck(fault, seed).tolist())


@lru_cache(maxsize=32)
def _drawn(seed: int, fault: str, share: float, groups: tuple[Group, ...]) -> Places:
    """The places that fall to a fault's lot; kept, since a form asks again with each key that is pressed."""
    names = {start + number: f"{prefix}-{number + 1:03d}" for prefix, start, count in groups for number in range(count)}
    count = max(1, int(share * len(names) + 0.5)) if names else 0
    order = sorted(names, key=lambda place: _lot(seed, fault, names[place]))
    drawn = np.array(sorted(order[:count]), np.intp)
    drawn.flags.writeable = False
    return drawn


def _lot(seed: int, fault: str, server: str) -> bytes:
    return hashlib.sha256(f"{seed}\x1f{fault}\x1f{server}".encode()).digest()


def resized(fleet: Fleet, size: int) -> Fleet:
    """``fleet`` with ``size`` servers in the same mix, at least one of each profile while there are enough.

    Largest remainders, ties by order; a profile without servers stays without.
    """
    counts = [profile.count for profile in fleet.profiles]
    present = [place for place, count in enumerate(counts) if count]
    if size <= len(present):
        wanted = [1 if place in present[:size] else 0 for place in range(len(counts))]
    else:
        wanted = _proportional(counts, size)
    profiles = tuple(
        profile.model_copy(update={"count": count}) for profile, count in zip(fleet.profiles, wanted, strict=True)
    )
    return fleet.model_copy(update={"profiles": profiles})


def _proportional(counts: Sequence[int], size: int) -> list[int]:
    whole = sum(counts)
    wanted = [max(count * size // whole, 1) if count else 0 for count in counts]
    while (missing := size - sum(wanted)) != 0:
        step = 1 if missing > 0 else -1
        owed = [
            (step * (count * size - given * whole), -place)
            for place, (count, given) in enumerate(zip(counts, wanted, strict=True))
            if count and given + step >= 1
        ]
        wanted[-max(owed)[1]] += step
    return wanted
