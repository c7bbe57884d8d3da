"""What an Alertmanager is told: every alert that stands, again and again, and its end; always by the same labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from support.receivers import Inbox, Reply, receiver
from support.watching import Watch

from tft_dash.store.schema import ALERT_TELLINGS

MakeWatch = Callable[..., Watch]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiver() as found:
        yield found


@pytest.fixture
def make(tmp_path: Path, inbox: Inbox) -> Iterator[MakeWatch]:
    made: list[Watch] = []

    def make(**more: Any) -> Watch:
        target = {"name": "am", "type": "alertmanager", "url": f"{inbox.url}/am/", **more.pop("options", {})}
        made.append(Watch(tmp_path, target, TFT_DASH_PUBLIC_URL="https://monitor.example.com/fleet", **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def refresh(watch: Watch) -> None:
    """The time of the next refresh has come."""
    with watch.store.write() as connection:
        connection.execute(update(ALERT_TELLINGS).where(ALERT_TELLINGS.c.event == "sync").values(due_ms=1))
    watch.deliver()


def test_an_alert_has_the_same_labels_from_its_first_telling_to_its_last(make: MakeWatch, inbox: Inbox) -> None:
    watch = make()
    watch.live(2, 97.0)
    watch.deliver()
    watch.live(1, 99.0)
    refresh(watch)
    watch.live(2, 20.0)
    watch.deliver()
    assert [one.path for one in inbox.got] == ["/am/api/v2/alerts"] * 3
    told = [{one["labels"]["server_name"]: one for one in got.plain} for got in inbox.got]
    for server in "ab":
        alerts = [one[server] for one in told]
        assert {json.dumps(one["labels"], sort_keys=True) for one in alerts} == {
            json.dumps(
                {"alertname": "Hot", "metric": "cpu_pct", "profile": "generic", "server_name": server,
                 "severity": "critical", "source": "fleet"}
            )
        }  # fmt: skip
        assert len({one["startsAt"] for one in alerts}) == 1
        assert {one["generatorURL"] for one in alerts} == {"https://monitor.example.com/fleet/?source=fleet&tick=0"}
        assert [one["annotations"]["value"] for one in alerts] == ["97", "99", "20"]
        assert alerts[0]["annotations"]["runbook_url"] == "https://runbooks.example.com/hot"
        ends = [datetime.fromisoformat(one["endsAt"]) for one in alerts]
        assert ends[0] < ends[1], "it is refreshed"
        assert ends[2] < ends[1], "and over in the end"


def test_an_end_is_told_again_for_a_while_and_then_nothing_is_sent_any_more(make: MakeWatch, inbox: Inbox) -> None:
    watch = make()
    watch.live(1, 97.0)
    watch.deliver()
    watch.live(2, 20.0)
    watch.deliver()
    refresh(watch)
    assert len(inbox.got) == 3
    assert inbox.got[1].body == inbox.got[2].body
    with watch.store.write() as connection:
        connection.execute(update(ALERT_TELLINGS).where(ALERT_TELLINGS.c.event == "resolved").values(done_ms=1))
    refresh(watch)
    assert len(inbox.got) == 3
    assert watch.courier.due() == set()


def test_an_alert_that_stands_again_is_not_told_its_end_before(make: MakeWatch, inbox: Inbox) -> None:
    watch = make()
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    watch.live(1, 97.0)
    watch.deliver()
    now = datetime.fromtimestamp(watch.desk.now_ms() / 1000).astimezone()
    assert [datetime.fromisoformat(one["endsAt"]) > now for one in inbox.got[-1].plain] == [True, True]


def test_a_silence_made_here_holds_nothing_back(make: MakeWatch, inbox: Inbox) -> None:
    watch = make()
    watch.desk.add_silence(["alertname=Hot"], end_ms=watch.desk.now_ms() + 10**6, by="Ann", reason="test")
    watch.live(2, 97.0)
    watch.deliver()
    assert len(inbox.got[0].plain) == 2


def test_while_it_is_away_everything_is_kept_and_told_when_it_is_back(make: MakeWatch, inbox: Inbox) -> None:
    inbox.replies = [Reply(503), Reply(503), Reply()]
    watch = make()
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    while ("am", "resolved", "carried") in watch.states():
        watch.deliver()
    assert len(inbox.got) == 3
    assert sorted(watch.states()) == [("am", "firing", "sent")] * 2 + [("am", "resolved", "sent")] * 2
    assert {one.outcome for one in watch.desk.deliveries()} == {"failed", "sent"}


def test_news_does_not_shorten_the_time_for_which_it_asks_to_be_left_alone(make: MakeWatch, inbox: Inbox) -> None:
    inbox.replies = [Reply(429, headers=(("Retry-After", "120"),)), Reply()]
    watch = make()
    watch.live(1, 97.0)
    watch.deliver()
    watch.live(2, 20.0)
    assert watch.courier.due() == set()
    assert watch.deliver() == 0
    assert len(inbox.got) == 1
    refresh(watch)
    assert len(inbox.got) == 2
    watch.live(1, 97.0)
    assert watch.deliver() == 1, "once it went well, news goes at once"


def test_an_alert_that_was_given_up_is_given_up_whole_and_never_said_to_be_sent(make: MakeWatch, inbox: Inbox) -> None:
    inbox.replies = [Reply(503)]
    watch = make(options={"give_up": "1s"})
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    with watch.store.write() as connection:
        connection.execute(update(ALERT_TELLINGS).where(ALERT_TELLINGS.c.event == "resolved").values(created_ms=1))
    refresh(watch)
    assert watch.states() == [("am", "resolved", "gave-up")] * 2 + [("am", "firing", "gave-up")] * 2
    log = watch.desk.deliveries()
    assert sorted(one.event for one in log if one.outcome == "gave-up") == ["firing"] * 2 + ["resolved"] * 2
    inbox.replies = [Reply()]
    watch.live(1, 97.0)
    refresh(watch)
    assert {one.telling for one in watch.desk.deliveries() if one.outcome == "sent"}.isdisjoint(
        {one.telling for one in log}
    )


def test_what_was_over_before_it_could_be_told_is_never_sent(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(ago=7200.0)
    watch.live(3, 97.0)
    watch.live(3, 20.0)
    watch.deliver()
    assert inbox.got == []
    assert set(watch.states()) == {("am", "firing", "past")}


def test_an_outage_of_the_source_ends_nothing(make: MakeWatch, inbox: Inbox) -> None:
    watch = make()
    watch.live(1, 97.0)
    watch.deliver()
    watch.world.feed.away = "it is away"
    for _ in range(5):
        watch.world.forward(60)
        watch.collector.round()
        refresh(watch)
    watch.world.feed.away = None
    watch.live(3, 97.0)
    refresh(watch)
    ours = [one for got in inbox.got for one in got.plain if one["labels"]["alertname"] == "Hot"]
    assert len({json.dumps([one["labels"], one["startsAt"]]) for one in ours}) == 2
    assert ("am", "resolved", "carried") not in watch.states()
    assert not [one for one in watch.states() if one[1] == "resolved"]


def test_a_clock_of_the_store_that_is_set_back_holds_no_refresh_up(make: MakeWatch, inbox: Inbox) -> None:
    watch = make()
    watch.live(1, 97.0)
    watch.deliver()
    assert watch.deliver() == 0
    later = watch.desk.now_ms() + 3_600_000
    with watch.store.write() as connection:
        sync = update(ALERT_TELLINGS).where(ALERT_TELLINGS.c.event == "sync")
        connection.execute(sync.values(done_ms=later, due_ms=later + 30_000))
    assert watch.courier.due() == {"am"}
    assert watch.deliver() == 1
    assert watch.courier.due() == set()
