"""Generated recordings are made whole, found again, and removed by age and size, but never from under a viewer."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tft_dash.errors import CancelledError, LimitError, StorageError, UnknownNameError, UsageError
from tft_dash.recordings import Recordings, expected_bytes, recording_name
from tft_dash.scenarios.library import load_scenario

CASCADE = load_scenario("cascade")
HOUR = 3600.0


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "runs", disk_bytes=10_000, keep_seconds=24 * HOUR)


def put(
    recordings: Recordings, name: str, size: int = 1000, *, made: float = HOUR, watched: float | None = None
) -> None:
    """A complete recording of so many bytes, made and watched so many seconds ago."""
    home = recordings.folder / name
    home.mkdir(parents=True)
    (home / f"{name}.parquet").write_bytes(b"x" * (size - 2))
    facts = home / f"{name}_metadata.json"
    facts.write_text("{}")
    os.utime(facts, (time.time() - made,) * 2)
    if watched is not None:
        (home / ".watched").touch()
        os.utime(home / ".watched", (time.time() - watched,) * 2)


def names(recordings: Recordings) -> list[str]:
    return [recording.name for recording in recordings.all()]


def test_the_same_document_always_has_the_same_recording() -> None:
    assert recording_name(CASCADE) == recording_name(load_scenario("cascade"))
    assert recording_name(CASCADE).startswith("cascade-")
    assert recording_name(CASCADE) != recording_name(CASCADE.with_overrides(seed=8))
    long = CASCADE.model_copy(update={"metadata": CASCADE.metadata.model_copy(update={"name": "n" * 64})})
    assert len(recording_name(long)) == 59


def test_a_recording_is_made_once_with_its_document_and_metadata(recordings: Recordings) -> None:
    shares: list[float] = []
    made = recordings.make(CASCADE, shares.append)
    name = recording_name(CASCADE)
    assert shares[-1] == 1.0
    assert made.path == recordings.folder / name / f"{name}.parquet"
    assert sorted(path.name for path in made.path.parent.iterdir()) == [
        f"{name}.parquet", f"{name}.scenario.yaml", f"{name}_metadata.json",
    ]  # fmt: skip
    assert recordings.all() == (made,)
    assert recordings.is_current(CASCADE)
    assert recordings.make(CASCADE, shares.append) == made
    assert shares.count(1.0) == 1
    assert made.bytes <= expected_bytes(CASCADE.spec.clock.ticks * CASCADE.spec.fleet.size)


def test_what_another_document_left_under_the_name_is_made_anew(recordings: Recordings) -> None:
    made = recordings.make(CASCADE)
    (made.path.parent / f"{made.name}.scenario.yaml").write_text("other: document")
    assert not recordings.is_current(CASCADE)
    recordings.make(CASCADE)
    assert recordings.is_current(CASCADE)


def test_work_that_is_stopped_leaves_no_file(recordings: Recordings) -> None:
    def stop(share: float) -> None:
        raise CancelledError("Stopped.", share)

    with pytest.raises(CancelledError):
        recordings.make(CASCADE, stop)
    assert list(recordings.folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(StorageError, match="TFT_DASH_DATA"):
        Recordings(tmp_path / "runs", disk_bytes=1, keep_seconds=1).make(CASCADE)


def test_only_complete_recordings_are_listed_the_newest_first(recordings: Recordings) -> None:
    assert names(recordings) == []
    put(recordings, "old", made=3 * HOUR)
    put(recordings, "new", made=1 * HOUR, watched=60)
    (recordings.folder / "begun").mkdir()
    (recordings.folder / "begun" / "begun.parquet").write_text("x")
    (recordings.folder / "Not A Slug").mkdir()
    (recordings.folder / "note.txt").write_text("x")
    assert names(recordings) == ["new", "old"]
    found = recordings.find("new")
    assert found is not None
    assert found.bytes == 1000
    assert found.watched is not None
    assert found.watched > found.made


def test_a_file_that_goes_after_it_was_listed_hides_no_recording(recordings: Recordings) -> None:
    put(recordings, "a")
    # Listed, but not there when asked for its size: so is another process's unfinished file that just got its name.
    (recordings.folder / "a" / ".a.parquet.abc.part").symlink_to("gone")
    found = recordings.find("a")
    assert found is not None
    assert found.bytes == 1000
    assert names(recordings) == ["a"]


def test_names_that_lead_elsewhere_are_nobodys(recordings: Recordings, tmp_path: Path) -> None:
    put(recordings, "a")
    for name in ("../runs/a", "a/../a", "/a", "", ".", "..", "a\x00", "\ud800", "a" * 300, "A", "a\n"):
        assert recordings.find(name) is None
        recordings.watch(name)
        with pytest.raises(UnknownNameError):
            recordings.remove(name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "a.parquet", "a_metadata.json", "runs"]


def test_watching_is_noted_and_touched_now_and_then(recordings: Recordings) -> None:
    put(recordings, "a")
    recordings.watch("a")
    first = recordings.find("a")
    assert first is not None
    assert first.watched is not None
    recordings.watch("a")
    assert recordings.find("a") == first
    mark = recordings.folder / "a" / ".watched"
    os.utime(mark, (time.time() - 60,) * 2)
    recordings.watch("a")
    assert time.time() - mark.stat().st_mtime < 30
    recordings.watch("nothing")
    assert names(recordings) == ["a"]


def test_a_recording_is_removed_unless_somebody_watches_it(recordings: Recordings) -> None:
    put(recordings, "seen", watched=100)
    put(recordings, "left", watched=200)
    with pytest.raises(UsageError, match="'seen' is being watched"):
        recordings.remove("seen")
    recordings.remove("left")
    assert sorted(path.name for path in recordings.folder.iterdir()) == ["seen"]


def test_what_nobody_has_looked_at_for_long_goes_however_much_room_there_is(recordings: Recordings) -> None:
    put(recordings, "old", made=25 * HOUR)
    put(recordings, "old-but-seen", made=25 * HOUR, watched=2 * HOUR)
    put(recordings, "young", made=23 * HOUR)
    recordings.make_room(0)
    assert names(recordings) == ["young", "old-but-seen"]


def test_what_is_watched_stays_however_short_the_rest_is_kept(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "runs", disk_bytes=10_000, keep_seconds=60)
    put(recordings, "seen", watched=100)
    put(recordings, "left", watched=200)
    recordings.make_room(0)
    assert names(recordings) == ["seen"]


def test_the_oldest_go_until_the_new_one_fits(recordings: Recordings) -> None:
    put(recordings, "first", 4000, made=4 * HOUR)
    put(recordings, "second", 3000, made=3 * HOUR)
    put(recordings, "first-seen", 2000, made=5 * HOUR, watched=HOUR)
    recordings.make_room(1000)
    assert sorted(names(recordings)) == ["first", "first-seen", "second"]
    recordings.make_room(1000, others=500)
    assert names(recordings) == ["second", "first-seen"]
    recordings.make_room(6000)
    assert names(recordings) == ["first-seen"]


def test_nothing_that_is_watched_goes_and_nothing_goes_in_vain(recordings: Recordings) -> None:
    put(recordings, "seen", 6000, made=100 * HOUR, watched=170)
    put(recordings, "just-made", 2000, made=5)
    put(recordings, "old", 1000, made=5 * HOUR)
    with pytest.raises(LimitError, match="TFT_DASH_DISK_GB"):
        recordings.make_room(3500)
    assert sorted(names(recordings)) == ["just-made", "old", "seen"]
    recordings.make_room(2000)
    assert sorted(names(recordings)) == ["just-made", "seen"]
    recordings.make_room(0)
    assert "seen" in names(recordings)


def test_more_than_the_whole_room_is_refused_with_its_sizes(recordings: Recordings) -> None:
    with pytest.raises(LimitError, match=r"may take 1\.0 GB, and 0\.0 MB of 0\.0 MB are used"):
        recordings.make_room(1_000_000_000)


def test_what_dead_processes_left_behind_is_swept_out(recordings: Recordings) -> None:
    put(recordings, "whole")
    for name, age in (("dead", 500), ("alive", 5), ("whole", 500)):
        part = recordings.folder / name / f".{name}.parquet.abc.part"
        part.parent.mkdir(exist_ok=True)
        part.touch()
        os.utime(part, (time.time() - age,) * 2)
        os.utime(part.parent, (time.time() - age,) * 2)
    (recordings.folder / "about-to-be-filled").mkdir()
    (recordings.folder / ".removed-abc").mkdir()
    recordings.make_room(0)
    left = sorted(str(path.relative_to(recordings.folder)) for path in recordings.folder.rglob("*"))
    assert left == [
        "about-to-be-filled",
        "alive",
        "alive/.alive.parquet.abc.part",
        "whole",
        "whole/whole.parquet",
        "whole/whole_metadata.json",
    ]


def test_all_that_make_the_same_recording_at_once_get_it(recordings: Recordings) -> None:
    with ThreadPoolExecutor(4) as makers:
        found = [made.result().path for made in [makers.submit(recordings.make, CASCADE) for _ in range(4)]]
    assert len(set(found)) == 1
    assert recordings.is_current(CASCADE)
    assert len(list(found[0].parent.iterdir())) == 3
