"""Prometheus's text format, version 0.0.4."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Family(NamedTuple):
    """A metric: what it means, and whether it only ever rises."""

    words: str
    kind: Literal["gauge", "counter"] = "gauge"


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a family; NaN = missing, which is no sample."""

    family: str
    labels: Mapping[str, str]
    value: float


def exposition(families: Mapping[str, Family], samples: Iterable[Sample]) -> str:
    """The text of these samples, family by family; a family without samples is left out.

    :raises KeyError: a sample is of no such family.
    """
    found: dict[str, list[str]] = {name: [] for name in families}
    for sample in samples:
        if not math.isnan(sample.value):  # missing is never zero, and a NaN would stand in graphs as if it were said
            found[sample.family].append(_line(sample))
    lines = []
    for name, (words, kind) in families.items():
        if found[name]:
            lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}", *found[name]]
    return "\n".join(lines) + "\n"


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
    return f"{sample.family}{{{labels}}} {_number(sample.value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() else repr(round(value, 9))
