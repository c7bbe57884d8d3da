"""What is kept of alerts, as people meet it: problems and silences with what was said of them."""

from __future__ import annotations

from dataclasses import dataclass

from tft_dash.alerts.problem import Problem, Remarks
from tft_dash.alerts.silences import Silence


@dataclass(frozen=True, slots=True)
class Kept:
    """A problem, and what people say of it."""

    problem: Problem
    remarks: Remarks


@dataclass(frozen=True, slots=True)
class KeptSilence:
    """A silence, with the end in force.

    :param ended_by: who ended it before its time; "" = nobody.
    """

    silence: Silence
    made_ms: int
    ended_by: str
