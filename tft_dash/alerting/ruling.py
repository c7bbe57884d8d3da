"""By which rules alerts are judged: those in a file, else those that were saved, else the ones that are shipped.

And how they are grouped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection

from tft_dash.alerting.files import WatchedFile
from tft_dash.alerts.dependencies import parse_dependencies
from tft_dash.alerts.grouping import USUAL, Terms
from tft_dash.alerts.rulebook import parse_rules, rules_digest, shipped_rules
from tft_dash.alerts.rules import RuleSet
from tft_dash.settings import Settings
from tft_dash.store.alerts.ruling import RULES, in_force

Origin = Literal["file", "saved", "shipped"]


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules in force.

    :param version: of the saved document; 0 = nobody has saved one.
    :param problem: what is wrong with the file; what it said before stays in force. "" = nothing.
    """

    rules: RuleSet
    origin: Origin
    version: int
    digest: str
    problem: str = ""

    @property
    def editable(self) -> bool:
        """Whether saving other rules has an effect."""
        return self.origin != "file"

    def as_plain(self) -> dict[str, Any]:
        """What is kept beside the alerts that were judged by them."""
        return {"name": self.rules.name, "origin": self.origin, "version": self.version, "digest": self.digest}


class Ruling:
    """Finds the rules in force. Parsed once; looked after at each call.

    :raises TftDashError: the settings name a file that cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._file = WatchedFile(settings.alert_rules, parse_rules) if settings.alert_rules else None
        self._found: tuple[tuple[Origin, object], InForce] | None = None
        if self._file is not None:
            self._file.read()

    def read(self, connection: Connection) -> InForce:
        """The rules in force now.

        :raises AlertDocumentError: what was saved was written by another version of this program.
        """
        saved = in_force(connection, RULES)
        version = 0 if saved is None else saved[0]
        if self._file is not None:
            rules = self._file.read()
            found = self._kept("file", id(rules), rules, version)
            return replace(found, problem=self._file.problem)
        if saved is not None:
            known = self._found
            rules = known[1].rules if known and known[0] == ("saved", version) else _saved(saved[1])
            return self._kept("saved", version, rules, version)
        return self._kept("shipped", 0, shipped_rules(), 0)

    def _kept(self, origin: Origin, mark: object, rules: RuleSet, version: int) -> InForce:
        if self._found is None or self._found[0] != (origin, mark) or self._found[1].version != version:
            self._found = (origin, mark), InForce(rules, origin, version, rules_digest(rules))
        return self._found[1]


class Grouping:
    """How alerts are grouped into problems: a file may say which profiles depend on which.

    :raises TftDashError: the settings name a file that cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        path = settings.alert_dependencies
        self._file = WatchedFile(path, parse_dependencies) if path else None
        self.terms()

    def terms(self) -> Terms:
        """As it is now; while the file is broken, as it said before."""
        return USUAL if self._file is None else replace(USUAL, graph=self._file.read())


def _saved(body: Mapping[str, Any]) -> RuleSet:
    return parse_rules(body, "the saved rules")
