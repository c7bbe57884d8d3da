"""Addresses, tokens and certificates that cannot be used are told in words, and no piece of a secret with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.prometheus import fake_prometheus

from tft_dash.errors import SourceUnreachableError, UsageError
from tft_dash.live.feeds.prometheus.client import Client
from tft_dash.live.feeds.prometheus.configuration import Configuration, configured


def ask(configuration: Configuration) -> None:
    client = Client(configuration.base, configuration.access, 1.0)
    try:
        client.ask("query", {"query": "time()"}, "the time")
    finally:
        client.close()


def test_what_no_header_can_carry_is_told_without_a_piece_of_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("hunter\u20ac2")
    with (
        fake_prometheus() as fake,
        pytest.raises(SourceUnreachableError, match=r"token_file=.*no header can carry") as caught,
    ):
        ask(configured(fake.url, {"token_file": str(file)}))
    assert fake.asked == []
    assert "\u20ac" not in str(caught.value)
    assert "hunter" not in str(caught.value).replace(str(file), "")
    assert "20ac" not in str(caught.value)
    for tenant in ("team\u20aca", "a\r\nX: y"):
        with pytest.raises(UsageError, match="tenant= has letters that no header can carry"):
            configured("prometheus+http://h/", {"tenant": tenant})


def test_a_name_that_no_host_can_have_is_told() -> None:
    with pytest.raises(SourceUnreachableError, match="cannot be reached"):
        ask(configured("prometheus+http://prom..example", {}))


@pytest.mark.parametrize("option", ["ca_file", "cert_file"])
def test_a_certificate_that_is_gone_is_told(tmp_path: Path, option: str) -> None:
    file = tmp_path / "own.pem"
    file.write_text("")
    found = configured("prometheus+https://127.0.0.1:1", {option: str(file)})
    file.unlink()
    with pytest.raises(SourceUnreachableError, match=r"cannot be asked \(.*own\.pem.*Check ca_file, cert_file"):
        ask(found)
