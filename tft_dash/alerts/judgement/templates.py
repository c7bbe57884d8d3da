"""Texts with ``{{ $value }}`` and ``{{ $labels.server_name }}`` in them, as Prometheus writes them; nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tft_dash.errors import shorten
from tft_dash.schema import readable

_PLACE: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_LABEL: Final = re.compile(r"^\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)$")


def template_problem(text: str) -> str | None:
    """What is wrong with a template, as the rest of a sentence; None = nothing."""
    rest = _PLACE.sub("", text)
    if "{{" in rest or "}}" in rest:
        return "has {{ without }}, or the other way round."
    for place in _PLACE.findall(text):
        if place != "$value" and not _LABEL.match(place):
            known = "write {{ $value }} or {{ $labels.<label> }}."
            return f"has {{{{ {shorten(place, 40)} }}}}, which is not filled in; {known}"
    return None


def filled(text: str, labels: Mapping[str, str], value: float | None) -> str:
    """The text with its places filled in; a label that is not there is empty, a value that is not there is missing."""

    def fill(mark: re.Match[str]) -> str:
        found = _LABEL.match(mark[1])
        if found:
            return labels.get(found[1], "")
        return "missing" if value is None else readable(value)

    return _PLACE.sub(fill, text)
