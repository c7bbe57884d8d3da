"""The same story in another size: duration, fleet, tick, seed."""

from __future__ import annotations

from typing import TypeVar

from tft_dash.errors import SettingError
from tft_dash.scenarios.fleet import resized
from tft_dash.scenarios.format.checks import MOST_ROWS, too_many_rows
from tft_dash.scenarios.format.fields import LONGEST_DURATION, is_number, show
from tft_dash.scenarios.format.parts import MOST_SERVERS, Fault, Phase, Spec

P = TypeVar("P", Phase, Fault)


def overridden(
    spec: Spec,
    *,
    duration_seconds: float | None,
    tick_seconds: float | None,
    fleet_size: int | None,
    seed: int | None,
) -> Spec:
    """``spec`` with some things changed; phases and faults keep their share of the duration.

    :raises SettingError: a value is impossible, or the drill would be too large.
    """
    if seed is not None:
        _whole_within("seed", seed, 0, 2**63 - 1)
        spec = spec.model_copy(update={"seed": int(seed)})
    if fleet_size is not None:
        _whole_within("fleet size", fleet_size, 1, MOST_SERVERS)
        spec = spec.model_copy(update={"fleet": resized(spec.fleet, int(fleet_size))})
    if tick_seconds is not None:
        _within("tick in seconds", tick_seconds, 0.01, 86_400)
        clock = spec.clock.model_copy(update={"tick": round(tick_seconds * 1000) / 1000})
        spec = spec.model_copy(update={"clock": clock})
    if duration_seconds is not None:
        _within("duration in seconds", duration_seconds, spec.clock.tick, LONGEST_DURATION)
        spec = _stretched(spec, round(duration_seconds * 1000))
    if spec.clock.ticks < 1:
        raise SettingError(f"A tick of {spec.clock.tick:g} s is longer than the drill ({spec.clock.duration:g} s).")
    if spec.clock.ticks * spec.fleet.size > MOST_ROWS:
        raise SettingError(f"The drill is too large: it {too_many_rows(spec.clock.ticks, spec.fleet.size)}")
    return spec


def _within(what: str, value: object, low: float, high: float) -> None:
    if not is_number(value) or not low <= value <= high:
        raise SettingError(f"The {what} must lie between {low:,} and {high:,}, not {show(value)}.")


def _whole_within(what: str, value: object, low: int, high: int) -> None:
    if not is_number(value) or isinstance(value, float):
        raise SettingError(f"The {what} must be a whole number, not {show(value)}.")
    _within(what, value, low, high)


def _stretched(spec: Spec, whole: int) -> Spec:
    was = round(spec.clock.duration * 1000)

    def moved(seconds: float | None) -> float | None:
        return None if seconds is None else (round(seconds * 1000) * whole + was // 2) // was / 1000

    def placed(part: P) -> P:
        return part.model_copy(update={"begin": moved(part.begin), "end": moved(part.end)})

    faults = tuple(placed(fault).model_copy(update={"lag": moved(fault.lag)}) for fault in spec.faults)
    phases = None if spec.phases is None else tuple(placed(phase) for phase in spec.phases)
    clock = spec.clock.model_copy(update={"duration": whole / 1000})
    return spec.model_copy(update={"clock": clock, "phases": phases, "faults": faults})
