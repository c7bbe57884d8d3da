"""Prometheus's HTTP API: questions in PromQL, answers as series; everything that can go wrong on the way, in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson
import requests
import urllib3
from requests.auth import AuthBase

from tft_dash.errors import DataError, SourceUnreachableError, shorten
from tft_dash.live.feeds.options import Secret
from tft_dash.live.feeds.prometheus.configuration import Access

CONNECT_SECONDS: Final = 5.0
LONGEST_ANSWER: Final = 256 << 20
LONGEST_ADDRESS: Final = 1500
PATIENCE_SECONDS: Final = 5.0
"""So long a source that asks for it is waited for within one call; what is longer is left to the collector."""
LEAST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 300.0
"""Whatever it asks for: one that says 0 would be asked without end, and one that says a day would be lost."""
_PIECE: Final = 1 << 16
_FAILURES: Final = (OSError, urllib3.exceptions.HTTPError)
"""The library's own errors are an ``OSError``, too; some of those below it get through."""
_BUSY: Final = (429, 503)


class QueryRefusedError(DataError):
    """The server finds a question impossible: its PromQL is wrong."""


class TooMuchError(SourceUnreachableError):
    """The answer would be too large, or takes too long; a shorter span may do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says.

    :param series: the raw series of a matrix or vector.
    :param kind: ``matrix``, ``vector``, ``scalar`` or ``string``.
    :param warnings: what it says of its own answer: a part of it may be missing.
    """

    kind: str
    series: list[Any]
    warnings: tuple[str, ...]


class _Authorization(AuthBase):
    """Sets the header from what stands in the file now; without any keeps ``requests`` from using a ``.netrc``."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        access = self._access
        if access.token is not None:
            request.headers["Authorization"] = f"Bearer {access.token.for_header()}"
        elif access.user:
            secret = access.password
            password = secret.read() if isinstance(secret, Secret) else secret or ""
            requests.auth.HTTPBasicAuth(access.user.encode(), password.encode())(request)
        if access.tenant:
            request.headers["X-Scope-OrgID"] = access.tenant
        return request


class Client:
    """Asks one server. Used from one thread.

    :param base: its address, without user and password.
    :param sleep: waits so many seconds.
    """

    def __init__(
        self,
        base: str,
        access: Access,
        timeout_seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base, self.timeout_seconds = base, timeout_seconds
        self._access, self._sleep, self._monotonic = access, sleep, monotonic
        self._not_before = 0.0
        self._session: requests.Session | None = None

    def ask(self, path: str, parameters: Mapping[str, str], what: str) -> Answer:
        """The answer to one question.

        :param what: what it is about, for messages: ``cpu_pct``.
        :raises QueryRefusedError: the question is impossible.
        :raises TooMuchError: a shorter span may be answered.
        :raises SourceUnreachableError: there is no answer that can be used.
        """
        self._demand_pause_over()
        waited = 0.0
        while True:
            status, headers, body = self._sent(path, parameters)
            if status in _BUSY and not _timed_out(body):
                pause = _retry_after(headers)
                if waited + pause > PATIENCE_SECONDS:
                    self._not_before = self._monotonic() + pause
                    raise self._unreachable(
                        f"answers {status}: it has too much to do. It is asked again in {pause:.0f} s"
                    )
                self._sleep(pause)
                waited += pause
                continue
            return self._read(status, headers, body, what)

    def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _demand_pause_over(self) -> None:
        left = self._not_before - self._monotonic()
        if left > 0:
            raise self._unreachable(f"had too much to do, and asked to be left alone for another {left:.0f} s")

    def _sent(self, path: str, parameters: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """Ask; on a connection that was closed meanwhile once more."""
        fresh = self._session is None
        try:
            return self._once(path, parameters)
        except requests.exceptions.ConnectionError as error:
            stale = not fresh and not _is_late(error) and not isinstance(error, requests.exceptions.SSLError)
            self.close()
            if not stale:
                raise self._failed(error) from error
        except _FAILURES as error:
            self.close()
            raise self._failed(error) from error
        try:
            return self._once(path, parameters)
        except _FAILURES as error:
            self.close()
            raise self._failed(error) from error

    def _once(self, path: str, parameters: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        session = self._opened()
        short = sum(len(text) for text in parameters.values()) < LONGEST_ADDRESS
        timeout = (min(CONNECT_SECONDS, self.timeout_seconds), self.timeout_seconds)
        with session.request(
            "GET" if short else "POST",
            f"{self.base}/api/v1/{path}",
            params=dict(parameters) if short else None,
            data=None if short else dict(parameters),
            timeout=timeout,
            stream=True,
            allow_redirects=False,
            # Given here, for a bundle that the environment names would win over the session's own.
            verify=self._access.verify,
        ) as answer:
            return answer.status_code, dict(answer.headers), self._body(answer)

    def _body(self, answer: requests.Response) -> bytes:
        """The body, in bounded memory and time: a time-out of the socket begins anew with every piece."""
        until = self._monotonic() + 2 * self.timeout_seconds
        pieces, size = [], 0
        for piece in answer.iter_content(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_ANSWER:
                raise TooMuchError(f"{self._who} answers with more than {LONGEST_ANSWER >> 20} MiB. Select less.")
            if self._monotonic() > until:
                raise TooMuchError(f"{self._who} has not sent its whole answer within {2 * self.timeout_seconds:g} s.")
        return b"".join(pieces)

    def _opened(self) -> requests.Session:
        if self._session is None:
            session = requests.Session()
            session.auth = _Authorization(self._access)
            session.cert = self._access.certificate
            session.headers["Accept"] = "application/json"
            session.headers["User-Agent"] = "tft-dash"
            self._session = session
        return self._session

    def _read(self, status: int, headers: Mapping[str, str], body: bytes, what: str) -> Answer:
        said = _parsed(body)
        if status == 200 and said is not None and said.get("status") == "success":
            data = said.get("data")
            if isinstance(data, dict) and isinstance(data.get("result"), list):
                warnings = said.get("warnings") or ()
                return Answer(str(data.get("resultType")), data["result"], tuple(str(one) for one in warnings))
        words = shorten(str((said or {}).get("error", "")), 300).rstrip(".")
        kind = (said or {}).get("errorType")
        if status == 400 or kind == "bad_data":
            raise QueryRefusedError(
                f"{self._who} refuses the question for {what}: {words or 'bad request'}. Correct the mapping's query."
            )
        if status == 422 or kind in ("execution", "timeout", "canceled") or status == 504:
            raise TooMuchError(f"{self._who} could not answer for {what}: {words or f'status {status}'}.")
        raise self._unreachable(self._reason(status, headers, words))

    def _reason(self, status: int, headers: Mapping[str, str], words: str) -> str:
        said = f" ({words})" if words else ""
        if status in (401, 403):
            given = "with what it was given" if self._access.token or self._access.user else "without authentication"
            return (
                f"lets nobody in {given}: status {status}{said}. Give it token_file, or user and password_file, with "
                "what is valid now"
            )
        if 300 <= status < 400:
            where = shorten(headers.get("Location", "elsewhere").partition("?")[0], 100)
            return f"sends us on to {where}. Give that address, if it is a Prometheus's"
        if status == 404:
            return f"has no Prometheus API there: status 404{said}. Give the path before /api/v1, too"
        if status == 200:
            return "answers with something else than Prometheus does. Check the address"
        return f"answers with status {status}{said}. Look at its log, or at that of the proxy before it"

    @property
    def _who(self) -> str:
        return f"The Prometheus at {shorten(self.base, 200)}"

    def _unreachable(self, words: str) -> SourceUnreachableError:
        return SourceUnreachableError(f"{self._who} {words}.")

    def _failed(self, error: Exception) -> SourceUnreachableError:
        if isinstance(error, requests.exceptions.SSLError):
            words = "does not prove who it is ({}). Give the certificate of its authority with ca_file"
            return self._unreachable(words.format(_root(error)))
        if _is_late(error) and not isinstance(error, requests.exceptions.ConnectTimeout):
            return TooMuchError(f"{self._who} did not answer within {self.timeout_seconds:g} s.")
        if isinstance(error, requests.exceptions.Timeout):
            return self._unreachable("cannot be reached in time. Check the address, and the network between")
        if isinstance(error, OSError) and not isinstance(error, requests.exceptions.RequestException):
            return self._unreachable(f"cannot be asked ({_root(error)}). Check ca_file, cert_file and key_file")
        return self._unreachable(f"cannot be reached ({_root(error)}). Check that it runs, and the address")


def _is_late(error: Exception) -> bool:
    """Whether it took too long; in the middle of an answer ``requests`` has no class of its own for that."""
    return isinstance(error, requests.exceptions.Timeout) or "Read timed out" in str(error)


def _root(error: BaseException) -> str:
    """The innermost reason, without addresses of objects in memory and without whatever was asked."""
    seen: BaseException = error
    for _ in range(10):
        inner = getattr(seen, "reason", None) or next(
            (one for one in seen.args if isinstance(one, BaseException)), None
        )
        inner = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
        if inner is None or inner is seen:
            break
        seen = inner
    words = getattr(seen, "strerror", None) or getattr(seen, "verify_message", None) or str(seen) or type(seen).__name__
    return shorten(str(words).rpartition("object at ")[2].rpartition(">: ")[2], 160).rstrip(".")


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _timed_out(body: bytes) -> bool:
    """Prometheus says 503 for a question that took too long, too; to ask it again would not help."""
    return (_parsed(body) or {}).get("errorType") in ("timeout", "canceled")


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks for, within bounds; 1 where it says nothing that can be read."""
    text = {name.lower(): value for name, value in headers.items()}.get("retry-after", "").strip()
    try:
        plain = text.isascii() and text.isdigit()
        asked = float(text) if plain else parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return 1.0
    return min(max(asked, LEAST_PAUSE), LONGEST_PAUSE)
