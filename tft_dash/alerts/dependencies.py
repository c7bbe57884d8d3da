"""Which profiles depend on which, as a small document: who fails after whom, and who has nothing to do with whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from tft_dash.alerts.documents import read
from tft_dash.alerts.rules import Metadata, Part
from tft_dash.scenarios.format.fields import Slug, show
from tft_dash.scenarios.format.wording import Problem

MOST_PROFILES: Final = 100


class Spec(Part):
    """The dependencies."""

    depends_on: dict[Slug, Annotated[tuple[Slug, ...], Field(max_length=MOST_PROFILES)]] = Field(
        max_length=MOST_PROFILES, description="Profile → the profiles that it calls: {web: [api], api: [database]}."
    )


class Dependencies(Part):
    """A whole document."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    api_version: Literal["tft-dash/v1"] = Field(alias="apiVersion", description="The version of this format.")
    kind: Literal["Dependencies"] = Field(description="Always Dependencies.")
    metadata: Metadata = Field(description="Name and purpose.")
    spec: Spec = Field(description="The dependencies themselves.")

    @cached_property
    def _reach(self) -> Mapping[str, frozenset[str]]:
        """Profile → everything that it depends on, over any number of steps."""
        named = {*self.spec.depends_on, *(name for many in self.spec.depends_on.values() for name in many)}
        return {name: frozenset(self._reachable(name)) for name in named}

    def _reachable(self, start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            for name in self.spec.depends_on.get(waiting.pop(), ()):
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found

    def upstream(self, cause: str, effect: str) -> bool:
        """Whether trouble in ``cause`` can make trouble in ``effect``."""
        return cause in self._reach.get(effect, frozenset())

    def related(self, one: str, other: str) -> bool:
        """Whether trouble of one profile can have to do with trouble of another; an unknown one may, with any."""
        unknown = one not in self._reach or other not in self._reach
        return unknown or one == other or self.upstream(one, other) or self.upstream(other, one)


NO_DEPENDENCIES: Final = Dependencies(
    api_version="tft-dash/v1", kind="Dependencies", metadata=Metadata(name="none"), spec=Spec(depends_on={})
)


def parse_dependencies(document: str | bytes | Mapping[str, Any], source: str) -> Dependencies:
    """The dependencies that a YAML or JSON text, its bytes, or the mapping in one, describes.

    :raises AlertDocumentError: with every mistake and its path.
    """
    return read(Dependencies, document, source, _problems)


def _problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Profiles that depend on themselves, over however many others."""
    spec = document.get("spec")
    given = spec.get("depends_on") if isinstance(spec, Mapping) else None
    if not isinstance(given, Mapping):
        return
    calls = {
        name: [one for one in many if isinstance(one, str)] if isinstance(many, list | tuple) else []
        for name, many in given.items()
        if isinstance(name, str)
    }
    for name in calls:
        circle = _circle(name, calls)
        if circle:
            way = " → ".join(show(one).strip("'") for one in circle)
            yield ("spec", "depends_on", name), f"depends on itself: {way}. Take one of these out."
            return


def _circle(start: str, calls: Mapping[str, list[str]]) -> list[str] | None:
    """The shortest way from ``start`` back to it."""
    came: dict[str, str] = {}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for name in calls.get(here, ()):
            if name == start:
                way = [start, here]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return way[::-1] if here != start else [start, start]
            if name not in came:
                came[name] = here
                waiting.append(name)
    return None
