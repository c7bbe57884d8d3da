"""How a push source is written, and what of it is refused."""

from __future__ import annotations

import pytest

from tft_dash.errors import UsageError
from tft_dash.live.feeds.push.configuration import configured
from tft_dash.live.specs import parse_spec


def test_a_push_source_is_opened_by_its_address() -> None:
    spec = parse_spec("fleet=push://fleet?step=5s&delay=2s&token_file=/run/secrets/fleet")
    assert spec.open().step_seconds == 5.0
    assert spec.place == "push://fleet?step=5s&token_file=/run/secrets/fleet"
    assert configured("push://fleet", {}).step_seconds == 15.0


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("push://user:secret@fleet", {}, "no address of its own"),
        ("push://fleet:80", {}, "no address of its own"),
        ("push://fleet/path", {}, "no address of its own"),
        ("push://fleet", {"steps": "5s"}, "Did you mean 'step'"),
        ("push://fleet", {"token": "secret-itself"}, "no option 'token'"),
        ("push://fleet", {"step": "soon"}, "expected a time"),
        ("push://fleet", {"token_file": "a", "token_env": "B"}, "Leave one out"),
    ],
)
def test_what_cannot_be_is_refused_without_a_secret(url: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        configured(url, options)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value).replace("secrets", "")
