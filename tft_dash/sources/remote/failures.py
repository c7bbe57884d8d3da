"""A store's own errors in words of ours, without a secret in them."""

from __future__ import annotations

import errno
import re
from typing import Final
from urllib.parse import unquote

from tft_dash.errors import (
    DataError,
    SourceMissingError,
    StorageError,
    TftDashError,
    UnreachableError,
    UsageError,
    shorten,
)
from tft_dash.sources.remote.address import shown

_LONGEST: Final = 240
_SECRETS: Final = re.compile(r"://([^/\s'\"]*)@")

KINDS: Final[dict[str, type[TftDashError]]] = {
    kind.__name__: kind for kind in (UnreachableError, SourceMissingError, StorageError, DataError, UsageError)
}
"""What a child's answer may name."""

_NO_ENTRY: Final = "it does not let us in; check the credentials in the environment"
_REASONS: Final = (
    (r"NO_SUCH_BUCKET|NoSuchBucket|bucket .*(does not exist|not found)|ContainerNotFound", "there is no such bucket"),
    (r"NO_SUCH_KEY|NoSuchKey|RESOURCE_NOT_FOUND|BlobNotFound|HTTP status 404|kNotFound", "there is no such object"),
    (r"SIGNATURE_DOES_NOT_MATCH|SignatureDoesNotMatch|INVALID_SIGNATURE", "it refuses the secret key"),
    (r"INVALID_ACCESS_KEY|InvalidAccessKeyId|UNRECOGNIZED_CLIENT", "it does not know the access key"),
    (r"EXPIRED_TOKEN|ExpiredToken|token.* expired", "the credentials have expired"),
    (r"ACCESS_DENIED|AccessDenied|HTTP status 40[13]|(?i:permission_?denied)|kUnauthenticated", _NO_ENTRY),
    (r"AuthorizationFailure|AuthenticationFailed|AuthorizationPermissionMismatch|credential", _NO_ENTRY),
    (r"curlCode: 6\b|resolve host|Name or service not known", "its name cannot be resolved"),
    (r"curlCode: (28|42)\b|[Tt]imed? ?out|REQUEST_TIMEOUT|deadline", "it did not answer in time"),
    (r"curlCode: (35|51|58|60)\b|certificate|SSL|TLS", "no secure connection could be made to it"),
    (r"SLOW_DOWN|THROTTLING|HTTP status 429|TooManyRequests", "it asks us to come less often"),
    (r"HTTP status 5\d\d|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|kUnavailable", "it has a fault of its own"),
    (r"curlCode: \d+|NETWORK_CONNECTION|onnection refused|ECONNREFUSED|onnect", "no connection could be made to it"),
)  # fmt: skip
_NOT_BUILT: Final = re.compile(r"without .*support|not built|built without|not (compiled|enabled)", re.IGNORECASE)
_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def in_words(error: BaseException, location: str, library: str) -> TftDashError:
    """What a user can make something of.

    :param location: the address, secrets and all; none of them is in the answer.
    :param library: pyarrow's version, for the message that it lacks a kind of store.
    """
    if isinstance(error, TftDashError):
        return error
    what = shorten(shown(location), 200)
    said = _plain(str(error), location)
    if isinstance(error, OSError) and error.errno in _ROOM:
        return StorageError(
            f"{what} cannot be copied to the cache: {error.strerror or said}. Free some space, mend the cache's "
            "permissions, or point TFT_DASH_CACHE to another folder."
        )
    if _NOT_BUILT.search(said) or isinstance(error, ImportError | NotImplementedError):
        scheme = location.partition(":")[0]
        return UsageError(
            f"{what} cannot be read: pyarrow {library}, which is installed here, was built without support for "
            f"{scheme}://. Install a build of pyarrow that has it, or copy the recording to this machine."
        )
    if isinstance(error, ValueError):
        return UsageError(f"{what} is no address that pyarrow reads: {said}")
    for pattern, reason in _REASONS:
        if re.search(pattern, said):
            missing = reason.startswith("there is no such")
            kind = SourceMissingError if missing else UnreachableError
            return kind(f"{what} cannot be read from its store: {reason}.")
    return UnreachableError(f"{what} cannot be read from its store: {said}.")


def told(kind: str, message: str) -> TftDashError:
    """The error that a child told of."""
    return KINDS.get(kind, UnreachableError)(message)


def _plain(said: str, location: str) -> str:
    """One line without what the address says of users and passwords."""
    clean = re.sub(r"\?[^\s'\"]+", "", _SECRETS.sub("://***@", said))
    user = location.partition("://")[2].rpartition("@")[0]
    for part in {user, *user.split(":"), *map(unquote, user.split(":"))}:
        if len(part) >= 3:
            clean = clean.replace(part, "***")
    return shorten(" ".join(clean.split()).rstrip("."), _LONGEST)
