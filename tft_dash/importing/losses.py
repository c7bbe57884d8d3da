"""What could not be read while a file was converted: counted by column, with a first example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.errors import shorten


@dataclass(slots=True)
class _Loss:
    count: int = 0
    example: str = ""


@dataclass(slots=True)
class Losses:
    """Counts values that stood in the file and are missing in the table.

    :ivar malformed: rows with too few or too many values.
    """

    malformed: int = 0
    _found: dict[tuple[str, str], _Loss] = field(default_factory=dict)

    def mark(self, column: str, what: str, lost: NDArray[np.bool_] | None, values: pa.Array) -> None:
        """``lost`` of ``values`` (one block of ``column``) were not ``what``."""
        if lost is None or not lost.any():
            return
        loss = self._found.setdefault((column, what), _Loss())
        if not loss.count:
            loss.example = shorten(str(values[int(np.argmax(lost))]), 40)
        loss.count += int(lost.sum())

    def words(self) -> tuple[str, ...]:
        """A sentence for each kind of loss."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.malformed:
            words = (
                "row has too few or too many values and was"
                if self.malformed == 1
                else ("rows have too few or too many values and were")
            )
            yield f"{self.malformed:,} {words} left out."
        for (column, what), loss in self._found.items():
            values = "value" if loss.count == 1 else "values"
            verb = "is" if loss.count == 1 else "are"
            yield (
                f"{loss.count:,} {values} of {shorten(column, 40)} {verb} no {what} and counted as missing, "
                f"for example '{loss.example}'."
            )
