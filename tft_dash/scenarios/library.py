"""Scenarios by name: the presets that come with the package, and documents on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tft_dash.errors import SourceMissingError, UnknownNameError, shorten
from tft_dash.scenarios.document import READ_BYTES, Scenario, read_document

DEFAULT_SCENARIO: Final = "degrading"
DEFAULT_DRILL: Final = "demo_dataset"
"""What the default drill's files are called; also a name for its scenario."""

_FOLDER: Final = Path(__file__).parent / "presets"
_DOCUMENT_ENDINGS: Final = (".yaml", ".yml", ".json")


def preset_names() -> tuple[str, ...]:
    """The names of the presets, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """The preset of that name, or the document in that file.

    Text with a ``/`` or a document's ending is a path; anything else is a name first, then a file that is there.

    :raises UnknownNameError: no preset is called so; names the nearest.
    :raises SourceMissingError: the file is not there or cannot be read.
    :raises DocumentError: the document is invalid; carries every mistake.
    """
    text = str(name_or_path)
    name = DEFAULT_SCENARIO if text == DEFAULT_DRILL else text
    names = preset_names()
    if name in names:
        return _read(_FOLDER / f"{name}.yaml", f"preset '{name}'")
    if isinstance(name_or_path, Path) or _is_path(text) or _is_file(text):
        return _read(Path(text), shorten(text, 200))
    raise UnknownNameError("scenario", text, names)


def _is_path(text: str) -> bool:
    return "/" in text or text.lower().endswith(_DOCUMENT_ENDINGS)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # no file can have such a name
        return False


def _read(path: Path, source: str) -> Scenario:
    try:
        with path.open("rb") as file:
            content = file.read(READ_BYTES)
    except FileNotFoundError as error:
        raise SourceMissingError(
            f"There is no scenario document '{source}'. Check the path, or take a preset: {', '.join(preset_names())}."
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceMissingError(f"The scenario document '{source}' cannot be read: {reason}.") from error
    return read_document(content, source)
