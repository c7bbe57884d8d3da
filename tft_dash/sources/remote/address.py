"""Addresses of sources: the schemes there are, the kind of source that answers each, and what of one may be shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from importlib.metadata import entry_points
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from tft_dash.errors import UsageError, shorten
from tft_dash.sources.base import SOURCES

FILE: Final = "file"
OBJECT_STORE: Final = "object-store"
LIVE: Final = "live"
FEEDS_GROUP: Final = "tft_dash.feeds"
"""Entry points by which other packages add kinds of live source; each is called as its scheme."""

SCHEMES: Final[Mapping[str, str]] = {
    "file": FILE,
    "s3": OBJECT_STORE,
    "gs": OBJECT_STORE,
    "gcs": OBJECT_STORE,
    "abfs": OBJECT_STORE,
    "abfss": OBJECT_STORE,
    "prometheus+http": LIVE,
    "prometheus+https": LIVE,
    "push": LIVE,
    "postgresql": LIVE,
    "mysql": LIVE,
    "mariadb": LIVE,
    "mssql": LIVE,
    "oracle": LIVE,
    "sqlite": LIVE,
}
"""Scheme → kind of source. A kind that is registered by an entry point answers the scheme of its own name too."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.ASCII)
_NEAR_SCHEME: Final = re.compile(r"(s3|gs|gcs|abfss?|file):/?[^/]")
_TABLE_ENDINGS: Final = (".csv.gz", ".csv", ".parquet", ".pq")
_CONTAINERS: Final = ("abfs", "abfss")
"""Write ``container@account`` where others write a user."""
_HIDDEN: Final = "***"
_NAMELESS: Final = "recording"
_MOST_NAME_BYTES: Final = 200
"""Less than a file system allows: what is derived from a copy is called after it."""


def scheme_of(location: str) -> str | None:
    """The scheme of an address in small letters; None for a path."""
    found = _SCHEME.match(location)
    return None if found is None else found[1].lower()


def kind_of(location: str, kinds: Collection[str] | None = None) -> str:
    """The kind of source that answers for an address or a path, as it is registered in ``SOURCES``.

    :param kinds: those that are registered; None = as ``SOURCES`` says.
    :raises UsageError: no kind answers for its scheme.
    """
    scheme = scheme_of(location)
    if scheme is None:
        if _NEAR_SCHEME.match(location):
            near = location.partition(":")[0]
            raise UsageError(f"'{shorten(shown(location))}' is no address: write {near}:// with two slashes.")
        return FILE
    registered = SOURCES.names() if kinds is None else kinds
    # A SQLAlchemy URL may name its driver after a plus sign.
    kind = SCHEMES.get(scheme) or SCHEMES.get(scheme.partition("+")[0])
    kind = kind or (scheme if scheme in registered else None) or (LIVE if scheme in _added_feeds() else None)
    known = ", ".join(f"{name}://" for name, answers in SCHEMES.items() if answers in registered)
    if kind is None:
        raise UsageError(
            f"Nothing reads '{shorten(shown(location))}': the scheme {shorten(scheme)}:// is not known. "
            f"Known: a path, {known}."
        )
    if kind not in registered:
        raise UsageError(
            f"'{shorten(shown(location))}' is for the kind of source '{kind}', which this version does not have. "
            f"Export it to a file, or use another source. Known: a path, {known}."
        )
    return kind


def _added_feeds() -> set[str]:
    return {point.name for point in entry_points(group=FEEDS_GROUP)}


def shown(location: str) -> str:
    """An address fit for messages and pages: without a user, a password, or a query, which may hold a signature."""
    scheme = _SCHEME.match(location)
    if scheme is None:
        return location
    rest = location[scheme.end() :].partition("?")[0]
    place, slash, path = rest.partition("/")
    if scheme[1].lower() in _CONTAINERS and "@" in place and ":" not in place.partition("@")[0]:
        return f"{scheme[0]}{rest}"
    if "@" in place:
        place = f"{_HIDDEN}@{place.rpartition('@')[2]}"
    elif ":" in place and "@" in path:  # a password with a slash in it, which its owner forgot to encode
        place, slash, path = _HIDDEN, "@", path.rpartition("@")[2]
    return f"{scheme[0]}{place}{slash}{path}"


def encoded(location: str) -> str:
    """The address with what cannot stand in one written as ``%XX``; what is written so already stays."""
    scheme = scheme_of(location)
    rest = location[len(scheme or "") :]
    lone = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", rest)
    return f"{scheme}{quote(lone, safe=_SAFE)}" if scheme else location


_SAFE: Final = "%/:?#[]@!$&'()*+,;=-._~"


def _parts(location: str) -> SplitResult:
    try:
        return urlsplit(encoded(location))
    except ValueError:  # its own words may hold a piece of a password
        raise UsageError(f"'{shorten(shown(location))}' is no URL: what stands for its host is none.") from None


def last_part(location: str) -> str:
    """The last part of an address's path, or its bucket: what a copy and its name are called after.

    Always fit to be a file's name; ``recording`` where the address's own is not.

    :raises UsageError: it is no address.
    """
    parts = _parts(location)
    names = [unquote(part) for part in parts.path.split("/") if part]
    user, _, host = parts.netloc.rpartition("@")
    bucket = user if user and ":" not in user else host.partition(":")[0]
    name = names[-1] if names else bucket
    return name if possible_name(name) else _NAMELESS


def possible_name(part: str) -> bool:
    """Whether a file or folder can be called so."""
    plain = part not in ("", ".", "..") and not set(part) & {"/", "\0"}
    return plain and len(part.encode("utf-8", "replace")) <= _MOST_NAME_BYTES


def stem(location: str) -> str:
    """:func:`last_part` without the ending of a table."""
    name = last_part(location)
    ending = next((each for each in _TABLE_ENDINGS if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)] if len(name) > len(ending) else name


def file_path(location: str) -> str:
    """The path that a ``file://`` address stands for.

    :raises UsageError: it names another machine, or is no address.
    """
    parts = _parts(location)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(f"'{shorten(shown(location))}' names another machine. Write file:///path with three slashes.")
    return unquote(parts.path)
