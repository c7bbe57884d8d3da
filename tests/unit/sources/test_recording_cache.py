"""The cache of cubes: made once, shared, healed, and never in the way."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.recordings import fleet_table, write_parquet

from tft_dash.artefacts import exclusive
from tft_dash.errors import StorageError
from tft_dash.sources.file import FileSource


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A small recording whose time says that it is long complete."""
    path = write_parquet(tmp_path / "it.parquet", fleet_table(50))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def source_of(path: Path) -> FileSource:
    return FileSource(path, name="it", cache_folder=path.parent / "cache")


def cube_of(path: Path) -> Path:
    return next(found for found in (path.parent / "cache" / "cubes").iterdir() if found.is_dir())


def values_of(path: Path) -> np.ndarray:
    return source_of(path).read(-1, 50).window.metrics["cpu_pct"]


EXPECTED = (np.arange(100) * 7 % 60).astype(np.float32).reshape(50, 2)


def test_a_second_source_reads_the_cube_that_the_first_one_made(recording: Path) -> None:
    assert np.array_equal(values_of(recording), EXPECTED)
    before = {path: path.stat().st_mtime_ns for path in cube_of(recording).iterdir()}
    assert np.array_equal(values_of(recording), EXPECTED)
    assert before == {path: path.stat().st_mtime_ns for path in cube_of(recording).iterdir()}


def test_a_warm_start_does_not_read_the_file_again(recording: Path) -> None:
    source_of(recording).prepare()
    stamp = recording.stat()
    with recording.open("r+b") as file:
        file.seek(40)
        file.write(b"\x00")
    os.utime(recording, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert np.array_equal(values_of(recording), EXPECTED)


def test_a_copy_under_another_name_shares_the_cube(recording: Path) -> None:
    source_of(recording).prepare()
    copy = shutil.copy(recording, recording.with_name("copy.parquet"))
    assert source_of(Path(copy)).describe().digest == source_of(recording).describe().digest
    assert len(list((recording.parent / "cache" / "cubes").glob("*/meta.json"))) == 1


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"scribble")


DAMAGES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "truncated": ("cpu_pct.npy", _truncate),
    "overwritten": ("cpu_pct.npy", _scribble),
    "removed": ("state.npy", Path.unlink),
    "no meta": ("meta.json", Path.unlink),
    "half a meta": ("meta.json", _truncate),
    "foreign meta": ("meta.json", lambda path: path.write_text("[]")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cube_is_made_again(recording: Path, damage: str) -> None:
    source_of(recording).prepare()
    name, harm = DAMAGES[damage]
    harm(cube_of(recording) / name)
    assert np.array_equal(values_of(recording), EXPECTED)
    assert (cube_of(recording) / "meta.json").stat().st_size > 100


def test_a_cube_of_another_version_is_made_again(recording: Path) -> None:
    source_of(recording).prepare()
    meta = cube_of(recording) / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "version": 0}))
    assert np.array_equal(values_of(recording), EXPECTED)
    assert json.loads(meta.read_text())["version"] != 0


def test_a_cube_that_was_only_copied_is_not_made_again(recording: Path) -> None:
    source_of(recording).prepare()
    cube = cube_of(recording)
    for path in cube.glob("*.npy"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    source_of(recording).prepare()
    assert (cube / "state.npy").stat().st_mtime == 1_600_000_000


def test_a_changed_file_gets_a_new_cube_and_the_old_one_goes(recording: Path) -> None:
    old = source_of(recording)
    before = old.read(-1, 50).window.metrics["cpu_pct"]
    write_parquet(recording, fleet_table(20))
    assert source_of(recording).describe().ticks == 20
    assert len(list((recording.parent / "cache" / "cubes").glob("*/meta.json"))) == 1
    assert np.array_equal(before, EXPECTED)


def test_a_file_that_was_changed_a_moment_ago_is_not_trusted_to_stay(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(10))
    source_of(path).prepare()
    assert list((tmp_path / "cache" / "digests").glob("*")) == []


def test_left_behind_parts_of_a_killed_process_are_removed(recording: Path) -> None:
    source_of(recording).prepare()
    cube = cube_of(recording)
    shutil.rmtree(cube)
    left = cube.with_name(f"{cube.name}.partial-1-1")
    left.mkdir()
    (left / "cpu_pct.npy").write_bytes(b"half")
    assert np.array_equal(values_of(recording), EXPECTED)
    assert not left.exists()


def test_a_cache_that_cannot_be_made_is_a_storage_error_with_advice(recording: Path) -> None:
    (recording.parent / "cache").write_text("a file stands where the folder should be")
    with pytest.raises(StorageError, match=r"cannot be written.*TFT_DASH_CACHE"):
        source_of(recording).prepare()


@contextlib.contextmanager
def little_room() -> Iterator[None]:
    """No file of this process can grow beyond 300 bytes meanwhile, the tests' own log included, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_a_storage_error_and_leaves_nothing_half_written(tmp_path: Path, recording: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot be written: File too large.*Free some space"), little_room():
        source_of(recording).prepare()
    assert [path.suffix for path in (tmp_path / "cache" / "cubes").iterdir()] == [".lock"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_with_a_cube_in_it_is_good_enough(recording: Path) -> None:
    source_of(recording).prepare()
    cache = recording.parent / "cache"
    folders = [cache, *(path for path in cache.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert np.array_equal(values_of(recording), EXPECTED)
    finally:
        for folder in folders:
            folder.chmod(0o755)


def _prepare(path: Path, barrier: object, results: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    source = source_of(path)
    source.prepare()
    inode = (cube_of(path) / "meta.json").stat().st_ino
    results.put((source.describe().digest, inode))  # type: ignore[attr-defined]


def test_several_processes_that_begin_together_make_one_cube(recording: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    workers = [context.Process(target=_prepare, args=(recording, barrier, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(found) == 1
    assert {worker.exitcode for worker in workers} == {0}


def test_several_threads_may_begin_with_one_source(recording: Path) -> None:
    source = source_of(recording)
    ticks: list[int | None] = []
    threads = [threading.Thread(target=lambda: ticks.append(source.describe().ticks)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ticks == [50] * 8


def test_a_lock_is_free_again_although_a_forked_child_has_a_copy_of_it(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"):
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of forking beside threads, such as pyarrow's; this child does nothing but wait.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.read(reading, 1)
            os._exit(0)

    def take() -> None:
        with exclusive(tmp_path / "lock"):
            pass

    taker = threading.Thread(target=take)
    taker.start()
    taker.join(timeout=5)
    free = not taker.is_alive()
    os.write(writing, b"x")
    os.waitpid(child, 0)
    taker.join()
    os.close(reading)
    os.close(writing)
    assert free


def test_a_closed_source_opens_again_and_its_arrays_outlive_it(recording: Path) -> None:
    source = source_of(recording)
    values = source.read(-1, 50).window.metrics["cpu_pct"]
    source.close()
    assert np.array_equal(values, EXPECTED)
    assert source.describe().ticks == 50
