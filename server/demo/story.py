"""A story as data: accounts, chapters of API calls and faults, tenants that come and go. See `story.yaml`.

Times are `-H:MM`, before the present, or `H:MM` for a span; `Story.time` makes seconds of them.
"""

from __future__ import annotations

import importlib.resources
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from backends.simulated.datacenter import Datacenter, from_yaml
from backends.simulated.latency import Distribution
from cloudsim.faults import Fault
from cloudsim.management.operations.configuration_keys import KEYS

Time = Annotated[str, Meta(pattern=r"^-?\d{1,3}:[0-5]\d(:[0-5]\d)?$")]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$")]


class StoryError(Exception):
    """A story that cannot be told; the text names the place and what is wrong with it."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a story: a key that it does not know is an error, not a silence."""


class Person(_Part, frozen=True, kw_only=True):
    """An account's first user, or with `joins` a further user of another's account."""

    username: Word
    firstname: str
    lastname: str
    domain: str = "ROOT"
    role: str = "User"
    joins: str | None = None


class RoleOfOurs(_Part, frozen=True, kw_only=True):
    """A role that may call what the default role of its type may, `without` some commands (names or patterns)."""

    name: str
    type: Literal["Admin", "DomainAdmin", "ResourceAdmin", "User"]
    description: str
    without: tuple[str, ...] = ()


class Step(_Part, frozen=True, kw_only=True):
    """One thing in a chapter: an API `call`, `count` times or for `each` row of a name, or a `fault`, or a `pause`.

    A call's answer is remembered `as_` a name: `$name` in later parameters stands for its id, `$name.field` for a
    field, `$name#2` for the second of several, `$each` for the row of `each`. `{n}` in parameters counts from 1. A
    chapter waits for what it asked for, unless `wait` is false. With `fails` the call must be refused, or its job must
    fail, with that text; what else is refused is tried `tries` times, two minutes apart.
    """

    call: str | None = None
    by: Word | None = None
    with_: dict[str, Any] = msgspec.field(default_factory=dict, name="with")
    as_: Word | None = msgspec.field(default=None, name="as")
    count: Count = 1
    each: Word | None = None
    every: Time = "0:00:02"
    wait: bool = True
    fails: str | None = None
    tries: Count = 1
    fault: Fault | None = None
    pause: Time | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.call, self.fault, self.pause)) != 1:
            raise ValueError("a step is one of call, fault and pause")


class Chapter(_Part, frozen=True, kw_only=True):
    """What somebody does one after the other from a time on. Chapters go on side by side."""

    title: str
    at: Time
    by: Word
    steps: tuple[Step, ...]


class Tenant(_Part, frozen=True, kw_only=True):
    """Instances that come as a Poisson process and go after a lifetime.

    There come `per_hour`, more around `busiest` and fewer half a day away from it: times 1 + `swing` cos.
    `offerings` are weights, `ends` how the lives end.
    """

    by: Word
    name: str
    per_hour: Positive
    lifetime: Distribution
    offerings: dict[str, Positive]
    with_: dict[str, Any] = msgspec.field(name="with")
    start: Time = msgspec.field(name="from")
    until: Time = "-0:01"
    swing: Annotated[float, Meta(ge=0, le=1)] = 0.0
    busiest: Time = "-6:00"
    ends: dict[Literal["expunge", "destroy", "stop"], Positive] = msgspec.field(default_factory=lambda: {"expunge": 1.0})


class Story(_Part, frozen=True, kw_only=True):
    """All of it. `hours` before the present it begins."""

    seed: Annotated[int, Meta(ge=0)]
    hours: Positive
    settings: dict[str, str] = {}
    roles: tuple[RoleOfOurs, ...] = ()
    people: tuple[Person, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    tenants: tuple[Tenant, ...] = ()

    @property
    def span(self) -> float:
        """Seconds."""
        return 3600.0 * self.hours

    def time(self, text: str) -> float:
        """Seconds from the story's beginning to a time before the present."""
        return self.span + seconds(text)

    def check(self) -> None:
        """Raise StoryError for what cannot be: a time outside of the story, an unknown setting or person."""
        for name, value in self.settings.items():
            if name not in KEYS:
                raise StoryError(f"settings: there is no setting {name}")
            KEYS[name].check(value)
        known = {"admin"} | {person.username for person in self.people}
        twice = [name for name, times in Counter(p.username for p in self.people).items() if times > 1]
        if twice:
            raise StoryError(f"people: {twice[0]} is there twice")
        for place, who, at in self._doings():
            if who not in known:
                raise StoryError(f"{place}: nobody is called {who}")
            if not 0 <= self.time(at) <= self.span:
                raise StoryError(f"{place}: {at} is not within the {self.hours:g} hours before the present")

    def _doings(self) -> list[tuple[str, str, str]]:
        found = [(f"chapter {c.title!r}", c.by, c.at) for c in self.chapters]
        found += [(f"chapter {c.title!r}", s.by, c.at) for c in self.chapters for s in c.steps if s.by is not None]
        return found + [(f"tenant {t.name}", t.by, at) for t in self.tenants for at in (t.start, t.until)]


def seconds(text: str) -> float:
    """Of `H:MM` or `H:MM:SS`, with a minus for before."""
    parts = [int(part) for part in text.lstrip("-").split(":")]
    span = 3600 * parts[0] + 60 * parts[1] + (parts[2] if len(parts) > 2 else 0)
    return float(-span if text.startswith("-") else span)


def story_from(text: str, name: str = "<text>") -> Story:
    """Read YAML text. Raises StoryError, naming `name` and the key, for a story that is not right."""
    try:
        story = msgspec.convert(yaml.safe_load(text), Story)
        story.check()
    except yaml.YAMLError as error:
        raise StoryError(f"{name}: {error}") from error
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        raise StoryError(f"{name}: {path.rstrip('`') or 'the story'}: {what}") from error
    except StoryError as error:
        raise StoryError(f"{name}: {error}") from error
    return story


def load_story(path: Path | None = None) -> Story:
    """The story in a file, or the one that comes with this package."""
    if path is None:
        return story_from(_packaged("story.yaml"), "story.yaml")
    return story_from(path.read_text("utf-8"), str(path))


def datacenter_text() -> str:
    """The YAML of the datacenter in which the packaged story takes place."""
    return _packaged("datacenter.yaml")


def load_datacenter() -> Datacenter:
    """That datacenter."""
    return from_yaml(datacenter_text(), "datacenter.yaml")


def _packaged(name: str) -> str:
    return importlib.resources.files("server.demo").joinpath(name).read_text("utf-8")
