"""How a source is pushed: its step, and who may push to it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tft_dash.errors import ClosedError, NoEntryError, SourceUnreachableError, UsageError, shorten
from tft_dash.live.feeds.options import LONGEST_SECRET, Options, Secret
from tft_dash.live.specs import STEP_RANGE

OPTIONS: Final = ("step", "token_file", "token_env")
DEFAULT_STEP: Final = 15.0
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)
_BEARER: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A source that is pushed.

    :param tokens: where its own tokens stand; None = those for all push sources count.
    """

    step_seconds: float
    tokens: Tokens | None


def configured(url: str, given: Mapping[str, str]) -> Configuration:
    """The configuration that a URL without its query, and its options, stand for.

    :raises UsageError: an option is impossible.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.path.strip("/") or ":" in parts.netloc:
        raise UsageError(
            "A push source has no address of its own: write name=push://name?step=5s. Whoever pushes shows a token, "
            "which stands in a file (token_file=PATH) or in a variable (token_env=NAME)."
        )
    options = Options(given)
    options.demand_known(OPTIONS)
    secret = options.secret("token")
    place = options.text("token_file")
    tokens = Tokens.in_file(place) if place else None if secret is None else Tokens.in_secret(secret)
    return Configuration(options.seconds("step", DEFAULT_STEP, *STEP_RANGE), tokens)


class Tokens:
    """Tokens that stand somewhere, read anew whenever they are needed: they may be renewed at any time.

    A file has one on each line; several are good at the same time, so that they can be changed without a gap. A line
    may be ``sha256:`` and the token's digest in hexadecimal digits instead, and then keeps no secret.
    """

    def __init__(self, *, path: Path | None = None, secret: Secret | None = None, text: str = "") -> None:
        self._path, self._secret, self._text = path, secret, text

    @classmethod
    def in_file(cls, path: str) -> Tokens:
        """The tokens in a file."""
        return cls(path=Path(path).expanduser())

    @classmethod
    def in_secret(cls, secret: Secret) -> Tokens:
        """The one token that an option names."""
        return cls(secret=secret)

    @classmethod
    def in_text(cls, text: str) -> Tokens:
        """Tokens separated by spaces."""
        return cls(text=text)

    def digests(self) -> tuple[bytes, ...]:
        """The digest of each token that is good now.

        :raises SourceUnreachableError: they cannot be read.
        """
        if self._path is not None:
            return tuple(map(_digest, _lines(self._path)))
        words = [self._secret.read()] if self._secret is not None else self._text.split()
        return tuple(map(_digest, words))


def demand_entry(source: str, tokens: Iterable[Tokens], authorization: str) -> None:
    """Let somebody in who shows one of the tokens.

    :param authorization: the header of that name.
    :raises ClosedError: there is no token.
    :raises NoEntryError: the right one is not shown.
    :raises SourceUnreachableError: the tokens cannot be read.
    """
    good = [digest for each in tokens for digest in each.digests()]
    if not good:
        raise ClosedError(
            f"Nothing can be pushed to '{source}': no token is configured. Add token_file=PATH to the source's "
            "address, or set TFT_DASH_PUSH_TOKEN or TFT_DASH_PUSH_TOKEN_FILE for all push sources."
        )
    found = _BEARER.fullmatch(authorization.strip())
    if found is None:
        raise NoEntryError(
            "Samples are taken with a token only. Send the header: Authorization: Bearer TOKEN, with the token that "
            f"is configured for '{source}'."
        )
    shown = hashlib.sha256(found[1].encode("utf-8", "surrogateescape")).digest()
    # Every one is compared, whether or not another fits, and none ends early: the time tells nothing.
    fits = [hmac.compare_digest(shown, digest) for digest in good]
    if not any(fits):
        raise NoEntryError(f"This token is not good for '{source}'. Look up the one that is configured there.")


def _digest(word: str) -> bytes:
    found = _DIGEST.fullmatch(word)
    return hashlib.sha256(word.encode()).digest() if found is None else bytes.fromhex(found[1])


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_SECRET).decode()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SourceUnreachableError(
            f"The tokens cannot be read from {shorten(str(path), 200)}: {reason}. Put them there, one a line, readable "
            "for the user that serves."
        ) from error
    except UnicodeDecodeError as error:
        words = f"{shorten(str(path), 200)} is no text. Put tokens into it, one a line."
        raise SourceUnreachableError(words) from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
