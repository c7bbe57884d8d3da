"""What a document's drill will look like, while it is being written: by the run's own generator and by a model.

A small drill is computed whole. Of a large fleet only some servers are, every affected one first, each with exactly
the values that the run has for it; a drill of very many ticks is sampled more coarsely. The preview says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice, zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import LimitError
from tft_dash.models.base import RiskModel
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.effects import own_course, story_course
from tft_dash.scenarios.expectations import Outcome, evaluate
from tft_dash.scenarios.fleet import Places, Roster
from tft_dash.scenarios.format.fields import format_duration
from tft_dash.scenarios.format.parts import Spec
from tft_dash.scenarios.generate import Simulation, phase_names, simulate
from tft_dash.scenarios.signals import Integers
from tft_dash.schema import CodeArray, FloatArray, ModelCard, Phase

SERVERS: Final = 100
"""A larger fleet is reduced to so many."""
TICKS: Final = 720
"""A drill of more ticks is sampled more coarsely: an hour at the usual tick is still whole."""
UNAFFECTED: Final = 20
"""So many of a reduced fleet are kept for servers without a fault, to hold the others against."""
LOTS: Final = 200_000
"""Lots drawn at most: a fault that strikes a share of a fleet draws one for each of its servers."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A drill as it will be, and what a model will say of it.

    :param card: of the model.
    :param servers: those computed, in the fleet's order.
    :param affected: those of them that a fault strikes.
    :param reduced: what was left out, as a sentence; None = nothing.
    :param tick_seconds: time between the ticks computed.
    :param seconds: (ticks,) from the drill's start.
    :param phases: in these ticks; a phase between two ticks is left out.
    :param intensity: (ticks,) 0–1; under ``""`` the phases', under a fault's id its own, lag included.
    :param metrics: (ticks, servers) each, NaN = nothing recorded.
    :param states: (ticks, servers) codes.
    :param risk: (ticks, servers), NaN = nothing to say; so are the fleet's two probabilities, (ticks,).
    :param outcomes: what becomes of each entry of ``expect``, in order.
    :param instead: why this model judges the drill in the place of the one that was asked; None = it was asked.
    """

    scenario: Scenario
    card: ModelCard
    servers: tuple[str, ...]
    affected: tuple[str, ...]
    reduced: str | None
    tick_seconds: float
    seconds: FloatArray
    phases: tuple[Phase, ...]
    intensity: Mapping[str, FloatArray]
    metrics: Mapping[str, FloatArray]
    states: CodeArray
    risk: FloatArray
    prob_30m: FloatArray
    prob_8h: FloatArray
    outcomes: tuple[Outcome, ...]
    instead: str | None = None


def make_preview(scenario: Scenario, model: RiskModel, *, instead: str | None = None) -> Preview:
    """The drill that ``scenario`` determines as ``model`` judges it; its cost is bounded, whatever the drill's size.

    :param instead: why this model judges it in another one's place.
    :raises LimitError: finding out whom the faults strike would take too long.
    """
    choice = _choose(scenario.spec)
    sampled = sampled_scenario(scenario)
    drill = simulate(sampled, servers=choice.servers)
    phases = phase_names(sampled.spec) if model.card.uses_labels else None
    said = model.assess_recording(replace(drill.window, phases=phases))
    times = np.arange(drill.ticks, dtype=np.int64) * round(sampled.spec.clock.tick * 1000)
    return Preview(
        scenario=scenario,
        card=model.card,
        servers=drill.window.servers,
        affected=drill.affected,
        reduced=_words(scenario.spec, sampled.spec, drill, choice),
        tick_seconds=sampled.spec.clock.tick,
        seconds=(times / 1000).astype(np.float32),
        phases=tuple(_phases(drill.phases)),
        intensity=_intensity(sampled.spec, times),
        metrics=drill.window.metrics,
        states=drill.states,
        risk=said.risk,
        prob_30m=said.prob_30m,
        prob_8h=said.prob_8h,
        outcomes=evaluate(sampled, drill, said),
        instead=instead,
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which servers are computed.

    :param servers: their names; None = all.
    :param affected: how many of the whole fleet a fault strikes.
    """

    servers: tuple[str, ...] | None
    affected: int


def _choose(spec: Spec) -> _Choice:
    if spec.fleet.size <= SERVERS:
        return _Choice(None, 0)
    roster = Roster(spec.fleet)
    lots = sum(roster.lots(fault.whom) for fault in spec.faults)
    if lots > LOTS:
        raise LimitError(
            f"The faults that strike a share of the fleet draw {lots:,} lots to find their servers; a preview draws at "
            f"most {LOTS:,}. Name a profile or the servers, or take a smaller fleet. The drill itself can be run."
        )
    marks, is_struck = _marks(spec, roster)
    struck, spared = np.flatnonzero(is_struck), np.flatnonzero(~is_struck)
    kinds = np.repeat(np.arange(len(spec.fleet.profiles)), [profile.count for profile in spec.fleet.profiles])
    room = max(SERVERS - UNAFFECTED, SERVERS - len(spared))
    first = list(islice(_in_turn(struck, kinds, marks), room))
    rest = islice(_in_turn(spared, kinds, marks), SERVERS - len(first))
    return _Choice(tuple(roster.names[place] for place in sorted([*first, *rest])), len(struck))


def _marks(spec: Spec, roster: Roster) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """(servers,) equal numbers for servers that the same faults strike, and whether any fault does."""
    marks, is_struck = np.zeros(len(roster.names), np.uint64), np.zeros(len(roster.names), bool)
    for fault, number in zip(spec.faults, np.random.Philox(key=0).random_raw(len(spec.faults)), strict=True):
        struck = roster.struck(fault, spec.seed)
        marks[struck] ^= number
        is_struck[struck] = True
    return marks, is_struck


def _in_turn(places: Places, kinds: Places, marks: NDArray[np.uint64]) -> Iterator[int]:
    """``places`` so that the first few already come from every profile and meet every combination of faults."""
    order = places[np.lexsort((places, kinds[places], marks[places]))]
    groups = groupby(order.tolist(), key=lambda place: (kinds[place], marks[place]))
    rounds = zip_longest(*(list(islice(members, SERVERS)) for _, members in groups))
    return (place for place in chain.from_iterable(rounds) if place is not None)


def sampled_scenario(scenario: Scenario) -> Scenario:
    """The same drill with a tick so many times as long that there are few enough."""
    clock = scenario.spec.clock
    times = -(-clock.ticks // TICKS)
    if times == 1:
        return scenario
    slower = clock.model_copy(update={"tick": round(clock.tick * 1000) * times / 1000})
    return scenario.model_copy(update={"spec": scenario.spec.model_copy(update={"clock": slower})})


def _phases(names: tuple[str, ...]) -> Iterator[Phase]:
    first = 0
    for name, ticks in groupby(names):
        last = first + len(list(ticks)) - 1
        yield Phase(name, first, last)
        first = last + 1


def _intensity(spec: Spec, times: Integers) -> Mapping[str, FloatArray]:
    story = story_course(spec)
    found = {"": story.at(times)}
    for fault in spec.faults:
        course = story if fault.follows_phases else own_course(fault, spec)
        found[fault.id] = course.at(times - round(fault.lag * 1000))
    return {name: values.astype(np.float32) for name, values in found.items()}


def _words(whole: Spec, sampled: Spec, drill: Simulation, choice: _Choice) -> str | None:
    """What the preview leaves out."""
    is_coarse = sampled.clock.tick != whole.clock.tick
    parts = []
    if choice.servers is not None:
        parts.append(f"on {len(choice.servers):,} of {whole.fleet.size:,} servers{_struck_words(drill, choice)}")
    if is_coarse:
        tick, usual = format_duration(sampled.clock.tick), format_duration(whole.clock.tick)
        parts.append(f"every {tick} in place of every {usual}")
    if not parts:
        return None
    noise = "the noise is another draw, and what is shorter may not show" if is_coarse else "values are the run's own"
    fleet = ["P30 is of these servers"] if choice.servers is not None else []
    return f"Computed {', '.join(parts)}; {', '.join([noise, *fleet][:: -1 if is_coarse else 1])}."


def _struck_words(drill: Simulation, choice: _Choice) -> str:
    shown = len(drill.affected)
    if not choice.affected:
        return ""
    if shown < choice.affected:
        return f", {shown:,} of the {choice.affected:,} affected ones among them"
    return f", {'the' if shown == 1 else f'all {shown:,}'} affected {'one' if shown == 1 else 'ones'} among them"
