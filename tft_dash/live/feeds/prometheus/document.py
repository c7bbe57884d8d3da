"""Mapping documents from PromQL to the contract: read with every mistake found; those shipped; described for forms."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from tft_dash.alerts.documents import read
from tft_dash.errors import DocumentError, UnknownNameError, UsageError, shorten
from tft_dash.live.feeds.prometheus.parts import PrometheusMapping
from tft_dash.scenarios.format.loader import MOST_CHARACTERS

_FOLDER: Final = Path(__file__).parent / "mappings"
_MOST_BYTES: Final = 4 * MOST_CHARACTERS


class PrometheusMappingError(DocumentError):
    """A mapping document for Prometheus is invalid; carries every problem with its path."""

    what = "mapping document"


def parse_mapping(document: str | bytes | dict[str, Any], source: str) -> PrometheusMapping:
    """The mapping that a YAML or JSON text, its bytes, or the mapping in one, describes.

    :param source: what to call it in messages.
    :raises PrometheusMappingError: with every mistake and its path, in the order of the document.
    """
    try:
        return read(PrometheusMapping, document, source, lambda _: iter(()))
    except DocumentError as error:
        raise PrometheusMappingError(source, error.problems) from error


def shipped_names() -> tuple[str, ...]:
    """The names of the documents that come with the package, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def shipped_mapping(name: str) -> PrometheusMapping:
    """The mapping of that name that comes with the package.

    :raises UnknownNameError: there is none of that name.
    """
    if name not in shipped_names():
        raise UnknownNameError("mapping for Prometheus", name, shipped_names())
    return parse_mapping((_FOLDER / f"{name}.yaml").read_bytes(), f"shipped mapping '{name}'")


def shipped_text(name: str) -> str:
    """The document of that name as it is written, a beginning for one of your own.

    :raises UnknownNameError: there is none of that name.
    """
    shipped_mapping(name)
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def mapping_named(text: str) -> PrometheusMapping:
    """The shipped mapping of that name, else the one in the file at that path.

    :raises UsageError: there is neither.
    :raises PrometheusMappingError: the file holds none.
    """
    if text in shipped_names():
        return shipped_mapping(text)
    path = Path(text).expanduser()
    if path.suffix.lower() not in (".yaml", ".yml", ".json") and not path.is_file():
        raise UnknownNameError("mapping for Prometheus", text, (*shipped_names(), "the path of your own (.yaml)"))
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"mapping={shorten(text, 200)}: {reason}. Give the path of a mapping document.") from error
    return parse_mapping(content, shorten(str(path), 200))


def json_schema() -> dict[str, Any]:
    """JSON Schema of a mapping document, with a description for every field."""
    return PrometheusMapping.model_json_schema(by_alias=True)
