"""From what a user names on a command line or in a setting to a source's name and path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tft_dash.errors import UsageError, shorten
from tft_dash.sources.recording.collection import demand_path

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_NAMED_SPEC: Final = re.compile(r"([^=/\\]*)=(.+)", re.DOTALL)
_NAMELESS: Final = "recording"
_NAME_LIMIT: Final = 80


def discover(spec: str, *, demand: bool = True) -> tuple[str, Path]:
    """The name and path that ``path`` or ``name=path`` stands for; a path that exists is never split.

    :param demand: whether something must be at the path by now.
    :raises UsageError: the given name cannot stand in a URL.
    :raises SourceMissingError: nothing is at the path.
    """
    name, path = _split(spec)
    if demand:
        demand_path(path)
    return name or url_safe(path), path


def discover_all(specs: Iterable[str], *, demand: bool = True) -> tuple[tuple[str, Path], ...]:
    """The names and paths of several sources; a second file of the same stem becomes ``stem-2``.

    :param demand: whether something must be at the paths by now.
    :raises UsageError: a given name cannot stand in a URL, or is given twice.
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
        name, path = discover(spec, demand=demand)
        if not _split(spec)[0]:
            name = _free(name, taken)
            taken.add(name)
        found.append((name, path))
    return tuple(found)


def url_safe(path: Path) -> str:
    """A file's stem, or a folder's name, as it can stand in a URL."""
    real = path.absolute()
    stem = real.name if real.is_dir() else real.stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:_NAME_LIMIT]
    return name or _NAMELESS


def _split(spec: str) -> tuple[str | None, Path]:
    found = _NAMED_SPEC.fullmatch(spec)
    if found is None or _exists(Path(spec)):
        return None, Path(spec).expanduser()
    name, path = found.groups()
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"A source cannot be called '{shorten(name)}': use 1 to {_NAME_LIMIT} letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit."
        )
    return name, Path(path).expanduser()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
