"""What is secret is masked wherever it is said; what is not stays readable."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cloudsim.model
import cloudsim.protocol
from cloudsim.protocol.masking import MASKED, is_secret, masked, masked_text, masked_xml
from server.api import commands
from server.api.command import COMMANDS
from server.api.views import View

SUSPICIOUS = re.compile(r"pass|secret|token|key|psk|sign|user_?data|cred|hash|priv", re.IGNORECASE)
REVIEWED = {
    "aclconsistencyhash": "a sum over a list of rules",
    "api_key_access": "whether keys are taken",
    "apikeyaccess": "as above",
    "assignments": "who has what",
    "bypassvlanoverlapcheck": "to pass by a check",
    "key": "the name in a pair of a name and a value: the value is masked for it",
    "key_": "as above",
    "keyboard": "a layout",
    "key_pairs": "names of SSH keys",
    "keypair": "as above",
    "keypairs": "as above",
    "keyword": "what is searched for",
    "passive": "a VPN that waits to be called",
    "private": "whether a thing is",
    "private_mtu": "bytes of packets",
    "privatemtu": "as above",
    "public_key": "is public",
    "public_keys": "as above",
    "publickey": "as above",
    "routerprivateinterfacemaxmtu": "bytes of packets",
    "sort_key": "a place in lists",
    "sortkey": "as above",
    "user_data_id": "an id",
    "user_data_policy": "how two are combined",
    "user_key": "whose membership it is: ids",
    "userdataid": "an id",
    "userdataname": "a name",
    "userdataparams": "names of variables",
    "userdatapolicy": "how two are combined",
}
"""Names that look like those of secrets and are not, and why. PRIVATE_ADDRESSES beside them."""
PRIVATE_ADDRESSES = re.compile(r"private_?(end|endport|gateway|ip|mac_?address|macaddress|netmask|port|start|startport)")


def names() -> Iterator[str]:
    """All names under which something may be written down: rows, messages, parameters, answers."""
    for module in pkgutil.walk_packages(cloudsim.protocol.__path__, "cloudsim.protocol."):
        importlib.import_module(module.name)
    commands.load()
    waiting: list[type] = [msgspec.Struct]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith(("cloudsim.model", "cloudsim.protocol")) or issubclass(kind, View):
                yield from kind.__struct_fields__  # type: ignore[attr-defined]
    for command in COMMANDS.values():
        yield from (parameter.name for parameter in command.parameters)


def test_every_name_that_looks_like_a_secrets_is_masked_or_was_looked_at() -> None:
    doubtful = {
        name
        for name in names()
        if SUSPICIOUS.search(name)
        and not is_secret(name)
        and name not in REVIEWED
        and not PRIVATE_ADDRESSES.fullmatch(name)
        and not re.fullmatch(r"(ssh_?key|password)_?enabled", name)
    }
    assert not doubtful


@pytest.mark.parametrize(
    "name",
    ["password", "vncPassword", "userdata", "secretkey", "ipsecpsk", "token_hash", "codefor2fa", "userdatadetails[0].db"],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["name", "publickey", "passwordenabled", "userdataid", "keyword", "private_ip"])
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret(name)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name"]), inner, max_size=3),
    max_leaves=8,
)


@given(plain, st.sampled_from(["password", "userData", "private_key", "details.vm.password"]), st.integers(0, 4))
def test_a_secret_is_masked_however_deep_it_is(data: object, name: str, depth: int) -> None:
    held: object = {name: "Unspeakable", "beside": data}
    for level in range(depth):
        held = {"inside": held} if level % 2 else [data, held]
    text = json.dumps(masked(held))
    assert "Unspeakable" not in text and MASKED in text


@given(plain)
def test_what_holds_no_secret_stays_as_it_is(data: object) -> None:
    assert masked(data) == data


def test_a_pair_of_name_and_value_is_masked_for_its_name() -> None:
    assert masked([{"key": "password", "value": "x"}, {"key": "color", "value": "x"}]) == [
        {"key": "password", "value": MASKED},
        {"key": "color", "value": "x"},
    ]
    assert masked({"name": "ldap.bind.password", "value": "x"})["value"] == MASKED


def test_urls_keep_all_but_their_secrets() -> None:
    url = "https://ann:pw@host/console?token=abc&id=7&signature=x%3D&port=1"
    assert masked_text(url) == f"https://ann:{MASKED}@host/console?token={MASKED}&id=7&signature={MASKED}&port=1"


def test_xml_keeps_all_but_its_secrets() -> None:
    xml = "<graphics type='vnc' passwd='abc' port=\"5900\"/><auth><password>p</password><user>u</user></auth>"
    assert masked_xml(xml) == (
        f"<graphics type='vnc' passwd='{MASKED}' port=\"5900\"/>"
        f"<auth><password>{MASKED}</password><user>u</user></auth>"
    )
