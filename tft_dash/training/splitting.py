"""Who learns, who stops and calibrates, who is measured: by server and by time, never by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.errors import DataError
from tft_dash.training.histories import LATEST, Histories, Rows

LEAST_SERVERS: Final = 6
LEAST_DAYS: Final = 4.0
LEAST_INCIDENTS: Final = 20
HELD_OUT: Final = 0.125
CUT: Final = 0.8
"""Servers that learn or calibrate are seen up to this share of the time, servers that are measured after it."""


@dataclass(frozen=True, slots=True)
class Split:
    """Servers by their place, and rows: no server and no time is in two of the three."""

    train_servers: tuple[int, ...]
    valid_servers: tuple[int, ...]
    test_servers: tuple[int, ...]
    train: Rows
    valid: Rows
    test: Rows

    def as_dict(self) -> dict[str, str | int | float]:
        """For the model's card."""
        return {
            "by": "server and time",
            "train_servers": len(self.train_servers),
            "validation_servers": len(self.valid_servers),
            "test_servers": len(self.test_servers),
            "train_until_share": CUT,
            "test_from_share": CUT,
            "train_rows": len(self.train),
            "validation_rows": len(self.valid),
            "test_rows": len(self.test),
        }


def split(histories: Histories, seed: int) -> Split:
    """Divide the servers by the seed.

    :raises DataError: there are too few servers, or too few incidents among those that learn.
    """
    if histories.servers < LEAST_SERVERS:
        raise DataError(
            f"There {'is 1 server' if histories.servers == 1 else f'are {histories.servers} servers'} to learn from; "
            f"{LEAST_SERVERS} are the least, for some are kept apart to calibrate and to measure. Add recordings."
        )
    order = np.random.default_rng(seed).permutation(histories.servers).tolist()
    apart = max(1, round(HELD_OUT * histories.servers))
    test, valid, train = order[:apart], order[apart : 2 * apart], order[2 * apart :]
    found = Split(
        tuple(sorted(train)), tuple(sorted(valid)), tuple(sorted(test)),
        histories.usable(sorted(train), 0.0, CUT), histories.usable(sorted(valid), 0.0, CUT),
        histories.usable(sorted(test), CUT, 1.0),
    )  # fmt: skip
    _demand(histories, found)
    return found


def _demand(histories: Histories, found: Split) -> None:
    for name, rows in (("learn from", found.train), ("calibrate on", found.valid), ("measure on", found.test)):
        if not len(rows):
            raise DataError(
                f"No window of 16 hours in which a server reports and is not critical is left to {name}. "
                "Give histories with fewer gaps, longer ones, or more servers."
            )
    incidents = histories.incidents_of(found.train_servers)
    near = bool((histories.first[found.train] <= LATEST).any())
    if incidents < LEAST_INCIDENTS or not near:
        words = f"are only {incidents} incidents" if incidents > 1 else "is not a single incident"
        words = "is only 1 incident" if incidents == 1 else words
        raise DataError(
            f"There {words} to learn from (a server that turns critical by the contract's thresholds); "
            f"{LEAST_INCIDENTS} are the least. Give longer histories, or those of more servers."
        )
