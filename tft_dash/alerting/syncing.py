"""All that an Alertmanager is to know of a source at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from tft_dash.alerting.ruling import InForce
from tft_dash.alerts.alert import Transition
from tft_dash.alerts.delivery.alertmanager import RESENT_MS, all_of, over, standing
from tft_dash.alerts.delivery.receivers import Receiver
from tft_dash.alerts.judging import Book
from tft_dash.store.alerts import judged, outbox
from tft_dash.store.alerts.outbox import Telling
from tft_dash.store.live.clock import database_now_ms


@dataclass(frozen=True, slots=True)
class Sync:
    """What is sent.

    :param fresh: what is told with it for the first time.
    """

    payload: list[Mapping[str, Any]]
    fresh: Sequence[Telling]


def what_stands(connection: Connection, source: str, receiver: Receiver, in_force: InForce, base: str) -> Sync:
    """Every alert that stands and that the receiver is told of, and those that are over since a little while."""
    now = database_now_ms(connection)
    stored = judged.read_book(connection, source)
    book = Book(source) if stored is None else Book.from_plain(stored.plain)
    active = {one.episode: one for one in book.states.values() if one.active}
    told = outbox.told_subjects(connection, source, receiver.name, active)
    rows = outbox.carried(connection, source, receiver.name, now - RESENT_MS)
    rules = {one.alert: one for one in in_force.rules.rules}
    stands = [
        standing(state, rules.get(state.key.rule), now, base) for episode, state in active.items() if episode in told
    ]
    ended = [
        over(Transition.from_plain(one.body["transition"]), one.body["fired_tick"], one.created_ms, base)
        for one in rows
        if one.event == "resolved" and one.body is not None
    ]
    fresh = [one for one in rows if one.state == "carried"]
    return Sync(all_of(stands, ended), fresh)
