"""From a recorded tick to a receiver that is a real server: told once, in order, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from support.receivers import Inbox, Reply, receiver
from support.watching import HOT, Watch

from tft_dash.alerting.couriers import Couriers
from tft_dash.alerting.posting import Answer, post
from tft_dash.store.schema import ALERT_TELLINGS, LIVE_SOURCES

MakeWatch = Callable[..., Watch]
REFUSED = Answer(400, "It is no message.", 1)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiver() as found:
        yield found


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeWatch]:
    made: list[Watch] = []

    def make(*receivers: Any, **more: Any) -> Watch:
        made.append(Watch(tmp_path, *receivers, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def hook(inbox: Inbox, **more: Any) -> dict[str, Any]:
    return {"name": "hook", "type": "webhook", "url": f"{inbox.url}/in", **more}


def events(inbox: Inbox) -> list[str]:
    return [one.plain["event"] for one in inbox.got]


def test_a_problem_is_told_once_when_it_is_there_and_once_when_it_is_over(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(3, 20.0)
    assert watch.deliver() == 0
    watch.live(1, 97.0)
    assert watch.deliver() == 1
    watch.live(5, 98.0)
    assert watch.deliver() == 0
    watch.live(2, 20.0)
    watch.deliver()
    assert events(inbox) == ["firing", "resolved"]
    firing, resolved = (one.plain for one in inbox.got)
    assert firing["problem"]["id"] == resolved["problem"]["id"]
    assert firing["id"] != resolved["id"]
    assert [one["labels"]["server_name"] for one in firing["alerts"]] == ["a", "b"]
    assert firing["alerts"][0]["value"] == 97.0
    assert resolved["problem"]["resolved"] is not None
    assert watch.states() == [("hook", "firing", "sent"), ("hook", "resolved", "sent")]
    assert [one.outcome for one in watch.desk.deliveries()] == ["sent", "sent"]


def test_the_key_of_a_message_is_the_same_at_every_attempt(make: MakeWatch, inbox: Inbox) -> None:
    inbox.replies = [Reply(500), Reply(drop=True), Reply(503), Reply()]
    watch = make(hook(inbox))
    watch.live(2, 97.0)
    until_sent(watch)
    assert len(inbox.got) == 4
    assert len({one.headers["Idempotency-Key"] for one in inbox.got}) == 1
    assert len({one.body for one in inbox.got}) == 1
    log = watch.desk.deliveries()[::-1]
    assert [(one.attempt, one.outcome, one.status) for one in log] == [
        (1, "failed", 500), (2, "failed", None), (3, "failed", 503), (4, "sent", 200),
    ]  # fmt: skip
    assert "closed the connection" in log[1].words


def until_sent(watch: Watch) -> None:
    """The pace of these tests is a millisecond."""
    while any(state == "waiting" for _, _, state in watch.states()):
        watch.deliver()


def test_the_end_never_comes_before_the_news(make: MakeWatch, inbox: Inbox) -> None:
    inbox.replies = [Reply(500), Reply()]
    watch = make(hook(inbox))
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    until_sent(watch)
    assert events(inbox) == ["firing", "firing", "resolved"]


def test_the_end_waits_for_news_that_another_courier_is_sending(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    (target,) = watch.courier.receivers()
    meanwhile: list[int] = []

    def send(*given: Any) -> Answer:
        meanwhile.append(watch.deliver())
        return post(*given)

    watch.another_courier(send=send).serve(target)
    assert meanwhile == [0]
    watch.deliver()
    assert events(inbox) == ["firing", "resolved"]


def test_a_receiver_that_asks_to_be_left_alone_is_left_alone(make: MakeWatch, inbox: Inbox) -> None:
    inbox.replies = [Reply(429, headers=(("Retry-After", "120"),))]
    watch = make(hook(inbox))
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    watch.deliver()
    assert len(inbox.got) == 1
    now = watch.desk.now_ms()
    assert all(now + 100_000 < one.due_ms <= now + 121_000 for one in watch.desk.tellings())
    assert "429" in watch.desk.deliveries()[0].words


def test_a_receiver_that_is_left_alone_is_not_told_of_another_problem_either(make: MakeWatch, inbox: Inbox) -> None:
    inbox.replies = [Reply(429, headers=(("Retry-After", "120"),)), Reply()]
    quiet = {"alert": "Quiet", "when": {"check": "source_silent"}, "severity": "critical"}
    watch = make(hook(inbox), rules=(HOT, quiet))
    watch.live(1, 97.0)
    watch.deliver()
    watch.world.feed.away = "it is away"
    watch.world.forward(5)
    watch.collector.round()
    assert len(watch.desk.problems(standing=True)) == 2
    assert watch.deliver() == 0
    assert len(inbox.got) == 1
    with watch.store.write() as connection:
        connection.execute(update(ALERT_TELLINGS).values(due_ms=1))
    watch.deliver()
    assert events(inbox) == ["firing"] * 3


def test_a_message_that_is_refused_for_good_is_not_sent_again_and_the_log_says_why(
    make: MakeWatch, inbox: Inbox
) -> None:
    inbox.replies = [Reply(400, body=b"no such channel"), Reply()]
    watch = make(hook(inbox))
    watch.live(1, 97.0)
    watch.deliver()
    assert watch.deliver() == 0
    assert watch.states() == [("hook", "firing", "gave-up")]
    (logged,) = watch.desk.deliveries()
    assert (logged.outcome, logged.status) == ("refused", 400)
    assert "no such channel" in logged.words


def test_a_receiver_that_cannot_be_reached_is_given_up_after_its_time(make: MakeWatch) -> None:
    watch = make({"name": "hook", "type": "webhook", "url": "http://127.0.0.1:9/secret-path", "give_up": "1s"})
    watch.live(1, 97.0)
    until_sent(watch)
    log = watch.desk.deliveries()
    assert log[0].outcome == "gave-up"
    assert {one.outcome for one in log[1:]} == {"failed"}
    assert "nothing listens there" in log[0].words
    assert not any("secret-path" in one.words for one in log)


def test_a_receiver_that_does_not_answer_is_not_waited_for_and_stops_no_other(make: MakeWatch, inbox: Inbox) -> None:
    with receiver(Reply(seconds=3.0)) as slow:
        watch = make(
            {"name": "slow", "type": "webhook", "url": slow.url, "timeout": "500ms"},
            hook(inbox),
        )
        watch.live(1, 97.0)
        for one in watch.courier.receivers():
            watch.courier.serve(one)
    assert ("hook", "firing", "sent") in watch.states()
    words = [one.words for one in watch.desk.deliveries(receiver="slow")]
    assert words == ["It did not answer within 0.5 s."]


def test_a_courier_that_dies_between_claim_and_sending_leaves_it_to_the_next(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(1, 97.0)

    def die(*_: object) -> Any:
        raise KeyboardInterrupt

    (target,) = watch.courier.receivers()
    with pytest.raises(KeyboardInterrupt):
        watch.another_courier(send=die).serve(target)
    assert watch.deliver() == 0, "it is claimed; whoever has claimed it may be at it still"
    expire_claims(watch)
    assert watch.deliver() == 1
    assert events(inbox) == ["firing"]
    assert watch.states() == [("hook", "firing", "sent")]


def test_a_courier_that_was_overtaken_settles_nothing(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(1, 97.0)
    (target,) = watch.courier.receivers()

    def be_overtaken(*_: object) -> Any:
        expire_claims(watch)
        watch.deliver()
        return REFUSED

    watch.another_courier(send=be_overtaken).serve(target)
    assert watch.states() == [("hook", "firing", "sent")]
    assert watch.deliver() == 0


def expire_claims(watch: Watch) -> None:
    with watch.store.write() as connection:
        connection.execute(update(ALERT_TELLINGS).values(until_ms=1))


def test_two_couriers_at_once_tell_once(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(1, 97.0)
    others = [watch.another_courier() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(watch.deliver, others))
    assert events(inbox) == ["firing"]


def test_another_leader_tells_nothing_twice(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(2, 97.0)
    watch.deliver()
    watch.collector.close()
    other = watch.another("two")
    watch.world.live(other, 3, 97.0)
    watch.deliver()
    watch.world.live(other, 2, 20.0)
    watch.deliver()
    assert events(inbox) == ["firing", "resolved"]


def test_a_tick_that_could_not_be_recorded_tells_nothing(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(1, 20.0)
    watch.world.forward(5)
    watch.world.report(97.0)
    other = watch.another("two")
    with watch.store.write() as connection:
        connection.execute(update(LIVE_SOURCES).values(holder="two", epoch=99))
    watch.collector.round()
    assert len(watch.world.recorded()) == 1
    assert watch.states() == []
    other.close()


def test_what_was_over_before_it_could_be_told_is_only_logged(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox), ago=7200.0)
    watch.live(3, 97.0)
    assert watch.deliver() == 0
    watch.live(3, 20.0)
    watch.deliver()
    assert inbox.got == []
    (told,) = watch.desk.tellings()
    assert (told.event, told.state) == ("firing", "past")
    assert "after the fact" in told.words
    assert watch.desk.problems()[0].problem.past


def test_what_began_in_a_back_filled_tick_and_still_stands_is_told_then(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox), ago=7200.0)
    watch.live(3, 97.0)
    assert watch.deliver() == 0
    watch.world.clock.set(watch.on_grid())
    watch.world.elapsed += 7200
    watch.live(20, 97.0)
    watch.deliver()
    assert events(inbox) == ["firing"]


def test_a_silenced_problem_is_told_when_the_silence_ends_and_the_problem_stands(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    end = watch.desk.now_ms() + 3_600_000
    made = watch.desk.add_silence(["server_name=~a|b"], end_ms=end, by="Ann", reason="a planned test")
    watch.live(3, 97.0)
    assert watch.deliver() == 0
    watch.desk.end_silence(made.id, "Ben")
    assert watch.desk.silences()[0].ended_by == "Ben"
    watch.live(1, 97.0)
    watch.deliver()
    assert events(inbox) == ["firing"]


def test_a_problem_that_was_silenced_all_along_is_logged_as_such(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    end = watch.desk.now_ms() + 3_600_000
    watch.desk.add_silence(["alertname=Hot"], end_ms=end, by="Ann", reason="a planned test", maintenance=True)
    watch.live(3, 97.0)
    watch.live(2, 20.0)
    assert watch.deliver() == 0
    assert watch.states() == [("hook", "firing", "silenced")]


def test_the_end_under_a_silence_is_told_to_a_pager_and_not_to_a_chat(
    make: MakeWatch, inbox: Inbox, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("routing-key\n")
    key = {"routing_key_file": str(tmp_path / "key")}
    watch = make(
        {"name": "chat", "type": "slack", "url": f"{inbox.url}/chat"},
        {"name": "pager", "type": "pagerduty", "url": f"{inbox.url}/pager", **key},
    )
    watch.live(2, 97.0)
    watch.deliver()
    end = watch.desk.now_ms() + 3_600_000
    watch.desk.add_silence(["alertname=Hot"], end_ms=end, by="Ann", reason="known")
    watch.live(1, 97.0)
    watch.live(2, 20.0)
    watch.deliver()
    assert [one.path for one in inbox.got] == ["/chat", "/pager", "/pager"]
    assert watch.states() == [
        ("chat", "firing", "sent"), ("chat", "resolved", "silenced"),
        ("pager", "firing", "sent"), ("pager", "resolved", "sent"),
    ]  # fmt: skip
    trigger, resolve = inbox.got[1].plain, inbox.got[2].plain
    assert trigger["routing_key"] == resolve["routing_key"] == "routing-key"
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"]


def test_a_receiver_is_told_of_what_it_wants_alone(make: MakeWatch, inbox: Inbox) -> None:
    warm = {**HOT, "alert": "Warm", "severity": "warning", "when": {**HOT["when"], "above": 70}}
    watch = make(
        hook(inbox, name="critical", severity="critical"),
        hook(inbox, name="other", where=["source=elsewhere"]),
        hook(inbox, name="all"),
        rules=(HOT, warm),
    )
    watch.live(1, 80.0)
    watch.deliver()
    assert watch.states() == [("all", "firing", "sent")]
    watch.live(1, 95.0)
    watch.deliver()
    assert watch.states() == [("all", "firing", "sent"), ("critical", "firing", "sent")]


def test_a_problem_that_comes_again_is_told_again(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    for _ in range(2):
        watch.live(1, 97.0)
        watch.live(2, 20.0)
    watch.deliver()
    assert events(inbox) == ["firing", "resolved"] * 2
    assert len({one.plain["id"] for one in inbox.got}) == 4


def test_receivers_that_come_later_are_told_of_what_stands(make: MakeWatch, inbox: Inbox) -> None:
    watch = make()
    watch.live(2, 97.0)
    watch.tell(hook(inbox))
    watch.live(1, 97.0)
    assert watch.deliver() == 1


def test_a_broken_file_of_receivers_changes_nothing_until_it_is_mended(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    watch.live(1, 20.0)
    (watch.folder / "receivers.yaml").write_text("kind: [")
    watch.live(1, 97.0)
    assert watch.deliver() == 1


def test_a_source_that_does_not_answer_is_told_and_the_end_of_it(make: MakeWatch, inbox: Inbox) -> None:
    quiet = {"alert": "Quiet", "when": {"check": "source_silent"}, "severity": "critical"}
    watch = make(hook(inbox), rules=(quiet,))
    watch.live(2, 20.0)
    watch.world.feed.away = "it is away"
    watch.world.forward(5)
    watch.collector.round()
    watch.deliver()
    assert events(inbox) == ["firing"]
    watch.world.feed.away = None
    watch.live(2, 20.0)
    watch.deliver()
    assert events(inbox) == ["firing", "resolved"]


def test_couriers_run_by_themselves_and_stop(make: MakeWatch, inbox: Inbox) -> None:
    watch = make(hook(inbox))
    couriers = Couriers(watch.courier, "fleet", look_seconds=0.02)
    couriers.start()
    try:
        watch.live(2, 97.0)
        inbox.wait()
        watch.live(2, 20.0)
        inbox.wait()
    finally:
        couriers.stop()
    assert events(inbox) == ["firing", "resolved"]
