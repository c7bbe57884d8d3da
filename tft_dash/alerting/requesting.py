"""Requests to receivers, whole: address, headers, body; with the secrets, or with something else in their place."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import orjson

from tft_dash.alerts.delivery.receivers import PAGERDUTY_URL, Receiver
from tft_dash.errors import shorten
from tft_dash.live.feeds.options import Secret

MASK: Final = "********"
ALERTS_PATH: Final = "/api/v2/alerts"
Secrets = Callable[[Receiver, str], str]
"""Gives a secret of a receiver: ``url``, ``token``, ``password`` or ``routing_key``; "" where it has none."""


@dataclass(frozen=True, slots=True)
class Request:
    """A POST.

    :param shown: the address, fit for eyes.
    """

    url: str
    shown: str
    headers: Mapping[str, str]
    body: bytes


def secret_of(receiver: Receiver, name: str) -> str:
    """A secret as it stands in its file or variable now.

    :raises SourceUnreachableError: it is not there, or is none.
    """
    for option, place in receiver.places(name).items():
        return Secret(option, place).read()
    return ""


def masked(receiver: Receiver, name: str) -> str:
    """Something in a secret's place."""
    return MASK if receiver.places(name) else ""


def request_for(receiver: Receiver, payload: object, key: str, secrets: Secrets = secret_of) -> Request:
    """What is sent.

    :param payload: plain values for JSON.
    :param key: the same whenever the same is sent: a receiver can tell by it that it has seen this.
    :raises SourceUnreachableError: a secret is not there.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "tft-dash"}
    if key:
        headers["Idempotency-Key"] = key
    if token := secrets(receiver, "token"):
        headers["Authorization"] = f"Bearer {token}"
    elif receiver.user is not None:
        headers["Authorization"] = _basic(receiver.user, secrets(receiver, "password"))
    routing_key = secrets(receiver, "routing_key")
    if routing_key and isinstance(payload, Mapping):
        payload = {"routing_key": routing_key, **payload}
    url = receiver.url or secrets(receiver, "url") or PAGERDUTY_URL
    if receiver.is_alertmanager and url != MASK:
        url = url.rstrip("/") + ALERTS_PATH
    return Request(url, address_shown(receiver), headers, orjson.dumps(payload))


def _basic(user: str, password: str) -> str:
    if password == MASK:
        return f"Basic {MASK}"
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def address_shown(receiver: Receiver) -> str:
    """A receiver's address fit for eyes: of a webhook the host alone, for the rest of it lets anybody write there."""
    if receiver.url is None:
        hidden = next(iter(receiver.places("url")), None)
        return PAGERDUTY_URL if hidden is None else f"({hidden})"
    if receiver.is_alertmanager:
        return shorten(receiver.url.partition("?")[0].rstrip("/") + ALERTS_PATH, 200)
    parts = urlsplit(receiver.url)
    return shorten(f"{parts.scheme}://{parts.netloc}", 200) + ("/…" if parts.path.strip("/") or parts.query else "")


@dataclass(frozen=True, slots=True)
class DryRun:
    """A request that is not sent, fit for eyes.

    :param headers: secrets masked; in the body, too.
    """

    url: str
    headers: Mapping[str, str]
    body: str

    @property
    def text(self) -> str:
        """As it would go over the line."""
        return "\n".join(
            [f"POST {self.url}", *(f"{name}: {said}" for name, said in self.headers.items()), "", self.body]
        )


def dry_run(receiver: Receiver, payload: object, key: str) -> DryRun:
    """The exact request, secrets masked."""
    request = request_for(receiver, payload, key, masked)
    body = orjson.dumps(orjson.loads(request.body), option=orjson.OPT_INDENT_2).decode()
    return DryRun(request.shown, request.headers, body)
