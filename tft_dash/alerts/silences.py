"""Silences and maintenance windows: which alerts nobody is to be told of, and when. Words as in Alertmanager."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Final, Literal

from tft_dash.alerts.alert import VERSION, Acknowledgement, checked
from tft_dash.errors import UsageError, shorten

Operator = Literal["=", "!=", "=~", "!~"]
_MATCHER: Final = re.compile(r"^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*$", re.DOTALL)
LONGEST_PATTERN: Final = 200
MOST_REPEATS: Final = 3
"""Repeats in one regular expression. Each multiplies the time that a match can take by the length of the value."""
_LITERALS: Final = re.compile(r"\\[^1-9]|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEATS: Final = re.compile(r"[*+]|\{")
_SPECIAL: Final = re.compile(r"[\\.^$*+?{}\[\]|()]")
"""What means something else than itself in a regular expression, here as in Alertmanager."""
_UNSAFE: Final = re.compile(r"\(\?(?!:)|\\[1-9]|\)[*+{]")
"""Groups that look around or back, and repeated groups: they can take for ever even where they are short."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a label that is not there is empty."""

    label: str
    operator: Operator
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` satisfy it; regular expressions match the whole value."""
        found = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (found == self.value) == (self.operator == "=")
        return (_pattern(self.value).fullmatch(found) is not None) == (self.operator == "=~")

    def __str__(self) -> str:
        """``server_name=~"web-.*"``, as :func:`parse_matcher` reads it."""
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{quoted}"'


def parse_matcher(text: str) -> Matcher:
    """The matcher that ``server_name=~"web-.*"`` describes; the quotes may be left out.

    :raises UsageError: it is none, or its regular expression is none or could take for ever.
    """
    found = _MATCHER.match(text)
    if found is None:
        raise UsageError(
            f"'{shorten(text)}' is no matcher. Write a label, one of =, !=, =~ and !~, and a value: server_name=~web-.*"
        )
    label, operator, value = found.groups()
    if value.startswith('"'):
        value = _unquoted(value, text)
    if operator in ("=~", "!~"):
        check_pattern(value)
    return Matcher(label, operator, value)  # type: ignore[arg-type]


def _unquoted(value: str, text: str) -> str:
    inner = value[1:-1]
    if len(value) < 2 or not value.endswith('"') or re.search(r'(?<!\\)(?:\\\\)*"', inner) or _ends_escaped(inner):
        raise UsageError(f"'{shorten(text)}' has a quote that is not closed, or one inside; write \\\" for it.")
    return re.sub(r"\\(.)", lambda mark: {"n": "\n"}.get(mark[1], mark[1]), inner, flags=re.DOTALL)


def _ends_escaped(inner: str) -> bool:
    return (len(inner) - len(inner.rstrip("\\"))) % 2 == 1


def check_pattern(pattern: str) -> None:
    """Whether a regular expression can be used.

    :raises UsageError: it cannot be read, is too long, or could take for ever on a short text.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise UsageError(f"A regular expression of {len(pattern):,} characters is too long; at most {LONGEST_PATTERN}.")
    try:
        re.compile(pattern)
    except re.error as error:
        raise UsageError(f"'{shorten(pattern)}' is no regular expression: {error}.") from error
    plain = _LITERALS.sub("x", pattern)
    if _UNSAFE.search(plain) or len(_REPEATS.findall(plain)) > MOST_REPEATS:
        raise UsageError(
            f"The regular expression '{shorten(pattern)}' could take for ever: it repeats a group, looks around, or "
            f"has more than {MOST_REPEATS} repeats. Write it without."
        )


def matchers_of(source: str, servers: Sequence[str], profiles: Sequence[str] = ()) -> tuple[Matcher, ...]:
    """What fits the alerts of these servers of a source.

    :param servers: none, or too many to name = those of the profiles.
    :param profiles: none as well = every alert of the source.
    """
    found = [Matcher("source", "=", source)]
    for label, words in (("server_name", servers), ("profile", profiles)):
        names = tuple(dict.fromkeys(words))
        pattern = "|".join(_SPECIAL.sub(r"\\\g<0>", name) for name in names)
        if len(names) == 1 or (names and len(pattern) <= LONGEST_PATTERN):
            found.append(Matcher(label, "=", names[0]) if len(names) == 1 else Matcher(label, "=~", pattern))
            break
    return tuple(found)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match are judged and shown as ever, but nobody is told of them from start to end.

    :param matchers: all of them must hold; at least one.
    :param start_ms: included.
    :param end_ms: not included.
    :param maintenance: whether it was planned beforehand.
    """

    id: str
    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
    by: str
    reason: str
    maintenance: bool = False

    def holds(self, labels: Mapping[str, str], time_ms: int) -> bool:
        """Whether it silences an alert with these labels at this time."""
        return self.start_ms <= time_ms < self.end_ms and all(one.matches(labels) for one in self.matchers)

    def as_plain(self) -> dict[str, Any]:
        """Plain values for JSON; matchers as text."""
        return {"version": VERSION, **asdict(self), "matchers": [str(one) for one in self.matchers]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Silence:
        """The silence that :meth:`as_plain` wrote.

        :raises ValueError: it was written by another version of this program.
        """
        values = checked(plain)
        return cls(**{**values, "matchers": tuple(parse_matcher(text) for text in values["matchers"])})


def make_silence(
    identity: str,
    matchers: Sequence[str],
    *,
    start_ms: int,
    end_ms: int,
    by: str,
    reason: str,
    maintenance: bool = False,
) -> Silence:
    """A silence from what people enter.

    :raises UsageError: tells everything that is wrong with it.
    """
    wrong, parsed = [], []
    for text in matchers:
        try:
            parsed.append(parse_matcher(text))
        except UsageError as error:
            wrong.append(str(error))
    if not matchers:
        wrong.append("It needs a matcher; without one it would silence everything.")
    elif parsed and len(parsed) == len(matchers) and all(one.matches({}) for one in parsed):
        wrong.append("Its matchers also hold for alerts without any of these labels, so it would silence everything.")
    if end_ms <= start_ms:
        wrong.append("Its end must be after its start.")
    wrong += [f"Say {what}." for what, value in (("who silences", by), ("the reason", reason)) if not value.strip()]
    if wrong:
        raise UsageError("The silence cannot be made. " + " ".join(wrong))
    return Silence(identity, tuple(parsed), start_ms, end_ms, by.strip(), reason.strip(), maintenance)


def silenced_by(silences: Iterable[Silence], labels: Mapping[str, str], time_ms: int) -> tuple[str, ...]:
    """The ids of the silences that hold, sorted."""
    return tuple(sorted(one.id for one in silences if one.holds(labels, time_ms)))


@dataclass(frozen=True, slots=True)
class People:
    """What people have said of alerts; it changes what is told, never what is judged.

    :param acknowledged: by the alert's episode.
    """

    silences: tuple[Silence, ...] = ()
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)


NOBODY: Final = People()
