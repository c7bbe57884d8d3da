"""However the same samples are split, repeated and ordered as they are pushed, the same ticks come of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tft_dash.live.alignment import Aligned, Grid, align
from tft_dash.live.feeds.push.bodies import Table
from tft_dash.live.feeds.push.feed import PushFeed
from tft_dash.live.feeds.push.rows import judged
from tft_dash.store.engine import Store
from tft_dash.store.pushed.handing import look
from tft_dash.store.pushed.taking import take
from tft_dash.store.pushed.values import DUPLICATE, TAKEN, Limits, PushedRows

STEP_MS = 5000
LIMITS = Limits(step_ms=STEP_MS, delay_ms=5000, rows_per_second=1e9, keep_ms=86_400_000, most_rows=10**9)
SPAN = 12
_NUMBERS = itertools.count()

values = st.one_of(st.none(), st.integers(0, 90).map(float), st.sampled_from([120.0, "much"]))
rows = st.fixed_dictionaries(
    {"at": st.integers(0, SPAN * 2), "server_name": st.sampled_from(["a", "b", "c"])},
    optional={
        "cpu_pct": values,
        "error_rate": st.sampled_from([0.0, 0.1, 0.33, None]),
        "state": st.sampled_from(["online", "warning", "offline", None]),
        "profile": st.sampled_from(["web", "db", None]),
    },
)
deliveries = st.lists(rows, min_size=1, max_size=30)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('push')}/store.sqlite")
    yield opened
    opened.close()


def pushed(sent: list[dict[str, Any]], origin: int) -> PushedRows:
    plain = [{**row, "timestamp": origin + row["at"] * STEP_MS // 2} for row in sent]
    names = ("timestamp", "server_name", "profile", "state", "cpu_pct", "error_rate")
    columns = {name: [row.get(name) for row in plain] for name in names}
    return judged(Table(len(plain), columns)).rows


def ticks(store: Store, source: str, origin: int) -> Aligned:
    feed = PushFeed(STEP_MS / 1000)
    feed.keep_in(store, source, marks=False)
    start = np.datetime64(origin - STEP_MS, "ms")
    samples = feed.fetch(start, start + np.timedelta64((SPAN + 2) * STEP_MS, "ms"))
    return align(samples, Grid(np.datetime64(origin, "ms"), STEP_MS), 0, SPAN, np.datetime64(origin, "ms") + 10**9)


def same(one: Aligned, other: Aligned) -> bool:
    return (
        one.servers == other.servers
        and set(one.metrics) == set(other.metrics)
        and all(np.array_equal(one.metrics[name], other.metrics[name], equal_nan=True) for name in one.metrics)
        and np.array_equal(one.states, other.states)
        and np.array_equal(one.profiles, other.profiles)
    )


@given(sent=deliveries, data=st.data())
def test_any_split_repetition_and_order_gives_the_same_ticks(store: Store, sent: list[Any], data: Any) -> None:
    origin = (look(store, "any").now_ms // STEP_MS - SPAN) * STEP_MS
    once, often = f"once-{next(_NUMBERS)}", f"often-{next(_NUMBERS)}"
    take(store, once, [pushed(sent, origin)], LIMITS)
    again = data.draw(st.permutations([*sent, *data.draw(st.lists(st.sampled_from(sent), max_size=10))]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(again)), max_size=4)))
    parts = [again[first:last] for first, last in itertools.pairwise([0, *cuts, len(again)])]
    together = data.draw(st.booleans())
    batches = [parts] if together else [[part] for part in parts]
    for batch in batches:
        take(store, often, [pushed(part, origin) for part in batch], LIMITS)
    assert same(ticks(store, once, origin), ticks(store, often, origin))


@given(sent=deliveries)
def test_what_is_sent_a_second_time_is_all_duplicate(store: Store, sent: list[Any]) -> None:
    origin = (look(store, "any").now_ms // STEP_MS - SPAN) * STEP_MS
    source = f"twice-{next(_NUMBERS)}"
    rows = pushed(sent, origin)
    (first,) = take(store, source, [rows], LIMITS)
    (second,) = take(store, source, [rows], LIMITS)
    assert first.count(TAKEN) + first.count(DUPLICATE) == len(rows)
    assert second.count(DUPLICATE) == len(rows)
