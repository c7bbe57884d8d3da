"""Holds a source against the data contract, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tft_dash.commands.terminal import say
from tft_dash.errors import UsageError, shorten
from tft_dash.progress import Progress
from tft_dash.settings import Settings
from tft_dash.sources.catalogue import Named
from tft_dash.sources.remote.address import OBJECT_STORE
from tft_dash.sources.remote.mirror import Mirror
from tft_dash.sources.report import Report
from tft_dash.sources.validate import check_table


def check_source(named: Named, settings: Settings, progress: Progress) -> Report:
    """What is in a recording and what is wrong with it.

    :raises UsageError: the source is no table.
    :raises UnreachableError: it cannot be reached.
    """
    if named.path is not None:
        return check_table(named.path, progress=progress)
    if named.kind != OBJECT_STORE:
        raise UsageError(f"'{shorten(named.shown, 200)}' is no table: a recording in a file or an object store is.")
    mirror = Mirror(
        named.location,
        settings.cache,
        look_seconds=settings.object_look,
        limit_bytes=round(settings.object_cache_gb * 10**9),
    )
    _, path, hold = mirror.open(lambda share: progress(share / 2), look_first=True)
    try:
        for remark in (*mirror.remarks(), *mirror.left_out()):
            say(remark)
        report = check_table(path, progress=lambda share: progress((1 + share) / 2))
        return _renamed(report, lambda words: mirror.renamed(words, path), mirror.shown)
    finally:
        hold.release()
        mirror.close()


def _renamed(report: Report, renamed: Callable[[str], str], shown: str) -> Report:
    """The report on a copy, as one on what was copied."""
    findings = tuple(
        replace(one, sentence=renamed(one.sentence), advice=renamed(one.advice)) for one in report.findings
    )
    return Report(shown, report.facts, findings)
