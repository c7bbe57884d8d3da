"""The pages of alerts over a recorded incident: what is said is kept, what is wrong is told beside its field."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from app.test_callbacks import text_of
from dash import no_update
from plotly.utils import PlotlyJSONEncoder
from support import fleet

from tft_dash.alerting.past import recorded_past
from tft_dash.alerts.rulebook import as_mapping, parse_rules
from tft_dash.alerts.rules import RuleSet
from tft_dash.alerts.tuning.recorded import incidents_of
from tft_dash.alerts.tuning.tune import Tuner, with_bar
from tft_dash.app import create_app
from tft_dash.calibrating.incidents import read_incidents
from tft_dash.callbacks import models
from tft_dash.callbacks.alerts import marking, problems, rules, silences, tuner, views
from tft_dash.callbacks.models import open_models
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import UnreachableError
from tft_dash.pages.alerts import rules as rules_page
from tft_dash.pages.wording import CALIBRATE
from tft_dash.services import Services
from tft_dash.settings import load_settings
from tft_dash.store.alerts.ruling import KEY as RULES_KEY


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a recorded incident; copied for each test."""
    data = tmp_path_factory.mktemp("fleet") / "data"
    fleet.fill(data, ago_seconds=120)
    return data


@pytest.fixture
def services(recorded: Path, tmp_path: Path) -> Iterator[Services]:
    """Services over a copy of it."""
    shutil.copytree(recorded, tmp_path / "data")
    given = {"data": tmp_path / "data", "cache": tmp_path / "cache", "sources": (fleet.SOURCE,)}
    opened = Services(load_settings(given, environ={}, folder=tmp_path), wait_seconds=None, look_seconds=0.0)
    yield opened
    opened.close()


def the_problem(services: Services) -> str:
    (one,) = services.alerts.problems()
    return one.problem.id


def said(answer: list[object]) -> str:
    return str(answer[0])


def test_an_incident_is_one_problem_with_its_servers_in_order_of_origin(services: Services) -> None:
    board = views.board(services)
    (one,) = board.standing
    assert [each.server for each in one.problem.servers] == list(fleet.IN_TROUBLE)
    assert one.problem.origin == "db-001"
    assert one.firing > 1
    assert board.watched[0].source == "fleet"
    assert "Nobody collects it" in board.watched[0].problem


def test_what_people_say_of_a_problem_is_kept_and_seen_at_once(services: Services) -> None:
    identity = the_problem(services)
    about = {"page": "problem", "problem": identity}
    assert "Say who is at it" in said(problems.acted(services, "acknowledge", about, " ", ""))
    assert views.detail(services, identity).standing.acknowledged is None
    problems.acted(services, "acknowledge", about, "Ann", "on my way")
    problems.acted(services, "comment", about, "Bo", "<b>restarted</b>")
    problems.acted(services, "outcome-true", about, "Ann", "")
    found = views.detail(services, identity).standing
    assert found.acknowledged is not None
    assert (found.acknowledged.by, found.acknowledged.comment) == ("Ann", "on my way")
    assert [(one.by, one.text) for one in found.remarks.comments] == [("Bo", "<b>restarted</b>")]
    assert found.remarks.outcome == "true"
    problems.acted(services, "outcome-none", about, "Ann", "")
    problems.acted(services, "take-back", about, "Ann", "")
    found = views.detail(services, identity).standing
    assert (found.remarks.outcome, found.acknowledged) == (None, None)


def test_a_look_sends_only_what_has_changed(services: Services) -> None:
    identity = the_problem(services)
    about = {"page": "problem", "problem": identity}
    *parts, seen = problems.looked(services, about)
    again = problems.looked(services, {**about, "seen": {**seen}})
    assert len(parts) == len(problems.PARTS)
    assert again[1:3] == [no_update, no_update]
    services.alerts.comment(identity, "new", "Ann")
    changed = problems.looked(services, {**about, "seen": seen})
    assert "new" in str(changed[2])


def test_outcomes_are_what_calibrate_reads(services: Services, tmp_path: Path) -> None:
    services.alerts.say_outcome(the_problem(services), "true", "Ann")
    client = create_app(services).server.test_client()
    answer = client.get("/api/v1/problems/outcomes.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["server"] for row in rows} == set(fleet.IN_TROUBLE)
    path = tmp_path / "outcomes.csv"
    path.write_bytes(answer.data)
    incidents = read_incidents(path)
    assert {one.server for one in incidents} == set(fleet.IN_TROUBLE)
    assert all(one.happened is True and one.start < one.end for one in incidents)


def test_outcomes_of_two_fleets_are_two_files(services: Services, tmp_path: Path) -> None:
    given = {"data": tmp_path / "data", "cache": tmp_path / "cache",
             "sources": (fleet.SOURCE, "other=push://other?step=5s")}  # fmt: skip
    opened = Services(load_settings(given, environ={}, folder=tmp_path), wait_seconds=None, look_seconds=0.0)
    opened.alerts.say_outcome(the_problem(opened), "true", "Ann")
    client = create_app(opened).server.test_client()
    page = json.dumps(problems.open_problems(opened), cls=PlotlyJSONEncoder)
    hrefs = re.findall(r'"href": "(/api/v1/problems/outcomes\.csv[^"]*)"', page)
    assert hrefs == ["/api/v1/problems/outcomes.csv?source=fleet", "/api/v1/problems/outcomes.csv?source=other"]
    assert [len(client.get(href).text.splitlines()) > 1 for href in hrefs] == [True, False]
    wrong = client.get("/api/v1/problems/outcomes.csv?source=flet")
    assert (wrong.status_code, "Did you mean 'fleet'?" in wrong.json["error"]) == (404, True)
    opened.close()


def test_a_post_mortem_holds_everything_and_runs_nothing(services: Services) -> None:
    identity = the_problem(services)
    services.alerts.comment(identity, "</pre><script>alert('comment')</script>", "<i>Ann</i>")
    client = create_app(services).server.test_client()
    answer = client.get(f"/api/v1/problems/{identity}/post-mortem.html")
    page = answer.text
    assert answer.status_code == 200
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "&lt;script&gt;alert(&#x27;server&#x27;)" in page
    assert "&lt;i&gt;Ann&lt;/i&gt;" in page
    assert "thresholds 1" in page
    assert services.alerts.rules().digest in page
    assert page.count("<svg") >= 3
    assert client.get("/api/v1/problems/none/post-mortem.html").status_code == 404


def test_a_post_mortem_tells_no_secret_of_the_settings(services: Services, tmp_path: Path) -> None:
    given = {"data": tmp_path / "data", "cache": tmp_path / "cache",
             "sources": (fleet.SOURCE, "other=prometheus+http://ann:hunter2@127.0.0.1:9/?mapping=node")}  # fmt: skip
    opened = Services(load_settings(given, environ={}, folder=tmp_path), wait_seconds=None, look_seconds=0.0)
    client = create_app(opened).server.test_client()
    page = client.get(f"/api/v1/problems/{the_problem(opened)}/post-mortem.html").text
    opened.close()
    assert "127.0.0.1:9" in page
    assert "hunter2" not in page


def test_each_mistake_of_a_silence_is_told_beside_its_field(services: Services) -> None:
    asked = silences.Asked("nonsense", " ", "yesterday", "soon", "Ann", maintenance=False)
    _, wrong = silences.acted(services, asked, None)
    assert set(wrong) == {"matchers", "reason", "from", "for"}
    assert services.alerts.silences() == ()
    good = silences.Asked("profile=database\n\nseverity=~.+", "disks", "", "2h", "Ann", maintenance=True)
    _, wrong = silences.acted(services, good, None)
    (made,) = services.alerts.silences()
    assert wrong == {}
    assert made.silence.maintenance
    assert made.silence.end_ms - made.silence.start_ms in range(7_199_000, 7_201_000)
    silences.acted(services, good, made.silence.id)
    assert services.alerts.silences()[0].ended_by == "Ann"


def test_a_time_with_an_offset_is_that_time() -> None:
    assert silences._start_ms("2026-03-01T22:00+02:00") == silences._start_ms("2026-03-01T20:00")
    assert silences._start_ms("2026-03-01T20:00Z") == silences._start_ms("2026-03-01T20:00") == 1_772_395_200_000


def test_a_silence_that_begins_beyond_all_time_is_refused_and_breaks_no_page(services: Services) -> None:
    asked = silences.Asked("profile=database", "disks", "9999-12-31T00:00", "2h", "Ann", maintenance=False)
    assert "It must begin within a year" in said(silences.acted(services, asked, None))
    assert services.alerts.silences() == ()
    assert "No silence holds" in str(silences.open_silences(services))


def test_a_broken_file_of_receivers_is_not_told_as_news_of_an_alertmanager(services: Services, tmp_path: Path) -> None:
    (tmp_path / "receivers.yaml").write_text("kind: [")
    given = {"data": tmp_path / "data", "cache": tmp_path / "cache", "alert_receivers": f"{tmp_path}/receivers.yaml"}
    opened = Services(load_settings(given, environ={}, folder=tmp_path), wait_seconds=None, look_seconds=0.0)
    shown = str(silences.open_silences(opened))
    opened.close()
    assert "The file of receivers has a mistake" in shown
    assert "An Alertmanager is told" not in shown


@pytest.mark.parametrize("error", [UnreachableError("away"), ZeroDivisionError()])
def test_a_chart_that_cannot_be_drawn_says_so(
    services: Services, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    assert problems.drawn(services, {"problem": the_problem(services)})["data"]
    monkeypatch.setattr(problems, "chart", fail)
    shown = problems.drawn(services, {"problem": the_problem(services)})
    assert shown["data"] == []
    assert "cannot be drawn" in shown["layout"]["annotations"][0]["text"]


def saving(services: Services, changes: dict[tuple[int, str], object], version: int, by: str = "Ann") -> rules._Saving:
    plain = rules.document(services).rules
    fields = {(place, name): rules_page.value_of(rule, name) for place, rule in enumerate(plain)
              for name in rules_page.fields_of(rule)}  # fmt: skip
    return rules._Saving(services, rules._Asked({**fields, **changes}, "", version, by))


def test_a_mistake_in_the_form_is_told_beside_its_field_and_nothing_is_saved(services: Services) -> None:
    shown, wrong = saving(services, {(0, "above"): "high", (1, "for"): "a while"}, 0).done("form", None)
    assert [path for path, _ in wrong] == ["spec.rules[0].when.above", "spec.rules[1].for"]
    beside = rules._beside(wrong, [(0, "above"), (0, "for"), (1, "for"), (1, "")])
    assert beside[0].startswith("must be a number")
    assert beside[1] == ""
    assert beside[2]
    assert "rules" not in shown
    assert services.alerts.rules().origin == "shipped"


def test_two_people_editing_overwrite_nothing_unseen(services: Services) -> None:
    saving(services, {(0, "above"): "0.61"}, 0).done("form", None)
    late = saving(services, {(0, "above"): "0.5", (1, "above"): "0.9"}, 0, "Bo")
    shown, _ = late.done("form", None)
    assert services.alerts.rules().version == 1
    assert "Ann saved version 1" in str(shown["conflict"])
    assert "0.61" in str(shown["conflict"])
    shown, _ = late.done("over-form", None)
    assert services.alerts.rules().version == 2
    assert [one.author for one in services.alerts.rule_versions()] == ["Bo", "Ann"]
    saving(services, {}, 2).done("", 1)
    assert services.alerts.rules().rules.spec.rules[0].when.above == 0.61


def of_name(found: RuleSet, name: str) -> object:
    return next(rule for rule in found.spec.rules if rule.alert == name)


@pytest.mark.parametrize("name", ["FleetIncidentSoon", "ServerAtRisk"])
def test_the_tuner_says_what_the_offline_computation_says_to_the_digit(services: Services, name: str) -> None:
    past = tuner.Past(services)
    *_, about = tuner.begun(past, services, tuner.Asked("fleet", name, "contract"), "light", {"version": 0})
    rule = with_bar(of_name(services.alerts.rules().rules, name), 0.37)
    history = recorded_past(services.live, "fleet", about["last"])
    offline = Tuner(rule, history, incidents_of(history, fleet=name.startswith("Fleet"))).tune(rule)
    shown = str(tuner.tuned(past, about, "0.37", slid=True)[0])
    assert offline.incidents
    for value in (offline.pages_per_week, offline.missed, offline.median_lead_minutes, offline.false_pages_per_week):
        assert f"'{value!r}'" in shown


def test_the_tuner_looks_at_what_was_recorded(services: Services) -> None:
    state = services.live.state("fleet")
    assert state is not None
    history = recorded_past(services.live, "fleet", state.latest)
    assert sorted(history.servers) == sorted(fleet.SERVERS)
    for tick in (0, 50, state.latest):
        record = services.live.tick("fleet", tick)
        assert record is not None
        np.testing.assert_array_equal(history.per_server["risk"][tick], record.risk)
        np.testing.assert_array_equal(history.metrics["cpu_pct"][tick], record.metrics["cpu_pct"])
        np.testing.assert_equal(history.fleet["prob_30m"][tick], np.float32(record.prob_30m))
    shorter = recorded_past(services.live, "fleet", 50)
    assert len(shorter.times) == 51


def test_a_tuned_threshold_is_saved_as_a_version_and_not_over_another_ones(services: Services) -> None:
    past = tuner.Past(services)
    *_, about = tuner.begun(past, services, tuner.Asked("fleet", "ServerAtRisk", "contract"), "light", {"version": 0})
    _, kept = tuner.saved(services, about, 0.333, "Ann")
    assert of_name(services.alerts.rules().rules, "ServerAtRisk").when.above == 0.333
    assert kept["version"] == 1
    told = tuner.saved(services, about, 0.2, "Bo")  # still believes in version 0
    assert "Not done" in said(told)
    assert services.alerts.rules().version == 1


@pytest.mark.parametrize("bar", [60, -0.1, "1.01"])
def test_a_threshold_that_is_no_share_is_refused_and_not_quietly_another_one(services: Services, bar: object) -> None:
    past = tuner.Past(services)
    *_, about = tuner.begun(past, services, tuner.Asked("fleet", "ServerAtRisk", "contract"), "light", {"version": 0})
    words = f"must be from 0 to 1 (0.6 is 60%), not {float(str(bar)):g}."
    assert words in said(tuner.tuned(past, about, bar, slid=False))
    assert words in said(tuner.saved(services, about, bar, "Ann"))
    assert services.alerts.rules().version == 0


def test_a_threshold_that_could_not_be_read_back_is_not_saved(services: Services) -> None:
    document = as_mapping(services.alerts.rules().rules)
    document["spec"]["rules"] = [{"alert": "Busy", "when": {"check": "metric", "metrics": ["cpu_pct"], "above": 90}}]
    services.alerts.save_rules(parse_rules(document, "a test"), version=0)
    told = tuner.saved(services, {"rule": "Busy", "version": 1}, 1e13, "Ann")
    assert "spec.rules[0].when.above" in said(told)
    assert services.alerts.rules().version == 1


def test_rules_that_cannot_be_read_can_be_replaced_by_an_earlier_version(services: Services) -> None:
    create_app(services)
    document = as_mapping(services.alerts.rules().rules)
    services.alerts.save_rules(parse_rules(document, "a test"), version=0, author="Ann")
    document["spec"]["rules"][0]["when"]["check"] = "of-another-version"
    services.alerts._rulebook.save(RULES_KEY, document, version=1, author="Bo")
    page = text_of(json.loads(json.dumps(rules.open_rules(services), cls=PlotlyJSONEncoder)))
    assert "The rules cannot be read" in page
    assert "Put in force again" in page
    shown, _ = rules._Saving(services, rules._Asked({}, "", 2, "Ann")).done("", 1)
    assert "Version 3 is in force" in str(shown["said"])
    assert services.alerts.rules().version == 3


def test_an_error_of_our_own_in_the_tuner_is_told(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    past = tuner.Past(services)
    *_, about = tuner.begun(past, services, tuner.Asked("fleet", "ServerAtRisk", "contract"), "light", {"version": 0})
    monkeypatch.setattr(tuner, "with_bar", lambda *_: 1 / 0)
    assert "went wrong" in said(tuner.tuned(past, about, 0.3, slid=False))
    assert OWN_ERROR in said(tuner.saved(services, about, 0.3, "Ann"))


def test_marks_of_a_moment_are_those_recorded_up_to_it(services: Services) -> None:
    latest = services.frame("fleet", "best", fleet.TICKS - 2)
    marks = marking.marks_up_to(services, latest)
    assert marks
    earlier = marking.marks_up_to(services, services.frame("fleet", "best", marks[0].tick))
    assert earlier == marks[:1]
    assert marking.marks_up_to(services, services.frame("fleet", "best", marks[0].tick - 1)) == ()
    assert {one.problem for one in marks} == {the_problem(services)}


def test_every_page_opens_and_an_unknown_problem_is_told(services: Services) -> None:
    create_app(services)
    assert "No such problem" in str(problems.open_problem(services, "deadbeef"))
    assert the_problem(services) in str(problems.open_problems(services, problem=the_problem(services)))
    for open_page in (problems.open_problems, silences.open_silences, rules.open_rules, tuner.open_tuner):
        assert "alerts page" in str(open_page(services))


def test_what_people_said_stands_on_the_models_page_with_the_model_that_called_them(services: Services) -> None:
    (kept,) = services.alerts.problems()
    assert kept.problem.model.startswith("thresholds")
    services.alerts.say_outcome(kept.problem.id, "false", "ada")
    shown = text_of(json.loads(json.dumps(open_models(services), cls=PlotlyJSONEncoder)))
    assert "What people said of its alerts" in shown
    row = shown[shown.index("True of the clear ones") :]
    assert kept.problem.model in row
    assert "0% of 1" in row
    assert "of the newest" not in shown
    assert CALIBRATE in shown
    assert CALIBRATE in text_of(json.loads(json.dumps(problems.open_problems(services), cls=PlotlyJSONEncoder)))


def test_the_models_page_says_when_older_problems_were_not_counted(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept,) = services.alerts.problems()
    monkeypatch.setattr(models, "_MOST_PROBLEMS", 3)
    asked = []
    monkeypatch.setattr(services.alerts, "problems", lambda *_, limit: asked.append(limit) or (kept,) * 3)
    assert "of the newest" not in text_of(json.loads(json.dumps(open_models(services), cls=PlotlyJSONEncoder)))
    monkeypatch.setattr(services.alerts, "problems", lambda *_, limit: (kept,) * limit)
    shown = text_of(json.loads(json.dumps(open_models(services), cls=PlotlyJSONEncoder)))
    assert "of the newest 3 problems" in shown
    assert asked == [4]
