"""The likely origin of a problem: who showed first; between those that showed together, on whom the others depend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tft_dash.alerts.dependencies import Dependencies
from tft_dash.alerts.problem import Involved
from tft_dash.scenarios.format.fields import format_duration


def by_origin(servers: Sequence[Involved], graph: Dependencies, step_ms: int) -> tuple[Involved, ...]:
    """The servers in order of likely origin, the first with the reason why.

    Onsets within one step of the first are together: samples come no finer. Among them comes first on whose profile
    most of the others depend, then who showed earlier, then who stood earlier in ``servers``: the order keeps still.
    """
    if not servers:
        return ()
    first = min(one.onset_ms for one in servers)
    together = {one.server for one in servers if one.onset_ms <= first + step_ms}
    place = {one.server: number for number, one in enumerate(servers)}
    counts = Counter(one.profile for one in servers)
    depending = {profile: _depending(profile, counts, graph) for profile in counts}

    def key(one: Involved) -> tuple[int, int, int]:
        if one.server not in together:
            return 1, one.onset_ms, place[one.server]
        return -depending[one.profile], one.onset_ms, place[one.server]

    return tuple(sorted(servers, key=key))


def _depending(profile: str, counts: Counter[str], graph: Dependencies) -> int:
    """How many servers depend on a profile."""
    return sum(count for other, count in counts.items() if graph.upstream(profile, other))


def why(servers: Sequence[Involved], graph: Dependencies, step_ms: int) -> str:
    """Why the first of ``servers``, in order of origin, is it: a sentence without its full stop."""
    if len(servers) < 2:
        return "the only server that shows" if servers else ""
    origin = servers[0]
    depending = _depending(origin.profile, Counter(one.profile for one in servers), graph)
    called = f"; {depending} of the others depend on {origin.profile}" if depending else ""
    second = min(one.onset_ms for one in servers[1:])
    ahead = second - origin.onset_ms
    if ahead > step_ms:
        return f"showed {format_duration(ahead / 1000)} before any other{called}"
    if depending:
        return f"showed together with others{called}"
    if ahead > 0:
        return f"showed {format_duration(ahead / 1000)} before any other, which is one step: not certain"
    return "showed together with others: not certain"
