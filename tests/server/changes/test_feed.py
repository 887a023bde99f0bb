"""The change feed: who hears of what, once for each thing, and when a listener has to read anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudsim.model import Alert
from server.changes.feed import LARGEST_ROUND
from server.changes.stream import LARGEST, StreamReply
from tests.server.api.api_harness import Api, Client, refused

KEYS = "sshkeypair"


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


class Listener:
    """What one stream says, event by event."""

    def __init__(self, api: Api, client: Client, last: str | None = None, **parameters: Any) -> None:
        self._api = api
        if last is not None:
            parameters["lasteventid"] = last
        reply = client.reply("followChanges", **parameters)
        assert isinstance(reply, StreamReply), reply.body
        self.stream = reply.stream
        self.texts = self.stream.sent()
        self.mark = self._read()["id"]

    def _read(self) -> dict[str, str]:
        lines = next(self.texts).decode().splitlines()
        return dict(line.split(": ", 1) for line in lines if line)

    def event(self) -> tuple[str, Any]:
        """Name and data of the next event."""

        async def tell() -> None:
            self._api.dispatcher.changes.tell()

        self._api.run(tell())
        told = self._read()
        self.mark = told["id"]
        return told["event"], json.loads(told["data"])

    def changes(self) -> list[tuple[str, str, str]]:
        """Type, change and name of what the next event tells."""
        name, data = self.event()
        assert name == "changes"
        return sorted((c["type"], c["change"], c.get("name", "")) for c in data["changes"])

    def close(self) -> None:
        self.texts.close()


@pytest.fixture
def follow(api: Api) -> Iterator[Callable[..., Listener]]:
    opened: list[Listener] = []

    def open(client: Client, **parameters: Any) -> Listener:
        opened.append(Listener(api, client, **parameters))
        return opened[-1]

    yield open
    for each in opened:
        each.close()


Follow = Callable[..., Listener]


def alerts(api: Api, count: int) -> None:
    """So many alerts in one commit."""
    with api.store.transaction():
        for n in range(count):
            api.store.table(Alert).insert(
                Alert(id=f"alert-{len(api.store.table(Alert))}-{n}", type=1, name="A", description="")
            )


def test_what_is_created_updated_and_removed_is_told_with_its_name_and_state(api: Api, follow: Follow) -> None:
    listener = follow(api.admin, resourcetypes="domain")
    domain = api.admin("createDomain", name="lab")["domain"]
    name, data = listener.event()
    assert name == "changes" and data["time"] == api.world.time
    assert data["changes"] == [
        {"type": "domain", "id": domain["id"], "change": "created", "name": "lab", "state": "Active"}
    ]
    api.admin("updateDomain", id=domain["id"], name="works")
    assert listener.changes() == [("domain", "updated", "works")]
    api.admin("deleteDomain", id=domain["id"])
    assert listener.changes() == [("domain", "removed", "works")]


def test_what_happened_to_a_thing_between_two_messages_is_told_as_one_change(api: Api, follow: Follow) -> None:
    listener = follow(api.admin, resourcetypes="domain")
    kept = api.admin("createDomain", name="first")["domain"]
    api.admin("updateDomain", id=kept["id"], name="second")
    gone = api.admin("createDomain", name="gone")["domain"]
    api.admin("deleteDomain", id=gone["id"])
    assert listener.changes() == [("domain", "created", "second")]


def test_without_resourcetypes_everything_is_told_that_the_caller_may_list(api: Api, follow: Follow) -> None:
    listener = follow(api.admin)
    api.admin("createDomain", name="lab")
    assert ("domain", "created", "lab") in (told := listener.changes())
    assert ("event", "created", "DOMAIN.CREATE") in told


def test_a_user_hears_of_its_own_things_and_admins_of_those_below_them(api: Api, follow: Follow) -> None:
    lab = api.admin("createDomain", name="lab")["domain"]["id"]
    _, ann = api.account("ann", domain=lab)
    _, bob = api.account("bob")
    _, head = api.account("head", type=2, domain=lab)
    listeners = [follow(client, resourcetypes=KEYS) for client in (ann, bob, head, api.admin)]
    ann("createSSHKeyPair", name="of-ann")
    bob("createSSHKeyPair", name="of-bob")
    head("createSSHKeyPair", name="of-head")
    heard = [[name for _, _, name in listener.changes()] for listener in listeners]
    assert heard == [["of-ann"], ["of-bob"], ["of-ann", "of-head"], ["of-ann", "of-bob", "of-head"]]
    ann("deleteSSHKeyPair", name="of-ann")
    assert [listeners[n].changes() for n in (0, 2, 3)] == [[(KEYS, "removed", "of-ann")]] * 3


def test_things_that_are_shared_are_told_to_those_whom_they_are_offered_to(api: Api, follow: Follow) -> None:
    lab = api.admin("createDomain", name="lab")["domain"]["id"]
    (_, inside), (_, outside) = api.account("ann", domain=lab), api.account("bob")
    listeners = [follow(client, resourcetypes="diskoffering") for client in (inside, outside)]
    api.admin("createDiskOffering", name="for-lab", displaytext="x", disksize=1, domainid=lab)
    api.admin("createDiskOffering", name="for-all", displaytext="x", disksize=1)
    heard = [[name for _, _, name in listener.changes()] for listener in listeners]
    assert heard == [["for-all", "for-lab"], ["for-all"]]


def test_infrastructure_is_told_to_those_who_may_list_it(api: Api, follow: Follow) -> None:
    _, ann = api.account("ann")
    text = refused(531, ann, "followChanges", resourcetypes="pod,zone").text
    assert "may not list pod" in text
    hers, all_of_it = follow(ann), follow(api.admin, resourcetypes="pod,zone")
    zone = api.admin("createZone", name="z", networktype="Advanced", dns1="192.0.2.1", internaldns1="192.0.2.2")["zone"]
    pod = {
        "zoneid": zone["id"],
        "gateway": "10.1.0.1",
        "netmask": "255.255.255.0",
        "startip": "10.1.0.9",
        "endip": "10.1.0.99",
    }
    api.admin("createPod", name="p", **pod)
    assert all_of_it.changes() == [("pod", "created", "p"), ("zone", "created", "z")]
    heard = hers.changes()
    assert ("zone", "created", "z") in heard and "pod" not in {type for type, _, _ in heard}


def test_whoever_joins_a_project_reads_anew_and_then_hears_of_its_things(api: Api, follow: Follow) -> None:
    _, ann = api.account("ann")
    _, bob = api.account("bob")
    project = ann("createProject", name="p", displaytext="p")["project"]["id"]
    listener = follow(bob, resourcetypes=KEYS)
    ann("addAccountToProject", projectid=project, account="bob")
    assert listener.event()[0] == "overflow"
    ann("createSSHKeyPair", name="shared", projectid=project)
    assert listener.changes() == [(KEYS, "created", "shared")]


def test_a_part_of_a_thing_is_told_as_a_change_of_the_thing(api: Api, follow: Follow) -> None:
    group = api.admin("createSecurityGroup", name="web")["securitygroup"]["id"]
    listener = follow(api.admin, resourcetypes="securitygroup")
    api.admin(
        "authorizeSecurityGroupIngress",
        securitygroupid=group,
        protocol="tcp",
        startport=80,
        endport=80,
        cidrlist="0.0.0.0/0",
    )
    assert listener.changes() == [("securitygroup", "updated", "web")]
    api.admin("createTags", resourcetype="SecurityGroup", resourceids=group, tags={"a": "b"})
    assert listener.changes() == [("securitygroup", "updated", "web")]


def test_more_changes_than_are_told_one_by_one_are_an_overflow(api: Api, follow: Follow) -> None:
    everything, none = follow(api.admin, resourcetypes="alert"), follow(api.admin, resourcetypes="domain")
    alerts(api, LARGEST)
    assert len(everything.event()[1]["changes"]) == LARGEST
    alerts(api, LARGEST + 1)
    assert everything.event()[0] == "overflow"
    api.admin("createDomain", name="small")
    assert none.changes() == [("domain", "created", "small")]
    alerts(api, LARGEST_ROUND + 1)
    assert none.event() == ("overflow", {"time": api.world.time})


def test_a_client_that_comes_back_reads_anew_only_if_it_missed_something(api: Api, follow: Follow) -> None:
    listener = follow(api.admin, resourcetypes="domain")
    api.admin("createDomain", name="a")
    listener.event()
    again = follow(api.admin, resourcetypes="domain", last=listener.mark)
    api.admin("createDomain", name="b")
    assert again.changes() == [("domain", "created", "b")]
    late = follow(api.admin, resourcetypes="domain", last=listener.mark)
    assert late.event()[0] == "overflow"
    stranger = follow(api.admin, resourcetypes="domain", last="12345678-9")
    assert stranger.event()[0] == "overflow"


def test_there_are_as_many_streams_as_the_setting_allows(api: Api, follow: Follow) -> None:
    api.admin("updateConfiguration", name="changes.streams.max", value=1)
    first = follow(api.admin)
    text = refused(503, api.admin, "followChanges").text
    assert "changes.streams.max allows 1" in text
    first.close()
    follow(api.admin)


def test_a_stream_ends_when_its_user_may_not_follow_any_more(api: Api, follow: Follow) -> None:
    made, ann = api.account("ann")
    _, bob = api.account("bob")
    disabled, renewed = follow(ann), follow(bob)
    api.admin("disableUser", id=made["user"][0]["id"])
    api.admin("registerUserKeys", id=api.user("bob").id)
    for listener in (disabled, renewed):
        assert listener.event() == ("end", {"reason": "the user may not follow changes any more"})
        assert next(listener.texts, None) is None
    assert len(api.dispatcher.changes) == 0


def test_an_unknown_type_is_refused_with_those_that_there_are(api: Api) -> None:
    text = refused(431, api.admin, "followChanges", resourcetypes="virtualmachine,vm").text
    assert "'vm'" in text and "resourcetypes" in text and "storagepool" in text


def test_a_client_that_has_left_is_forgotten(api: Api, follow: Follow) -> None:
    listener = follow(api.admin)
    assert len(api.dispatcher.changes) == 1
    listener.close()
    assert len(api.dispatcher.changes) == 0
