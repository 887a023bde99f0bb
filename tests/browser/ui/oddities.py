"""Words on a page that no person wrote for it: keys of messages that are missing, values that were never made into text."""

from __future__ import annotations

import re
from typing import Any

ODD = {
    "made of nothing": re.compile(r"\bundefined\b|\bNaN\b|\[object |\bnull\b|\bInvalid Date\b"),
    "a key of a message": re.compile(
        r"\b(?:shell|engine|resources|wizards|topology|trace|simulation|experiments|dashboard|api|profile|usage|search"
        r"|about|secondFactor)\.[a-z]\w*(?:\.\w+)*\b"
    ),
    "a time as the API tells it": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"),
}


def odd_words(page: Any) -> list[str]:
    """What is odd in the text that is seen, each with a few words around it. What a program is told or tells (code, an
    answer, a message's payload) may be as it is.
    """
    text = page.evaluate(
        """() => {
          const seen = document.body.cloneNode(true);
          seen.querySelectorAll('pre, code, textarea, script, style, .xterm').forEach((each) => each.remove());
          return seen.innerText ?? seen.textContent;
        }"""
    )
    return [
        f"{kind}: {text[max(0, found.start() - 30) : found.end() + 30]!r}"
        for kind, pattern in ODD.items()
        for found in list(pattern.finditer(text))[:1]
    ]
