"""Which servers a fleet has, and whom a fault strikes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from tft_dash.scenarios.format.parts import Fault, Fleet, Profile, Selector


def server_names(profiles: Sequence[Profile]) -> Iterator[str]:
    """Every server's name in the fleet's order: ``web-001``, ``web-002``, …"""
    return (f"{profile.server_prefix}-{number:03d}" for profile in profiles for number in range(1, profile.count + 1))


def server_profiles(profiles: Sequence[Profile]) -> Iterator[Profile]:
    """Every server's profile, in the same order as :func:`server_names`."""
    return (profile for profile in profiles for _ in range(profile.count))


def struck_servers(fault: Fault, fleet: Fleet, seed: int) -> tuple[int, ...]:
    """The places in the fleet of the servers that ``fault`` strikes, in order; may be none in a small fleet."""
    names = list(server_names(fleet.profiles))
    whom = fault.whom
    if whom.names is not None:
        wanted = set(whom.names)
        return tuple(place for place, name in enumerate(names) if name in wanted)
    candidates = list(_candidates(whom, fleet))
    if whom.share is None or not candidates:
        return tuple(candidates)
    count = max(1, int(whom.share * len(candidates) + 0.5))
    order = sorted(candidates, key=lambda place: _lot(seed, fault.id, names[place]))
    return tuple(sorted(order[:count]))


def _candidates(whom: Selector, fleet: Fleet) -> Iterator[int]:
    start = 0
    for profile in fleet.profiles:
        if whom.profile in (None, profile.name):
            limit = 1 if whom.first_of_each else whom.first or profile.count
            yield from range(start, start + min(limit, profile.count))
        start += profile.count


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
