"""A request as it came: parameters of query and form merged, map parameters gathered by index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cloudsim.errors import InvalidParameterValue, MalformedParameter

_MAP = re.compile(r"([^\[\]]+)\[([0-9]{1,9})\]\.([^\[\]]+)", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Request:
    """One API request. `sent` are the parameters under the names they came with, the first of each counts.

    `session_id` and `session_key` are the cookies JSESSIONID and sessionkey, `last_event_id` the header Last-Event-ID.
    """

    sent: Mapping[str, str]
    remote: str = ""
    session_id: str | None = None
    session_key: str | None = None
    last_event_id: str | None = None
    fields: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(
        pairs: Iterable[tuple[str, str]],
        *,
        remote: str = "",
        session_id: str | None = None,
        session_key: str | None = None,
        last_event_id: str | None = None,
    ) -> Request:
        """The request with these parameters, in the order in which they came."""
        sent: dict[str, str] = {}
        fields: dict[str, str] = {}
        for name, value in pairs:
            sent.setdefault(name, value)
            if "[" not in name:
                fields.setdefault(name.lower(), value)
        return Request(sent, remote, session_id, session_key, last_event_id, fields)

    @property
    def command(self) -> str:
        return self.fields.get("command", "")

    @property
    def wants_json(self) -> bool:
        return self.fields.get("response", "").lower() == "json"

    def check(self) -> None:
        """Raise InvalidParameterValue for a value with characters that no parameter takes."""
        for name, value in self.sent.items():
            if _UNPRINTABLE.search(value):
                raise InvalidParameterValue(
                    f"Parameter {name!r} holds a non-printable ASCII character, which no parameter takes"
                )

    def maps(self) -> dict[str, dict[int, dict[str, str]]]:
        """Map parameters: name -> index -> key -> value. Raises MalformedParameter for a broken index."""
        found: dict[str, dict[int, dict[str, str]]] = {}
        for name, value in self.sent.items():
            if "[" not in name:
                continue
            match = _MAP.fullmatch(name)
            if match is None:
                raise MalformedParameter(
                    f"Unable to decode parameter {name[:200]!r}: a map is written name[index].key=value"
                )
            head, index, key = match.groups()
            found.setdefault(head.lower(), {}).setdefault(int(index), {}).setdefault(key, value)
        return found
