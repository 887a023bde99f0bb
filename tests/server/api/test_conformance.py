"""Every declared command against the facts of CloudStack's API: names, types, required, asynchronous or not."""

from __future__ import annotations

import json
import keyword
from collections.abc import Iterator
from typing import Any

import pytest

from server.api.command import COMMANDS, Command
from server.api.commands import load
from server.api.parameters import DEFAULT_LENGTH
from server.api.views import ResponseField, SuccessView, View, response_fields
from tests.server.api.facts import FACTS, OWN_FIELDS, family

load()
KNOWN: dict[str, Any] = json.loads(FACTS.read_text())

OURS: dict[str, str] = {
    "followChanges": "CloudStack's clients poll",
    "listCapacityHistory": "CloudStack keeps no history of capacity",
    "listInfrastructureHistory": "nor of how many instances and hosts there were",
    "listSimulations": "CloudStack runs on no simulated datacenter",
    "updateSimulation": "as before",
    "listFaultTypes": "as before",
    "listFaultTargets": "as before",
    "listFaults": "as before",
    "injectFault": "as before",
    "healFault": "as before",
    "listWorkloadTraces": "as before",
    "listWorkloads": "as before",
    "listWorkloadRequests": "as before",
    "startWorkload": "as before",
    "stopWorkload": "as before",
    "listPlacementPolicies": "as before",
    "listScenarios": "as before",
    "createExperiment": "as before",
    "listExperiments": "as before",
    "deleteExperiment": "as before",
    "getExperimentResult": "as before",
    "getExperimentFile": "as before",
    "listTopology": "CloudStack's own UI has no picture of the datacenter",
    "listTraces": "CloudStack keeps no trace of what a call causes",
    "getTrace": "as before",
    "exportTrace": "as before",
}
"""Commands that CloudStack does not have, and why we do."""

OWN_PARAMETERS: dict[tuple[str, str], str] = {
    ("createConsoleEndpoint", "serial"): "CloudStack shows screens only; here terminals too",
}
"""(command, parameter) that CloudStack does not have or has otherwise, and why."""

def told(field: ResponseField) -> str:
    """The same of a view's field."""
    return "object" if field.type.endswith("view") else family(field.type)


def answers(view: type[View]) -> dict[str, Any]:
    """The fields of all CloudStack's answers that the view stands for: some commands' declarations lack a few."""
    merged: dict[str, Any] = {}
    for command in COMMANDS.values():
        if (command.view or SuccessView) is view and command.name in KNOWN:
            for name, fact in KNOWN[command.name]["response"].items():
                merged.setdefault(name, fact)
    return merged


def differences(view: str, fields: tuple[ResponseField, ...], facts: dict[str, Any]) -> list[str]:
    found = []
    for field in fields:
        if field.name in ("jobid", "jobstatus") or (view, field.name) in OWN_FIELDS:
            continue
        fact = facts.get(field.name)
        if fact is None:
            found.append(f"{view}.{field.name} is no field of CloudStack's answer")
        elif family(fact) != told(field) and (told(field), fact) != ("date", "string"):
            found.append(f"{view}.{field.name} is {told(field)}, in CloudStack {fact if isinstance(fact, str) else family(fact)}")
        elif field.fields and isinstance(fact, list) and isinstance(fact[0], dict):
            unknown = sorted({each.name for each in field.fields} - set(fact[0]))
            found += [
                f"{view}.{field.name}[].{name} is no field of CloudStack's answer"
                for name in unknown
                if (view, f"{field.name}.{name}") not in OWN_FIELDS
            ]
    return found


def named(fields: tuple[ResponseField, ...]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from named(field.fields)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda c: c.name)
def test_clients_that_make_classes_from_listapis_can_name_everything(command: Command) -> None:
    """Python's own, for one, write each parameter and field as an attribute."""
    names = {p.name for p in command.parameters} | set(named(response_fields(command.view or SuccessView)))
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda c: c.name)
def test_command(command: Command) -> None:
    if command.name in OURS:
        return
    facts = KNOWN.get(command.name)
    assert facts is not None, f"{command.name} is not in {FACTS.name}: run facts.py, or name it in OURS"
    wrong = [] if facts["async"] == command.job else [f"async is {facts['async']} in CloudStack"]
    known = {name.lower(): fact for name, fact in facts["params"].items()}
    for p in command.parameters:
        if (command.name, p.name) in OWN_PARAMETERS:
            continue
        fact = known.get(p.name.lower())
        if fact is None:
            wrong.append(f"parameter {p.name} is not CloudStack's")
            continue
        fact = {"type": fact} if isinstance(fact, str) else fact
        if p.type != fact["type"]:
            wrong.append(f"parameter {p.name} is {p.type}, in CloudStack {fact['type']}")
        if p.required != fact.get("required", False):
            wrong.append(f"parameter {p.name}: required is {fact.get('required', False)} in CloudStack")
        if p.type == "string" and p.name != "projectid" and p.length != fact.get("length", DEFAULT_LENGTH):
            wrong.append(f"parameter {p.name}: length is {fact.get('length', DEFAULT_LENGTH)} in CloudStack")
        if p.type == "list" and "of" in fact and p.of != fact["of"]:
            wrong.append(f"parameter {p.name} is a list of {p.of}, in CloudStack of {fact['of']}")
    missing = [n for n, f in known.items() if isinstance(f, dict) and f.get("required")]
    wrong += [f"required parameter {n} is not declared" for n in missing if n not in {p.name.lower() for p in command.parameters}]
    view = command.view or SuccessView
    wrong += differences(view.__name__, response_fields(view), answers(view))
    assert not wrong, f"{command.name}: " + "; ".join(wrong)


def test_every_command_is_described_and_grouped() -> None:
    undescribed = [c.name for c in COMMANDS.values() if not c.description or not c.group]
    assert not undescribed


def test_a_creating_command_says_what_it_creates() -> None:
    assert not [c.name for c in COMMANDS.values() if c.creates is not None and not c.job]
