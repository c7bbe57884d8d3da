"""What a happening does to metrics: effects scaled to how much of them is meant, and what they add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tft_dash.scenarios.chance.happening import Effects, Happening
from tft_dash.scenarios.chance.kinds import IncidentKind
from tft_dash.scenarios.format.parts import Effect
from tft_dash.scenarios.signals import Reals


def scaled(effects: Mapping[str, Effect], share: float) -> Effects:
    """A share of some effects."""
    return tuple((name, effect, _share_of(effect, share)) for name, effect in effects.items())


def _share_of(effect: Effect, share: float) -> float:
    """A metric that moves *to* a value just below its critical line keeps below it."""
    return 1.0 - 0.2 * max(1.0 - share, 0.0) if effect.to is not None and effect.to > 1.0 else share


def beyond(kind: IncidentKind, announced: float) -> Effects:
    """What strikes, less what has been announced in the same metric already."""
    return tuple(scaled(kind.strikes, 1.0)) + tuple(
        (name, kind.announces[name], -_share_of(kind.announces[name], announced))
        for name in kind.strikes
        if announced and name in kind.announces
    )


def changes_of(happening: Happening, usual: Reals, metrics: tuple[str, ...]) -> Iterator[tuple[int, float]]:
    """``(metric's place, what full intensity adds)`` for a happening; ``usual``: (metrics,) of its server."""
    for name, effect, share in happening.effects:
        place = metrics.index(name)
        yield place, share * full_change(effect, float(usual[place]))


def full_change(effect: Effect, usual: float) -> float:
    """What an effect adds at full intensity to a metric that is usually ``usual``."""
    if effect.to is not None:
        return effect.to - usual
    if effect.times is not None:
        return (effect.times - 1.0) * usual
    return float(effect.add or 0.0)
