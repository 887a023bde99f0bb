"""What a story remembers of the API's answers, and how later parameters refer to it."""

from __future__ import annotations

import re
from typing import Any

from server.demo.story import StoryError

_REFERENCE = re.compile(r"\$([a-z][a-z0-9_-]*)(?:#(\d+))?(?:\.([a-z]+))?")


class Memory:
    """Answers by name: one row, or several of one name."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """What is remembered by that name; nothing for a name that nobody has used."""
        return self._rows.get(name, [])

    def keep(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Remember `rows`; a thing that is answered several times, such as a template of all zones, once."""
        self._rows[name] = list({str(row.get("id", at)): row for at, row in enumerate(rows)}.values())

    def filled(self, value: Any, n: int = 1, each: dict[str, Any] | None = None) -> Any:
        """`value` with its references resolved, `$each` being `each`, and `{n}` counted.

        Raises StoryError for what nobody remembers.
        """
        if each is not None:
            self._rows["each"] = [each]
        if isinstance(value, dict):
            return {key: self.filled(inner, n) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner, n) for inner in value]
        if not isinstance(value, str):
            return value
        return _REFERENCE.sub(self._meant, value.replace("{n}", f"{n:02}"))

    def _meant(self, match: re.Match[str]) -> str:
        name, number, field = match.groups()
        rows = self._rows.get(name)
        if rows is None:
            raise StoryError(f"{match[0]}: nothing is remembered as {name}")
        if number is not None:
            if not 1 <= int(number) <= len(rows):
                raise StoryError(f"{match[0]}: of {name} there are {len(rows)}")
            rows = rows[int(number) - 1 : int(number)]
        try:
            return ",".join(str(row[field or "id"]) for row in rows)
        except KeyError:
            raise StoryError(f"{match[0]}: {name} has {', '.join(sorted(rows[0]))}") from None
