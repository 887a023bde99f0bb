"""Nobody is told of what a crash would still undo: an answer waits for the disk, also that of one who only looks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cloudsim.errors import CloudError
from cloudsim.model import AsyncJob
from cloudsim.store import Change
from tests.server.api.api_harness import Api, Client, refused


class Disk:
    """A journal that has written what it is told to have."""

    def __init__(self) -> None:
        self.recorded = self.written = 0
        self.progress = asyncio.Condition()

    def record(self, sequence: int, changes: Sequence[Change]) -> None:
        self.recorded = sequence

    async def durable(self, sequence: int) -> None:
        async with self.progress:
            await self.progress.wait_for(lambda: sequence <= self.written)

    async def write(self) -> None:
        async with self.progress:
            self.written = self.recorded
            self.progress.notify_all()


@pytest.fixture
def ann(api: Api) -> str:
    made: str = api.account("ann")[0]["id"]
    return made


@pytest.fixture
def disk(api: Api, ann: str) -> Disk:
    made = Disk()
    made.recorded = made.written = api.store.sequence
    api.store.journal = made
    return made


async def _let_all_happen() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_the_end_of_a_job_is_told_once_it_is_on_disk(api: Api, admin: Client, ann: str, disk: Disk) -> None:
    async def scenario() -> None:
        begun = asyncio.create_task(
            api.dispatcher.answer(admin.request("deleteAccount", id=ann), trusted=False)
        )
        await _let_all_happen()
        (job,) = api.store.table(AsyncJob)
        assert job.status == 1, "it has ended, in memory"
        asked = asyncio.create_task(
            api.dispatcher.answer(admin.request("queryAsyncJobResult", jobid=job.id), trusted=False)
        )
        await _let_all_happen()
        assert not begun.done() and not asked.done()
        await disk.write()
        await begun
        assert (await asked).body.jobstatus == 1

    api.run(scenario())


def test_another_s_change_is_listed_once_it_is_on_disk(api: Api, admin: Client, disk: Disk) -> None:
    async def scenario() -> None:
        made = asyncio.create_task(
            api.dispatcher.answer(admin.request("createDomain", name="new"), trusted=False)
        )
        await _let_all_happen()
        listed = asyncio.create_task(
            api.dispatcher.answer(admin.request("listDomains", name="new"), trusted=False)
        )
        await _let_all_happen()
        assert not made.done() and not listed.done()
        await disk.write()
        assert (await listed).body["count"] == 1
        await made

    api.run(scenario())


def test_a_refusal_for_another_s_change_is_told_once_that_is_on_disk(api: Api, admin: Client, disk: Disk) -> None:
    async def scenario() -> None:
        made = asyncio.create_task(
            api.dispatcher.answer(admin.request("createDomain", name="new"), trusted=False)
        )
        await _let_all_happen()
        unknown = asyncio.create_task(
            api.dispatcher.answer(admin.request("createDomain", name="new"), trusted=False)
        )
        await _let_all_happen()
        assert not made.done() and not unknown.done()
        await disk.write()
        assert (await made).status == 200
        assert (await unknown).status == 431

    api.run(scenario())


def test_a_user_who_was_deleted_is_unknown_once_that_is_on_disk(
    api: Api, admin: Client, ann: str, disk: Disk
) -> None:
    user = api.user("ann")
    hers = api.client(user)
    disk.written = disk.recorded

    async def scenario() -> None:
        deleted = asyncio.create_task(
            api.dispatcher.answer(admin.request("deleteUser", id=user.id), trusted=False)
        )
        await _let_all_happen()
        listed = asyncio.create_task(
            api.dispatcher.answer(admin.request("listUsers", id=user.id), trusted=False)
        )
        unknown = asyncio.create_task(api.dispatcher.answer(hers.request("listZones"), trusted=False))
        await _let_all_happen()
        assert not deleted.done() and not listed.done() and not unknown.done()
        await disk.write()
        assert (await deleted).status == 200
        assert (await listed).body == {}
        assert (await unknown).status == 401

    api.run(scenario())


def test_where_the_disk_cannot_be_written_a_refusal_says_so_instead(api: Api, admin: Client) -> None:
    class Broken(Disk):
        async def durable(self, sequence: int) -> None:
            raise CloudError("the database cannot be written")

    api.store.journal = Broken()
    refusal = refused(530, admin, "createDomain", name="")
    assert refusal.text == "the database cannot be written"


def test_a_list_of_what_is_on_disk_waits_for_nothing(api: Api, admin: Client, disk: Disk) -> None:
    assert admin("listDomains")["count"] == 1
