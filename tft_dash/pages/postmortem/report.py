"""The post-mortem of a problem: what is on record of it, for people who were not there."""

from __future__ import annotations

import csv
import io
import math
from base64 import b64encode
from typing import Final

from tft_dash.alerting.review import Review, ServerLines
from tft_dash.alerts.problem import Involved, Problem
from tft_dash.figures.alerts.marks import marks_of
from tft_dash.figures.alerts.svg import Line, drawing
from tft_dash.pages.alerts import wording as say
from tft_dash.pages.postmortem import parts
from tft_dash.pages.postmortem.parts import Markup
from tft_dash.pages.wording import plural
from tft_dash.schema import METRIC

_NOTHING_KEPT: Final = "Nothing is kept of that time any more."


def report(review: Review) -> str:
    """The file's whole text."""
    problem = review.kept.problem
    title = problem.title or problem.id
    made = f"Made {say.moment(review.made_ms)} from the records of {problem.source}. Problem {problem.id}."
    return parts.document(
        f"Post-mortem: {title}",
        [
            Markup(f"<h1>{parts.put(title)}</h1>"),
            parts.paragraph(made, "quiet"),
            parts.facts(_facts(review)),
            _servers(problem),
            _figures(review),
            _said(review),
            _timeline(problem),
            _told(review),
            _data(review.lines),
            _origin(review),
        ],
    )


def _facts(review: Review) -> list[tuple[str, str]]:
    problem, remarks = review.kept.problem, review.kept.remarks
    rows = [
        ("Severity", problem.severity),
        ("State", say.LIFE_WORDS[problem.life]),
        ("Began", say.moment(problem.began_ms)),
        ("First alert", say.moment(problem.opened_ms)),
    ]
    if problem.resolved_ms is not None:
        rows.append(
            ("Over", f"{say.moment(problem.resolved_ms)}, after {say.length(problem.resolved_ms - problem.began_ms)}")
        )
    if problem.origin:
        rows.append(
            ("Likely origin", f"{problem.origin}: {problem.origin_why}." if problem.origin_why else problem.origin)
        )
    rows += [("Servers", f"{problem.server_count:,}"), ("Alerts", f"{problem.alerts:,}")]
    if problem.reopened:
        rows.append(("Came back", plural(problem.reopened, "time")))
    if problem.past:
        rows.append(("Seen", "afterwards: it was recorded when the source answered again"))
    outcome = "nobody has said"
    if remarks.outcome is not None:
        outcome = f"{say.OUTCOME_WORDS[remarks.outcome]} ({remarks.outcome_by}, {say.moment(remarks.outcome_ms)})"
    return [*rows, ("Outcome", outcome)]


def _servers(problem: Problem) -> Markup:
    if not problem.servers:
        return parts.section("Servers", parts.paragraph("It is about the fleet or the source as a whole."))
    head = ["Server", "Profile", "First signs (UTC)", "Highest risk", "Why", "Alerts"]
    more = problem.server_count - len(problem.servers)
    note = [parts.paragraph(f"and {plural(more, 'more server')}", "quiet")] if more > 0 else []
    return parts.section(
        "Servers, likely origin first", parts.table(head, [_server(one) for one in problem.servers]), *note
    )


def _server(one: Involved) -> list[str]:
    drivers = "; ".join(
        f"{say.metric_name(driver.metric)} {say.with_unit(driver.metric, driver.value)} ({say.usual_words(driver)})"
        for driver in one.drivers
    )
    return [
        one.server,
        one.profile,
        say.clock(one.onset_ms),
        say.risk_words(one.peak_risk),
        drivers,
        ", ".join(one.alerts),
    ]


def _figures(review: Review) -> Markup:
    fleet, lines = review.fleet, review.lines
    if not len(fleet.times):
        return parts.section("Figures", parts.paragraph(_NOTHING_KEPT))
    marks = marks_of(review.changes)
    chances = drawing(
        "Probability of an incident", fleet.times,
        [Line("within 30 min", fleet.prob_30m), Line("within 8 h", fleet.prob_8h)], marks=marks, percent=True,
    )  # fmt: skip
    note = f" Each point is the highest of {fleet.bucket} kept ticks." if fleet.bucket > 1 else ""
    shapes = "▼ critical, ◆ warning, ● info: alerts fired; ○: alerts were over. Times are UTC."
    found = [parts.figure(f"Probability of an incident in the fleet, as issued.{note} {shapes}", chances)]
    if len(lines.times) and lines.servers:
        every = f" One kept tick in {lines.every} is drawn." if lines.every > 1 else ""
        risks = [Line(name, lines.risk[:, place]) for place, name in enumerate(lines.servers)]
        picture = drawing("Risk of each server", lines.times, risks, marks=marks, percent=True)
        found.append(parts.figure(f"Risk of the {plural(len(risks), 'riskiest server')}, as issued.{every}", picture))
        for metric, values in lines.metrics.items():
            label = say.metric_name(metric)
            own = [Line(name, values[:, place]) for place, name in enumerate(lines.servers)]
            unit = METRIC[metric].unit if metric in METRIC else ""
            picture = drawing(label, lines.times, own)
            found.append(parts.figure(f"{label}{f', {unit}' if unit else ''}, as measured.{every}", picture))
    return parts.section("Figures", *found)


def _said(review: Review) -> Markup:
    comments = review.kept.remarks.comments
    if not comments:
        return parts.section("Comments", parts.paragraph("None.", "quiet"))
    said = []
    for one in comments:
        said += [parts.paragraph(f"{one.by}, {say.moment(one.at_ms)}", "quiet"), parts.paragraph(one.text, "said")]
    return parts.section("Comments", *said)


def _timeline(problem: Problem) -> Markup:
    rows = [[say.moment(one.time_ms).removesuffix(" UTC"), one.words] for one in problem.timeline]
    note = (
        [parts.paragraph(f"{plural(problem.skipped, 'line')} from the middle did not fit.")] if problem.skipped else []
    )
    return parts.section("What happened when", parts.table(["UTC", "What"], rows), *note)


def _told(review: Review) -> Markup:
    if not review.deliveries:
        return parts.section("Who was told", parts.paragraph("Nobody.", "quiet"))
    rows = [
        [
            say.moment(one.at_ms).removesuffix(" UTC"),
            one.receiver,
            one.event,
            one.outcome,
            str(one.status or "—"),
            one.words,
        ]
        for one in reversed(review.deliveries)
    ]
    return parts.section("Who was told", parts.table(["UTC", "Receiver", "Event", "Outcome", "HTTP", "Words"], rows))


def _data(lines: ServerLines) -> Markup:
    if not len(lines.times):
        return parts.section("Data", parts.paragraph(_NOTHING_KEPT, "quiet"))
    text = data_csv(lines)
    link = f"data:text/csv;base64,{b64encode(text.encode()).decode()}"
    rows = len(lines.times) * len(lines.servers)
    save = Markup(f'<p><a download="problem.csv" href="{link}">Save these {rows:,} rows as CSV</a></p>')
    return parts.section("Data", save, parts.folded("Show them", Markup(f"<pre>{parts.put(text)}</pre>")))


def data_csv(lines: ServerLines) -> str:
    """The servers' risk and drivers as CSV; an empty cell is a missing value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["timestamp", "server_name", "risk", *lines.metrics])
    for row, time in enumerate(lines.times.tolist()):
        moment = say.moment(time).removesuffix(" UTC").replace(" ", "T") + "Z"
        for place, server in enumerate(lines.servers):
            values = [lines.risk[row, place], *(values[row, place] for values in lines.metrics.values())]
            writer.writerow([moment, server, *("" if math.isnan(value) else f"{value:.6g}" for value in values)])
    return out.getvalue()


def _origin(review: Review) -> Markup:
    rules = review.rules
    rows = [
        ("Model", ", ".join(review.lines.models) or "not on record any more"),
        ("Rules", f"{rules.rules.name}, {rules.origin}, version {rules.version} (in force as this was made)"),
        ("Digest of the rules", rules.digest),
        ("Digest of the settings", review.settings_digest),
    ]
    settings = parts.table(["Setting", "Value", "From"], review.settings)
    words = "The digest is of the settings as they stand here: secrets are masked before it is made."
    return parts.section(
        "How this came about", parts.facts(rows), parts.folded("Settings", parts.paragraph(words, "quiet"), settings)
    )
