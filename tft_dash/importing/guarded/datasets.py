"""Datasets that people brought: each a folder with its table, and its mapping where there was one."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tft_dash.errors import UnknownNameError
from tft_dash.importing.guarded.desk import Desk, new_upload_id
from tft_dash.importing.guarded.publishing import ABOUT, call
from tft_dash.importing.guarded.receiving import storing
from tft_dash.importing.naming import free_name
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import UPLOAD

INCOMING: Final = ".incoming"
"""The folder of uploads that are no datasets yet."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dataset:
    """An upload that was admitted.

    :param path: its table, CSV or Parquet, by the contract.
    :param label: the name of the file that was uploaded.
    :param mapping: whether it was converted with a mapping, which lies beside it.
    """

    name: str
    path: Path
    bytes: int
    changed: datetime
    label: str
    mapping: bool


class Datasets:
    """The datasets in a folder.

    :param folder: where every dataset has a folder of its own, called like it.
    :param exchange: gives them to the portal's other hosts; None = there are none.
    """

    def __init__(self, folder: Path, exchange: Exchange | None = None) -> None:
        self._folder = folder
        self._exchange = exchange

    def all(self) -> tuple[Dataset, ...]:
        """The datasets by name."""
        try:
            folders = sorted(path for path in self._folder.iterdir() if not path.name.startswith("."))
        except OSError:
            return ()
        found = (_dataset(folder) for folder in folders)
        return tuple(dataset for dataset in found if dataset is not None)

    def remove(self, name: str) -> None:
        """Remove a dataset.

        :raises UnknownNameError: there is none of that name.
        """
        known = [dataset.name for dataset in self.all()]
        if name not in known:
            raise UnknownNameError("uploaded dataset", name, known)
        if self._exchange is not None:
            self._exchange.remove(UPLOAD, name)
        # Renamed first: nobody sees half of it.
        aside = self._folder / INCOMING / f".removed-{new_upload_id()}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        with storing(), contextlib.suppress(FileNotFoundError):
            (self._folder / name).rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def taken(self) -> Collection[str]:
        """The names that datasets of other hosts have, too.

        :raises StorageError: the store that tells cannot be reached.
        """
        return () if self._exchange is None else self._exchange.given(UPLOAD).keys()

    def arriving(self, name: str) -> float | None:
        """How much of a dataset that another host has is here, 0–1; None = there is none of that name.

        :raises StorageError: the store that tells cannot be reached.
        """
        return None if self._exchange is None else self._exchange.arriving(UPLOAD, name)

    def make_way(self, name: str) -> str:
        """Give a dataset another name, for another host's has it; the new one.

        :raises OSError: it cannot be renamed.
        """
        wish = free_name(name, lambda wish: wish in self.taken() or (self._folder / wish).exists())
        (self._folder / name).rename(self._folder / wish)
        call(Desk(self._folder / wish), wish)
        _LOG.warning(
            "The dataset '%s' is called '%s' now: another host of this portal has one of that name.", name, wish
        )
        return wish

    def used_bytes(self) -> int:
        """Room that everything in the folder takes."""
        total = 0
        for root, _, files in os.walk(self._folder):
            for name in files:
                with contextlib.suppress(OSError):
                    total += Path(root, name).stat().st_blocks * 512
        return total

    def tidy(self) -> None:
        """Remove what was left of removals that were interrupted."""
        for left in (self._folder / INCOMING).glob(".removed-*"):
            shutil.rmtree(left, ignore_errors=True)


def _dataset(folder: Path) -> Dataset | None:
    about = Desk(folder).read(ABOUT)
    try:
        path = folder / about["file"]
        status = path.stat()
    except (OSError, KeyError):
        return None
    changed = datetime.fromtimestamp(status.st_mtime, UTC)
    return Dataset(folder.name, path, status.st_size, changed, about["label"], bool(about["mapping"]))
