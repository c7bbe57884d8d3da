"""Which profiles depend on which, as a file says it: heeded at the next tick, and never by half."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.watching import Watch, document

from tft_dash.alerting.files import WatchedFile
from tft_dash.alerting.judge import AlertJudge
from tft_dash.alerting.ruling import Grouping
from tft_dash.alerts.dependencies import parse_dependencies
from tft_dash.errors import TftDashError

STRANGERS = {"web": ["database"], "mail": []}
MakeWatch = Callable[..., Watch]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeWatch]:
    made: list[Watch] = []

    def make(**more: Any) -> Watch:
        made.append(Watch(tmp_path, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def written(folder: Path, depends_on: dict[str, list[str]]) -> str:
    path = folder / "dependencies.json"
    path.write_text(json.dumps(document("Dependencies", depends_on=depends_on)))
    return str(path)


def problems_of(watch: Watch) -> list[set[str]]:
    """The servers of each problem after a tick at which a web server and a mail server are hot."""
    watch.world.forward(5)
    watch.world.feed.report(watch.world.now, {"cpu_pct": [97.0, 97.0]}, ("web-1", "mail-1"), ("web", "mail"))
    watch.collector.round()
    return [{server.server for server in kept.problem.servers if server.alerts} for kept in watch.desk.problems()]


def test_strangers_are_problems_of_their_own_where_a_file_says_so(make: MakeWatch, tmp_path: Path) -> None:
    watch = make(TFT_DASH_ALERT_DEPENDENCIES=written(tmp_path, STRANGERS))
    assert sorted(map(sorted, problems_of(watch))) == [["mail-1"], ["web-1"]]


def test_without_a_file_they_are_one(make: MakeWatch) -> None:
    assert problems_of(make()) == [{"web-1", "mail-1"}]


def test_the_file_is_read_anew_and_a_broken_one_changes_nothing(make: MakeWatch, tmp_path: Path) -> None:
    path = Path(written(tmp_path, STRANGERS))
    grouping = Grouping(replace(make().settings, alert_dependencies=str(path)))
    assert grouping.terms().graph.upstream("database", "web")
    path.write_text("kind: [")
    assert grouping.terms().graph.upstream("database", "web")
    written(tmp_path, {"web": ["cache"]})
    assert not grouping.terms().graph.upstream("database", "web")


def test_a_file_that_comes_back_as_it_was_is_fine_again(tmp_path: Path) -> None:
    path = Path(written(tmp_path, STRANGERS))
    file = WatchedFile(str(path), parse_dependencies)
    known = file.read()
    path.rename(tmp_path / "away")
    assert file.read() == known
    assert "cannot be read" in file.problem
    (tmp_path / "away").rename(path)
    assert file.read() == known
    assert file.problem == ""


def test_nobody_starts_to_judge_by_a_file_that_is_broken_or_not_there(make: MakeWatch, tmp_path: Path) -> None:
    settings = make().settings
    path = tmp_path / "dependencies.json"
    with pytest.raises(TftDashError, match=r"dependencies\.json cannot be read"):
        AlertJudge(replace(settings, alert_dependencies=str(path)))
    written(tmp_path, {"web": ["web"]})
    with pytest.raises(TftDashError, match=r"dependencies\.json"):
        AlertJudge(replace(settings, alert_dependencies=str(path)))
