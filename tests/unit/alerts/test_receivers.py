"""Documents of receivers, and what each type of receiver is told, word for word."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.receivers import Reply, receiver
from support.watching import Watch, document

from tft_dash.alerting.files import WatchedFile
from tft_dash.alerting.posting import post
from tft_dash.alerting.requesting import address_shown, dry_run, request_for
from tft_dash.alerting.trying import Trial
from tft_dash.alerts.delivery.message import Message
from tft_dash.alerts.delivery.payloads import PAYLOADS, generic, pagerduty, slack, teams
from tft_dash.alerts.delivery.receivers import Receiver, json_schema, parse_receivers
from tft_dash.alerts.documents import AlertDocumentError
from tft_dash.alerts.problem import Involved, Problem, Reading
from tft_dash.errors import SourceMissingError, SourceUnreachableError, UnknownNameError

URL = "http://127.0.0.1:9/hook"
ODD = 'db_<1>&"*x*'


def receivers(*given: dict[str, Any]) -> tuple[Receiver, ...]:
    named = [{"name": f"r{number}", "type": "webhook", **one} for number, one in enumerate(given)]
    return parse_receivers(document("AlertReceivers", receivers=named), "test").receivers


def mistakes(*given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(AlertDocumentError) as raised:
        receivers(*given)
    return {path.removeprefix("spec.receivers"): words for path, words in raised.value.problems}


def problem(**more: Any) -> Problem:
    drivers = (Reading("cpu_pct", 97.25, 41.0, 80.0, 95.0),)
    servers = tuple(Involved(f"{ODD}{n}", "database", 1_000, 1, 0.91, 2_000, drivers, ("Hot",), "") for n in range(7))
    values: dict[str, Any] = {
        "id": "abc123", "source": "fleet", "kind": "incident", "life": "open", "title": f"{ODD}0 and 6 more servers",
        "severity": "critical", "opened_ms": 3_000, "opened_tick": 17, "began_ms": 1_000, "began_tick": 1,
        "last_onset_ms": 3_000, "changed_ms": 3_000, "resolved_ms": None, "reopened": 0, "past": False,
        "origin": f"{ODD}0", "origin_why": "It showed first.", "servers": servers, "server_count": 7,
        "profiles": ("database",), "alerts": 7,
    }  # fmt: skip
    return Problem(**{**values, **more})


def message(event: Any = "firing", **more: Any) -> Message:
    return Message(f"{event}.hook.abc123.0", event, problem(**more), (), 0, "https://monitor.example.com/")


def test_every_mistake_is_told_with_its_path() -> None:
    found = mistakes(
        {"url": URL, "url_env": "X"},
        {"name": "r0", "url": URL, "severity": "loud", "colour": "red"},
        {"url": "http://ann:secret@host/", "token_file": "a", "token_env": "b"},
        {"url": URL, "user": "ann"},
        {"url": URL, "type": "pagerduty"},
        {"url": URL, "routing_key_env": "X"},
        {},
        {"url": "http:///nowhere"},
        {"url": URL, "timeout": "2m", "give_up": "0s", "where": ["source~x"]},
        {"url": URL, "type": "carrier-pigeon"},
        {"url": "http://host:9093/api/v2", "type": "alertmanager"},
    )
    assert sorted(found) == sorted([
        "[0].url_env", "[1].name", "[1].severity", "[1].colour", "[2].url", "[2].token_env", "[3]", "[4]", "[5]", "[6]",
        "[7].url", "[8].timeout", "[8].give_up", "[8].where[0]", "[9].type", "[10].url",
    ])  # fmt: skip
    assert "secret" not in " ".join(found.values())


def test_a_document_that_is_none_is_told_in_words() -> None:
    for text in ("", "[]", "kind: AlertRules", "\x00", "a: &b [*b]", "{"):
        with pytest.raises(AlertDocumentError, match="document of alert receivers"):
            parse_receivers(text, "the file")


def test_the_schema_describes_every_field() -> None:
    fields = json_schema()["$defs"]["Receiver"]["properties"]
    assert all("description" in one for one in fields.values())


def test_the_generic_form_says_everything() -> None:
    plain = generic(message("resolved", life="resolved", resolved_ms=9_500))
    assert json.loads(json.dumps(plain)) == plain
    assert plain["event"] == "resolved"
    assert plain["problem"]["resolved"] == "1970-01-01T00:00:09.500Z"
    assert plain["links"]["monitor"] == "https://monitor.example.com/?source=fleet&tick=17"
    assert plain["links"]["problem"] == "https://monitor.example.com/alerts?problem=abc123"
    assert plain["problem"]["servers"][0]["drivers"] == [{"metric": "cpu_pct", "value": 97.25, "usual": 41.0}]


def test_slack_is_told_within_its_bounds_and_no_name_becomes_a_mark() -> None:
    told = slack(message(title="x" * 4000))
    assert set(told) == {"text", "blocks"}
    assert len(told["blocks"][0]["text"]["text"]) <= 150
    section = told["blocks"][1]["text"]["text"]
    assert "db_&lt;1&gt;&amp;" in section
    assert "<1>" not in section
    assert "and 2 more" in section
    assert "usually 41" in section
    assert all(len(one["text"]["text"]) <= 3000 for one in told["blocks"] if "text" in one)


def test_teams_is_told_an_adaptive_card() -> None:
    told = teams(message())
    (attachment,) = told["attachments"]
    assert (told["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][0]["style"] == "attention"
    assert "db\\_\\<1\\>" in card["body"][1]["text"]
    assert [one["type"] for one in card["actions"]] == ["Action.OpenUrl"] * 2
    assert len(json.dumps(told)) < 28_000


def test_pagerduty_opens_and_closes_one_incident() -> None:
    opened, closed = pagerduty(message()), pagerduty(message("resolved"))
    assert opened["dedup_key"] == closed["dedup_key"] == "tft-dash/fleet/abc123"
    assert closed == {"event_action": "resolve", "dedup_key": "tft-dash/fleet/abc123"}
    assert opened["payload"]["severity"] in ("critical", "error", "warning", "info")
    assert len(pagerduty(message(title="x" * 4000))["payload"]["summary"]) <= 1024


def test_the_news_of_the_past_says_that_it_is() -> None:
    for form in PAYLOADS.values():
        assert "fter the fact" in json.dumps(form(message(past=True))) or form is generic
    assert generic(message(past=True))["problem"]["back_filled"] is True


def test_a_message_is_the_same_after_it_was_kept() -> None:
    kept = Message.from_plain(json.loads(json.dumps(message().as_plain())))
    assert kept == message()
    with pytest.raises(ValueError, match="version"):
        Message.from_plain({**message().as_plain(), "version": 99})


def test_secrets_are_sent_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("s3cret-key\n")
    (tmp_path / "url").write_text("http://127.0.0.1:9/s3cret-url\n")
    monkeypatch.setenv("HOOK_TOKEN", "s3cret-token")
    pager, chat, plain = receivers(
        {"type": "pagerduty", "url": URL, "routing_key_file": str(tmp_path / "key")},
        {"type": "slack", "url_file": str(tmp_path / "url"), "token_env": "HOOK_TOKEN"},
        {"url": "https://hooks.example.com/services/s3cret", "user": "ann", "password_file": str(tmp_path / "key")},
    )
    sent = request_for(pager, {"a": 1}, "k")
    assert json.loads(sent.body) == {"routing_key": "s3cret-key", "a": 1}
    sent = request_for(chat, {"a": 1}, "k")
    assert (sent.url, sent.headers["Authorization"]) == ("http://127.0.0.1:9/s3cret-url", "Bearer s3cret-token")
    for one in (pager, chat, plain):
        shown = dry_run(one, {"a": 1}, "k").text
        assert "s3cret" not in shown
        assert "********" in shown or one is plain
        assert "s3cret" not in address_shown(one)
    assert address_shown(plain) == "https://hooks.example.com/…"
    assert dry_run(plain, {}, "k").headers["Authorization"] == "Basic ********"


def test_a_secret_that_is_not_there_is_told_without_a_request(tmp_path: Path) -> None:
    (one,) = receivers({"url": URL, "token_file": str(tmp_path / "none")})
    with pytest.raises(SourceUnreachableError, match="token_file="):
        request_for(one, {}, "k")


def test_a_redirection_is_not_followed_and_no_netrc_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with receiver(Reply(302, headers=(("Location", "http://127.0.0.1:9/"),))) as inbox:
        (one,) = receivers({"url": inbox.url})
        answer = post(one, request_for(one, {}, "k"))
    assert not answer.ok
    assert answer.again
    assert "not followed" in answer.words
    assert "Authorization" not in inbox.got[0].headers


def test_a_certificate_is_always_checked(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here to make a certificate with")
    name, pem = tmp_path / "cert.pem", tmp_path / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", tmp_path / "key.pem", "-out", name], check=True, capture_output=True)
    pem.write_text((tmp_path / "key.pem").read_text() + name.read_text())
    with receiver(certificate=pem) as inbox:
        plain, trusting, lost = receivers(
            {"url": inbox.url}, {"url": inbox.url, "ca_file": str(name)}, {"url": inbox.url, "ca_file": "/none"}
        )
        refused = post(plain, request_for(plain, {}, "k"))
        assert "certificate cannot be trusted" in refused.words
        assert refused.again
        assert inbox.got == []
        assert "no such file" in post(lost, request_for(lost, {}, "k")).words
        assert post(trusting, request_for(trusting, {}, "k")).ok
        assert len(inbox.got) == 1


def test_a_file_that_breaks_keeps_what_it_said(tmp_path: Path) -> None:
    path = tmp_path / "receivers.yaml"
    with pytest.raises(SourceMissingError, match="cannot be read"):
        WatchedFile(str(path), parse_receivers).read()
    path.write_text(json.dumps(document("AlertReceivers", receivers=[])))
    watched = WatchedFile(str(path), parse_receivers)
    first = watched.read()
    path.write_text("kind: [")
    assert watched.read() is first
    assert "receivers.yaml" in watched.problem
    assert watched.read() is first
    assert watched.problem
    path.unlink()
    assert watched.read() is first
    path.write_text(json.dumps(document("AlertReceivers", receivers=[{"name": "a", "type": "webhook", "url": URL}])))
    assert len(watched.read().receivers) == 1
    assert watched.problem == ""


@pytest.mark.parametrize("kind", ["webhook", "slack", "teams", "pagerduty", "alertmanager"])
def test_a_receiver_can_be_tried_before_anything_happens(tmp_path: Path, kind: str) -> None:
    (tmp_path / "key").write_text("s3cret-key")
    with receiver() as inbox:
        target = {"name": "it", "type": kind, "url": inbox.url}
        if kind == "pagerduty":
            target["routing_key_file"] = str(tmp_path / "key")
        watch = Watch(tmp_path, target)
        trial = Trial(watch.desk, watch.settings)
        shown = trial.payload("it")
        assert "s3cret" not in shown.text
        assert "db-001" in shown.body
        assert inbox.got == []
        assert trial.test("it").ok
        assert len(inbox.got) == (2 if kind == "pagerduty" else 1)
        assert "nothing is wrong" in inbox.got[0].body.decode()
        (logged,) = watch.desk.deliveries()
        assert (logged.event, logged.outcome, logged.receiver) == ("test", "sent", "it")
        assert bool(trial.receiving.silences_note) == (kind == "alertmanager")
        with pytest.raises(UnknownNameError, match="Known: it"):
            trial.payload("nobody")
        watch.close()
