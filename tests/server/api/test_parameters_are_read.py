"""Every parameter that a command declares is read by it: one that is taken and not heeded misleads."""

from __future__ import annotations

import ast
import inspect
import textwrap

import pytest

from server.api.command import COMMANDS, Command
from server.api.commands import load

load()

UNREAD: dict[tuple[str, str], str] = {
    ("addUserToProject", "email"): "the name, which must be given, says who, and as in CloudStack no mail goes to that user",
    ("createSnapshot", "locationtype"): "it has one value, SECONDARY: reading the request checks that it is that",
    ("deleteBackup", "forced"): "backups do not depend on each other, so none needs force",
    ("generateUsageRecords", "domainid"): "as CloudStack's usage server, it makes the records of all domains",
    ("getUploadParamsForIso", "format"): "it has one value, ISO: reading the request checks that it is that",
    ("listSnapshots", "showunique"): "a snapshot is kept in one place, so every list shows it once",
    ("removeVirtualMachineFromBackupOffering", "forced"): "no provider here deletes backups with the offering",
}
"""(command, argument) that its function has no need to read, and why."""


def unread(command: Command) -> set[str]:
    """The arguments that the command's function never names in its body."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(command.function)))).body
    assert isinstance(function, ast.AsyncFunctionDef)
    nodes = [node for statement in function.body for node in ast.walk(statement)]
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return {argument.arg for argument in function.args.kwonlyargs} - read


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_command_reads_all_that_it_takes(command: Command) -> None:
    excepted = {argument for name, argument in UNREAD if name == command.name}
    assert unread(command) == excepted


def test_an_exception_is_of_a_command_that_there_is() -> None:
    assert {name for name, _ in UNREAD} <= {command.name for command in COMMANDS.values()}
