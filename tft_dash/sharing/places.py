"""What of the data folder every host of a portal has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tft_dash.models.forecasting.card import VERSION_PATTERN
from tft_dash.scenarios.format.fields import SLUG_PATTERN
from tft_dash.store.shared import RECEIVED_PLACE

_CHOICE: Final = "active.json"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder whose files, or folders of files, are shared one by one.

    :param key: names it in the store.
    :param folder: below the data folder.
    :param pattern: the names in it that are shared.
    :param proof: the file that makes a folder whole (``{name}`` stands for the folder's); empty = they are files.
    :param inner: the one file of a folder that is shared; empty = all.
    :param derived: whether it can be made again at any time: of two that differ, nobody misses the other.
    :param mark: the file that is touched while somebody looks; empty = none.
    """

    key: str
    folder: str
    pattern: str
    proof: str = ""
    inner: str = ""
    derived: bool = False
    mark: str = ""

    def fits(self, name: str) -> bool:
        """Whether one of them can be called so."""
        return re.fullmatch(self.pattern, name) is not None and not {"/", "\0"} & {*name} and name not in (".", "..")

    def path(self, data: Path, name: str) -> Path:
        """Where one of them lies.

        :raises ValueError: it cannot be called so.
        """
        if not self.fits(name):
            raise ValueError(name)
        path = data / self.folder / name
        return path / self.inner if self.inner else path

    def names(self, data: Path) -> Iterator[str]:
        """Those that are there, and whole."""
        try:
            found = sorted(path.name for path in (data / self.folder).iterdir())
        except OSError:
            return
        for name in found:
            if re.fullmatch(self.pattern, name) is not None and self.is_whole(data, name):
                yield name

    def is_whole(self, data: Path, name: str) -> bool:
        """Whether one of them is there, and whole."""
        path = self.path(data, name)
        return (path / self.proof.format(name=name)).is_file() if self.proof else path.is_file()


_VERSION: Final = VERSION_PATTERN.strip("^$")

MODEL: Final = Place("model", "models", _VERSION, proof="card.json")
CALIBRATION: Final = Place("calibration", "calibrations", rf"(?!{re.escape(_CHOICE)}$){_VERSION}\.json")
MODEL_CHOICE: Final = Place("model-choice", "models", re.escape(_CHOICE))
CALIBRATION_CHOICE: Final = Place("calibration-choice", "calibrations", re.escape(_CHOICE))
RUN: Final = Place("run", "runs", SLUG_PATTERN.strip("^$"), proof="{name}_metadata.json", derived=True, mark=".watched")
UPLOAD: Final = Place("upload", "uploads", r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", proof="upload.json")
RECEIVED: Final = Place(RECEIVED_PLACE, "uploads/.incoming", r"[0-9a-f]{16}", inner="original")
"""What was received and is no dataset yet: it is shared by whoever receives it, and fetched by whoever needs it."""

JUDGING: Final = (MODEL, CALIBRATION, MODEL_CHOICE, CALIBRATION_CHOICE)
"""What decides how a fleet is judged; a choice comes after what can be chosen."""
TABLES: Final = (RUN, UPLOAD)
