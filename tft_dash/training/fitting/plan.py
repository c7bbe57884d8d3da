"""How a model is fitted; with the data's digest it determines the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fit.

    :param steps: optimiser steps; the rate falls to nothing over them.
    :param near_share: share of the windows that are drawn from before a crossing, within ``near_steps``; their weight
        makes up for it.
    :param average: how much of the averaged weights is kept at each step.
    :param dropped: share of the windows' metrics that are hidden, so that a source without some is understood.
    :param shortened: share of the windows whose older part is hidden.
    :param check_every: steps between measurements on the validation windows and checkpoints.
    :param patience: measurements without an improvement after which fitting stops early.
    """

    seed: int = 1
    steps: int = 7000
    batch: int = 128
    rate: float = 4e-3
    warm_steps: int = 200
    decay: float = 1e-2
    near_share: float = 0.4
    near_steps: int = 36
    average: float = 0.999
    dropped: float = 0.06
    shortened: float = 0.1
    nameless: float = 0.1
    check_every: int = 250
    patience: int = 12
    width: int = 24
    dropout: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For the model's card and for checkpoints."""
        return asdict(self)

    def digest(self) -> str:
        """Equal for equal plans."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()
