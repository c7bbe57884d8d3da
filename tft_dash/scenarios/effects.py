"""What faults do to a fleet: how intense each is at a time, and what that adds to which metric of which server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.scenarios.chance import drawn
from tft_dash.scenarios.chance.changes import changes_of, full_change
from tft_dash.scenarios.fleet import Places, Roster
from tft_dash.scenarios.format.parts import Effect, Fault, Spec
from tft_dash.scenarios.profiles import USUAL_EFFECTS
from tft_dash.scenarios.signals import Integers, Reals, stream, uniforms
from tft_dash.schema import METRIC_NAMES

CRASH_FROM: Final = 0.5
"""A crash takes a server down while its intensity is at least this."""

CHANCE_JITTER: Final = 0.06
"""How much the effect of what happens by chance wavers."""

Span = tuple[int, int, tuple[tuple[float, float], ...]]
"""First and last millisecond (the last excluded), and the line of intensity over it."""


class Course:
    """How intensity runs over some spans; 0 outside every one.

    :param spans: in order, none overlapping another.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        spans = tuple(spans)
        self._begin = np.array([begin for begin, _, _ in spans], np.int64)
        self._end = np.array([end for _, end, _ in spans], np.int64)
        pieces = [(number, *piece) for number, (_, _, line) in enumerate(spans) for piece in _pieces(line)]
        number, self._left, right, self._low, self._high = np.array(pieces, np.float64).reshape(-1, 5).T
        self._width = right - self._left
        # Complex numbers are searched by their real parts first: the span, then where in it.
        self._starts = number + 1j * self._left

    @property
    def begin_ms(self) -> int:
        """Where the first span begins."""
        return int(self._begin[0])

    @property
    def end_ms(self) -> int:
        """Where the last span ends."""
        return int(self._end[-1])

    def at(self, times: Integers) -> Reals:
        """(ticks,) intensity 0–1 at ``times`` in milliseconds from the start."""
        found = np.zeros(len(times))
        number = np.searchsorted(self._begin, times, side="right") - 1
        inside = number >= 0
        inside[inside] = times[inside] < self._end[number[inside]]
        number, begin = number[inside], self._begin[number[inside]]
        place = (times[inside] - begin) / (self._end[number] - begin).astype(np.float64)
        piece = np.searchsorted(self._starts, number + 1j * place, side="right") - 1
        low, high, width = self._low[piece], self._high[piece], self._width[piece]
        share = np.where(width > 0.0, (place - self._left[piece]) / np.where(width > 0.0, width, 1.0), 1.0)
        found[inside] = low + (high - low) * np.minimum(share, 1.0)
        return found


def _pieces(line: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float, float, float]]:
    """A line's straight pieces as ``(left, right, low, high)``; before its first point it is level."""
    first = line[0][1]
    yield -1.0, -1.0, first, first
    for (left, low), (right, high) in pairwise(line):
        yield left, right, low, high


def response(intensity: Reals) -> Reals:
    """How much of a fault shows at an intensity: 0 at 0, 1 at 1, flat at both ends, so that little is hardly seen."""
    return intensity * intensity * (3.0 - 2.0 * intensity)


@dataclass(frozen=True)
class Impact:
    """One fault on a certain fleet.

    :param servers: (struck,) places in the fleet.
    :param change: metric's place → (struck,) what full intensity adds, in the metric's unit.
    :param straight: whether it shows in proportion to its intensity, instead of by :func:`response`.
    """

    what: str
    servers: NDArray[np.intp]
    change: dict[int, Reals]
    course: Course
    lag_ms: int
    jitter: float
    lottery: tuple[np.random.Philox, ...]
    straight: bool = False

    @property
    def span_ms(self) -> tuple[int, int]:
        """First and last millisecond in which it can show, the lag included; the last excluded."""
        return self.course.begin_ms + self.lag_ms, self.course.end_ms + self.lag_ms

    def intensity(self, times: Integers) -> Reals:
        """(ticks,) 0–1, the lag included."""
        return self.course.at(times - self.lag_ms)

    def strike(self, values: Reals, noise: Reals, intensity: Reals) -> None:
        """Add to ``values`` (metrics, ticks, servers) what the fault does; leaves every other cell as it is."""
        shown = (intensity if self.straight else response(intensity))[:, None]
        if not shown.any():
            return
        for place, change in self.change.items():
            wavering = 1.0 + self.jitter * noise[place][:, self.servers]
            values[place][:, self.servers] += change * shown * wavering

    def lost(self, intensity: Reals) -> NDArray[np.bool_]:
        """(ticks, struck) samples that gaps take away: each with the probability of the intensity."""
        draws = [uniforms(bits, len(intensity)) < intensity for bits in self.lottery]
        return np.stack(draws, axis=1) if draws else np.zeros((len(intensity), 0), bool)


def impacts_of(spec: Spec, usual: Reals, places: Places | None = None) -> tuple[Impact, ...]:
    """Every fault of a document on its fleet; faults that strike nobody are left out.

    :param usual: (metrics, servers) usual values.
    :param places: the servers that ``usual`` is of, where they are only a part of the fleet; None = all.
    """
    roster, story = Roster(spec.fleet), story_course(spec)
    names = roster.names if places is None else [roster.names[place] for place in places]
    found = []
    for fault in spec.faults:
        struck = _within(roster.struck(fault, spec.seed), places)
        if len(struck):
            change = {
                METRIC_NAMES.index(metric): _full_change(effect, usual[METRIC_NAMES.index(metric), struck])
                for metric, effect in (fault.strength or USUAL_EFFECTS[fault.what]).items()
            }
            lottery = [stream(spec.seed, names[place], f"gaps/{fault.id}") for place in struck if fault.what == "gaps"]
            course = story if fault.follows_phases else own_course(fault, spec)
            lag = round(fault.lag * 1000)
            found.append(Impact(fault.what, struck, change, course, lag, fault.jitter, tuple(lottery)))
    return (*found, *_by_chance(spec, usual, places))


def _by_chance(spec: Spec, usual: Reals, places: Places | None) -> Iterator[Impact]:
    """What chance does to the servers at ``places``, as impacts on one server each."""
    at = None if places is None else {int(place): number for number, place in enumerate(places)}
    for happening in drawn(spec).happenings:
        server = happening.server if at is None else at.get(happening.server)
        if server is None:
            continue
        change: dict[int, Reals] = {}
        for place, added in changes_of(happening, usual[:, server], METRIC_NAMES):
            change[place] = change.get(place, np.zeros(1)) + added
        course = Course([(happening.begin_ms, happening.end_ms, happening.line)])
        yield Impact(happening.what, np.array([server]), change, course, 0, CHANCE_JITTER, (), straight=True)


def _within(struck: Places, places: Places | None) -> Places:
    """Where among ``places`` those in ``struck`` stand; ``struck`` itself where there is no choice."""
    return struck if places is None else np.flatnonzero(np.isin(places, struck))


def story_course(spec: Spec) -> Course:
    """The phases' intensity."""
    return Course((round(phase.begin * 1000), round(phase.end * 1000), phase.intensity.line) for phase in spec.story)


def own_course(fault: Fault, spec: Spec) -> Course:
    """The intensity of a fault that does not follow the phases, without its lag."""
    begin = 0.0 if fault.begin is None else fault.begin
    end = spec.clock.duration if fault.end is None else fault.end
    line = ((0.0, 1.0),) if fault.intensity is None else fault.intensity.line
    return Course([(round(begin * 1000), round(end * 1000), line)])


def _full_change(effect: Effect, usual: Reals) -> Reals:
    return np.array([full_change(effect, float(value)) for value in usual])
