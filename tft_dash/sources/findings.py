"""What a scan finds: counted by rule and column, with the first rows as examples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.errors import shorten
from tft_dash.schema import Metric
from tft_dash.sources.files.times import NO_TIME
from tft_dash.sources.rules import RULES, SEVERITIES

EXAMPLES_PER_FINDING: Final = 5
_SHOWN_FINDINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Example:
    """One row that a rule speaks of.

    :param row: number of the row in its file, from 1, the header not counted; None = no row of the file.
    :param time: ISO 8601 in UTC; None = not readable.
    """

    file: str
    row: int | None
    time: str | None
    server: str | None
    value: str | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Example:
        """The example that :meth:`as_dict` wrote."""
        return cls(**plain)


@dataclass(frozen=True, slots=True)
class Finding:
    """All that one rule found in one column.

    :param column: None = the rule is about rows or the whole table.
    :param count: how many rows or values; None = the rule does not count.
    :param share: of all rows (of all ticks for gaps), 0–1; None = the rule does not count.
    """

    rule: str
    severity: str
    column: str | None
    count: int | None
    share: float | None
    sentence: str
    advice: str
    examples: tuple[Example, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "examples": [example.as_dict() for example in self.examples]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Finding:
        """The finding that :meth:`as_dict` wrote."""
        return cls(**{**plain, "examples": tuple(Example.from_dict(example) for example in plain["examples"])})


def written(value: object) -> str | None:
    """A value as it stands in the file; None = missing."""
    if isinstance(value, pa.TimestampScalar):
        # Such a time is an example only when it is too far away for a datetime.
        return None if value.value is None else f"{value.value} {value.type.unit} since 1970"
    if value is None or (isinstance(value, pa.Scalar) and not value.is_valid):
        return None
    return shorten(str(value))


class _Indexed(Protocol):
    def __getitem__(self, place: int, /) -> object: ...


@dataclass(slots=True)
class _Tally:
    count: int = 0
    of: int | None = None
    detail: str = ""
    examples: list[Example] = field(default_factory=list)


class Findings:
    """Collects what is found while a table is scanned.

    :ivar rows: how many rows were read, which is what shares refer to.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._tallies: dict[tuple[str, str | None], _Tally] = {}

    def note(self, rule: str, column: str | None = None, *, detail: str = "") -> None:
        """Found once, about the whole table; a later detail replaces an earlier one."""
        self._tally(rule, column).detail = detail

    def count(
        self, rule: str, count: int, *, column: str | None = None, detail: str = "", of: int | None = None
    ) -> None:
        """``count`` more rows or values; ``of`` is the whole that the share refers to, all rows by default."""
        if count:
            tally = self._tally(rule, column)
            tally.count += count
            tally.of = of
            tally.detail = detail or tally.detail

    def example(self, rule: str, column: str | None, examples: Iterable[Example]) -> None:
        """Examples of what is counted; only the first few are kept."""
        for example in examples:
            kept = self._tally(rule, column).examples
            if len(kept) < EXAMPLES_PER_FINDING:
                kept.append(example)

    def wants_example(self, rule: str, column: str | None) -> int:
        """How many more examples are kept."""
        tally = self._tallies.get((rule, column))
        return EXAMPLES_PER_FINDING - (0 if tally is None else len(tally.examples))

    def listed(self) -> tuple[Finding, ...]:
        """All findings, worst first, then the most frequent."""
        return worst_first(self._finding(rule, column, tally) for (rule, column), tally in self._tallies.items())

    def _tally(self, rule: str, column: str | None) -> _Tally:
        return self._tallies.setdefault((rule, column), _Tally())

    def _finding(self, rule: str, column: str | None, tally: _Tally) -> Finding:
        meaning = RULES[rule]
        share = tally.count / max(1, tally.of or self.rows) if tally.count else None
        sentence = meaning.sentence.format(
            column=shorten(column or ""),
            rows=counted(tally.count, "row"),
            values=counted(tally.count, "value"),
            samples=counted(tally.count, "sample"),
            share=percentage(share or 0.0),
            detail=tally.detail,
        )
        return Finding(
            rule=rule,
            severity=meaning.severity,
            column=column,
            count=tally.count or None,
            share=share,
            sentence=sentence,
            advice=meaning.advice,
            examples=tuple(tally.examples),
        )


def worst_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """By severity, then the most frequent; what is equal in both stays in its order."""
    return tuple(sorted(found, key=lambda item: (SEVERITIES.index(item.severity), -(item.share or 0.0))))


def shown_notices(found: Sequence[Finding]) -> tuple[str, ...]:
    """The sentences that a viewer of the page must know."""
    shown = [finding.sentence for finding in found if RULES[finding.rule].shown]
    rest = len(shown) - _SHOWN_FINDINGS
    if rest > 0:
        shown[_SHOWN_FINDINGS:] = [f"And {rest} more; tft-dash check lists them all."]
    return tuple(shown)


def counted(count: int, noun: str) -> str:
    """``1 row``, ``1,200 rows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def range_of(metric: Metric) -> str:
    """``0–100 %``, ``0 ms and more``."""
    unit = f" {metric.unit}" if metric.unit else ""
    bounded = math.isfinite(metric.high)
    return f"{metric.low:g}–{metric.high:g}{unit}" if bounded else f"{metric.low:g}{unit} and more"


def percentage(share: float) -> str:
    """A share for people: never 0 % for something that happened, never 100 % for less than all."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{share * 100:.1f} %".replace(".0 %", " %")


def iso_time(nanoseconds: int) -> str:
    """A time in UTC for people and JSON, as short as it is exact."""
    text = str(np.datetime64(nanoseconds, "ns"))
    head, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{head}.{fraction}Z" if fraction else f"{head}Z"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one file that a rule may speak of.

    :param numbers: (rows,) row numbers in the file.
    :param times: (rows,) nanoseconds since 1970 in UTC; :data:`NO_TIME` = not readable.
    :param codes: (rows,) server codes into ``names``; negative = not acceptable.
    """

    file: str
    numbers: NDArray[np.int64]
    times: NDArray[np.int64]
    codes: NDArray[np.int32]
    names: Sequence[str]

    def example(self, place: int, value: object = None) -> Example:
        """The row at ``place`` as an example."""
        time, code = int(self.times[place]), int(self.codes[place])
        return Example(
            file=self.file,
            row=int(self.numbers[place]),
            time=None if time == NO_TIME else iso_time(time),
            server=None if code < 0 else shorten(self.names[code]),
            value=written(value),
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """Where findings about one column of some rows go.

    :param column: None = the rule is about the rows themselves.
    """

    findings: Findings
    rows: Rows
    column: str | None = None

    def mask(
        self, rule: str, mask: NDArray[np.bool_] | None, values: _Indexed | None = None, *, detail: str = ""
    ) -> None:
        """Count the rows of ``mask`` and keep the first as examples, with their ``values`` where given."""
        places = () if mask is None else np.flatnonzero(mask)
        if not len(places):
            return
        self.findings.count(rule, len(places), column=self.column, detail=detail)
        first = places[: self.findings.wants_example(rule, self.column)]
        examples = [self.rows.example(int(place), None if values is None else values[int(place)]) for place in first]
        self.findings.example(rule, self.column, examples)
