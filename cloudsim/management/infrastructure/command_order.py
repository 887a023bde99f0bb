"""What two command logs have in common: the same Commands in the same causal order, whatever the times.

One command comes before another when its answer was there before the other was sent. Of commands that were under way
at the same time neither comes first. Three things are compared:

- for each cause (the trace id, which is an API call's or an experiment's), its commands, and which came before which;
- for each instance, volume and template, all commands about it in their order, whoever caused them;
- what each command says, and whether it succeeded.

Ids are numbered as they first appear in this order. Addresses, paths and URLs belong to a world and are left out, as
are the commands that only ask (`cloudsim.agent.agent.QUERIES`): they depend on when reports arrive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from cloudsim.management.infrastructure.command_log import CommandRecord

ASKING = frozenset({"VmStatesCommand", "VmStatisticsCommand", "PoolStatisticsCommand", "ConsoleCommand", "StorageObjectsCommand"})
OF_A_WORLD = frozenset(
    {
        "url",
        "store_url",
        "path",
        "template_path",
        "checksum",
        "image",
        "iso",
        "host",
        "port",
        "destination",
    }
)
"""Fields that name places in one world."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Deed(msgspec.Struct, frozen=True):
    """A command without what is particular to one world. `text` is its content as JSON."""

    kind: str
    host: str
    text: str
    ok: bool

    def __str__(self) -> str:
        return f"{self.kind} at {self.host}{'' if self.ok else ' (failed)'}: {self.text}"


class Order(msgspec.Struct, frozen=True):
    """The causal order of a log. `before` has pairs of positions in the cause's own list."""

    causes: dict[str, tuple[tuple[Deed, ...], frozenset[tuple[int, int]]]]
    subjects: dict[str, tuple[tuple[str, str, bool], ...]]


def causal_order(records: Sequence[CommandRecord]) -> Order:
    """The order in a log. Causes without a trace id have no order among themselves but their subjects'."""
    numbers: dict[str, str] = {}

    def numbered(text: str) -> str:
        return _ID.sub(lambda found: numbers.setdefault(found[0], f"id-{len(numbers) + 1}"), text)

    by_cause: dict[str, list[CommandRecord]] = {}
    by_subject: dict[str, list[CommandRecord]] = {}
    changing = sorted((r for r in records if r.kind not in ASKING), key=lambda record: record.number)
    for record in changing:
        if record.trace_id:
            by_cause.setdefault(record.trace_id, []).append(record)
    causes = {}
    for cause, group in by_cause.items():
        group.sort(key=lambda record: (_depth(record, group), record.kind, _text(record)))
        before = frozenset(
            (i, j)
            for i, first in enumerate(group)
            for j, second in enumerate(group)
            if first.answered_number is not None and first.answered_number < second.number
        )
        deeds = tuple(Deed(r.kind, r.host, numbered(_text(r)), r.ok) for r in group)
        causes[cause] = deeds, before
    for record in changing:
        for subject in _subjects(record):
            by_subject.setdefault(numbered(subject), []).append(record)
    subjects = {
        subject: tuple((r.kind, r.host, r.ok) for r in group) for subject, group in by_subject.items()
    }
    return Order(causes, subjects)


def differences(first: Order, second: Order) -> list[str]:
    """What the one log has and the other has not, or has in another order; empty when they agree."""
    found = []
    for cause in sorted(first.causes.keys() | second.causes.keys()):
        one, other = first.causes.get(cause), second.causes.get(cause)
        if one is None or other is None:
            found.append(f"{cause}: only in the {'second' if one is None else 'first'} log")
        elif one[0] != other[0]:
            found += [f"{cause}: first {a}" for a in one[0] if a not in other[0]]
            found += [f"{cause}: second {b}" for b in other[0] if b not in one[0]]
            if not found or not found[-1].startswith(cause):
                found.append(f"{cause}: the same commands in another order")
        elif one[1] != other[1]:
            for i, j in sorted(one[1] ^ other[1]):
                which = "first" if (i, j) in one[1] else "second"
                found.append(f"{cause}: only in the {which} log {one[0][i].kind} ends before {one[0][j].kind}")
    for subject in sorted(first.subjects.keys() | second.subjects.keys()):
        a, b = first.subjects.get(subject, ()), second.subjects.get(subject, ())
        if a != b:
            found.append(f"{subject}: {_kinds(a)} against {_kinds(b)}")
    return found


def _kinds(steps: tuple[tuple[str, str, bool], ...]) -> str:
    return ", ".join(f"{kind} at {host}{'' if ok else ' (failed)'}" for kind, host, ok in steps) or "nothing"


def _depth(record: CommandRecord, group: Sequence[CommandRecord]) -> int:
    """How many commands of the group have ended before this one was sent."""
    return sum(r.answered_number is not None and r.answered_number < record.number for r in group)


def _text(record: CommandRecord) -> str:
    return msgspec.json.encode(_plain(record.command), order="sorted").decode()


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items() if key not in OF_A_WORLD}
    if isinstance(data, list | tuple):
        return [_plain(item) for item in data]
    return data


def _subjects(record: CommandRecord) -> list[str]:
    """The instance, volumes and template that the command is about."""
    command = record.command
    found = []
    vm = command.get("vm")
    if isinstance(vm, dict):
        vm = vm["name"]
    if vm:
        found.append(f"instance {vm}")
    disk = command.get("disk")
    volume = command.get("volume_id") or (disk["volume_id"] if isinstance(disk, dict) else None)
    if volume:
        found.append(f"volume {volume}")
    if command.get("template_id"):
        found.append(f"template {command['template_id']}")
    return found
