"""How a finished dataset gets its place among the others."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, Final

from tft_dash.importing.guarded.desk import Desk
from tft_dash.importing.naming import free_name

ABOUT: Final = "upload.json"


def publish(desk: Desk, job: dict[str, Any]) -> str:
    """Rename the finished dataset into its place; a taken name gets a number.

    :return: the name it got.
    :raises OSError: the folder cannot be written.
    """
    uploads = Path(job["uploads"])
    taken = set(job.get("taken", ()))
    while True:
        name = free_name(job["name"], lambda wish: wish in taken or (uploads / wish).exists())
        call(Desk(desk.dataset), name)
        try:
            desk.dataset.rename(uploads / name)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            taken.add(name)  # another upload was quicker
        else:
            return name


def call(dataset: Desk, name: str) -> None:
    """The table is called like its dataset, so that whoever copies it away knows what it is.

    :raises OSError: it cannot be renamed.
    """
    about = dataset.read(ABOUT)
    wanted = f"{name}{Path(about['file']).suffix}"
    if about["file"] != wanted:
        (dataset.folder / about["file"]).rename(dataset.folder / wanted)
        dataset.write(ABOUT, {**about, "file": wanted})
