"""How the forecasts for a live source have held: sums by spans of time, written once by whoever leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from sqlalchemy import delete, func, insert, select

from tft_dash.errors import LostLeadError
from tft_dash.store.engine import Store
from tft_dash.store.live.clock import instant
from tft_dash.store.live.leases import Lease, demand_lead
from tft_dash.store.schema import LIVE_JUDGED

JUDGED_SPAN_MS: Final = 6 * 3_600_000
"""A span is named by its number since 1970; span 0 ended six hours after it began."""


class JudgedSpans:
    """The judged spans of the whole portal. Every method may raise :class:`StorageError`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, source: str, model: str) -> int | None:
        """The newest span that is judged."""
        mine = LIVE_JUDGED.c.source == source, LIVE_JUDGED.c.model == model
        with self._store.read() as connection:
            found = connection.execute(select(func.max(LIVE_JUDGED.c.span)).where(*mine)).scalar()
        return None if found is None else int(found)

    def bodies(self, source: str, model: str) -> Mapping[int, str]:
        """What was written of each span, in order."""
        mine = LIVE_JUDGED.c.source == source, LIVE_JUDGED.c.model == model
        wanted = select(LIVE_JUDGED.c.span, LIVE_JUDGED.c.body).where(*mine).order_by(LIVE_JUDGED.c.span)
        with self._store.read() as connection:
            return {int(row.span): row.body for row in connection.execute(wanted)}

    def put(self, lease: Lease, origin: np.datetime64 | None, model: str, span: int, body: str, *, oldest: int) -> None:
        """Write what was found of a span, unless it is written already; drop what is older than ``oldest``.

        :param origin: time of tick 0 of the history that was judged.
        :raises LostLeadError: somebody else leads, or it is another history by now.
        """
        mine = LIVE_JUDGED.c.source == lease.source, LIVE_JUDGED.c.model == model
        with self._store.write() as connection:
            if instant(demand_lead(connection, lease).origin_ms) != origin:
                raise LostLeadError(
                    f"'{lease.source}' has another history by now; what was judged of the old one is gone."
                )
            known = select(LIVE_JUDGED.c.span).where(*mine, LIVE_JUDGED.c.span == span)
            if connection.execute(known).one_or_none() is None:
                row = {"source": lease.source, "model": model, "span": span, "body": body}
                connection.execute(insert(LIVE_JUDGED).values(**row))
            old = LIVE_JUDGED.c.source == lease.source, LIVE_JUDGED.c.span < oldest
            connection.execute(delete(LIVE_JUDGED).where(*old))
