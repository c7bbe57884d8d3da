"""What is taken away from problems: a post-mortem as one file, and the outcomes that people have said."""

from __future__ import annotations

import csv
import io

from flask import Flask, Response, request

from tft_dash.alerting.desk import Kept
from tft_dash.alerting.review import review
from tft_dash.alerts.delivery.message import iso
from tft_dash.api.answers import make_blueprint
from tft_dash.errors import UnknownNameError
from tft_dash.pages.postmortem.report import report
from tft_dash.services import Services

MOST_PROBLEMS = 100_000


def register_reviews(server: Flask, services: Services) -> None:
    """Add the files of ``/api/v1/problems`` under the base path."""
    blueprint = make_blueprint("api-reviews")

    @blueprint.get("/api/v1/problems/<problem>/post-mortem.html")
    def post_mortem(problem: str) -> Response:
        found = review(services.alerts, services.live, services.settings, problem)
        return _attached(report(found), "text/html; charset=utf-8", f"problem-{found.kept.problem.id}.html")

    @blueprint.get("/api/v1/problems/outcomes.csv")
    def outcomes() -> Response:
        found = services.alerts.problems(_asked(services), limit=MOST_PROBLEMS)
        return _attached(outcomes_csv(found), "text/csv; charset=utf-8", "outcomes.csv")

    base = services.settings.base_path.rstrip("/")
    server.register_blueprint(blueprint, url_prefix=base or None)


def _asked(services: Services) -> list[str] | None:
    """The one source that is asked for; None = all. One that is not served any more may have problems still."""
    name = request.args.get("source")
    if name is None:
        return None
    known = sorted({*services.live_names(), *services.alerts.sources()})
    if name not in known:
        raise UnknownNameError("live source", name, known)
    return [name]


def outcomes_csv(found: tuple[Kept, ...]) -> str:
    """A row for each server that had an alert in a problem of which somebody has said whether it was one.

    It is what ``tft-dash calibrate --outcomes`` reads: an incident from the server's first signs to the problem's end.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["server", "start", "end", "label", "source", "problem", "by"])
    for one in reversed(found):
        problem, remarks = one.problem, one.remarks
        if remarks.outcome is None:
            continue
        end = problem.resolved_ms if problem.resolved_ms is not None else problem.changed_ms
        for server in problem.servers:
            if server.alerts:
                about = [remarks.outcome, problem.source, problem.id, remarks.outcome_by]
                writer.writerow([server.server, iso(server.onset_ms), iso(max(end, server.onset_ms)), *about])
    return out.getvalue()


def _attached(body: str, mime: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, mimetype=mime.partition(";")[0], content_type=mime, headers=headers)
