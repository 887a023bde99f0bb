"""Who uses the cloud when a run begins: domains in domains, admins and users of each, and projects."""

from __future__ import annotations

from typing import Any

from cloudsim.model.operations import JOB_SUCCEEDED
from tests.selfservice.cloud import ServedCloud

SETTINGS = {
    "allow.user.expunge.recover.vm": "true",
    "allow.user.expunge.recover.volume": "true",
    "resource.limit.host.tags": "gold",
    "resource.limit.storage.tags": "ssd",
}


async def settle_in(cloud: ServedCloud) -> None:
    """Make them, as the root admin."""
    admin = cloud.admin

    async def done(command: str, **parameters: Any) -> Any:
        answer = await cloud.call(admin, command, **parameters)
        assert answer.status == 200, (command, answer)
        job_id = answer.body.get("jobid") if isinstance(answer.body, dict) else None
        if job_id is None:
            return answer.body
        job = await cloud.server.jobs.wait(job_id)
        assert job.status == JOB_SUCCEEDED, (command, job.result)
        return answer.body

    for name, value in SETTINGS.items():
        await done("updateConfiguration", name=name, value=value)

    for key, name, change in (("host", "listHosts", "updateHost"), ("storagepool", "listStoragePools", "updateStoragePool")):
        tags = {"hosttags": "gold"} if key == "host" else {"tags": "ssd"}
        for row in (await done(name))[key]:
            if row.get("type") != "SecondaryStorageVM":
                await done(change, id=row["id"], **tags)
    await done("createDiskOffering", name="ssd", displaytext="ssd", customized=True, tags="ssd")
    size = {"cpunumber": 1, "cpuspeed": 500, "memory": 512}
    await done("createServiceOffering", name="gold", displaytext="gold", hosttags="gold", tags="ssd", **size)

    async def domain(name: str, parent: str | None) -> str:
        where = {} if parent is None else {"parentdomainid": parent}
        made: str = (await done("createDomain", name=name, **where))["domain"]["id"]
        return made

    async def account(name: str, domain_id: str, type: int = 0) -> None:
        await done(
            "createAccount",
            username=name,
            password="Secret-123",
            email=f"{name}@example.org",
            firstname=name,
            lastname="Example",
            accounttype=type,
            domainid=domain_id,
        )

    north = await domain("north", None)
    inner = await domain("inner", north)
    deep = await domain("deep", inner)
    south = await domain("south", None)
    for where, short in ((north, "n"), (inner, "i"), (deep, "d"), (south, "s")):
        await account(f"{short}-admin", where, 2)
        for number in (1, 2):
            await account(f"{short}-user-{number}", where)
    for where, short in ((north, "n"), (south, "s")):
        await done(
            "createUser",
            account=f"{short}-user-1",
            domainid=where,
            username=f"{short}-user-1b",
            password="Secret-123",
            email="b@example.org",
            firstname="b",
            lastname="Example",
        )
        made = await done("createProject", name=f"{short}-project", account=f"{short}-user-1", domainid=where)
        await done("addAccountToProject", projectid=made["id"], account=f"{short}-user-2")
