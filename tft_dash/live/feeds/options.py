"""The options of a feed, which are the query parameters of its URL; secrets come from files or the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tft_dash.errors import SourceUnreachableError, UsageError, shorten
from tft_dash.live.specs import seconds_of

LONGEST_SECRET: Final = 16_384


class Secret:
    """A password or token that is read anew whenever it is needed: it may be renewed while the collector runs.

    :param option: the option that names where it stands; ends with ``_file`` or ``_env``.
    :ivar known: as it was read last, to keep it out of messages.
    """

    def __init__(self, option: str, place: str) -> None:
        self._option, self._place = option, place
        self.known = ""

    def read(self) -> str:
        """The secret, without white space at its ends.

        :raises SourceUnreachableError: it is not there, or is none.
        """
        text = self._from_environment() if self._option.endswith("_env") else self._from_file()
        if not text or any(not letter.isprintable() for letter in text):
            raise SourceUnreachableError(
                f"{self._where}: there must be one line of printable characters, the secret itself; there "
                f"{'is nothing' if not text else 'is something else'}."
            )
        self.known = text
        return text

    def for_header(self) -> str:
        """The secret as a header of HTTP can carry it.

        :raises SourceUnreachableError: it is not there, or has other letters than those of ASCII.
        """
        text = self.read()
        if not text.isascii():
            raise SourceUnreachableError(
                f"{self._where}: the secret has letters that no header can carry. Put there what the server gave out, "
                "in plain ASCII."
            )
        return text

    @property
    def _where(self) -> str:
        return f"{self._option}={shorten(self._place, 200)}"

    def _from_environment(self) -> str:
        found = os.environ.get(self._place)
        if found is None:
            raise SourceUnreachableError(f"{self._where}: that variable is not set. Set it where the collector runs.")
        return found.strip()

    def _from_file(self) -> str:
        try:
            with Path(self._place).expanduser().open("rb") as file:
                return file.read(LONGEST_SECRET).decode().strip()
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise SourceUnreachableError(
                f"{self._where}: {reason}. Put the secret there, readable for the user that collects."
            ) from error
        except UnicodeDecodeError as error:
            raise SourceUnreachableError(f"{self._where}: is no text. Put the secret alone into it.") from error


class Options:
    """What stands behind the ``?`` of a live source's URL."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    def demand_known(self, known: tuple[str, ...]) -> None:
        """Refuse options that have no effect: a misspelt one would be ignored without a word.

        :raises UsageError: names the first such option, and the nearest known one.
        """
        for name in self._given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
                guess = f" Did you mean '{near[0]}'?" if near else ""
                raise UsageError(
                    f"There is no option '{shorten(name)}' here.{guess} Known: {', '.join(sorted(known))}."
                )

    def text(self, name: str, default: str = "") -> str:
        """An option as it is written.

        :raises UsageError: it is there, and empty.
        """
        value = self._given.get(name, default)
        if name in self._given and not value.strip():
            raise UsageError(f"{name}= is empty. Give it a value, or leave it out.")
        return value

    def choice(self, name: str, words: tuple[str, ...], default: str) -> str:
        """One of ``words``.

        :raises UsageError: it is none of them.
        """
        value = self.text(name, default)
        if value not in words:
            raise UsageError(f"{name}={shorten(value)}: expected {' or '.join(words)}.")
        return value

    def seconds(self, name: str, default: float, low: float, high: float) -> float:
        """A time such as ``15s``.

        :raises UsageError: it is none, or out of bounds.
        """
        text = self.text(name)
        if not text:
            return default
        try:
            seconds = seconds_of(text)
        except ValueError as error:
            raise UsageError(f"{name}={shorten(text)}: {error}.") from None
        if not low <= seconds <= high:
            raise UsageError(f"{name}={shorten(text)}: expected {low:g} s to {high:,.0f} s.")
        return seconds

    def file(self, name: str) -> str | None:
        """The path of a file that can be read now; None = not given.

        :raises UsageError: it cannot be read.
        """
        text = self.text(name)
        if not text:
            return None
        path = Path(text).expanduser()
        try:
            with path.open("rb"):
                return str(path)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise UsageError(f"{name}={shorten(text, 200)}: {reason}. Give the path of a file.") from error

    def secret(self, name: str) -> Secret | None:
        """The secret that ``<name>_file`` or ``<name>_env`` names; None = neither is given.

        :raises UsageError: both are given, or the secret itself stands in the URL.
        """
        options = [option for option in (f"{name}_file", f"{name}_env") if self.text(option)]
        if len(options) > 1:
            raise UsageError(f"{options[0]} and {options[1]} both say where the {name} is. Leave one out.")
        return Secret(options[0], self.text(options[0])) if options else None
