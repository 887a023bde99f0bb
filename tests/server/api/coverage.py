"""How much of CloudStack's API is here: `python -m tests.server.api.coverage [FOLDER]`.

Tells a demo cloud its story and lists everything in it; FOLDER has what test runs with CLOUDSIM_ANSWERS=FOLDER have
recorded. A field counts as filled when an answer of the command that documents it has held it. Written to
docs/conformance.md, a row for each command: how many of its documented fields, nested ones included, were filled,
and which were not.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from cloudsim.management.operations.tags import TAGGABLE
from server.api.command import COMMANDS
from server.api.commands import load
from server.demo.story import load_datacenter, load_story
from tests.server.api.facts import FACTS, NAMES
from tests.server.api.recording import Paths, recording, remembered, together
from tests.server.demo.served_demo import Served

SHOWN = 12
"""Names of fields that a row shows, at most."""
ALWAYS = ("jobid", "jobstatus")
"""Documented for every answer; they are there while a job works on the thing."""


WITHOUT_MEANING: dict[str, str] = {
    "(bucket|objectstorage)(limit|total|available)": "there is no object storage",
    "icon": "nothing has a picture of its own",
    "ip6dns[12]": "guests are told their router's address, or the name servers of IPv4",
    "asn(umber(id)?|range)|bgppeers|ip4rout(es|ing)|routingmode|networkmode|specifyasnumber": "routers speak no BGP",
    "(nsx|tungsten|ovm3|vsphere|hyperv|vmware|xen).*|deployasisdetails|adaptertype": "of another vendor's product",
    ".*storageaccessgroups": "every host reaches the pools of its cluster and zone",
    "vnf(details|nics)|forcks|autoscalevmgroup(id|name)": "there are no network appliances, Kubernetes nodes, scaling groups",
    "maxheads|maxresolution[xy]|videoram": "GPUs show no screens",
    "java(distribution|version)|threads.*": "there is no Java in it",
    "isolatedpvlan(type)?": "there are no private VLANs",
    "dbMetrics|tlsversions|replicas|dbloadaverages": "of MySQL",
    "externaluuid|encryptformat|volume(check|repair)result|chain(info|size)": "of storage plugins",
}
"""Fields, by their last names, that have no meaning in this cloud, and why."""
_WITHOUT_MEANING = re.compile("|".join(f"(?:{pattern})" for pattern in WITHOUT_MEANING))


def has_meaning(path: str) -> bool:
    """Whether this cloud has anything that the field of that path could tell of."""
    return not any(_WITHOUT_MEANING.fullmatch(name) for name in path.split("."))


class Coverage(NamedTuple):
    """Of one command: the fields that CloudStack documents, and those of them that answers have held."""

    command: str
    documented: frozenset[str]
    filled: frozenset[str]

    @property
    def missing(self) -> list[str]:
        """What has a meaning and was never filled; of a nested answer that never came, its own name alone."""
        return sorted(
            path
            for path in self.documented - self.filled
            if has_meaning(path) and ("." not in path or path.rpartition(".")[0] in self.filled)
        )

    @property
    def meaningful(self) -> Coverage:
        """Without the fields that have no meaning in this cloud."""
        return Coverage(
            self.command,
            frozenset(filter(has_meaning, self.documented)),
            frozenset(filter(has_meaning, self.filled)),
        )


def documented(response: Mapping[str, Any], prefix: str = "") -> frozenset[str]:
    """The paths of an answer's fields: `state`, and `nic.ipaddress` of what is nested."""
    paths: set[str] = set()
    for name, fact in response.items():
        if name in ALWAYS:
            continue
        paths.add(prefix + name)
        nested = fact[0] if isinstance(fact, list) and fact else fact
        if isinstance(nested, dict):
            paths |= documented(nested, f"{prefix}{name}.")
    return frozenset(paths)


def coverage(facts: Mapping[str, Any], filled: Paths) -> list[Coverage]:
    """Of every command in the facts, by name."""
    told = []
    for name in sorted(facts):
        fields = documented(facts[name]["response"])
        told.append(Coverage(name, fields, fields & frozenset(filled.get(name, ()))))
    return told


def by_kind(told: list[Coverage]) -> list[Coverage]:
    """The same of each kind of thing: what any of the commands that answer with its view documents, and has filled."""
    kinds: dict[str, list[Coverage]] = {}
    for each in told:
        command = COMMANDS.get(each.command.lower())
        kinds.setdefault(command.view.__name__ if command and command.view else "SuccessView", []).append(each)
    return [
        Coverage(kind, frozenset().union(*(c.documented for c in of)), frozenset().union(*(c.filled for c in of)))
        for kind, of in sorted(kinds.items())
    ]


def demo_answers() -> Paths:
    """What the answers of a demo cloud hold: those of its story, and of every list that needs no parameter.

    One thing of each kind is tagged before, and what projects own is listed, too. A list that needs one of several
    parameters is refused, and so not among them.
    """
    load()
    with recording() as recorder, TemporaryDirectory() as folder:
        served = Served(Path(folder), load_datacenter(), load_story()).begin()
        try:
            _tag(served)
            for command in COMMANDS.values():
                if command.many and not command.job and not any(p.required for p in command.parameters):
                    known = {p.name for p in command.parameters}
                    asked = {"listall": "true"} if "listall" in known else {}
                    served.reply(command.name, **asked)
                    if "projectid" in known:
                        served.reply(command.name, projectid="-1", **asked)
        finally:
            served.end()
    return recorder.filled


def _tag(served: Served) -> None:
    """Tag one thing of each kind that there is."""
    for kind, row_type in TAGGABLE.items():
        row = next(iter(served.cloud.store.table(row_type)), None)
        if row is not None:
            tag = {"tags[0].key": "purpose", "tags[0].value": "to be shown", "customer": "somebody"}
            served.reply("createTags", resourcetype=kind, resourceids=row.id, **tag)


def report(told: list[Coverage], commands_in_cloudstack: int) -> str:
    """The text of docs/conformance.md."""
    kinds = by_kind(told)
    answered = sum(bool(each.filled) for each in told)
    lines = [
        "# Conformance",
        "",
        "How much of CloudStack's API 4.22 is here, written by `python -m tests.server.api.coverage FOLDER` from the",
        "answers of the demo cloud and of the test suite (run with `CLOUDSIM_ANSWERS=FOLDER`). The suite itself compares",
        "every command's parameters with CloudStack's, and the type of every field of every answer that it sees.",
        "",
        f"Implemented {len(told)} of {commands_in_cloudstack} commands, of which {answered} were answered; response "
        f"fields filled {_share(told)}, nested ones included.",
        "",
        f"Several commands answer with the same kind of thing, such as an instance. Of the fields of {len(kinds)} kinds of",
        f"things {_share(kinds)} were filled by one command or another, and of those that have a meaning in this cloud",
        f"{_share([each.meaningful for each in kinds])}. These have none:",
        "",
        *(f"- `{pattern}`: {reason}" for pattern, reason in WITHOUT_MEANING.items()),
        "",
        "A field is also never filled when no test and no story has what it tells of.",
        "",
        "## Kinds of things",
        "",
        "| kind | filled, of those with a meaning | never filled |",
        "|---|---|---|",
        *map(_row, kinds),
        "",
        "## Commands",
        "",
        "| command | filled, of those with a meaning | never filled |",
        "|---|---|---|",
        *map(_row, told),
    ]
    return "\n".join(lines) + "\n"


def _row(each: Coverage) -> str:
    mine, missing = each.meaningful, each.missing
    shown = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else "")
    if not each.filled:
        shown = "not answered in this recording"
    return f"| {each.command} | {len(mine.filled)} of {len(mine.documented)} | {shown} |"


def _share(told: list[Coverage]) -> str:
    fields = sum(len(each.documented) for each in told)
    filled = sum(len(each.filled) for each in told)
    return f"{100 * filled / fields if fields else 0:.1f} % ({filled} of {fields})"


def main(folder: str | None) -> None:
    recorded = remembered(Path(folder)) if folder is not None else {}
    facts = json.loads(FACTS.read_text())
    told = coverage(facts, together(demo_answers(), recorded))
    print(report(told, len(NAMES.read_text().split())), end="")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
