"""Name → lazily imported member, one table per kind, extended by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from tft_dash.errors import MissingExtraError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """A constant table of names and where their members live.

    :param kind: what is registered, for messages: ``"risk model"``.
    :param table: name → ``"module:attribute"``, imported at first use.
    :param group: entry-point group by which other packages add members; the table's names win.
    :param extras: name → the extra of this package that the member needs.
    """

    def __init__(
        self, kind: str, table: Mapping[str, str], *, group: str, extras: Mapping[str, str] | None = None
    ) -> None:
        self._kind = kind
        self._group = group
        self._extras = dict(extras or {})
        self._table = dict(table)

    def names(self) -> tuple[str, ...]:
        """Every registered name, sorted, the ones that entry points add included."""
        return tuple(sorted(self._targets()))

    def load(self, name: str) -> T:
        """The member called ``name``.

        :raises UnknownNameError: nothing is registered under that name.
        :raises MissingExtraError: the member's optional packages are not installed.
        """
        targets = self._targets()
        if name not in targets:
            raise UnknownNameError(self._kind, name, targets)
        module, _, attribute = targets[name].partition(":")
        try:
            member: T = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            if name in self._extras:
                raise MissingExtraError(f"The {self._kind} '{name}'", self._extras[name]) from error
            raise
        return member

    def _targets(self) -> dict[str, str]:
        added = {point.name: point.value for point in entry_points(group=self._group)}
        return {**added, **self._table}
