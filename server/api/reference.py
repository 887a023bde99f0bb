"""The API reference, written from the commands' declarations: `python -m server.api.reference > docs/api.md`."""

from __future__ import annotations

from itertools import groupby

from server.api import commands
from server.api.command import ADMINS, COMMANDS, ROOT, Command

_HEAD = """\
# The API

Every command of this version, written from its declaration by `python -m server.api.reference`. Names, types and
answers are those of CloudStack's API 4.22; `cs listApis name=COMMAND` tells every parameter and response field of one.
A command that is not here is refused.

Required parameters come first; `A` marks a job (asynchronous), `admin` a command for domain admins and up, `root` one
for root admins.
"""


def reference() -> str:
    """The text of docs/api.md: a table for each group of commands."""
    commands.load()
    ordered = sorted(COMMANDS.values(), key=lambda c: (c.group.lower(), c.name.lower()))
    parts = [_HEAD, f"{len(ordered)} commands.\n"]
    for group, members in groupby(ordered, key=lambda c: c.group):
        parts.append(f"\n## {group or 'Other'}\n\n| command | | what it does | parameters |\n|---|---|---|---|")
        parts.extend(_row(command) for command in members)
    return "\n".join(parts) + "\n"


def _row(command: Command) -> str:
    marks = ["A"] if command.job else []
    if command.roles == ROOT:
        marks.append("root")
    elif command.roles == ADMINS:
        marks.append("admin")
    required = sorted(p.name for p in command.parameters if p.required)
    optional = sorted(p.name for p in command.parameters if not p.required)
    named = [f"**{name}**" for name in required] + optional
    what = command.description.replace("|", "\\|")
    return f"| {command.name} | {' '.join(marks)} | {what} | {', '.join(named)} |"


if __name__ == "__main__":
    print(reference(), end="")
