"""Malformed parameters at every command: each answer is CloudStack's, and a refused call changes nothing.

A refused call leaves `store.sequence` as it was: no row, event or job is written for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from cloudsim.model import AsyncJob
from cloudsim.model.operations import JOB_IN_PROGRESS
from server.api.command import COMMANDS, Command
from server.api.commands import load
from server.api.envelope import Reply
from server.api.parameters import Parameter
from server.api.request import Request
from tests.server.api.api_harness import Api, Client

load()
NAMES = sorted(command.name for command in COMMANDS.values())
CODES = {401, 430, 431, 432, 530, 531, 532, 533, 534, 535, 536, 537}
NASTY = (
    "",
    " ",
    "x" * 300,
    "-1",
    "0",
    "99999999999999999999",
    "1e309",
    "nan",
    "None",
    "true",
    ",,,",
    "a,b",
    "' OR 1=1 --",
    "../../etc/passwd",
    "<b>&amp;</b>",
    "\x00\x1b",
    "äöü☃𝒳\u202e",
    "٣",
    "00000000-0000-0000-0000-00000000dead",
    "2026-02-30",
    "10.0.0.0/33",
)

def check(api: Api, client: Client, pairs: dict[str, str]) -> Reply:
    """The reply to these parameters, which must keep the promises above."""
    settle(api)
    before = api.store.sequence
    request = client.sign(pairs)
    reply = api.run(api.dispatcher.answer(request, trusted=client.trusted))
    text = reply.text()
    if reply.json:
        assert len(json.loads(text)) == 1
    if reply.status != 200:
        assert reply.status in CODES, reply.body
        assert reply.body["errorcode"] == reply.status and reply.body["errortext"]
        assert not reply.body["errortext"].startswith("Internal error"), pairs
        assert api.store.sequence == before, f"{pairs} was refused ({reply.body['errortext']}) and changed the store"
    return reply


def settle(api: Api) -> None:
    """Let every job end."""
    for job in list(api.store.table(AsyncJob).where("status", JOB_IN_PROGRESS)):
        api.run(api.manager.jobs.wait(job.id))


def plausible(api: Api, p: Parameter) -> str:
    if p.entity is not None:
        return next(iter(row.id for row in api.store.table(p.entity)), "none")
    return {"integer": "1", "long": "1", "double": "1", "boolean": "true", "date": "2026-01-01"}.get(p.type, "word")


def named(p: Parameter, value: str) -> dict[str, str]:
    """The parameter as it goes over the wire."""
    return {f"{p.name}[0].key": value, f"{p.name}[0].value": value} if p.read is None else {p.name: value}


@pytest.fixture
def clients(api: Api) -> Iterator[list[Client]]:
    _, ann = api.account("ann")
    yield [api.system, ann]


@pytest.mark.parametrize("name", NAMES)
def test_one_bad_value_among_good_ones(api: Api, clients: list[Client], name: str) -> None:
    command: Command = COMMANDS[name.lower()]
    good: dict[str, str] = {"command": name, "response": "json"}
    for client in clients:
        check(api, client, dict(good))
        for p in command.parameters:
            for value in NASTY:
                pairs = dict(good)
                for other in command.parameters:
                    if other.required:
                        pairs |= named(other, plausible(api, other))
                check(api, client, pairs | named(p, value))
        check(api, client, good | {f"{p.name}[a].x": "1" for p in command.parameters[:1]})


VALUES = st.one_of(st.sampled_from(NASTY), st.text(max_size=20), st.integers().map(str))


@st.composite
def calls(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Some calls: a command, and some of its parameters; None stands for a plausible value."""
    made = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6)):
        command = COMMANDS[name.lower()]
        given = {p.name: draw(st.none() | VALUES) for p in command.parameters if p.required or draw(st.booleans())}
        given |= draw(st.dictionaries(st.text("abc[]0.", max_size=8), VALUES, max_size=2))
        made.append((name, given))
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(calls=calls(), json=st.booleans())
def test_any_calls_in_any_order(calls: list[tuple[str, dict[str, Any]]], json: bool) -> None:
    api = Api()
    try:
        for name, given in calls:
            pairs = {"command": name, "response": "json" if json else "xml"}
            by_name = {p.name: p for p in COMMANDS[name.lower()].parameters}
            for parameter, value in given.items():
                p = by_name.get(parameter)
                if p is None:
                    pairs[parameter] = str(value)
                else:
                    pairs |= named(p, plausible(api, p) if value is None else value)
            check(api, api.system, pairs)
    finally:
        api.close()


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=6))
def test_a_request_of_anything_can_be_read(pairs: list[tuple[str, str]]) -> None:
    request = Request.of(pairs)
    assert isinstance(request.command, str)
