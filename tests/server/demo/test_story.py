"""What a story may say, and how it is told that something in it is wrong."""

from __future__ import annotations

import pytest

from server.demo.memory import Memory
from server.demo.story import StoryError, load_story, seconds, story_from

HEAD = "seed: 1\nhours: 2\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hours: 2", "seed"),
        (HEAD + "wonders: 3", "wonders"),
        (HEAD + "settings: {no.such.key: x}", "no setting no.such.key"),
        (HEAD + "chapters: [{title: t, at: '-1:00', by: nobody, steps: []}]", "nobody is called nobody"),
        (HEAD + "chapters: [{title: t, at: '-3:00', by: admin, steps: []}]", "-3:00 is not within the 2 hours"),
        (HEAD + "chapters: [{title: t, at: soon, by: admin, steps: []}]", r"chapters\[0\].at"),
        (HEAD + "chapters: [{title: t, at: '-1:00', by: admin, steps: [{}]}]", "one of call, fault and pause"),
        (
            HEAD + "people: [{username: a, firstname: A, lastname: B}, {username: a, firstname: A, lastname: B}]",
            "a is there twice",
        ),
        ("seed: [", "story.yaml"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(StoryError, match=said):
        story_from(text, "story.yaml")


def test_a_setting_must_take_its_value() -> None:
    with pytest.raises(Exception, match=r"ping.interval takes"):
        story_from(HEAD + "settings: {ping.interval: often}")


def test_times_are_spans_or_before_the_present() -> None:
    assert [seconds(text) for text in ("0:00:02", "1:30", "-2:15")] == [2.0, 5400.0, -8100.0]
    assert story_from(HEAD).time("-0:30") == 5400.0


def test_parameters_refer_to_what_was_answered() -> None:
    memory = Memory()
    memory.keep("vm", [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}, {"id": "1", "name": "a"}])
    assert memory.filled("$vm") == "1,2"
    assert memory.filled({"id": "$vm#2", "label": ["$vm#1.name-{n}", 7]}, 3) == {"id": "2", "label": ["a-03", 7]}
    assert memory.filled("$each.name", each={"id": "9", "name": "z"}) == "z"
    for wrong, said in (("$host", "nothing is remembered"), ("$vm#3", "there are 2"), ("$vm.cost", "has id, name")):
        with pytest.raises(StoryError, match=said):
            memory.filled(wrong)


def test_the_packaged_story_can_be_read() -> None:
    story = load_story()
    assert story.hours == 24 and len(story.chapters) > 15 and len(story.tenants) >= 4
