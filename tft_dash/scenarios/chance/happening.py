"""What chance draws: single happenings, and the incidents that some of them make up together."""

from __future__ import annotations

from dataclasses import dataclass

from tft_dash.scenarios.format.parts import Effect

Line = tuple[tuple[float, float], ...]
Effects = tuple[tuple[str, Effect, float], ...]
"""``(metric, the effect at full intensity, the share of it that is meant)``."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that chance does to one server.

    :param what: ``change`` of metrics, ``crash`` (offline) or ``silence`` (no samples).
    :param server: its place in the fleet.
    :param begin_ms: from the start of the drill; ``end_ms`` is excluded.
    :param line: intensity over the span, 0–1.
    :param trouble: whether it belongs to an incident, or to a build-up that goes back.
    """

    what: str
    server: int
    begin_ms: int
    end_ms: int
    line: Line
    effects: Effects
    trouble: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it was drawn: for sorting what was found afterwards, never for finding it.

    What counts as an incident is what the metrics make of it; one that is drawn may stay below every line.

    :param server: its place in the fleet.
    :param begin_ms: where its build-up begins; for a sudden one where it strikes.
    :param struck_ms: where it strikes.
    :param end_ms: where everything is as usual again.
    :param kind: a name in ``KINDS``, or ``sudden``.
    :param origin: ``chance``, ``recurrence`` of an earlier one, or ``cascade`` from another server.
    """

    server: int
    begin_ms: int
    struck_ms: int
    end_ms: int
    kind: str
    origin: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """Everything that chance does to a fleet, in order of the servers."""

    happenings: tuple[Happening, ...]
    incidents: tuple[Incident, ...]
