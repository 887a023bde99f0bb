"""An agent tells how a command was done when it is asked to, and only then."""

from __future__ import annotations

import asyncio
import json

import pytest

from backends.simulated.loop import SimLoop
from cloudsim.agent.noting import LONGEST, MOST_IN_ALL, MOST_STEPS, NOTES, StepNotes, noted


def test_a_step_is_told_with_its_times_and_what_it_was_done_with() -> None:
    notes = StepNotes(10.0)
    notes.note("copying", 12.0, 15.5, {"bytes": 7, "password": "Unspeakable"})
    work = notes.work(arrived=9.0, ended=16.0)
    (step,) = work.steps
    assert (work.waited, work.seconds) == (1.0, 6.0)
    assert (step.name, step.start, step.seconds, step.format) == ("copying", 2.0, 3.5, "json")
    assert json.loads(step.payload) == {"bytes": 7, "password": "********"}


def test_xml_and_texts_are_told_as_such_without_secrets() -> None:
    notes = StepNotes(0.0)
    notes.note("defining", 0.0, 1.0, "<domain><graphics passwd='Unspeakable'/></domain>")
    notes.note("running", 1.0, 2.0, "fetch http://u:Unspeakable@host/?token=Unspeakable", error="http://u:Unspeakable@host")
    assert [step.format for step in notes.steps] == ["xml", "text"]
    assert all("Unspeakable" not in step.payload + step.error for step in notes.steps)


def test_a_long_payload_is_cut_and_says_how_long_it_was() -> None:
    notes = StepNotes(0.0)
    notes.note("long", 0.0, 1.0, "x" * (LONGEST + 5))
    assert (len(notes.steps[0].payload), notes.steps[0].length) == (LONGEST, LONGEST + 5)


def test_all_of_a_commands_steps_are_bounded() -> None:
    notes = StepNotes(0.0)
    for number in range(MOST_STEPS + 3):
        notes.note(f"step {number}", 0.0, 1.0, "x" * LONGEST)
    work = notes.work(0.0, 1.0)
    assert (len(work.steps), work.left_out) == (MOST_STEPS, 3)
    assert sum(len(step.payload) for step in work.steps) == MOST_IN_ALL


def test_asking_the_same_again_and_again_is_one_step() -> None:
    notes = StepNotes(0.0)
    for second in range(5):
        notes.note("how far?", second, second + 0.5)
    notes.note("done", 5.0, 6.0)
    assert [(step.name, step.start, step.seconds) for step in notes.steps] == [("how far?", 0.0, 4.5), ("done", 5.0, 1.0)]


def test_what_fails_is_told_with_its_error() -> None:
    loop = SimLoop()

    async def fail() -> StepNotes:
        notes = StepNotes(loop.time())
        NOTES.set(notes)
        with pytest.raises(ValueError), noted("trying", "it"):
            await asyncio.sleep(2)
            raise ValueError("it broke")
        return notes

    (step,) = loop.run_until_complete(fail()).steps
    assert (step.name, step.seconds, step.error) == ("trying", 2.0, "it broke")
    loop.close()


def test_where_nobody_asked_nothing_is_taken_down() -> None:
    async def work() -> None:
        assert NOTES.get() is None
        with noted("anything", object()):
            pass

    asyncio.run(work())
