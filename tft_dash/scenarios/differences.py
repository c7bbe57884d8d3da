"""What has changed between two scenario documents, field by field, in the words of their paths."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Final, TypeGuard

NAMES: Final = ("id", "name")
"""The fields by which the entries of a list are known: faults by id, phases and profiles by name."""

Group = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that says something else.

    :param path: where, as in ``spec.phases[peak].to``; entries with a name stand by it, others by their number.
    :param before: what it said; None where it was not there.
    :param after: what it says; None where it is gone. Where entries have only changed places, both list their names.
    """

    path: str
    before: Any
    after: Any


def differences(before: Group, after: Group) -> tuple[Difference, ...]:
    """Every field that differs between two documents as plain values, in their order; none when they say the same.

    An entry of a list that was put in or taken out is one difference, and moves no other.
    """
    return tuple(_in_groups("", before, after))


def _in_groups(path: str, before: Group, after: Group) -> Iterator[Difference]:
    for field in dict.fromkeys((*before, *after)):
        here = f"{path}.{field}" if path else str(field)
        yield from _between(here, before.get(field), after.get(field))


def _between(path: str, before: object, after: object) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _in_groups(path, before, after)
    elif _is_list(before) and _is_list(after):
        yield from _in_lists(path, before, after)
    elif not _is_equal(before, after):
        yield Difference(path, before, after)


def _in_lists(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Difference]:
    old, new = _by_name(before), _by_name(after)
    if old is not None and new is not None:
        yield from _in_named(path, old, new)
    elif all(isinstance(entry, Mapping) for entry in (*before, *after)):
        yield from _in_order(path, before, after)
    elif not _is_equal(before, after):
        yield Difference(path, before, after)


def _in_named(path: str, before: Group, after: Group) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        yield from _between(f"{path}[{name}]", before.get(name), after.get(name))
    stayed = [[name for name in names if name in before and name in after] for names in (before, after)]
    if stayed[0] != stayed[1]:
        yield Difference(path, *stayed)


def _in_order(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Difference]:
    """Entries without names: those that are the same on both sides stay out of it, wherever they have moved to."""
    a, b = ([json.dumps(entry, sort_keys=True, default=str) for entry in entries] for entries in (before, after))
    for what, first, last, start, end in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        if what != "equal":
            for old, new in zip_longest(range(first, last), range(start, end)):
                pair = (None if old is None else before[old], None if new is None else after[new])
                yield from _between(f"{path}[{old if new is None else new}]", *pair)


def _by_name(entries: Sequence[Any]) -> Group | None:
    """The entries of a list by their names; None where one has none, or two have the same."""
    found: dict[str, Any] = {}
    for entry in entries:
        name = next((entry[field] for field in NAMES if field in entry), None) if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = entry
    return found


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _is_equal(before: object, after: object) -> bool:
    """Equal as a document's values: ``true`` is not 1, while 1 and 1.0 are the same number."""
    if _is_list(before) and _is_list(after):
        return len(before) == len(after) and all(_is_equal(*pair) for pair in zip(before, after, strict=True))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_is_equal(before[name], after[name]) for name in before)
    return isinstance(before, bool) == isinstance(after, bool) and before == after
