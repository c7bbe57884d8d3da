"""What a page says that it shows, and whether that can be continued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tft_dash.answering import BEST
from tft_dash.frame import Frame

ASKED: Final = "asked"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the page says that it shows.

    :param key: names the source's content, the model and the theme that were drawn.
    :param roster: names the servers that were drawn; those of a live source come and go.
    :param server: the server whose panel is drawn; None = closed.
    """

    key: str
    roster: str
    tick: int
    server: str | None


def key_of(frame: Frame, theme: str | None, *, asked: bool) -> str:
    """Equal where two pages show the same; its last two words are whether a viewer chose the model, and the theme."""
    answers = f"{frame.card.identity} {'' if frame.instead is None else 'instead'}{'remark' if frame.remarks else ''}"
    answers += "aged" if frame.aged else ""
    source = frame.source
    # A live source's digest changes with its servers, which not every figure shows.
    content = f"{source.start}{','.join(source.metrics)}" if source.live else source.digest[:16]
    return f"{source.name} {content} {answers} {ASKED if asked else BEST} {theme}"


def was_asked(key: str) -> bool:
    """Whether a viewer chose the model."""
    return key.rsplit(" ", 2)[1] == ASKED


def theme_name(key: str) -> str:
    """The theme that was asked for."""
    return key.rsplit(" ", 1)[1]


def drawn_of(value: object, key: str) -> Drawn | None:
    """What the page shows, if it can be continued: same source, content, model and theme."""
    if not isinstance(value, Mapping) or value.get("key") != key or not isinstance(value.get("tick"), int):
        return None
    server, roster = value.get("server"), value.get("roster")
    return Drawn(
        key, roster if isinstance(roster, str) else "", value["tick"], server if isinstance(server, str) else None
    )
