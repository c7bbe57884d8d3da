"""What a live source is called, where it is, how it is collected; and what of that is never shown."""

from __future__ import annotations

import pytest

from tft_dash.errors import UsageError
from tft_dash.live.adapters import FEEDS
from tft_dash.live.specs import parse_spec, seconds_of
from tft_dash.sources.remote.address import LIVE, SCHEMES


def test_a_source_is_a_name_an_address_and_options() -> None:
    spec = parse_spec(
        "fleet=prometheus+http://host:9090/prom?mapping=node&step=15s&delay=5s&model=tft&backfill=2h&forget=1d"
    )
    assert (spec.name, spec.kind, spec.url) == ("fleet", "prometheus+http", "prometheus+http://host:9090/prom")
    assert spec.options == {"mapping": "node", "step": "15s"}  # the others are the collector's
    assert (spec.step_seconds, spec.delay_seconds, spec.model) == (15.0, 5.0, "tft")
    assert (spec.backfill_hours, spec.forget_hours) == (2.0, 24.0)


@pytest.mark.parametrize(
    ("spec", "name", "kind"),
    [
        ("push://web", "web", "push"),
        ("prometheus+https://metrics.example:9090", "metrics.example", "prometheus+https"),
        ("postgresql+psycopg://user@host/fleet", "fleet", "postgresql"),
        ("mine=push://web", "mine", "push"),
    ],
)
def test_without_a_name_the_address_gives_one(spec: str, name: str, kind: str) -> None:
    found = parse_spec(spec)
    assert (found.name, found.kind) == (name, kind)


def test_a_tick_is_left_open_for_a_step_but_not_for_more_than_15_seconds() -> None:
    spec = parse_spec("push://web")
    assert [spec.delay_for(step) for step in (1.0, 5.0, 15.0, 300.0)] == [1.0, 5.0, 15.0, 15.0]
    assert parse_spec("push://web?delay=0").delay_for(5.0) == 0.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15", 15), ("15s", 15), ("500ms", 0.5), ("5m", 300), ("1.5h", 5400), ("2d", 172_800), (" 1H", 3600)],
)
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("push://web?step=soon", "step=soon: expected a time such as 15s"),
        ("push://web?step=0.5s", "step=0.5s: expected 1 s to 86,400 s"),
        ("push://web?step=1.0005", "whole milliseconds"),
        ("push://web?delay=-1", "expected a time"),
        ("push://web?step=5s&step=6s", "'step' is given twice"),
        ("push://web?step", "write options as"),
        ("recording.csv", "is no live source"),
        ("s3://bucket/x.csv", "is no live source"),
        ("prometheus+http://host:port/", "is no URL"),
        ("prometheus+http://[::1/", "is no URL"),
        ("fleet=prometheus+http://[::1/", "is no URL"),
        ("prometheus+http://me:hunter2@ho\u2100st/", r"\*\*\*@ho.*is no URL"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_spec(spec)


def test_no_secret_is_shown_and_none_changes_what_a_source_is() -> None:
    spec = parse_spec("prometheus+http://me:hunter2@host:9090/?token=hunter3&token_file=/run/token&tenant=a")
    shown = f"{spec.place} {spec!r}".replace(repr(spec.url), "")
    assert "hunter" not in spec.place
    assert "hunter3" not in shown
    assert "token_file=/run/token" in spec.place
    assert "tenant=a" in spec.place
    assert spec.identity == parse_spec("prometheus+http://host:9090/?token_file=/run/token&tenant=a").identity
    assert spec.identity != parse_spec("prometheus+http://host:9090/?token_file=/run/token&tenant=b").identity


def test_every_registered_feed_has_a_scheme_that_is_recognised() -> None:
    for scheme in FEEDS.names():
        assert SCHEMES[scheme] == LIVE
