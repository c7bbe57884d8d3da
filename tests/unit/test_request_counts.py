"""Requests are counted by many processes in one file: none is lost, whoever ends when."""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tft_dash.api.metrics.requests import PARTS, RequestCounts, part_of

EACH = 400


def counted(counts: RequestCounts, part: str, code: str) -> tuple[float, float]:
    found = {
        sample.family: sample.value for sample in counts.samples() if sample.labels == {"part": part, "code": code}
    }
    return found["tft_dash_http_requests_total"], found["tft_dash_http_request_seconds_total"]


def add_many(counts: RequestCounts) -> None:
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda _: counts.add("api", 200, 0.5), range(EACH)))


def test_processes_that_share_a_folder_count_together(tmp_path: Path) -> None:
    counts = RequestCounts(tmp_path / "new" / "folder")
    counts.add("api", 200, 0.5)  # opened before the others are forked from here
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=add_many, args=(counts,)) for _ in range(3)]
    for process in processes:
        process.start()
    add_many(counts)
    for process in processes:
        process.join()
    assert counted(counts, "api", "2xx") == (4 * EACH + 1, (4 * EACH + 1) / 2)
    assert counted(counts, "page", "2xx") == (0, 0)
    counts.close()
    counts.close()
    again = RequestCounts(tmp_path / "new" / "folder")
    assert counted(again, "api", "2xx")[0] == 4 * EACH + 1  # a restart takes nothing back
    again.close()


@pytest.mark.parametrize(("status", "code"), [(101, "2xx"), (204, "2xx"), (302, "3xx"), (404, "4xx"), (503, "5xx")])
def test_every_status_has_its_class(tmp_path: Path, status: int, code: str) -> None:
    counts = RequestCounts(tmp_path)
    for part in PARTS:
        counts.add(part, status, 0.0)
        assert counted(counts, part, code) == (1, 0)
    counts.close()


def test_a_folder_that_cannot_be_written_is_told_once_and_costs_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    counts = RequestCounts(tmp_path / "file" / "below")
    with caplog.at_level(logging.WARNING):
        counts.add("page", 200, 0.1)
        counts.add("page", 200, 0.1)
    assert list(counts.samples()) == []
    assert len(caplog.records) == 1
    assert "cannot be written" in caplog.text


def test_a_path_that_a_visitor_makes_up_makes_no_label() -> None:
    for path in ("/", "/anything/at?all", "//", "", "/api", "/metrics/more", "/assets"):
        assert part_of(path) == "page"
    assert part_of("/_dash-update-component") == "callback"
    assert part_of("/api/v1/ingest/fleet") == "ingest"
    assert part_of("/api/v1/sources") == "api"
    assert part_of("/readyz") == "health"
