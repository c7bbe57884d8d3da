"""What a Prometheus-compatible source can be told to be, for whoever sets it up."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from tft_dash.errors import TftDashError, shorten
from tft_dash.live.feeds.prometheus.client import Client
from tft_dash.live.feeds.prometheus.configuration import Configuration

_JOBS_LISTED: Final = 12
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def notes_of(configuration: Configuration, series: dict[str, int], client: Client) -> tuple[str, ...]:
    """Sentences about the last answers.

    :param series: what was asked for → how many series there were.
    """
    select = f"{{{configuration.select}}}" if configuration.select else "nothing in particular"
    window = f"{configuration.window_seconds:g} s"
    found = [f"Mapping '{configuration.mapping.metadata.name}' with $select = {select}, rates over {window}."]
    given = configuration.mapping.spec.columns.given()
    empty = [name for name in given if not series.get(name)]
    if empty:
        words = ", ".join(empty)
        found.append(f"No series at all for {words}: nothing that is selected has what the mapping asks for.")
    absent = [name for name in type(configuration.mapping.spec.columns).model_fields if name not in given]
    if absent:
        found.append(f"The mapping has no query for {', '.join(absent)}.")
    if not series.get("timestamp"):
        found += _jobs(client)
    if _is_open(configuration):
        found.append("The token or password is sent over http, readable for everybody between. Use prometheus+https.")
    return tuple(found)


def _jobs(client: Client) -> list[str]:
    """What could be selected instead."""
    try:
        answer = client.ask("query", {"query": "count by (job) (up)"}, "the jobs")
        jobs = {str(one["metric"].get("job", "")): int(float(one["value"][1])) for one in answer.series}
    except (TftDashError, KeyError, TypeError, ValueError, IndexError):
        return []
    if not jobs:
        return ["It has no target at all: nothing is scraped there."]
    shown = ", ".join(f"{shorten(job, 60)} ({count:,})" for job, count in sorted(jobs.items())[:_JOBS_LISTED])
    example = shorten(next(iter(sorted(jobs))), 60)
    return [f'Nothing is selected. Its jobs, with their targets: {shown}. Choose with select=job="{example}".']


def _is_open(configuration: Configuration) -> bool:
    parts = urlsplit(configuration.base)
    secret = configuration.access.token is not None or configuration.access.user
    return bool(secret) and parts.scheme == "http" and parts.hostname not in _LOOPBACK
