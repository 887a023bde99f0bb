"""What goes over the wire to one listener: coalesced where it is slow, kept alive where nothing happens."""

from __future__ import annotations

import itertools

from server.changes.audience import Audience
from server.changes.round import ChangeView
from server.changes.stream import HEARTBEAT, LARGEST, Message, Stream

NOBODY = Audience("a", frozenset(), False, frozenset())


def stream(**more: object) -> Stream:
    given = {"mark": "e-1", "missed": False, "is_over": lambda: False, "leave": lambda _: None}
    return Stream(NOBODY, **(given | more))  # type: ignore[arg-type]


def message(mark: str, *changes: tuple[str, str]) -> Message:
    return Message(mark, 7.0, [ChangeView(type="volume", id=id, change=change) for id, change in changes])


def test_a_listener_that_is_slow_gets_each_thing_once() -> None:
    slow = stream()
    sent = slow.sent()
    assert next(sent).startswith(b"retry: 3000\nid: e-1\n")
    slow.put(message("e-2", ("new", "created"), ("short", "created"), ("old", "updated"), ("back", "removed")))
    slow.put(message("e-3", ("new", "updated"), ("short", "removed"), ("old", "removed"), ("back", "created")))
    text = next(sent).decode()
    assert text.startswith("event: changes\nid: e-3\ndata: ") and text.endswith("\n\n")
    for thing, change in (("new", "created"), ("old", "removed"), ("back", "updated")):
        assert f'"id":"{thing}","change":"{change}"' in text
    assert "short" not in text


def test_a_listener_that_is_much_too_slow_reads_anew() -> None:
    slow = stream()
    sent = slow.sent()
    next(sent)
    for part in range(3):
        slow.put(message(f"e-{part}", *((f"{part}-{n}", "created") for n in range(LARGEST // 2))))
    slow.put(message("e-9", ("x", "created")))
    assert next(sent) == b'event: overflow\nid: e-9\ndata: {"time":7.0}\n\n'


def test_silence_is_broken_by_a_comment_that_carries_the_mark() -> None:
    ticks = itertools.count(step=HEARTBEAT)
    quiet = stream(clock=lambda: next(ticks))
    sent = quiet.sent()
    next(sent)
    quiet.reached("e-5")
    assert next(sent) == b": alive\nid: e-5\n\n"


def test_the_end_of_the_session_or_of_the_client_ends_it() -> None:
    left: list[Stream] = []
    over = stream(is_over=lambda: True, leave=left.append)
    _, last = over.sent()
    assert last == b'event: end\nid: e-1\ndata: {"reason":"the session is over"}\n\n'
    gone = stream(leave=left.append)
    assert len(list(gone.sent(lambda: True))) == 1
    assert left == [over, gone]
