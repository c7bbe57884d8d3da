"""Begins the processes that read uploads, each with what it needs to know in a file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from tft_dash.importing.guarded.desk import REFUSED, WORKING, Desk, new_upload_id
from tft_dash.importing.guarded.guard import Limits
from tft_dash.importing.guarded.publishing import ABOUT
from tft_dash.importing.mapping import Mapping, to_yaml
from tft_dash.importing.naming import name_of

PREVIEW_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Launcher:
    """Begins processes for the uploads of one portal.

    :param uploads: the folder where uploads lie.
    :param cache: where what is made of a table is kept.
    :param prepare: ``module:function`` that is called before a dataset is admitted; empty = none.
    :param limit_bytes: of a file that is uploaded.
    """

    uploads: Path
    cache: Path
    prepare: str
    limits: Limits
    limit_bytes: int

    def admit(self, desk: Desk, lock: int, name: str, mapping: Mapping | None, taken: Collection[str]) -> None:
        """Begin to make a dataset of an upload; its folder tells how it goes.

        :param lock: the upload's lock, which passes on to the process.
        :param taken: names that the dataset cannot have.
        :raises OSError: the folder cannot be written, or no process can be started.
        """
        if mapping is None:
            (desk.folder / "mapping.yaml").unlink(missing_ok=True)
        else:
            desk.write_text("mapping.yaml", to_yaml(mapping))
        more = {"token": "admit", "mapping": mapping is not None, "taken": sorted(taken), "lock": lock}
        desk.write("admit.json", {**self._job(desk, name), "task": "admit", **more})
        desk.report(0.0)
        desk.set_state(WORKING)
        try:
            process = self._start(desk, "admit", (lock,))
        except OSError:
            desk.set_state(REFUSED, "The process that reads it could not be started. Try again.")
            raise
        # Somebody has to fetch its exit status, or it stays in the process table.
        threading.Thread(target=process.wait, name="upload", daemon=True).start()

    def preview(self, desk: Desk, mapping: Mapping | None, rows: int) -> dict[str, Any]:
        """What the first rows are before and after a mapping, or why that cannot be told; waits for it.

        :raises OSError: the folder cannot be written, or no process can be started.
        """
        token = f"preview-{new_upload_id()}"
        job = self._job(desk, name_of(str(desk.read(ABOUT).get("label", ""))))
        limits = asdict(replace(self.limits, cpu_seconds=min(self.limits.cpu_seconds, round(PREVIEW_SECONDS))))
        more = {"token": token, "rows": rows, "document": None if mapping is None else to_yaml(mapping)}
        desk.write(f"{token}.json", {**job, "task": "preview", **more, "lock": None, "limits": limits})
        try:
            process = self._start(desk, token, ())
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PREVIEW_SECONDS)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # the one that reads, and the one that watches it
                process.wait()
            return desk.read(f"{token}.result.json")
        finally:
            for left in desk.folder.glob(f"{token}*"):
                left.unlink(missing_ok=True)

    def _job(self, desk: Desk, name: str) -> dict[str, Any]:
        about = desk.read(ABOUT)
        return {
            "file": f"{name}{_ending(about['label'])}",
            "name": name,
            **{key: about[key] for key in ("label", "bytes", "received")},
            "cache": str(self.cache),
            "uploads": str(self.uploads),
            "prepare": self.prepare,
            "limits": asdict(self.limits),
            "limit_bytes": self.limit_bytes,
        }

    @staticmethod
    def _start(desk: Desk, token: str, descriptors: Collection[int]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own module; the path is made of an id of ours
            [
                sys.executable,
                "-P",
                "-m",
                "tft_dash.importing.guarded.child",
                str((desk.folder / f"{token}.json").absolute()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=desk.folder,
            env=_environment(),
            pass_fds=tuple(descriptors),
            start_new_session=True,
        )


def _ending(label: str) -> str:
    found = Path(label).suffix.lower()
    return found if found in (".csv", ".tsv", ".txt", ".parquet", ".pq") else ".csv"


def _environment() -> dict[str, str]:
    """Nothing but what Python needs: the reader of a foreign file has no use for this process's secrets."""
    package = str(Path(__file__).parents[3])
    kept = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONHOME")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    # The system's allocator gives memory back and meets the limit in a way that can be told.
    return {**found, "PYTHONPATH": package, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
