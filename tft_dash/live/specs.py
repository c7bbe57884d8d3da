"""From what a user names (``name=URL?option=value&…``) to a live source: its name, its address, its options.

The options that every live source has are read here; all others are the feed's own. A secret stands in a file or in the
environment, never in a URL that is shown: what people and the store get to see is :attr:`LiveSpec.place`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from tft_dash.errors import UsageError, shorten
from tft_dash.live.adapters import FEEDS, Feed, scheme_of
from tft_dash.sources.catalogue import Named, discover
from tft_dash.sources.remote.address import LIVE

DELAY_LIMIT: Final = 15.0
STEP_RANGE: Final = (1.0, 86_400.0)
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?")
_UNITS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_USER: Final = re.compile(r"://.*@", re.DOTALL)
"""To the last one: a password that was not encoded as it should be may have a slash or an @ in it, too."""
_SECRET: Final = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
COMMON: Final = ("step", "delay", "model", "backfill", "forget")
"""Options of every live source. ``step`` is handed to the feed, too."""


@dataclass(frozen=True, slots=True)
class LiveSpec:
    """A live source as configured.

    :param kind: registered scheme.
    :param url: without the query; may hold a password: never shown.
    :param options: the feed's own, ``step`` (as written) among them.
    :param step_seconds: None = as the feed declares.
    :param delay_seconds: None = the smaller of a step and 15 s.
    :param model: "" = as set for all.
    :param backfill_hours: how far back ticks are recorded after an outage, and at first; None = as set for all.
    :param forget_hours: a server silent for so long leaves the roster; None = as set for all.
    """

    name: str
    kind: str
    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    step_seconds: float | None = None
    delay_seconds: float | None = None
    model: str = ""
    backfill_hours: float | None = None
    forget_hours: float | None = None

    @property
    def place(self) -> str:
        """The address with its options, for people: without user, password, and whatever may be a secret."""
        shown = {name: value for name, value in self.options.items() if not _is_secret(name)}
        query = urlencode(shown, safe="/:,")
        return shorten(_USER.sub("://", self.url) + (f"?{query}" if query else ""), 400)

    @property
    def identity(self) -> str:
        """Equal for equal addresses."""
        return hashlib.sha256(self.place.encode()).hexdigest()

    def open(self) -> Feed:
        """The feed; nothing is asked of the source yet.

        :raises UsageError: an option is impossible.
        :raises MissingExtraError: it needs packages that are not installed.
        """
        return FEEDS.load(self.kind)(self.url, self.options)

    def delay_for(self, step_seconds: float) -> float:
        """Seconds that a tick is left open after its time."""
        return min(step_seconds, DELAY_LIMIT) if self.delay_seconds is None else self.delay_seconds


def parse_spec(spec: str) -> LiveSpec:
    """The live source that ``URL`` or ``name=URL`` stands for.

    :raises UsageError: it is none, or an option is impossible.
    """
    return live_spec(discover(spec, demand=False))


def live_spec(named: Named) -> LiveSpec:
    """A live source from what somebody named.

    :raises UsageError: it is none, or an option is impossible.
    """
    kind = scheme_of(named.location)
    if named.kind != LIVE or kind is None:
        known = ", ".join(f"{scheme}://" for scheme in FEEDS.names())
        raise UsageError(f"'{named.shown}' is no live source. Write [name=]URL with one of {known}.")
    try:
        parts = urlsplit(named.location)
        _ = parts.port
    except ValueError:  # its own words may hold a piece of a password
        raise UsageError(
            f"'{named.shown}' is no URL: its host or port is none. In a user or password write / as %2F, : as %3A and "
            "@ as %40."
        ) from None
    options = _options(parts.query, named)
    own = {option: value for option, value in options.items() if option not in COMMON or option == "step"}
    return LiveSpec(
        name=named.name,
        kind=kind,
        # Put together again from its parts, sqlite:////srv/x would be another place.
        url=re.split("[?#]", named.location, maxsplit=1)[0],
        options=own,
        step_seconds=_optional(options, "step", *STEP_RANGE),
        delay_seconds=_optional(options, "delay", 0.0, 86_400.0),
        model=options.get("model", ""),
        backfill_hours=_hours(options, "backfill"),
        forget_hours=_hours(options, "forget"),
    )


def seconds_of(text: str) -> float:
    """``15``, ``15s``, ``5m``, ``1h``, ``2d``, ``500ms`` as seconds.

    :raises ValueError: it is none of these.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError("expected a time such as 15s, 5m or 1h")
    return float(found.group(1)) * _UNITS[found.group(2) or "s"]


def _options(query: str, named: Named) -> dict[str, str]:
    options: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise UsageError(f"'{named.shown}': write options as ?name=value&name=value.") from None
    for option, value in pairs:
        if option in options:
            raise UsageError(f"'{named.shown}': the option '{shorten(option)}' is given twice.")
        options[option] = value
    return options


def _optional(options: Mapping[str, str], option: str, low: float, high: float) -> float | None:
    if option not in options:
        return None
    text = options[option]
    try:
        seconds = seconds_of(text)
    except ValueError as error:
        raise UsageError(f"{option}={shorten(text)}: {error}.") from None
    if not low <= seconds <= high or round(seconds * 1000) != seconds * 1000:
        raise UsageError(f"{option}={shorten(text)}: expected {low:g} s to {high:,.0f} s, in whole milliseconds.")
    return seconds


def _hours(options: Mapping[str, str], option: str) -> float | None:
    seconds = _optional(options, option, 0.0, 366 * 86_400.0)
    return None if seconds is None else seconds / 3600.0


def _is_secret(option: str) -> bool:
    return bool(_SECRET.search(option)) and not option.endswith(("_file", "_env"))
