"""Tells receivers what is in the outbox of a source: one thread looks, and each receiver is served by itself.

Any number of processes may do so: each row is claimed by one of them at a time. Whoever dies between its claim and its
answer leaves the row to the next, so everything is told at least once, under a key that stays the same.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from tft_dash.alerting.links import base_address
from tft_dash.alerting.posting import Answer, post
from tft_dash.alerting.receiving import Receiving
from tft_dash.alerting.requesting import Request, request_for
from tft_dash.alerting.ruling import Ruling
from tft_dash.alerting.syncing import Sync, what_stands
from tft_dash.alerts.delivery.alertmanager import REFRESH_MS
from tft_dash.alerts.delivery.message import Message
from tft_dash.alerts.delivery.payloads import PAYLOADS
from tft_dash.alerts.delivery.receivers import MOST_RECEIVERS, Receiver
from tft_dash.errors import StorageError, TftDashError, shorten
from tft_dash.settings import Settings
from tft_dash.store.alerts import judged, outbox
from tft_dash.store.alerts.outbox import CLAIM_MS, NEVER, SYNC, Delivery, Telling
from tft_dash.store.engine import Store
from tft_dash.store.live.clock import database_now_ms

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
TIDY_SECONDS: Final = 3600.0
LONGEST_BACK_OFF_MS: Final = 300_000
Send = Callable[[Receiver, Request], Answer]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait after an attempt that failed.

    :param first_ms: after the first; twice as long after each further one.
    :param chance: a number in [0, 1): hosts that fail together must not come again together.
    """

    first_ms: int = 1000
    chance: Callable[[], float] = random.random

    def wait_ms(self, attempts: int, retry_after: float) -> int:
        """How long."""
        most = min(self.first_ms * 2 ** min(attempts - 1, 20), LONGEST_BACK_OFF_MS)
        return max(round(most * (0.5 + self.chance() / 2)), round(retry_after * 1000))


class Courier:
    """Serves the receivers of one source, one row at a time.

    :param send: makes an attempt.
    :raises TftDashError: the settings name a file that cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        source: str,
        *,
        send: Send = post,
        pace: Pace | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._source, self._send = store, source, send
        self._receiving, self._ruling = Receiving(settings), Ruling(settings)
        self._base, self._pace, self._monotonic = base_address(settings), pace or Pace(), monotonic
        self._keep_ms = round(settings.live_keep_days * 86_400_000)

    def receivers(self) -> tuple[Receiver, ...]:
        """Those that may have to be told."""
        return self._receiving.receivers()

    def due(self) -> set[str]:
        """The receivers for which something is due, by name."""
        with self._store.read() as connection:
            return outbox.due_receivers(connection, self._source, database_now_ms(connection))

    def tidy(self) -> None:
        """Drop what is older than the history of live sources is kept; what people said is kept for good."""
        with self._store.write() as connection:
            before = database_now_ms(connection) - self._keep_ms
            outbox.forget_told(connection, self._source, before)
            judged.forget_before(connection, self._source, before)

    def serve(self, receiver: Receiver) -> bool:
        """Tell a receiver the next thing that is due; False = nothing is."""
        begun = self._monotonic()
        with self._store.write() as connection:
            telling = outbox.claim(connection, self._source, receiver.name, database_now_ms(connection))
        if telling is None:
            return False
        if telling.event == SYNC:
            self._sync(receiver, telling, begun)
        else:
            self._tell(receiver, telling, begun)
        return True

    def _tell(self, receiver: Receiver, telling: Telling, begun: float) -> None:
        try:
            message = Message.from_plain(telling.body or {})
            request = request_for(receiver, PAYLOADS[receiver.type](message), telling.id)
        except (ValueError, KeyError, TypeError) as error:
            self._end(telling, Answer(0, f"It cannot be written any more: {shorten(str(error), 200)}", 0), "gave-up")
            return
        except TftDashError as error:
            self._again(receiver, telling, Answer(None, str(error), 0))
            return
        answer = self._sent(receiver, request, begun)
        if answer.ok:
            self._end(telling, answer, "sent")
        elif answer.again:
            self._again(receiver, telling, answer)
        else:
            self._end(telling, answer, "refused")

    def _sent(self, receiver: Receiver, request: Request, begun: float) -> Answer:
        """Make an attempt, unless so much time has gone by that somebody else may be at it."""
        left = CLAIM_MS / 1000 - (self._monotonic() - begun)
        if left < 2 * receiver.timeout:
            return Answer(None, "This process was held up for too long. It is tried again.", 0)
        return self._send(receiver, request)

    def _end(self, telling: Telling, answer: Answer, outcome: str) -> None:
        with self._store.write() as connection:
            now = database_now_ms(connection)
            state: outbox.State = "sent" if outcome == "sent" else "gave-up"
            outbox.settle(connection, telling, state, now, answer.words)
            outbox.log(connection, [_logged(telling, answer, outcome, now)])

    def _again(self, receiver: Receiver, telling: Telling, answer: Answer) -> None:
        with self._store.write() as connection:
            now = database_now_ms(connection)
            end = telling.created_ms + round(receiver.give_up * 1000)
            due = now + self._pace.wait_ms(telling.attempts, answer.retry_after)
            if telling.event != SYNC and now >= end:
                outbox.settle(connection, telling, "gave-up", now, answer.words)
                outbox.log(connection, [_logged(telling, answer, "gave-up", now)])
                return
            outbox.retry(connection, telling, due if telling.event == SYNC else min(due, max(end, now)), answer.words)
            outbox.log(connection, [_logged(telling, answer, "failed", now)])

    def _sync(self, receiver: Receiver, telling: Telling, begun: float) -> None:
        with self._store.read() as connection:
            found = what_stands(connection, self._source, receiver, self._ruling.read(connection), self._base)
        answer = Answer(204, "", 0)
        if found.payload:
            try:
                request = request_for(receiver, found.payload, "")
            except TftDashError as error:
                self._again(receiver, telling, Answer(None, str(error), 0))
                return
            answer = self._sent(receiver, request, begun)
        if answer.ok:
            self._synced(telling, answer, found)
            return
        self._give_up(receiver, found, answer)
        self._again(receiver, telling, answer)

    def _synced(self, telling: Telling, answer: Answer, found: Sync) -> None:
        with self._store.write() as connection:
            now = database_now_ms(connection)
            due = now + REFRESH_MS if found.payload else NEVER
            if not outbox.settle_sync(connection, telling, due, now):
                return
            outbox.settle_carried(connection, [one.id for one in found.fresh], "sent", now)
            outbox.log(connection, [_logged(one, answer, "sent", now) for one in found.fresh])

    def _give_up(self, receiver: Receiver, found: Sync, answer: Answer) -> None:
        """What is over, and could not be told for so long, is not told any more, neither that it was nor its end."""
        with self._store.write() as connection:
            now = database_now_ms(connection)
            over = {
                one.subject
                for one in found.fresh
                if one.event == "resolved" and now - one.created_ms > receiver.give_up * 1000
            }
            old = [one for one in found.fresh if one.subject in over]
            outbox.settle_carried(connection, [one.id for one in old], "gave-up", now)
            outbox.log(connection, [_logged(one, answer, "gave-up", now) for one in old])


def _logged(telling: Telling, answer: Answer, outcome: str, now: int) -> Delivery:
    return Delivery(
        telling=telling.id,
        source=telling.source,
        receiver=telling.receiver,
        problem=telling.problem,
        event=telling.event,
        at_ms=now,
        attempt=max(telling.attempts, 1),
        outcome=outcome,
        status=answer.status or None,
        took_ms=answer.took_ms,
        words=answer.words,
    )


class Couriers:
    """Serves the receivers of one source until it is stopped.

    :param look_seconds: how often the outbox is looked at.
    """

    def __init__(self, courier: Courier, source: str, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._courier, self._source, self._look_seconds = courier, source, look_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"couriers-{self._source}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End once what is being sent has been answered."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        wait, tidy = self._look_seconds, time.monotonic() + self._look_seconds
        with ThreadPoolExecutor(MOST_RECEIVERS, thread_name_prefix=f"courier-{self._source}") as pool:
            while not self._stop.wait(wait):
                wait = self._look_seconds
                try:
                    self._look(pool)
                    if time.monotonic() >= tidy:
                        self._courier.tidy()
                        tidy = time.monotonic() + TIDY_SECONDS
                except StorageError as error:  # whoever records meets it, too, and tells
                    logger.debug("%s: the outbox cannot be read: %s", self._source, error)
                    wait = min(10 * self._look_seconds, 10.0)
                except (
                    Exception
                ):  # an end of this thread would be an end of all alerts; this is the edge that reports it
                    logger.exception("%s: the outbox cannot be served", self._source)
                    wait = min(10 * self._look_seconds, 10.0)

    def _look(self, pool: ThreadPoolExecutor) -> None:
        due = self._courier.due()
        for receiver in self._courier.receivers() if due else ():
            with self._lock:
                free = receiver.name in due and receiver.name not in self._busy
                if free:
                    self._busy.add(receiver.name)
            if free:
                pool.submit(self._serve, receiver)

    def _serve(self, receiver: Receiver) -> None:
        try:
            while not self._stop.is_set() and self._courier.serve(receiver):
                pass
        except StorageError as error:
            logger.debug("%s: %s", self._source, error)
        except Exception:  # an error of our own must not stop other receivers; this is the edge that reports it
            logger.exception("%s: '%s' could not be told", self._source, receiver.name)
        finally:
            with self._lock:
                self._busy.discard(receiver.name)
