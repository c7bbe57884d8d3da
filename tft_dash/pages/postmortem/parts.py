"""What the file is made of: elements of HTML from texts, each escaped where it is put in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from tft_dash.theme import DARK, LIGHT, Theme


class Markup(NamedTuple):
    """Text that is HTML already."""

    text: str


Content = str | Markup


def put(content: Content) -> str:
    """A text escaped; HTML as it is."""
    return content.text if isinstance(content, Markup) else escape(content)


def section(title: str, *parts: Markup) -> Markup:
    """A titled part."""
    return Markup(f"<section><h2>{escape(title)}</h2>{''.join(part.text for part in parts)}</section>")


def paragraph(content: Content, kind: str = "") -> Markup:
    """A paragraph."""
    named = f' class="{kind}"' if kind else ""
    return Markup(f"<p{named}>{put(content)}</p>")


def facts(rows: Iterable[tuple[str, Content]]) -> Markup:
    """Names with their values."""
    return Markup(f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{put(value)}</dd>' for name, value in rows)}</dl>")


def table(head: Sequence[str], rows: Iterable[Sequence[Content]]) -> Markup:
    """A table whose first column names the rows."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{put(first)}</th>{"".join(f"<td>{put(cell)}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    return Markup(f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>')


def folded(title: str, *parts: Markup) -> Markup:
    """Something to be opened by who wants it."""
    return Markup(f"<details><summary>{escape(title)}</summary>{''.join(part.text for part in parts)}</details>")


def figure(caption: str, drawing: str) -> Markup:
    """A drawing with what it shows below."""
    return Markup(f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>")


def document(title: str, parts: Iterable[Markup]) -> str:
    """The whole file. Its policy lets nothing be loaded and nothing be run."""
    content = "\n".join(part.text for part in parts)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{content}\n</main>\n</body>\n</html>\n"
    )


def _colours(theme: Theme) -> str:
    lines = (
        theme.prob_30m,
        theme.prob_8h,
        theme.series,
        theme.band_text["green"],
        theme.band_text["orange"],
        theme.muted,
        theme.band_text["yellow"],
        theme.text,
    )
    named = {
        "page": theme.page,
        "surface": theme.surface,
        "border": theme.border,
        "text": theme.text,
        "muted": theme.muted,
        "accent": theme.accent,
        "critical": theme.band_fill["red"],
        "warning": theme.band_fill["orange"],
        "info": theme.band_fill["unknown"],
        "over": theme.band_fill["green"],
        **{f"line-{place}": colour for place, colour in enumerate(lines)},
    }
    return "".join(f"--{name}:{colour};" for name, colour in named.items())


_RULES: Final = """
body{margin:0;background:var(--page);color:var(--text);font:14px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:1000px;margin:0 auto;padding:24px 20px 60px;overflow-wrap:anywhere}
h1{margin:0 0 4px;font-size:26px;line-height:1.25}h2{margin:32px 0 8px;font-size:18px}
p{margin:4px 0}.quiet,figcaption,dt{color:var(--muted)}.said{white-space:pre-wrap}
dl{display:grid;grid-template-columns:minmax(90px,150px) minmax(0,1fr);gap:4px 14px;margin:10px 0}dd{margin:0}
.wide{overflow-x:auto;border:1px solid var(--border);border-radius:8px;background:var(--surface)}
table{width:100%;border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;border-bottom:1px solid var(--border);text-align:left;vertical-align:top}
tr:last-child>*{border-bottom:0}thead th{color:var(--muted);white-space:nowrap}
figure{margin:12px 0;padding:10px;border:1px solid var(--border);border-radius:8px;background:var(--surface)}
figcaption{font-size:13px}.drawing{display:block;width:100%;height:auto}
.drawing text{fill:var(--muted);font-size:11px}.drawing .name{fill:var(--text)}
.grid{stroke:var(--border)}.line{fill:none;stroke-width:1.8}
.mark path{stroke-width:1.5}
pre{max-height:420px;overflow:auto;padding:10px;border:1px solid var(--border);border-radius:8px;
background:var(--surface);font-size:12px}
summary{min-height:28px;cursor:pointer}a{color:var(--accent)}
@media print{.wide,pre{overflow:visible;max-height:none}details{display:none}}
"""
_KINDS: Final = ("critical", "warning", "info", "over")
_STYLE: Final = (
    f":root{{{_colours(LIGHT)}}}@media (prefers-color-scheme:dark){{:root{{{_colours(DARK)}}}}}"
    + _RULES
    + "".join(f".line-{place}{{stroke:var(--line-{place})}}" for place in range(8))
    + "".join(f".mark-{kind} path{{stroke:var(--{kind});fill:var(--{kind})}}" for kind in _KINDS)
    + ".mark-over path{fill:none}"
)
