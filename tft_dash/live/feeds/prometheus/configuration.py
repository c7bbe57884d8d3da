"""How a Prometheus-compatible source is asked, from its URL and its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic_core import PydanticCustomError

from tft_dash.errors import UsageError, shorten
from tft_dash.live.feeds.options import Options, Secret
from tft_dash.live.feeds.prometheus.document import mapping_named
from tft_dash.live.feeds.prometheus.parts import SELECT, PrometheusMapping, demand_matchers
from tft_dash.scenarios.format.fields import format_duration

OPTIONS: Final = (
    "mapping", "select", "step", "window", "max_age", "timeout", "server_label", "port", "partial", "tenant",
    "token_file", "token_env", "user", "password_file", "password_env", "ca_file", "cert_file", "key_file",
)  # fmt: skip
STEPS_IN_WINDOW: Final = 4
JITTER: Final = 0.1
"""Targets are not scraped to the millisecond: so much of a step later a value is still that of the tick before."""
_EMPTY_SELECT: Final = re.compile(r",\s*\$select|\$select\s*,?")


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in.

    :param token: of "Authorization: Bearer".
    :param user: of basic authentication.
    :param password: text, or where it stands.
    :param verify: the file with the authorities that are trusted; True = those of the system.
    """

    token: Secret | None = None
    user: str = ""
    password: Secret | str | None = field(default=None, repr=False)
    verify: str | bool = True
    certificate: tuple[str, str] | str | None = None
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is asked of whom.

    :param base: the address that ``/api/v1/query`` is put behind; without user and password.
    :param step_ms: of the grid.
    :param max_age_seconds: an older value than that is none.
    :param refuse_partial: an answer with warnings is no answer.
    """

    base: str
    mapping: PrometheusMapping
    access: Access
    select: str
    step_ms: int
    window_seconds: float
    max_age_seconds: float
    timeout_seconds: float
    refuse_partial: bool = False

    @property
    def step_seconds(self) -> float:
        """Time between ticks."""
        return self.step_ms / 1000

    def promql(self, text: str) -> str:
        """A query or selector of the mapping with everything put in."""
        if not self.select:
            text = _EMPTY_SELECT.sub("", text)
        window, step = format_duration(self.window_seconds), format_duration(self.step_seconds)
        return text.replace(SELECT, self.select).replace("$window", window).replace("$step", step)


def configured(url: str, given: Mapping[str, str]) -> Configuration:
    """The configuration that a URL without its query, and its options, stand for.

    :raises UsageError: an option is unknown or impossible.
    :raises PrometheusMappingError: the mapping's document is invalid.
    """
    options = Options(given)
    options.demand_known(OPTIONS)
    mapping = _renamed(mapping_named(options.text("mapping", "node")), options)
    spec = mapping.spec
    step = options.seconds("step", spec.step, 1.0, 86_400.0)
    window = options.seconds("window", spec.window or STEPS_IN_WINDOW * step, 1.0, 86_400.0)
    max_age = options.seconds("max_age", step * (1 + JITTER), 1.0, 86_400.0)
    if max_age < step:
        raise UsageError(
            f"max_age={given['max_age']}: values are at most a step apart, so expected {step:g} s or more."
        )
    base, access = _place(url, options)
    return Configuration(
        base=base,
        mapping=mapping,
        access=access,
        select=_matchers(options.text("select", spec.select)),
        step_ms=round(step * 1000),
        window_seconds=window,
        max_age_seconds=max_age,
        timeout_seconds=options.seconds("timeout", 10.0, 0.1, 600.0),
        refuse_partial=options.choice("partial", ("allow", "refuse"), "allow") == "refuse",
    )


def _renamed(mapping: PrometheusMapping, options: Options) -> PrometheusMapping:
    """The mapping with another rule of what servers are called, if the options say so."""
    server = mapping.spec.server
    changes = {"port": options.choice("port", ("drop", "keep"), server.port)}
    label = options.text("server_label")
    if label and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label):
        raise UsageError(f"server_label={shorten(label)}: is no name of a label.")
    labels = (label,) if label else server.labels
    spec = mapping.spec.model_copy(update={"server": server.model_copy(update={**changes, "labels": labels})})
    return mapping.model_copy(update={"spec": spec})


def _matchers(text: str) -> str:
    try:
        return demand_matchers(text)
    except PydanticCustomError as error:
        raise UsageError(f"select={shorten(text, 200)}: {error.message()}") from None


def _place(url: str, options: Options) -> tuple[str, Access]:
    parts = urlsplit(url)
    scheme = parts.scheme.rpartition("+")[2]
    if not parts.hostname:
        raise UsageError(f"'{scheme}://' names no host. Write prometheus+{scheme}://host:9090/.")
    path = parts.path.rstrip("/").removesuffix("/api/v1").rstrip("/")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((scheme, host, path, "", "")), _access(unquote(parts.username or ""), parts.password, options)


def _access(user: str, password: str | None, options: Options) -> Access:
    token, secret = options.secret("token"), options.secret("password")
    user = options.text("user", user)
    if token is not None and (user or secret is not None or password):
        raise UsageError("A token and a user with a password are given. Leave one of both out.")
    if secret is not None and not user:
        raise UsageError("There is a password, but no user. Add ?user=name, or write the user before the host.")
    if user and secret is None and not password:
        raise UsageError(f"There is no password for the user '{shorten(user)}'. Add ?password_file=PATH.")
    certificate, key = options.file("cert_file"), options.file("key_file")
    if key is not None and certificate is None:
        raise UsageError("key_file needs cert_file, the certificate that it belongs to.")
    return Access(
        token=token,
        user=user,
        password=secret or (unquote(password) if password else None),
        verify=options.file("ca_file") or True,
        certificate=certificate if key is None or certificate is None else (certificate, key),
        tenant=_tenant(options.text("tenant")),
    )


def _tenant(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise UsageError("tenant= has letters that no header can carry. Write it in plain ASCII.")
    return text.strip()
