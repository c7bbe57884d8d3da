"""Alerts on SQLite and on a real PostgreSQL, told by processes that are killed in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from support.postgresql import database, postgresql
from support.receivers import Reply, receiver
from support.watching import Watch

from tft_dash.store.schema import ALERT_TELLINGS

TELL = """
import sys
from tft_dash.alerting.couriers import Courier
from tft_dash.settings import load_settings
from tft_dash.store.engine import Store, store_url
settings = load_settings()
courier = Courier(settings, Store(store_url(settings)), "fleet")
courier.serve(courier.receivers()[0])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.sqlite"
        return
    with postgresql() as server, database(server) as made:
        yield made


def test_a_process_that_is_killed_while_it_tells_leaves_it_to_the_next_under_the_same_key(
    store: str, tmp_path: Path
) -> None:
    hold = threading.Event()
    with receiver(Reply(hold=hold), Reply()) as inbox:
        watch = Watch(tmp_path, {"name": "hook", "type": "webhook", "url": inbox.url}, TFT_DASH_STORE=store)
        watch.live(3, 97.0)
        names = ("data", "store", "alert_rules", "alert_receivers")
        environ = {f"TFT_DASH_{name.upper()}": str(getattr(watch.settings, name)) for name in names}
        process = subprocess.Popen([sys.executable, "-c", TELL], env={**os.environ, **environ})
        inbox.wait()
        process.send_signal(signal.SIGKILL)
        process.wait()
        hold.set()
        assert watch.deliver() == 0, "it may be at it still, as far as anybody knows"
        with watch.store.write() as connection:
            connection.execute(update(ALERT_TELLINGS).values(until_ms=1))
        assert watch.deliver() == 1
        watch.live(2, 20.0)
        watch.deliver()
        assert [one.plain["event"] for one in inbox.got] == ["firing", "firing", "resolved"]
        assert len({one.headers["Idempotency-Key"] for one in inbox.got}) == 2
        assert watch.states() == [("hook", "firing", "sent"), ("hook", "resolved", "sent")]
        watch.close()


def test_what_people_say_and_what_was_told_is_the_same_in_every_database(store: str, tmp_path: Path) -> None:
    with receiver() as inbox:
        watch = Watch(
            tmp_path,
            {"name": "am", "type": "alertmanager", "url": inbox.url},
            {"name": "hook", "type": "webhook", "url": inbox.url},
            TFT_DASH_STORE=store,
        )
        watch.live(2, 97.0)
        watch.deliver()
        (kept,) = watch.desk.problems()
        watch.desk.acknowledge(kept.problem.id, "Ann", "“quoted” ✓")
        watch.desk.comment(kept.problem.id, "näive\n😀", "Zoë")
        watch.desk.add_silence(["server_name=~a|b"], end_ms=watch.desk.now_ms() + 10**6, by="Ann", reason="ß")
        watch.live(1, 97.0)
        assert all(one.silenced_by and one.acknowledged for one in watch.desk.alerts())
        watch.live(2, 20.0)
        watch.deliver()
        watch.courier.tidy()
        assert watch.desk.problem(kept.problem.id).remarks.comments[0].text == "näive\n😀"
        assert {state for _, _, state in watch.states()} == {"sent"}
        assert len(watch.states()) == 6
        assert watch.desk.changes(problem=kept.problem.id)
        watch.close()
