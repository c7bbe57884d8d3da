"""Who is told of alerts, as a document: read with every mistake found. Secrets are named, never written, in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from tft_dash.alerts.documents import read
from tft_dash.alerts.rules import SEVERITIES, Address, Metadata, Part, Severity, Where
from tft_dash.scenarios.format.fields import Duration, Line, Slug, format_duration, mistake, show
from tft_dash.scenarios.format.wording import Location, Problem

Type = Literal["alertmanager", "webhook", "slack", "teams", "pagerduty"]
PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"
MOST_RECEIVERS: Final = 50
LONGEST_TIMEOUT: Final = 30.0
LONGEST_GIVE_UP: Final = 7 * 86400.0
CHATS: Final = ("slack", "teams")
"""Types whose messages are read and forgotten; the others keep an incident open until they are told of its end."""


def _timeout(seconds: float) -> float:
    if not 0.5 <= seconds <= LONGEST_TIMEOUT:
        raise mistake(f"must be from 500ms to {format_duration(LONGEST_TIMEOUT)}, not {format_duration(seconds)}.")
    return seconds


def _give_up(seconds: float) -> float:
    if not 1 <= seconds <= LONGEST_GIVE_UP:
        raise mistake(f"must be from 1s to {format_duration(LONGEST_GIVE_UP)}, not {format_duration(seconds)}.")
    return seconds


Place = Annotated[str, StringConstraints(min_length=1, max_length=400)]
"""A file's path, or the name of an environment variable."""


class Receiver(Part):
    """Somebody, or some service, that is told."""

    name: Slug = Field(description="Its name: a–z, 0–9, - and _.")
    type: Type = Field(description="How it is told: alertmanager, webhook, slack, teams or pagerduty.")
    url: Address | None = Field(None, description="Where to; of an Alertmanager the address before /api/v2.")
    url_file: Place | None = Field(None, description="File with the address, where the address itself is a secret.")
    url_env: Place | None = Field(None, description="Environment variable with it.")
    token_file: Place | None = Field(None, description="File with a bearer token.")
    token_env: Place | None = Field(None, description="Environment variable with it.")
    user: Line | None = Field(None, description="User for basic authentication.")
    password_file: Place | None = Field(None, description="File with that user's password.")
    password_env: Place | None = Field(None, description="Environment variable with it.")
    routing_key_file: Place | None = Field(None, description="File with PagerDuty's routing key.")
    routing_key_env: Place | None = Field(None, description="Environment variable with it.")
    ca_file: Place | None = Field(None, description="Certificates that its certificate is checked against.")
    severity: Severity = Field("info", description="It is told of what is at least this urgent.")
    where: tuple[Where, ...] = Field((), max_length=20, description="Only of alerts that these matchers fit.")
    timeout: Annotated[Duration, AfterValidator(_timeout)] = Field(10.0, description="How long it may take to answer.")
    give_up: Annotated[Duration, AfterValidator(_give_up)] = Field(
        6 * 3600.0, description="After so long it is not told any more what it could not be told."
    )
    enabled: bool = Field(True, strict=True, description="Whether it is told at all.")

    @property
    def is_alertmanager(self) -> bool:
        """Whether it is told of each alert, again and again; the others once of each problem."""
        return self.type == "alertmanager"

    @property
    def is_chat(self) -> bool:
        """Whether people read its messages and forget them."""
        return self.type in CHATS

    def wants(self, labels: Mapping[str, str], severity: str) -> bool:
        """Whether it is told of an alert with these labels."""
        urgent = SEVERITIES.index(severity) >= SEVERITIES.index(self.severity)
        return urgent and all(one.matches(labels) for one in self.where)

    def places(self, secret: str) -> dict[str, str]:
        """Where a secret of it stands: the option that says so, and what it says; nothing where none does."""
        found = {option: getattr(self, option) for option in (f"{secret}_file", f"{secret}_env")}
        return {option: place for option, place in found.items() if place is not None}


class Spec(Part):
    """The receivers."""

    receivers: tuple[Receiver, ...] = Field(max_length=MOST_RECEIVERS, description="The receivers.")


class Receivers(Part):
    """A whole document."""

    api_version: Literal["tft-dash/v1"] = Field(alias="apiVersion", description="The version of this format.")
    kind: Literal["AlertReceivers"] = Field(description="Always AlertReceivers.")
    metadata: Metadata = Field(description="Name and purpose.")
    spec: Spec = Field(description="The receivers themselves.")

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """Those that are told."""
        return tuple(one for one in self.spec.receivers if one.enabled)


def parse_receivers(document: str | bytes | Mapping[str, Any], source: str) -> Receivers:
    """The receivers that a YAML or JSON text, its bytes, or the mapping in one, describes.

    :param source: what to call it in messages: a path.
    :raises AlertDocumentError: with every mistake and its path, in the order of the document.
    """
    return read(Receivers, document, source, _problems)


def json_schema() -> dict[str, Any]:
    """JSON Schema of a document of receivers, with a description for every field."""
    return Receivers.model_json_schema(by_alias=True)


def _problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Mistakes between fields, read from the document as it was written."""
    spec = document.get("spec")
    receivers = spec.get("receivers") if isinstance(spec, Mapping) else None
    names: dict[str, int] = {}
    for place, one in enumerate(receivers if isinstance(receivers, list | tuple) else ()):
        if isinstance(one, Mapping):
            here: Location = ("spec", "receivers", place)
            name = one.get("name")
            if isinstance(name, str):
                if name in names:
                    yield (*here, "name"), f"is {show(name)} like receiver {names[name] + 1}; give it another."
                names.setdefault(name, place)
            yield from _address_problems(one, here)
            yield from _secret_problems(one, here)


def _address_problems(one: Mapping[str, Any], here: Location) -> Iterator[Problem]:
    given = [name for name in ("url", "url_file", "url_env") if one.get(name) is not None]
    if len(given) > 1:
        yield (*here, given[1]), f"says where to, and so does {given[0]}. Leave one out."
    elif not given and one.get("type") != "pagerduty":
        yield here, "needs an address: url, url_file or url_env."
    url = one.get("url")
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
            named, hidden = parts.hostname and (parts.port or True), "@" in parts.netloc
        except ValueError:
            named, hidden = None, False
        if hidden:
            yield (*here, "url"), "holds a user or password. Write user: and password_file: beside it instead."
        elif not named and url.startswith(("http://", "https://")):
            yield (*here, "url"), "names no host that can be asked."
        elif one.get("type") == "alertmanager" and "/api/v" in parts.path:
            yield (*here, "url"), "must be the address before /api/v2."


def _secret_problems(one: Mapping[str, Any], here: Location) -> Iterator[Problem]:
    for secret in ("token", "password", "routing_key"):
        given = [f"{secret}_{how}" for how in ("file", "env") if one.get(f"{secret}_{how}") is not None]
        if len(given) > 1:
            yield (*here, given[1]), f"says where the {secret} is, and so does {given[0]}. Leave one out."
    has = {name: any(one.get(f"{name}_{how}") for how in ("file", "env")) for name in ("token", "password")}
    key = any(one.get(f"routing_key_{how}") for how in ("file", "env"))
    if (one.get("user") is not None) != has["password"]:
        yield here, "needs user and password_file (or password_env) together, or neither."
    if has["token"] and has["password"]:
        yield here, "has a token and a password; it can be told with one of the two."
    if (one.get("type") == "pagerduty") != key:
        words = "needs routing_key_file or routing_key_env." if not key else "has a routing key; only pagerduty does."
        yield here, words
