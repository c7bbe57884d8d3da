"""Who builds the parts: this process, several processes of this machine, or a Dask cluster."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

from tft_dash.errors import DataError, MissingExtraError, TftDashError, UnreachableError, UsageError, shorten
from tft_dash.progress import Progress, silent
from tft_dash.training.building.parts import Task, build

CONNECT_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Crew:
    """Builds parts.

    :param workers: processes of this machine; 1 = this one alone.
    :param scheduler: address of a Dask scheduler, ``tcp://host:8786``, whose workers then do it.
    """

    workers: int = 1
    scheduler: str | None = None

    def build(self, tasks: Sequence[Task], progress: Progress = silent) -> None:
        """Make all parts; those that are there already cost nothing.

        :raises TftDashError: what the first part that could not be made failed with.
        :raises UnreachableError: there is no scheduler at the address.
        """
        missing = [task for task in tasks if not task.folder.is_dir()]
        made = self._made(missing)
        for done, problem in enumerate(made, 1):
            if problem is not None:
                raise problem
            progress(done / len(missing))
        lost = [task for task in missing if not task.folder.is_dir()]
        if lost:
            raise DataError(
                f"The workers of {shorten(str(self.scheduler))} wrote {len(lost):,} of {len(missing):,} parts to a "
                f"folder that is not this machine's {shorten(str(lost[0].folder.parent), 200)}. Put --output into a "
                "folder that all machines share under one path."
            )

    def _made(self, tasks: Sequence[Task]) -> Iterator[TftDashError | None]:
        if not tasks:
            return iter(())
        if self.scheduler is not None:
            return _on_cluster(self.scheduler, tasks)
        return _in_processes(min(self.workers, len(tasks)), tasks) if self.workers > 1 else map(build, tasks)


def _in_processes(workers: int, tasks: Sequence[Task]) -> Iterator[TftDashError | None]:
    """Dask's own processes, a batch of a few parts each at a time, so that progress is seen."""
    try:
        import dask  # noqa: PLC0415 - only where it is needed
    except ModuleNotFoundError as error:
        raise MissingExtraError("Building histories in several processes", "train") from error
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_interrupts)
    try:
        for at in range(0, len(tasks), 4 * workers):
            made = [dask.delayed(build, pure=False)(task) for task in tasks[at : at + 4 * workers]]
            yield from dask.compute(*made, scheduler="processes", pool=pool)
    except BrokenProcessPool as error:
        raise DataError(
            "A process that built histories was killed, perhaps for want of memory. Take fewer --workers."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal; the first one deals with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _on_cluster(address: str, tasks: Sequence[Task]) -> Iterator[TftDashError | None]:
    try:
        from distributed import Client, as_completed  # noqa: PLC0415 - only where it is needed
    except ModuleNotFoundError as error:
        raise MissingExtraError("--scheduler", "train") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions that differ a little; what matters fails by itself
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except ValueError as error:
        raise UsageError(f"--scheduler {shorten(address)} is no address. Give one like tcp://host:8786.") from error
    except (OSError, TimeoutError) as error:
        raise UnreachableError(
            f"--scheduler {shorten(address)}: no Dask scheduler answers there. Check the address (tcp://host:8786) "
            "and that dask-scheduler runs."
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise UnreachableError(
                f"--scheduler {shorten(address)}: it has no worker. Start one: dask worker {address}"
            )
        for future in as_completed(client.map(build, tasks, pure=False), loop=client.loop):
            yield _result(future)


def _result(future: Future[Any]) -> TftDashError | None:
    try:
        found: TftDashError | None = future.result()
    except Exception as error:  # noqa: BLE001 - a worker may fail in any way, and it is told here
        return DataError(
            f"A worker of the cluster failed: {type(error).__name__}: {shorten(str(error), 200)}. "
            "It needs the same version of tft-dash with the extra 'train', and the recordings under the same paths."
        )
    return found
