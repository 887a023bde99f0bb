"""Every message survives its JSON, and what is not a message is said to be malformed."""

from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.protocol import MalformedMessage, decode, encode, specs
from cloudsim.protocol.commands import ANSWERS, COMMANDS, Answer, Command, StopCommand, answer_type
from cloudsim.protocol.messages import (
    Connected,
    Message,
    Ping,
    Refused,
    Request,
    Response,
    Startup,
    Step,
    Work,
)
from cloudsim.protocol.specs import VmSpec

# JSON numbers are read back as written if they are finite; text is any that UTF-8 can say.
texts = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
st.register_type_strategy(str, texts)
st.register_type_strategy(float, numbers)
st.register_type_strategy(int, st.integers(-(2**53), 2**53))


def any_of(kind: type) -> st.SearchStrategy[object]:
    """Values of a Struct, with all its fields."""
    return st.builds(kind, **{field.name: st.from_type(field.type) for field in msgspec.structs.fields(kind)})


for spec in vars(specs).values():
    if isinstance(spec, type) and issubclass(spec, msgspec.Struct):
        st.register_type_strategy(spec, lambda kind: any_of(kind))

st.register_type_strategy(Step, lambda kind: any_of(kind))

commands = st.one_of([any_of(kind) for kind in COMMANDS.values()])
answers = st.one_of([any_of(kind) for kind in ANSWERS.values()])
sequences = st.integers(0, 2**53)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Request, sequences, commands, texts, sequences, st.booleans()),
    st.builds(Response, sequences, answers, texts, st.none() | any_of(Work)),
    *(any_of(kind) for kind in (Startup, Connected, Refused, Ping)),
)


@given(messages)
def test_every_message_survives_its_json(message: Message) -> None:
    data = encode(message)
    assert decode(data) == message
    assert list(json.loads(data)) == [type(message).__name__]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_named_on_the_wire_and_has_an_answer(name: str) -> None:
    kind = COMMANDS[name]
    assert issubclass(kind, Command) and kind.__name__ == name and name.endswith("Command")
    assert issubclass(answer_type(kind), Answer)
    assert ANSWERS[answer_type(kind).__name__] is answer_type(kind)


def test_the_wire_form_is_the_one_that_the_documentation_shows() -> None:
    data = json.loads(encode(Request(7, StopCommand(vm="i-2-1-VM"), "t", 6)))
    body = data["Request"]
    assert body["command"] == {"StopCommand": {"vm": "i-2-1-VM", "forced": False}}
    assert (body["sequence"], body["trace_id"], body["answered"]) == (7, "t", 6)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "truncated"),
        (b"null", "object"),
        (b"[]", "object"),
        (b"{}", "one named value"),
        (b'{"Ping": {"guid": "a"}, "Refused": {"reason": "b"}}', "one named value"),
        (b'{"Hello": {}}', "unknown name 'Hello'"),
        (b'{"Ping": {}}', "guid"),
        (b'{"Ping": {"guid": 7}}', "guid"),
        (b'{"Ping": {"guid": "a"}', "truncated"),
        (b'{"Request": {"sequence": 1}}', "one named value"),
        (b'{"Request": {"sequence": "x", "command": {"VmStatesCommand": {}}}}', "sequence"),
        (b'{"Request": {"sequence": 1, "command": {"SelfDestructCommand": {}}}}', "SelfDestructCommand"),
        (b'{"Request": {"sequence": 1, "command": {"StopCommand": {}}}}', "vm"),
        (b'{"Request": {"sequence": 1, "colour": 3, "command": {"VmStatesCommand": {}}}}', "colour"),
        (b'{"Response": {"sequence": 1, "answer": {"StopCommand": {"vm": "a"}}}}', "unknown name"),
    ],
)
def test_what_is_not_a_message_is_malformed_and_the_text_says_where(data: bytes, text: str) -> None:
    with pytest.raises(MalformedMessage, match=text):
        decode(data)


def test_text_that_is_not_utf_8_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        decode(b'{"Refused": {"reason": "\xff"}}')


@given(st.binary(max_size=60))
def test_no_other_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(MalformedMessage):
        decode(data)


@given(messages, st.data())
def test_a_message_cut_short_is_malformed(message: Message, data: st.DataObject) -> None:
    whole = encode(message)
    with pytest.raises(MalformedMessage):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_what_a_newer_peer_adds_to_a_command_is_ignored() -> None:
    data = b'{"Request": {"sequence": 1, "command": {"StopCommand": {"vm": "a", "gently": true}}}}'
    assert decode(data) == Request(1, StopCommand(vm="a"))


def test_subjects_name_what_must_not_be_worked_on_twice_at_a_time() -> None:
    spec = VmSpec("i-2-1-VM", "id", 1, 500, 512)
    subjects = {
        name: kind(vm=spec if name in ("StartCommand", "PrepareForMigrationCommand") else "i-2-1-VM").subject
        for name, kind in COMMANDS.items()
        if name
        in ("StartCommand", "PrepareForMigrationCommand", "StopCommand", "RebootCommand", "ConsoleCommand")
    }
    assert set(subjects.values()) == {"i-2-1-VM"}
    assert COMMANDS["VmStatesCommand"]().subject is None
