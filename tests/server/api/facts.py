"""The facts that test_conformance compares with, cut from a full description of CloudStack's API.

    python -m tests.server.api.facts path/to/cloudstack-api.json

writes `cloudstack_facts.json` beside this file, for the commands that the server declares, and the names of all of
CloudStack's. Run it when a command has been added.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from server.api.command import COMMANDS
from server.api.commands import load

FACTS = Path(__file__).parent / "cloudstack_facts.json"
NAMES = Path(__file__).parent / "cloudstack_commands.txt"
"""The names of all of CloudStack's commands, one a line."""


OWN_FIELDS: dict[tuple[str, str], str] = {
    ("UsageRecordView", "id"): "CloudStack's records cannot be told from each other",
    ("ApiView", "params.values"): "CloudStack does not tell which words a parameter takes",
    ("VirtualMachineView", "nic.secondaryip"): "CloudStack answers it; the facts lack it where a VM holds the NIC",
    ("VirtualMachineMetricsView", "nic.secondaryip"): "as before",
    ("RouterView", "nic.secondaryip"): "as with an instance's",
}
OWN_FIELDS |= {
    ("TrafficTypeView", name): "CloudStack answers these too, but its declaration names a provider's fields"
    for name in (
        "traffictype",
        "xennetworklabel",
        "kvmnetworklabel",
        "vmwarenetworklabel",
        "hypervnetworklabel",
        "ovm3networklabel",
    )
}
OWN_FIELDS |= {
    ("IpForwardingRuleView", name): "CloudStack answers these too, but its declaration names a forwarding rule's fields"
    for name in ("startport", "endport")
}
OWN_FIELDS |= {
    ("Ipv6FirewallRuleView", name): "CloudStack answers these, and its declaration names a forwarding rule's fields"
    for name in ("startport", "endport", "icmptype", "icmpcode", "destcidrlist", "traffictype")
}
OWN_FIELDS |= {
    ("ProjectAccountView", name): "CloudStack answers these too, but its declaration names a project's fields"
    for name in (
        "projectid",
        "project",
        "accountid",
        "account",
        "accounttype",
        "role",
        "projectroleid",
        "userid",
        "username",
        "user",
    )
}
"""(view, field) that CloudStack does not have or has otherwise, and why."""

_INTEGERS = {"int": "integer", "short": "integer", "integer": "integer", "long": "long"}
_FLOATS = {"float": "float", "double": "float", "bigdecimal": "float"}
_LISTS = {"list", "set"}


def family(fact: Any) -> str:
    """The JSON kind of a fact's response type."""
    if isinstance(fact, dict):
        return "object"
    if isinstance(fact, list) or fact in _LISTS or fact.startswith("list<") or fact.endswith("[]"):
        return "list"
    if fact in ("boolean", "date", "map"):
        return str(fact)
    if fact in ("responseobject", "any") or fact.endswith("response"):
        return "object"
    return _INTEGERS.get(fact) or _FLOATS.get(fact) or "string"


def cut(full: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Of each command: async, its parameters' type, required and length, its answer's fields and types."""
    facts = {}
    for name in names:
        api = full.get(name)
        if api is None:
            continue
        params = {}
        for parameter, said in api["params"].items():
            said = {key: said[key] for key in ("type", "required", "length", "of") if key in said}
            params[parameter] = said["type"] if set(said) == {"type"} else said
        facts[name] = {"async": api["async"], "params": params, "response": api["response"]}
    return facts


def main(path: str) -> None:
    load()
    names = sorted(command.name for command in COMMANDS.values())
    full = json.loads(Path(path).read_text())["apis"]
    facts = cut(full, names)
    NAMES.write_text("\n".join(sorted(full)) + "\n")
    rows = [f"{json.dumps(name)}: {json.dumps(fact, separators=(',', ':'))}" for name, fact in facts.items()]
    FACTS.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    print(f"{len(facts)} commands; not CloudStack's: {', '.join(n for n in names if n not in facts) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1])
