"""From what a user names on a command line or in a setting to a source's name, its kind and where it lies."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tft_dash.errors import UsageError, shorten
from tft_dash.sources.recording.collection import demand_path
from tft_dash.sources.remote.address import FILE, file_path, kind_of, scheme_of, shown, stem

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_NAMED_SPEC: Final = re.compile(r"([^=/\\]*)=(.+)", re.DOTALL)
_NAMELESS: Final = "recording"
_NAME_LIMIT: Final = 80


@dataclass(frozen=True, slots=True)
class Named:
    """A source as somebody named it.

    :param name: as it stands in URLs.
    :param kind: what answers for it in ``SOURCES``; a path, or a ``file://`` address, is a ``file``.
    :param location: the path or the address, with whatever secrets it holds.
    """

    name: str
    kind: str
    location: str

    @property
    def path(self) -> Path | None:
        """Where the file or folder lies; None for another kind."""
        return Path(self.location) if self.kind == FILE else None

    @property
    def shown(self) -> str:
        """The location, fit for messages and pages."""
        return shown(self.location)


def discover(spec: str, *, demand: bool = True) -> Named:
    """What ``path``, ``scheme://…`` or ``name=…`` stands for; a path that exists is never split.

    :param demand: whether something must be at a path by now; an address is not asked.
    :raises UsageError: the given name cannot stand in a URL, or nothing reads addresses of that scheme.
    :raises SourceMissingError: nothing is at the path.
    """
    name, location = _split(spec)
    kind = kind_of(location)
    if kind != FILE:
        return Named(name or _url_safe(stem(location)), kind, location)
    path = Path(file_path(location) if scheme_of(location) else location).expanduser()
    if demand:
        demand_path(path)
    return Named(name or url_safe(path), kind, str(path))


def discover_all(specs: Iterable[str], *, demand: bool = True) -> tuple[Named, ...]:
    """Several sources; a second one of the same name becomes ``name-2``.

    :param demand: whether something must be at the paths by now.
    :raises UsageError: a given name cannot stand in a URL, or is given twice; or nothing reads an address.
    :raises SourceMissingError: nothing is at one of the paths.
    """
    listed = tuple(specs)
    given = [name for name, _ in map(_split, listed) if name]
    for name in given:
        if given.count(name) > 1:
            raise UsageError(f"Two sources are called '{name}'. Give them different names: name=path.")
    taken = set(given)
    found = []
    for spec in listed:
        named = discover(spec, demand=demand)
        if not _split(spec)[0]:
            named = replace(named, name=_free(named.name, taken))
            taken.add(named.name)
        found.append(named)
    return tuple(found)


def url_safe(path: Path) -> str:
    """A file's stem, or a folder's name, as it can stand in a URL."""
    real = path.absolute()
    return _url_safe(real.name if real.is_dir() else real.stem)


def _url_safe(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:_NAME_LIMIT]
    return name or _NAMELESS


def _split(spec: str) -> tuple[str | None, str]:
    found = _NAMED_SPEC.fullmatch(spec)
    if found is None or _exists(Path(spec)):
        return None, spec
    name, location = found.groups()
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"A source cannot be called '{shorten(name)}': use 1 to {_NAME_LIMIT} letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit."
        )
    return name, location


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
