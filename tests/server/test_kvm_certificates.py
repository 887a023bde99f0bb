"""A served cloud on real hosts, and a host whose agent is let in by certificate: renewed and revoked through the API.

The server is a process, the agent and its TLS are real; what is under the agent is made up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from backends.wire import certificates as c
from backends.wire.agent_process import KeptCertificate
from backends.wire.authority import Authority
from backends.wire.connector import ManagerConnector, ManagerUrl
from backends.wire.enrolment import EnrolmentError, enrol, renew
from backends.wire.identity import Identity
from cloudsim.agent import Agent
from tests.backends.wire.wire_harness import LOCAL, Host, until
from tests.server.serving import Connection, ServerProcess

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Wait for it while the agent goes on."""
    return await asyncio.to_thread(work)


def place(call: Connection) -> dict[str, str]:
    """A zone, a pod and a cluster, made."""
    zone = call(
        "createZone", name="zone1", networktype="Advanced", dns1="10.0.0.2", internaldns1="10.0.0.2",
        guestcidraddress="10.1.1.0/24",
    )["zone"]["id"]  # fmt: skip
    pod = call(
        "createPod", name="pod1", zoneid=zone, gateway="10.0.0.1", netmask="255.255.255.0", startip="10.0.0.10"
    )["pod"]["id"]
    (cluster,) = call(
        "addCluster", zoneid=zone, podid=pod, clustername="c1", clustertype="CloudManaged", hypervisor="KVM"
    )["cluster"]
    return {"zoneid": zone, "podid": pod, "clusterid": cluster["id"]}


def manager_of(server: ServerProcess) -> ManagerUrl:
    line = next(line for line in server.lines if "wss://" in line)
    return ManagerUrl.parse(next(word for word in line.split() if word.startswith("wss://")))


def test_a_host_is_provisioned_and_shut_out_through_the_api(tmp_path: Path) -> None:
    options = ("--kind", "kvm", "--agents-host", LOCAL, "--agents-port", "0")
    with ServerProcess(tmp_path / "cloud", *options) as server:
        asyncio.run(asyncio.wait_for(_scene(server, tmp_path / "host"), 60))


async def _scene(server: ServerProcess, folder: Path) -> None:
    call, manager, identity = server.connect(), manager_of(server), Identity(folder)
    authority = Authority(server.data / "agents-ca")  # as `cloudsim agent token` opens it
    where = await aside(lambda: place(call))
    await aside(lambda: call("updateConfiguration", name="ca.framework.cert.validity.period", value="90"))
    await enrol(manager, authority.create_token(60), identity, "kvm1", LOCAL)
    first = identity.read_certificate()
    assert 89 * c.DAY < c.not_after(first) - authority.now() <= 90 * c.DAY
    told = await aside(lambda: call("listCaCertificate"))
    assert told["cacertificates"]["certificate"] == identity.authority.read_text()

    connector = ManagerConnector(manager, identity)
    agent = Agent(identity.guid, "kvm1", Host(), connector, certificate=KeptCertificate(manager, identity))  # type: ignore[arg-type]
    agent.start()
    added = {"url": "http://kvm1", "username": "root", "password": "", "hypervisor": "KVM", **where}
    (host,) = (await aside(lambda: call("addHost", **added)))["host"]

    assert await aside(lambda: _job(call, "provisionCertificate", hostid=host["id"])) == {"success": True}
    second = identity.read_certificate()
    assert second.serial_number != first.serial_number
    await until(lambda: agent.connected)

    revoked = {"serial": f"{second.serial_number:x}", "cn": identity.guid}
    assert await aside(lambda: _job(call, "revokeCertificate", **revoked)) == {"success": True}
    await until(lambda: not agent.connected)
    with pytest.raises(ConnectionError, match="revoked"):
        await connector.connect()
    with pytest.raises(EnrolmentError, match="revoked"):
        await renew(manager, identity)
    agent.stop()


def _job(call: Connection, command: str, **parameters: Any) -> dict[str, Any]:
    done: dict[str, Any] = call.job(call(command, **parameters)["jobid"])
    return done
