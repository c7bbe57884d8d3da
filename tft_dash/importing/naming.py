"""Names of uploads: what a browser sends is a label for people, and never a path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from tft_dash.errors import UsageError, shorten

NAME_LIMIT: Final = 80
_LABEL_LIMIT: Final = 120
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_ENDING: Final = re.compile(r"\.(csv|tsv|txt|parquet|pq|json|html?|xlsx?|gz|zip)$", re.IGNORECASE)
_NAMELESS: Final = "recording"


def label_of(filename: str) -> str:
    """A file's name as it is shown: its last part, printable, at most 120 characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", filename))[-1]
    # Letters that turn the direction of text around would make "gpj.exe" of another name.
    plain = "".join(
        letter for letter in last if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    )
    return shorten(plain.strip(), _LABEL_LIMIT) or _NAMELESS


def name_of(label: str) -> str:
    """A name that can stand in a URL and as a folder, made from a file's label."""
    stem = _ENDING.sub("", _ENDING.sub("", re.split(r"[/\\]", label)[-1]))
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[: NAME_LIMIT - 8].strip("-._") or _NAMELESS


def demand_name(name: str) -> str:
    """``name``, if it can stand in a URL and as a folder.

    :raises UsageError: it cannot.
    """
    if _NAME.fullmatch(name):
        return name
    raise UsageError(
        f"A dataset cannot be called '{shorten(name)}': use 1 to {NAME_LIMIT} letters, digits, '.', '_' and '-', "
        "beginning with a letter or digit."
    )


def free_name(wish: str, is_taken: Callable[[str], bool]) -> str:
    """``wish``, or the first of ``wish-2``, ``wish-3``, … that is free."""
    name, number = wish, 2
    while is_taken(name):
        name, number = f"{wish[: NAME_LIMIT - 8]}-{number}", number + 1
    return name
