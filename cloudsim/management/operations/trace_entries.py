"""A trace: what one API call caused, from the call to the hypervisors and back, as entries between participants."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from cloudsim.protocol.masking import masked, masked_text

USER, API, JOBS, MANAGEMENT, PLACEMENT, DATABASE = "user", "api", "jobs", "management", "placement", "database"
"""Participants; beside them `agent NAME` and `hypervisor NAME` of each host."""

LONGEST = 16 * 1024
"""Characters of a payload that are kept."""
MOST_ENTRIES = 400
MOST_IN_ALL = 32 * LONGEST
"""Characters of payload of all entries of a trace: beyond it entries have none."""
MOST_SUBJECTS = 200

Kind = Literal[
    "call", "reply", "job", "state", "event", "placement", "written", "command", "work", "step", "answer"
]
Format = Literal["json", "xml", "text"]
Status = Literal["running", "succeeded", "failed"]

_encoder = msgspec.json.Encoder(enc_hook=str)


def agent_of(host: str) -> str:
    """The participant that is that host's agent."""
    return f"agent {host}"


def hypervisor_of(host: str) -> str:
    """The participant that is that host's hypervisor."""
    return f"hypervisor {host}"


class Entry(msgspec.Struct, kw_only=True):
    """A message from `source` to `target`, or what one participant does by itself (`source` and `target` the same).

    Times in Unix seconds; `end` equals `start` for what is at an instant. `payload` has secrets masked and is cut
    off after LONGEST characters, of `length` that there were. `parent` is the number of the entry that it is a part or
    the end of; 0: of none. `account_id` is whose the thing is that it tells of; one
    without an account tells of infrastructure, as do all with other participants than the user, the API, jobs and management.
    """

    number: int
    source: str
    target: str
    kind: Kind
    name: str
    start: float
    end: float
    payload: str = ""
    format: Format = "json"
    length: int = 0
    error: str = ""
    parent: int = 0
    account_id: str | None = None

    @property
    def is_infrastructure(self) -> bool:
        open_to_all = (USER, API, JOBS, MANAGEMENT)
        return self.account_id is None or not (self.source in open_to_all and self.target in open_to_all)


class Trace(msgspec.Struct, kw_only=True):
    """All that one API call, or one job of the server's own, caused. `end` None: its jobs have not ended."""

    id: str
    command: str
    account_id: str
    user_id: str | None
    start: float
    end: float | None = None
    status: Status = "running"
    error: str = ""
    job_ids: dict[str, int] = {}
    """By job, the number of the entry with which it began; 0: it has not begun."""
    open_jobs: int = 0
    """Jobs that have not ended; the reply counts as one until it is sent."""
    hosts: dict[str, None] = {}
    subjects: dict[str, None] = {}
    """Ids of the rows that it changed."""
    entries: list[Entry] = []
    left_out: int = 0
    size: int = 0
    """Characters of payload that it holds."""
    counted: int = 0
    """Those that `Traces` has taken into account."""
    commands: dict[tuple[str, int], Entry] = {}
    """By host and sequence number, the commands that are not answered yet."""
    job: int = 0
    """The number of the entry with which the job began that runs now, or ran last."""

    def add(
        self,
        kind: Kind,
        source: str,
        target: str,
        name: str,
        start: float,
        end: float | None = None,
        payload: Any = None,
        *,
        text: tuple[str, Format, int] | None = None,
        error: str = "",
        parent: int = 0,
        account_id: str | None = None,
    ) -> Entry | None:
        """Add an entry; None when there are too many. `payload` is data, which becomes JSON with secrets masked.

        `text` is a payload that is text already, masked where it was made, its format and its whole length.
        """
        if len(self.entries) >= MOST_ENTRIES:
            self.left_out += 1
            return None
        body, format, length = text if text is not None else _json(payload)
        kept = body[: max(0, min(LONGEST, MOST_IN_ALL - self.size))]
        self.size += len(kept)
        entry = Entry(
            number=len(self.entries) + 1,
            source=source,
            target=target,
            kind=kind,
            name=name,
            start=start,
            end=start if end is None else end,
            payload=kept,
            format=format,
            length=length,
            error=masked_text(error),
            parent=parent,
            account_id=account_id,
        )
        self.entries.append(entry)
        return entry

    def touch(self, row_id: str) -> None:
        """The row of that id is changed by it."""
        if len(self.subjects) < MOST_SUBJECTS:
            self.subjects[row_id] = None

    def in_order(self) -> list[Entry]:
        """The entries by their beginnings; what begins at one instant, in the order in which it was heard of."""
        return sorted(self.entries, key=lambda entry: (entry.start, entry.number))


def _json(payload: Any) -> tuple[str, Format, int]:
    if payload is None:
        return "", "json", 0
    text = _encoder.encode(masked(msgspec.to_builtins(payload, enc_hook=str))).decode()
    return text, "json", len(text)
