"""``tft-dash alerts``: what stands, whether documents are fine, whether receivers can be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.receivers import Reply, receiver
from support.watching import HOT, Watch, document

from tft_dash.cli import main
from tft_dash.scenarios.format.loader import dump_text


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["alerts", *arguments])


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    made = Watch(tmp_path, {"name": "hook", "type": "webhook", "url": "http://127.0.0.1:9/s3cret"})
    for name in ("data", "alert_rules", "alert_receivers"):
        monkeypatch.setenv(f"TFT_DASH_{name.upper()}", str(getattr(made.settings, name)))
    monkeypatch.chdir(tmp_path)
    yield made
    made.close()


def test_what_stands_is_listed(watch: Watch) -> None:
    assert "No alert stands." in run("list").stderr
    watch.live(1, 97.0)
    done = run("list", "--source", "fleet")
    assert done.exit_code == 0
    assert [line.split("\t")[:5] for line in done.stdout.splitlines()] == [
        ["firing", "critical", "fleet", "Hot", "a cpu_pct"], ["firing", "critical", "fleet", "Hot", "b cpu_pct"],
    ]  # fmt: skip
    assert len(json.loads(run("list", "--json").stdout)) == 2
    assert run("list", "--source", "other").stdout == ""


def write(folder: Path, value: Any) -> str:
    (folder / "it.yaml").write_text(value if isinstance(value, str) else dump_text(value))
    return str(folder / "it.yaml")


def test_documents_are_checked_by_their_kind(tmp_path: Path) -> None:
    hook = {"name": "a", "type": "webhook", "url": "http://h/", "token_file": str(tmp_path / "none")}
    done = run("check", write(tmp_path, document("AlertReceivers", receivers=[hook])))
    assert (done.exit_code, "1 receivers" in done.stdout) == (0, True)
    assert "token_file=" in done.stderr, "a secret that is not here may be there where alerts are told"
    assert "1 rules" in run("check", write(tmp_path, document("AlertRules", rules=[HOT]))).stdout
    assert (
        "2 profiles" in run("check", write(tmp_path, document("Dependencies", depends_on={"a": [], "b": ["a"]}))).stdout
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Pigeon", "AlertRules, AlertReceivers or Dependencies"),
        ("", "nothing"),
        ("kind: [", "not readable"),
        ("\x00", "U+0000"),
        ("kind: AlertReceivers", "metadata"),
        ("kind: 7", "AlertRules"),
    ],
)
def test_a_document_that_is_wrong_is_told_in_words(tmp_path: Path, text: str, words: str) -> None:
    done = run("check", write(tmp_path, text))
    assert done.exit_code == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        done = run("check", str(path))
        assert done.exit_code == 3
        assert "cannot be read" in done.stderr


def test_a_dry_run_shows_the_payload_and_sends_nothing(watch: Watch) -> None:
    watch.live(1, 97.0)
    (kept,) = watch.desk.problems()
    shown = run("payload", "hook", "--problem", kept.problem.id).stdout
    head, body = shown.split("\n\n", 1)
    assert head.startswith("POST http://127.0.0.1:9/…\n")
    assert json.loads(body)["problem"]["id"] == kept.problem.id
    assert "s3cret" not in shown
    assert run("payload", "nobody").exit_code == 2
    assert run("payload", "hook", "--problem", "none").exit_code == 2


def test_a_test_tells_whether_it_arrived(watch: Watch) -> None:
    done = run("test", "hook")
    assert done.exit_code == 3
    assert "nothing listens there" in done.stderr
    assert "s3cret" not in done.stderr
    with receiver(Reply(), Reply(400, body=b"bad words")) as inbox:
        watch.tell({"name": "hook", "type": "webhook", "url": inbox.url})
        assert "took it: status 200" in run("test", "hook").stdout
        done = run("test", "hook")
    assert done.exit_code == 1
    assert "bad words" in done.stderr
    log = run("log", "--receiver", "hook").stdout.splitlines()
    assert [line.split("\t")[1] for line in log] == ["failed", "sent", "failed"]


def test_without_a_file_of_receivers_it_is_said_how_to_make_one(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFT_DASH_ALERT_RECEIVERS")
    done = run("test", "hook")
    assert done.exit_code == 2
    assert "TFT_DASH_ALERT_RECEIVERS" in done.stderr
