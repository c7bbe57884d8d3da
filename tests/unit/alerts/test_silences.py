"""Matchers and silences."""

from __future__ import annotations

import pytest

from tft_dash.alerts.silences import Silence, make_silence, matchers_of, parse_matcher, silenced_by
from tft_dash.errors import UsageError

LABELS = {"server_name": "web-001", "profile": "web", "alertname": "ServerAtRisk"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("server_name=web-001", True),
        ('server_name="web-001"', True),
        (" server_name = web-001 ", True),
        ("server_name=web-00", False),
        ("server_name!=web-001", False),
        ("server_name!=web-002", True),
        ("server_name=~web-.*", True),
        ("server_name=~web", False),
        ("server_name=~web|db", False),
        ("server_name=~(web|db)-[0-9]+", True),
        ("server_name!~db-.*", True),
        ("server_name!~web-.*", False),
        ("metric=", True),
        ("metric!=", False),
        ("metric=~.*", True),
        ("metric=~.+", False),
    ],
)
def test_matchers_mean_what_they_mean_in_alertmanager(text: str, holds: bool) -> None:
    matcher = parse_matcher(text)
    assert matcher.matches(LABELS) is holds
    assert parse_matcher(str(matcher)) == matcher


def test_a_matcher_may_hold_any_text() -> None:
    matcher = parse_matcher('team="a \\"b\\" \\\\ c=~d\\n"')
    assert matcher.value == 'a "b" \\ c=~d\n'
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no matcher"),
        ("server_name", "is no matcher"),
        ("9a=b", "is no matcher"),
        ("a>b", "is no matcher"),
        ('a="b', "not closed"),
        ('a="b"c"', "not closed"),
        ('a="', "not closed"),
        ('a="b\\"', "not closed"),
        ("a=~[", "no regular expression"),
        ("a=~(a*)*", "for ever"),
        ("a=~(a|a)+", "for ever"),
        ("a=~(a|b){1,9}", "for ever"),
        ("a=~(?=a)", "for ever"),
        (r"a=~(a)\1", "for ever"),
        ("a=~a*a*a*a*", "for ever"),
        ("a=~" + "a" * 300, "too long"),
    ],
)
def test_what_is_no_matcher_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_matcher(text)


def silence(*matchers: str, **more: object) -> Silence:
    fields = {"start_ms": 10, "end_ms": 20, "by": "Ann", "reason": "disks", **more}
    return make_silence("s1", matchers, **fields)  # type: ignore[arg-type]


def test_a_silence_holds_from_its_start_until_before_its_end() -> None:
    quiet = silence("profile=web", "server_name=~web-.*")
    assert [quiet.holds(LABELS, at) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert not quiet.holds({**LABELS, "profile": "api"}, 15)
    assert silenced_by([quiet, silence("profile=api")], LABELS, 15) == ("s1",)


def test_a_silence_is_plain_values_and_comes_back() -> None:
    quiet = silence('team="a \\"b\\""', "profile!~db|cache", "server_name=x", maintenance=True)
    assert Silence.from_plain(quiet.as_plain()) == quiet


def test_everything_wrong_with_a_silence_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        silence("a", "b=~[", end_ms=10, by=" ", reason="")
    for words in ("'a' is no matcher", "no regular expression", "after its start", "who silences", "the reason"):
        assert words in str(caught.value)


@pytest.mark.parametrize("matchers", [(), ("metric=~.*",), ("a!=b", "c=")])
def test_a_silence_of_everything_is_refused(matchers: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="silence everything"):
        silence(*matchers)


@pytest.mark.parametrize(
    "names", [["web-1"], ["web-1", "db.local"], [r"a|b", r"c\d(e)[f]{2}+*?^$.", 'q"q'], ["ü", "x y"]]
)
def test_matchers_for_servers_fit_them_and_no_other(names: list[str]) -> None:
    found = [parse_matcher(str(one)) for one in matchers_of("fleet", names)]
    assert found == list(matchers_of("fleet", names))
    for name in names:
        assert all(one.matches({"source": "fleet", "server_name": name}) for one in found)
        assert not all(one.matches({"source": "other", "server_name": name}) for one in found)
        assert not all(one.matches({"source": "fleet", "server_name": f"{name}x"}) for one in found)
    for other in ("", "dbxlocal", "a", "b"):
        assert not all(one.matches({"source": "fleet", "server_name": other}) for one in found)


def test_servers_that_are_too_many_to_name_are_silenced_by_their_profiles_or_with_their_source() -> None:
    many = [f"server-{number:03}" for number in range(40)]
    assert [str(one) for one in matchers_of("fleet", many, ["web", "api"])] == [
        'source="fleet"', 'profile=~"web|api"'
    ]  # fmt: skip
    assert [str(one) for one in matchers_of("fleet", [], ["web"])] == ['source="fleet"', 'profile="web"']
    assert [str(one) for one in matchers_of("fleet", many)] == ['source="fleet"']
    assert matchers_of("fleet", ["s" * 250])[-1].value == "s" * 250
