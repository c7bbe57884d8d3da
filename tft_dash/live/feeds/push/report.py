"""What is told to whoever pushed: every row that was not taken, and every value that was not, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.errors import TableError, shorten
from tft_dash.sources.files.times import NO_TIME
from tft_dash.sources.findings import Findings, iso_time, written
from tft_dash.sources.rules import RULES

ERRORS_TOLD: Final = 100
EXAMPLES_KEPT: Final = 5


@dataclass(frozen=True, slots=True)
class RowError:
    """One row, or one value of it, that was not taken.

    :param row: its number in the delivery, from 1.
    :param column: None = the rule is about the row.
    """

    row: int
    column: str | None
    rule: str
    timestamp: str | None
    server_name: str | None
    value: str | None
    advice: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def words(self) -> str:
        """As an example among others."""
        where = self.server_name or "?"
        return f"{where} {self.column or ''} {self.value or ''}".strip()


class Report:
    """Collects what is wrong with a delivery.

    :ivar touched: (rows,) whether something of a row was not acceptable.
    :ivar rejected: how many rows were left out.
    :ivar values_rejected: how many values of other rows are missing because they were not acceptable.
    :ivar naive_rows: how many times had no zone.
    """

    def __init__(self, rows: int) -> None:
        self.sent = rows
        self.touched = np.zeros(rows, bool)
        self.rejected = np.zeros(rows, bool)
        self.values_rejected = 0
        self.naive_rows = 0
        self.errors: list[RowError] = []
        self.counts: dict[str, tuple[int, list[str]]] = {}
        self._findings = Findings()
        self._findings.rows = rows
        self._times: NDArray[np.int64] = np.full(rows, NO_TIME)
        self._servers: Sequence[str] = [""] * rows

    @property
    def told(self) -> int:
        """How many errors there are, listed or not."""
        return sum(count for count, _ in self.counts.values())

    def know(self, times: NDArray[np.int64], servers: Sequence[str]) -> None:
        """When and of which server each row is, as far as that can be read."""
        self._times, self._servers = times, servers

    def rows(self, rule: str, wrong: NDArray[np.bool_], values: pa.Array | None, column: str | None = None) -> None:
        """Rows that are left out."""
        self.rejected |= wrong
        self._note(rule, column, wrong, values, "")

    def values(self, rule: str, column: str, wrong: NDArray[np.bool_], values: pa.Array, detail: str) -> None:
        """Values that are treated as missing."""
        self.values_rejected += int(wrong.sum())
        self._note(rule, column, wrong, values, detail)

    def remark(self, rule: str, column: str, detail: str = "") -> None:
        """Something about a whole column."""
        self._findings.note(rule, column, detail=detail)

    def rejections(self) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
        """Rule, how many, and the first few in words."""
        return tuple((rule, count, tuple(examples)) for rule, (count, examples) in self.counts.items())

    def findings(self) -> list[dict[str, Any]]:
        """One entry for every rule and column: severity, count, sentence and what to do."""
        if self.naive_rows:
            self._findings.count("naive-timestamp", self.naive_rows)
        found = [finding.as_dict() for finding in self._findings.listed()]
        return [{name: value for name, value in one.items() if name != "examples"} for one in found]

    def _note(
        self, rule: str, column: str | None, wrong: NDArray[np.bool_], values: pa.Array | None, detail: str
    ) -> None:
        places = np.flatnonzero(wrong)
        if not len(places):
            return
        self.touched[places] = True
        self._findings.count(rule, len(places), column=column, detail=detail)
        told = [self._error(rule, column, int(place), values) for place in places[: max(ERRORS_TOLD, EXAMPLES_KEPT)]]
        self.errors += told[: max(0, ERRORS_TOLD - len(self.errors))]
        count, examples = self.counts.get(rule, (0, []))
        self.counts[rule] = count + len(places), [*examples, *(one.words for one in told)][:EXAMPLES_KEPT]

    def _error(self, rule: str, column: str | None, place: int, values: pa.Array | None) -> RowError:
        time = int(self._times[place])
        return RowError(
            place + 1,
            column,
            rule,
            None if time == NO_TIME else iso_time(time),
            shorten(self._servers[place]) or None,
            None if values is None else written(values[place]),
            RULES[rule].advice,
        )


def refusal_words(rule: str, detail: str) -> TableError:
    """Why nothing of a delivery can be taken."""
    meaning = RULES[rule]
    return TableError(f"{meaning.sentence.format(detail=detail).replace('?.', '?')} {_ADVICE[rule]}")


_ADVICE: Final = {
    "missing-column": "Every row has a timestamp, a server_name and at least one metric, by the contract's names."
}
