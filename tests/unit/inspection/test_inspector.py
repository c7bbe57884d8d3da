"""The verdict is that of a check, work is done once, and what was stopped stays stopped."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from support.recordings import fleet_table, write_csv, write_lines, write_parquet

from tft_dash.artefacts import build_once, build_progress, cancel_build, cancelled_at, exclusive, until_cancelled
from tft_dash.background import Background
from tft_dash.errors import CancelledError, NotReadyError, SourceMissingError, TableError, UsageError
from tft_dash.inspection.inspector import Inspector
from tft_dash.inspection.views import Sort, View
from tft_dash.sources.file import FileSource
from tft_dash.sources.validate import check_table

LONG_AGO = (1_700_000_000, 1_700_000_000)
BROKEN = (
    "timestamp,server_name,profile,state,cpu_pct,mem_pct,colour,cpu_pct",
    "2024-05-01T12:00:00Z,a,web,online,140,20,x,1",
    "2024-05-01T12:00:05Z,a,web,online,high,20,x,1",
    "yesterday,a,web,online,1,2,x,1",
    "2024-05-01T12:00:20Z,a,web,online",
    "2024-05-01T14:00:20+02:00,a,web,fine,7,,x,1",
    "2024-05-01T12:00:20Z,a,db,online,7,,x,1",
)


def settled(path: Path) -> Path:
    """The file, as one that is long complete: its digest is remembered."""
    os.utime(path, LONG_AGO)
    return path


def tables(folder: Path) -> dict[str, Path]:
    """Good ones and bad ones."""
    write_csv(folder / "days" / "one.csv", fleet_table(3))
    write_lines(folder / "days" / "two.csv", "timestamp,server_name,cpu_pct", "2024-05-02T12:00:00Z,web-1,140")
    write_lines(folder / "declared_metadata.json", '{"scenario": "x", "tick_seconds": "often", "title": "A title"}')
    (folder / "page.csv").write_text("<html>no table</html>")
    return {
        "good": write_parquet(folder / "good.parquet", fleet_table(12)),
        "broken": write_lines(folder / "broken.csv", *BROKEN),
        "folder": folder / "days",
        "declared": write_parquet(folder / "declared.parquet", fleet_table(12)),
        "foreign": write_lines(folder / "foreign.csv", "time,host,load", "1,a,2"),
        "page": folder / "page.csv",
        "timeless": write_lines(folder / "timeless.csv", "timestamp,server_name,cpu_pct", "never,a,1", "no,a,2"),
        "empty": write_lines(folder / "empty.csv", "timestamp,server_name,cpu_pct"),
    }


@pytest.mark.parametrize("name", [
    "good", "broken", "folder", "declared", "foreign", "page", "timeless", "empty",
])  # fmt: skip
def test_the_verdict_is_word_for_word_that_of_a_check(tmp_path: Path, inspector: Inspector, name: str) -> None:
    path = tables(tmp_path)[name]
    expected = check_table(path).as_dict()
    assert inspector.report(path).as_dict() == expected
    # Again by somebody who finds the cache filled.
    assert Inspector(tmp_path / "cache", Background(None)).report(path).as_dict() == expected


def test_the_verdict_on_a_copy_names_the_copy(tmp_path: Path, inspector: Inspector) -> None:
    path = write_lines(tmp_path / "it.csv", *BROKEN)
    inspector.report(path)
    copy = Path(shutil.copy(path, tmp_path / "copy.csv"))
    assert inspector.report(copy).as_dict() == check_table(copy).as_dict()


def test_the_page_and_the_inspection_share_one_scan(tmp_path: Path, inspector: Inspector) -> None:
    path = settled(write_parquet(tmp_path / "it.parquet", fleet_table(12)))
    inspector.report(path)
    inspector.columns(path)
    made = {file: file.stat().st_ino for file in (tmp_path / "cache" / "cubes").glob("*/*")}
    FileSource(path, name="it", cache_folder=tmp_path / "cache").prepare()
    assert made == {file: file.stat().st_ino for file in (tmp_path / "cache" / "cubes").glob("*/*")}
    assert made


def test_what_one_process_has_made_another_finds(tmp_path: Path, inspector: Inspector) -> None:
    path = settled(write_parquet(tmp_path / "it.parquet", fleet_table(12)))
    before = inspector.columns(path), inspector.gaps(path), inspector.rows(path).total
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "inspections").rglob("*.*")}
    other = Inspector(tmp_path / "cache", Background(None))
    assert other.progress(path).state == "done"
    assert [one.name for one in other.columns(path)] == [one.name for one in before[0]]
    assert (other.gaps(path).present == before[1].present).all()
    assert other.rows(path).total == before[2]
    assert files == {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "inspections").rglob("*.*")}


def test_a_list_learns_a_known_verdict_and_starts_nothing(tmp_path: Path, inspector: Inspector) -> None:
    path = settled(write_parquet(tmp_path / "it.parquet", fleet_table(12)))
    assert inspector.known_report(path) is None
    assert inspector.progress(path).state == "none"
    assert not (tmp_path / "cache").exists()
    report = inspector.report(path)
    known = inspector.known_report(path)
    assert known is not None
    assert known.as_dict() == report.as_dict()


def test_what_is_no_table_at_all_is_known_at_once(tmp_path: Path, inspector: Inspector) -> None:
    path = tables(tmp_path)["page"]
    known = inspector.known_report(path)
    assert known is not None
    assert [finding.rule for finding in known.findings] == ["unreadable-table"]
    with pytest.raises(TableError, match="web page"):
        inspector.rows(path)


def test_a_missing_file_is_unreachable(tmp_path: Path, inspector: Inspector) -> None:
    assert inspector.known_report(tmp_path / "gone.csv") is None
    with pytest.raises(SourceMissingError):
        inspector.report(tmp_path / "gone.csv")


def test_a_table_without_the_contracts_columns_can_be_looked_at(tmp_path: Path, inspector: Inspector) -> None:
    path = tables(tmp_path)["foreign"]
    assert not inspector.report(path).acceptable
    assert [column.name for column in inspector.columns(path)] == ["time", "host", "load"]
    assert inspector.rows(path).total == 1
    with pytest.raises(TableError, match="no timestamp"):
        inspector.gaps(path)


def test_rows_without_a_readable_time_can_be_looked_at(tmp_path: Path, inspector: Inspector) -> None:
    path = tables(tmp_path)["timeless"]
    assert not inspector.report(path).acceptable
    assert inspector.rows(path).total == 2


def test_a_changed_file_is_scanned_anew_and_the_old_rows_go(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    assert inspector.rows(path).total == 24
    write_parquet(path, fleet_table(20))
    assert inspector.rows(path).total == 40
    folders = [one for one in (tmp_path / "cache" / "inspections").iterdir() if one.is_dir()]
    assert len(folders) == 1


def test_the_cache_may_be_emptied_at_any_time(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    inspector.columns(path)
    inspector.rows(path)
    shutil.rmtree(tmp_path / "cache")
    assert len(inspector.columns(path)) == 5
    assert inspector.rows(path).total == 24
    assert len(inspector.gaps(path).servers) == 2


def test_what_is_forgotten_leaves_nothing_behind(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    inspector.columns(path)
    inspector.gaps(path)
    inspector.forget(path)
    assert list((tmp_path / "cache" / "inspections").iterdir()) == []
    assert list((tmp_path / "cache" / "cubes").iterdir()) == []


def test_a_stopped_scan_says_what_it_covered_until_it_is_started_again(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    inspector.report(path)
    inspector.cancel(path)
    for _ in range(2):
        with pytest.raises(CancelledError, match=r"stopped after 0%: about 0 of 24 rows\. Start it again"):
            inspector.columns(path)
    assert inspector.progress(path).state == "cancelled"
    other = Inspector(tmp_path / "cache", Background(None))
    other.report(path)
    with pytest.raises(CancelledError):
        other.rows(path)
    other.retry(path)
    assert inspector.progress(path).state == "done"
    assert len(inspector.columns(path)) == 5


def test_the_verdict_outlives_a_stopped_scan(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    inspector.report(path)
    inspector.cancel(path)
    assert Inspector(tmp_path / "cache", Background(None)).report(path).acceptable


def test_a_scan_that_is_done_cannot_be_stopped(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    inspector.columns(path)
    inspector.cancel(path)
    assert inspector.progress(path).state == "done"


def test_a_running_build_stops_at_once_and_leaves_nothing_half_made(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    reached = threading.Event()

    def build(work: Path, progress: object) -> None:
        (work / "half").write_text("half")
        for step in range(10_000):
            progress(step / 10_000)  # type: ignore[operator]
            if step == 4_300:
                cancel_build(folder)
        reached.set()

    with pytest.raises(CancelledError, match=r"Inspecting it was stopped after 43%"):
        build_once(folder, build, until_cancelled(folder, "Inspecting it"))
    assert not reached.is_set()
    assert cancelled_at(folder) == pytest.approx(0.43, abs=0.006)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made.cancelled", "made.lock"]


def test_a_builder_that_was_killed_is_not_taken_for_one_at_work(tmp_path: Path) -> None:
    (tmp_path / "made.lock").touch()
    (tmp_path / "made.progress").write_text("0.5")
    assert build_progress(tmp_path / "made") == 0.0


def test_a_scan_that_runs_is_told_with_its_share(tmp_path: Path) -> None:
    path = settled(write_parquet(tmp_path / "it.parquet", fleet_table(12)))
    busy = Background(wait_seconds=0.0)
    inspector = Inspector(tmp_path / "cache", busy)
    with pytest.raises(NotReadyError, match=r"Inspecting it\.parquet"):
        inspector.columns(path)
    for _ in range(2_000):
        try:
            assert len(inspector.columns(path)) == 5
            return
        except NotReadyError:
            threading.Event().wait(0.01)
    pytest.fail("the scan never ended")


def test_rows_are_put_in_order_beside_the_requests(tmp_path: Path, inspector: Inspector) -> None:
    path = settled(write_parquet(tmp_path / "it.parquet", fleet_table(60)))
    inspector.columns(path)
    held, view = threading.Event(), View(sorts=(Sort("cpu_pct"),))
    asked = Inspector(tmp_path / "cache", Background(wait_seconds=60))
    (folder,) = (one for one in (tmp_path / "cache" / "inspections").iterdir() if one.is_dir())
    views = folder / "views"
    views.mkdir()

    def hold() -> None:
        with exclusive(views / ".lock"):  # as another process does that sorts for somebody else
            held.set()
            released.wait()

    released = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    with pytest.raises(NotReadyError, match=r"^Sorting \d+ rows"):
        asked.arranged(path, view, within_seconds=0)
    assert len(asked.arranged(path, View(), within_seconds=0).page(View()).rows) > 0
    released.set()
    holder.join()
    assert asked.arranged(path, view).is_arranged(view)
    # Another viewer finds it at hand.
    assert Inspector(tmp_path / "cache", Background(wait_seconds=60)).arranged(path, view, within_seconds=0)


def test_a_view_that_does_not_fit_is_told_from_beside_the_requests(tmp_path: Path) -> None:
    path = settled(write_parquet(tmp_path / "it.parquet", fleet_table(60)))
    asked = Inspector(tmp_path / "cache", Background(wait_seconds=60))
    with pytest.raises(UsageError, match="'nothing'"):
        asked.arranged(path, View(sorts=(Sort("nothing"),)))


def test_rows_are_made_again_when_the_cache_was_emptied_right_after_the_first_scan(
    tmp_path: Path, inspector: Inspector
) -> None:
    path = write_parquet(tmp_path / "fleet.parquet", fleet_table())
    total = inspector.rows(path).total
    shutil.rmtree(tmp_path / "cache" / "inspections")
    assert inspector.rows(path).total == total
