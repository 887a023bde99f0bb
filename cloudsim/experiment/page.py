"""What all reports have in common: one HTML page that needs nothing else, its style, figures and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { --ink: #1f2328; --soft: #59636e; --line: #d8dee4; --blue: #0072b2; --paper: #fff; --wash: #f6f8fa }
* { box-sizing: border-box }
body { margin: 0; background: var(--wash); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif }
main { max-width: 60rem; margin: 2rem auto; padding: 2.5rem 3rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2 } h2 { margin: 2.6rem 0 .8rem; font-size: 1.25rem }
p.lead { margin: .5rem 0 0; color: var(--soft) }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin: 1.8rem 0 0 }
.fact { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 6px }
.fact b { display: block; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums }
.fact span { color: var(--soft); font-size: .85rem }
.wide { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { color: var(--soft); font-weight: 600 } td.n, th.n { text-align: right }
figure { margin: 1.6rem 0 } figure svg { width: 100%; height: auto }
figcaption { color: var(--soft); font-size: .88rem }
pre { overflow-x: auto; padding: 1rem; background: var(--wash); border: 1px solid var(--line); border-radius: 6px;
  font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem }
@media print { body { background: none } main { border: 0; margin: 0; padding: 0 } figure { break-inside: avoid } }
@media (max-width: 40rem) { main { margin: 0; padding: 1.2rem; border: 0 } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole page; `parts` are HTML, the title is text."""
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"


def facts(found: Iterable[tuple[str, str]]) -> str:
    """Figures to begin with: what it is, and what it is called."""
    cells = "".join(f"<div class='fact'><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in found)
    return f"<div class='facts'>{cells}</div>"


def figure(name: str, image: bytes, caption: str) -> str:
    """A figure in the page; `image` is SVG, `name` is one that no other figure of the page has."""
    text = image.decode()
    text = text[text.index("<svg") :]
    # Every figure numbers its parts alike; in one page the names have to differ.
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = text.replace("<svg ", f"<svg role='img' aria-label='{escape(name)}' ", 1)
    return f"<figure>{text}<figcaption>{escape(caption)}</figcaption></figure>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        inner = "".join(
            f"<{tag}{' class=n' if index else ''}>{escape(cell)}</{tag}>" for index, cell in enumerate(cells)
        )
        return f"<tr>{inner}</tr>"

    return f"<table><thead>{line(head, 'th')}</thead><tbody>{''.join(line(r, 'td') for r in rows)}</tbody></table>"


def section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content}"
