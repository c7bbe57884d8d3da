"""What every feed of live samples offers, and the table of their schemes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol, runtime_checkable

import numpy as np

from tft_dash.live.samples import Samples
from tft_dash.registry import Registry
from tft_dash.sources.remote.address import FEEDS_GROUP
from tft_dash.store.engine import Store


class Feed(Protocol):
    """Where the samples of a live source come from. One collector uses it, from one thread.

    :ivar step_seconds: time between ticks, as configured or as the source declares.
    """

    step_seconds: float

    def fetch(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """The samples with ``start < time ≤ end``, UTC to the millisecond, as far as the source has them.

        Blocks, with a time-out of its own; a span may be long (back-filling asks for hours in several calls). Samples
        outside the span are allowed, too: those before it are counted as late by whoever aligns them, those after it
        are taken when their time has come and they are handed over again.

        An answer without a sample means that the source is there and had nothing: the span is then recorded so.

        :raises SourceUnreachableError: it did not answer, or not for the whole span; says what, where, what to do.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Closing twice is fine."""
        ...


@runtime_checkable
class Stored(Protocol):
    """A feed whose samples lie in the app's own store, which is given to it before it is asked."""

    def keep_in(self, store: Store, source: str, *, marks: bool) -> None:
        """Find the samples of the source of that name in ``store``.

        :param marks: whether what is fetched is then closed, as the collector that leads needs it.
        """
        ...


FeedFactory = Callable[[str, Mapping[str, str]], Feed]
"""``factory(url, options)``: the URL without the options, which are its query parameters; see
:mod:`tft_dash.live.specs`. It raises :class:`UsageError` for what cannot be, and does not wait for the source: one that
is away when the collector starts is asked again later."""

FEEDS: Final[Registry[FeedFactory]] = Registry(
    "kind of live source",
    {
        "prometheus+http": "tft_dash.live.feeds.prometheus:open_prometheus",
        "prometheus+https": "tft_dash.live.feeds.prometheus:open_prometheus",
        "push": "tft_dash.live.feeds.push:open_push",
        "postgresql": "tft_dash.live.feeds.sql:open_sql",
        "sqlite": "tft_dash.live.feeds.sql:open_sql",
        "mysql": "tft_dash.live.feeds.sql:open_sql",
        "mariadb": "tft_dash.live.feeds.sql:open_sql",
        "mssql": "tft_dash.live.feeds.sql:open_sql",
        "oracle": "tft_dash.live.feeds.sql:open_sql",
    },
    group=FEEDS_GROUP,
)


def scheme_of(url: str) -> str | None:
    """The registered scheme that ``url`` begins with; ``postgresql+psycopg://`` counts as ``postgresql``."""
    scheme, found, _ = url.partition("://")
    if not found:
        return None
    for name in (scheme, scheme.partition("+")[0]):
        if name in FEEDS.names():
            return name
    return None
