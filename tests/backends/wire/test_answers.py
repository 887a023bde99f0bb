"""The journal of answers: what it has promised survives whatever the crash leaves of the file."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.wire import answers
from backends.wire.answers import FileAnswerJournal, JournalDamaged, group, read_journal
from cloudsim.protocol import commands as c
from cloudsim.protocol.messages import Request, Response

Told = tuple[dict[int, Response], set[int]]


def request(sequence: int) -> Request:
    return Request(sequence, c.RebootCommand(vm="i-2-1-VM"))


def response(sequence: int, text: str = "") -> Response:
    return Response(sequence, c.RebootAnswer(error=text or None), "trace")


def told(data: bytes) -> Told:
    state = read_journal(data)
    return state.answers, state.begun


def test_it_recalls_what_was_begun_and_answered(tmp_path: Path) -> None:
    async def scene() -> None:
        journal = FileAnswerJournal(tmp_path / "agent" / "answers.journal")
        for sequence in (8, 7, 9):
            await journal.begun(request(sequence))
        await journal.answered(response(9, "no such\ninstance"))
        await journal.answered(response(8))
        expected: Told = ({8: response(8), 9: response(9, "no such\ninstance")}, {7})
        assert journal.recall() == expected and list(journal.recall()[0]) == [8, 9]
        journal.close()
        again = FileAnswerJournal(tmp_path / "agent" / "answers.journal")
        assert again.recall() == expected
        again.forget(8)
        assert again.recall() == ({9: response(9, "no such\ninstance")}, set())
        again.close()
        last = FileAnswerJournal(tmp_path / "agent" / "answers.journal")
        assert last.recall() == ({9: response(9, "no such\ninstance")}, set())
        last.close()

    asyncio.run(scene())


def test_it_is_durable_when_it_says_so(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "answers.journal"
        journal = FileAnswerJournal(path)
        await journal.begun(request(7))
        assert told(path.read_bytes()) == ({}, {7})
        await journal.answered(response(7))
        assert told(path.read_bytes()) == ({7: response(7)}, set())
        journal.close()

    asyncio.run(scene())


def test_those_who_wait_at_one_time_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(answers.os, "fdatasync", lambda file: (synced.append(file), real(file)))

    async def scene() -> None:
        journal = FileAnswerJournal(tmp_path / "answers.journal")
        await asyncio.gather(*(journal.begun(request(n)) for n in range(100)))
        assert len(synced) == 1
        await asyncio.gather(*(journal.answered(response(n)) for n in range(100)))
        assert len(synced) == 2
        journal.close()

    asyncio.run(scene())


def test_the_loop_runs_on_while_the_disk_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(answers.os, "fdatasync", lambda file: gate.wait(10))

    async def scene() -> None:
        journal = FileAnswerJournal(tmp_path / "answers.journal")
        waiting = asyncio.create_task(journal.begun(request(7)))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        gate.set()
        await waiting
        journal.close()

    asyncio.run(scene())


def test_what_is_forgotten_leaves_the_file_once_it_has_grown(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "answers.journal"
        journal = FileAnswerJournal(path, compact_at=4096)
        largest = 0
        for sequence in range(1, 150):
            await journal.begun(request(sequence))
            await journal.answered(response(sequence, "x" * 100))
            journal.forget(sequence - 2)
            largest = max(largest, path.stat().st_size)
        assert largest < 2 * 4096
        journal.close()
        assert list(told(path.read_bytes())[0]) == [148, 149]

    asyncio.run(scene())


def test_a_crash_in_the_middle_of_a_compaction_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        path = tmp_path / "answers.journal"
        journal = FileAnswerJournal(path, compact_at=0)
        await journal.answered(response(7))

        def crash(self: Path, target: Path) -> None:
            raise OSError("the power is gone")

        monkeypatch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="the power is gone"):
            for sequence in range(8, 99):
                await journal.answered(response(sequence))
        monkeypatch.undo()
        kept = told(path.read_bytes())[0]
        assert 7 in kept and list(kept) == list(range(7, 7 + len(kept)))

    asyncio.run(scene())


def test_a_disk_that_fails_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    async def scene() -> None:
        failures: list[OSError] = []
        journal = FileAnswerJournal(tmp_path / "answers.journal", on_failure=failures.append)
        await journal.begun(request(7))
        monkeypatch.setattr(answers.os, "fdatasync", full)
        both = await asyncio.gather(
            journal.answered(response(7)), journal.begun(request(8)), return_exceptions=True
        )
        assert all(isinstance(error, OSError) for error in both) and len(failures) == 1
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space"):
            await journal.begun(request(9))
        journal.close()
        again = FileAnswerJournal(tmp_path / "answers.journal")
        assert 9 not in again.recall()[1]
        again.close()

    asyncio.run(scene())


def test_one_that_waits_may_give_up_and_the_note_stands(tmp_path: Path) -> None:
    async def scene() -> None:
        journal = FileAnswerJournal(tmp_path / "answers.journal")
        waiting = asyncio.create_task(journal.answered(response(7)))
        await asyncio.sleep(0)
        waiting.cancel()
        assert journal.recall() == ({7: response(7)}, set())
        assert told(journal.path.read_bytes()) == ({7: response(7)}, set())
        await journal.begun(request(8))
        journal.close()
        assert told(journal.path.read_bytes()) == ({7: response(7)}, {8})

    asyncio.run(scene())


def test_damage_that_no_crash_explains_is_told(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "answers.journal"
        journal = FileAnswerJournal(path)
        for sequence in (7, 8):
            await journal.answered(response(sequence))
        journal.close()
        data = bytearray(path.read_bytes())
        data[data.index(b"Response")] ^= 1
        path.write_bytes(data)
        with pytest.raises(JournalDamaged, match="line 2: the checksum is wrong, and more follows"):
            FileAnswerJournal(path)
        assert path.read_bytes() == data, "it is left as it is"

    asyncio.run(scene())


@pytest.mark.parametrize(
    "records",
    [[b'{"format":2}'], [b'{"unknown":2}'], [b"7"], [b'{"begun":"x"}'], [b'{"begun":1,"forget":2}'], [b"{}"]],
)
def test_a_file_of_something_else_is_told(records: list[bytes]) -> None:
    with pytest.raises(JournalDamaged, match="line 1"):
        read_journal(group(records))


def test_an_answer_of_another_version_counts_as_begun() -> None:
    unknown = b'{"Response":{"sequence":7,"answer":{"TeleportAnswer":{}}}}'
    assert told(group([b'{"format":1}', b'{"begun":7}']) + group([unknown])) == ({}, {7})


def test_zeros_at_the_end_are_a_torn_line(tmp_path: Path) -> None:
    whole = group([b'{"format":1}']) + group([b'{"begun":7}'])
    assert told(whole + bytes(4096)) == ({}, {7})
    assert told(whole + bytes(100) + b"\n") == ({}, {7})
    path = tmp_path / "answers.journal"
    path.write_bytes(whole + bytes(100))
    FileAnswerJournal(path).close()
    assert b"\0" not in path.read_bytes(), "what is written next does not follow on torn bytes"


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("begun"), st.integers(1, 9)),
        st.tuples(st.just("answered"), st.integers(1, 9)),
        st.tuples(st.just("forget"), st.integers(0, 9)),
        st.tuples(st.just("several"), st.integers(1, 9)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(_steps, st.data())
def test_whatever_part_of_the_file_a_crash_leaves_it_recalls_a_moment_of_the_past(
    steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    async def scene(path: Path) -> list[tuple[int, Told]]:
        """The file's size and what it says, from moment to moment."""
        moments: list[tuple[int, Told]] = [(0, ({}, set()))]

        def note() -> None:
            data = path.read_bytes()
            moments.append((len(data), told(data)))

        journal = FileAnswerJournal(path)
        note()
        for what, number in steps:
            if what == "begun":
                await journal.begun(request(number))
            elif what == "answered":
                await journal.answered(response(number))
            elif what == "forget":
                journal.forget(number)
            else:
                await asyncio.gather(
                    *(journal.begun(request(n)) for n in range(number)), journal.answered(response(number))
                )
            note()
            if what != "forget":
                state = journal._state
                assert moments[-1][1] == (state.answers, state.begun), "promised, so it is there"
        journal.close()
        note()
        return moments

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.journal"
        moments = asyncio.run(scene(path))
        whole = path.read_bytes()
        length = data.draw(st.integers(0, len(whole)))
        garbage = data.draw(st.sampled_from([b"", b"\0" * 10, b"\0" * 10 + b"\n", b"\xff[{"]))
        last = max((size, number) for number, (size, _) in enumerate(moments) if size <= length)[1]
        torn = whole[:length] + garbage
        assert told(torn) == moments[last][1]
        path.write_bytes(torn)
        again = FileAnswerJournal(path)
        assert again.recall() == moments[last][1]
        again.close()


def test_the_checksum_is_over_the_whole_line() -> None:
    line = group([b'{"begun":7}'])
    assert line == b'%08x [{"begun":7}]\n' % zlib.crc32(b'[{"begun":7}]')
