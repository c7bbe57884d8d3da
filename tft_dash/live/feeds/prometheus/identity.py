"""From a series' labels to a server's name and profile, by the rules of a mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tft_dash.live.feeds.prometheus.parts import Profile, Server
from tft_dash.schema import SERVER_NAME_LIMIT

_PORT: Final = re.compile(r"(.+?):\d{1,5}")
_SHOWN_LABELS: Final = 6
Labels = Mapping[str, str]


class Identity:
    """What servers are called, and what their profiles are."""

    def __init__(self, server: Server, profile: Profile) -> None:
        self._server, self._profile = server, profile
        self._pattern = re.compile(server.pattern) if server.pattern else None
        self._rules = [(re.compile(rule.pattern), rule.profile) for rule in profile.rules]
        self._names: dict[str, str | None] = {}

    def target(self, labels: Labels) -> str:
        """The text that the name is made from, which tells targets apart; "" = it has none."""
        return next((labels[name] for name in self._server.labels if labels.get(name)), "")

    def name(self, target: str) -> str | None:
        """The server's name for such a text; None = by the mapping's pattern it is no server of this source.

        An impossible name is ``""``.
        """
        if target not in self._names:
            if len(self._names) > 100_000:
                self._names.clear()
            self._names[target] = self._made(target)
        return self._names[target]

    def _made(self, target: str) -> str | None:
        text = target
        if self._server.port == "drop":
            found = _PORT.fullmatch(text)
            # An IPv6 address has colons, too: only one in brackets can have a port behind it.
            if found and (":" not in found.group(1) or found.group(1).endswith("]")):
                text = found.group(1)
            text = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        if self._pattern is not None:
            matched = self._pattern.fullmatch(text)
            if matched is None:
                return None
            text = (matched.group(1) or "") if matched.re.groups else matched.group(0)
        text = text.strip()
        return text if len(text) <= SERVER_NAME_LIMIT and text.isprintable() else ""

    def profile(self, labels: Labels) -> str:
        """The profile; "" = not said."""
        text = next((labels[name] for name in self._profile.labels if labels.get(name)), "")
        if self._rules and text:
            text = next((profile for pattern, profile in self._rules if pattern.search(text)), "")
        text = text.strip()
        usable = 0 < len(text) <= SERVER_NAME_LIMIT and text.isprintable()
        return text if usable else self._profile.value or ""


def shown(labels: Labels) -> str:
    """Labels for people: ``up{instance="a:9100", job="node"}``."""
    named = [f'{name}="{text}"' for name, text in sorted(labels.items()) if name != "__name__"]
    more = ", …" if len(named) > _SHOWN_LABELS else ""
    return f"{labels.get('__name__', '')}{{{', '.join(named[:_SHOWN_LABELS])}{more}}}"
