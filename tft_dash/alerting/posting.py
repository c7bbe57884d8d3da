"""One attempt to tell: a POST, its answer, and everything that can go wrong on the way in words without a secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import requests
from requests.auth import AuthBase

from tft_dash.alerting.requesting import Request
from tft_dash.alerts.delivery.receivers import Receiver
from tft_dash.errors import shorten

CONNECT_SECONDS: Final = 5.0
LONGEST_PAUSE: Final = 3600.0
_READ: Final = 2048
_WORTH_ANOTHER: Final = frozenset({401, 403, 404, 408, 409, 425, 429})
"""Statuses that may be another later: somebody mends the token, the proxy, the address; all of 3xx and 5xx, too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended.

    :param status: None = there was no answer.
    :param retry_after: seconds that the receiver asks to be left alone.
    :param words: what went wrong; "" = nothing.
    """

    status: int | None
    words: str
    took_ms: int
    retry_after: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def again(self) -> bool:
        """Whether another attempt can do better."""
        status = self.status
        return status is None or status >= 500 or 300 <= status < 400 or status in _WORTH_ANOTHER


class _Nothing(AuthBase):
    """Keeps ``requests`` from taking a password out of a ``.netrc``."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def post(receiver: Receiver, request: Request, monotonic: Callable[[], float] = time.monotonic) -> Answer:
    """Send it once."""
    begun = monotonic()

    def answer(status: int | None, words: str, retry_after: float = 0.0) -> Answer:
        return Answer(status, words, round((monotonic() - begun) * 1000), retry_after)

    verify: bool | str = True
    if receiver.ca_file is not None:
        verify = str(Path(receiver.ca_file).expanduser())
        if not Path(verify).is_file():
            return answer(None, f"ca_file={shorten(receiver.ca_file, 200)}: there is no such file.")
    timeout = (min(CONNECT_SECONDS, receiver.timeout), receiver.timeout)
    try:
        with (
            requests.Session() as session,
            session.post(
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=timeout,
                verify=verify,
                auth=_Nothing(),
                allow_redirects=False,
                stream=True,
            ) as got,
        ):
            if 200 <= got.status_code < 300:
                return answer(got.status_code, "")
            said = _said(got, begun + receiver.timeout, monotonic)
            return answer(got.status_code, _refusal(got, said), _pause(got.headers))
    except (requests.exceptions.RequestException, UnicodeError, ValueError) as error:
        return answer(None, _failure(error, receiver))


def _said(got: requests.Response, until: float, monotonic: Callable[[], float]) -> str:
    """The beginning of a refusal, in bounded memory and time."""
    found = b""
    try:
        for piece in got.iter_content(_READ):
            found += piece
            if len(found) >= _READ or monotonic() > until:
                break
    except requests.exceptions.RequestException:
        return ""
    return shorten(" ".join(found.decode("utf-8", "replace").split()), 200)


def _refusal(got: requests.Response, said: str) -> str:
    status, more = got.status_code, f" It says: {said}" if said else ""
    if 300 <= status < 400:
        return f"It answers {status} and sends us elsewhere; that is not followed. Give it the final address."
    if status in (401, 403):
        return f"It answers {status}: check its token, password or key.{more}"
    if status == 404:
        return f"It answers 404: check its address.{more}"
    if status == 429:
        return f"It answers 429: it is told too much at once.{more}"
    return f"It answers {status}.{more}"


def _pause(headers: Mapping[str, str]) -> float:
    """``Retry-After``, in seconds or as a date."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return 0.0
    if text.isdigit() and len(text) < 9:
        return min(float(text), LONGEST_PAUSE)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return min(max((aware - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE)


_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    (
        (requests.exceptions.ConnectTimeout,),
        "No connection could be made in time. Check its host, and the firewalls between.",
    ),
    (
        (requests.exceptions.SSLError,),
        "Its certificate cannot be trusted. Name the certificates of who signed it: ca_file.",
    ),
    (
        (requests.exceptions.ProxyError,),
        "The proxy of this machine does not let us through. Check HTTPS_PROXY and NO_PROXY.",
    ),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema),
        "Its address is none. It must be one line that starts with http:// or https://.",
    ),
)
_UNCONNECTED: Final[Mapping[str, str]] = {
    "Connection refused": "refused: nothing listens there",
    "Name or service not known": "its host is not known",
    "Temporary failure in name resolution": "its host cannot be looked up at the moment",
    "No address associated": "its host has no address",
    "No route to host": "there is no way to its host",
    "Network is unreachable": "there is no network",
    "timed out": "it stopped in the middle of its answer",
    "Connection aborted": "it closed the connection without an answer",
    "Connection reset": "it closed the connection without an answer",
}


def _failure(error: Exception, receiver: Receiver) -> str:
    """What happened; an error's own text would hold the address, and that may be a secret."""
    for kinds, words in _FAILURES:
        if isinstance(error, kinds):
            return words
    if isinstance(error, requests.exceptions.Timeout):
        return f"It did not answer within {receiver.timeout:g} s."
    if isinstance(error, requests.exceptions.ConnectionError):
        text = str(error)
        reason = next((words for mark, words in _UNCONNECTED.items() if mark in text), "the connection failed")
        return f"It could not be told: {reason}."
    return f"It could not be asked ({type(error).__name__})."
