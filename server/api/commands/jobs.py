"""Asynchronous jobs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import msgspec

from cloudsim.model import Account, AsyncJob, Domain
from cloudsim.model.operations import JOB_IN_PROGRESS
from server.api.command import Call, Listed, command
from server.api.commands.infrastructure.management_servers import SERVER_ID, SERVER_NAME
from server.api.listing import Page, listed
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.scope import AccountScope
from server.api.views import Date, View, date

_EMPTY = b'{"success":true}'


class AsyncJobView(View):
    """A job: whether it runs (0), has succeeded (1) or failed (2), and then with what result."""

    entity: ClassVar = AsyncJob
    key: ClassVar = "asyncjobs"

    accountid: str | None = None
    account: str | None = None
    domainid: str | None = None
    domainpath: str | None = None
    userid: str | None = None
    cmd: Annotated[str | None, "the command that it does"] = None
    jobprocstatus: int | None = None
    jobresultcode: Annotated[int | None, "0, or the errorcode of a failed job"] = None
    jobresulttype: str | None = None
    jobresult: Annotated[msgspec.Raw | None, "what the command answers, or the error"] = None
    jobinstancetype: str | None = None
    jobinstanceid: Annotated[str | None, "the thing that it works on"] = None
    managementserverid: Annotated[str | None, "the server that does it"] = None
    managementservername: str | None = None
    created: Date | None = None
    completed: Date | None = None

    @classmethod
    def of(cls, row: AsyncJob, call: Call) -> Self:
        account = call.store.table(Account).get(row.account_id)
        domain = call.store.table(Domain).get(account.domain_id) if account is not None else None
        ended = row.status != JOB_IN_PROGRESS
        result = (row.result.encode() if row.result else _EMPTY) if ended else None
        return cls(
            jobid=row.id,
            jobstatus=row.status,
            accountid=row.account_id,
            account=account.name if account is not None else None,
            domainid=domain.id if domain is not None else None,
            domainpath=domain.path if domain is not None else None,
            userid=row.user_id,
            cmd=row.command,
            jobprocstatus=0,
            managementserverid=SERVER_ID,
            managementservername=SERVER_NAME,
            jobresultcode=row.result_code,
            jobresulttype="object" if ended else None,
            jobresult=msgspec.Raw(result) if result is not None else None,
            jobinstancetype=row.instance_type,
            jobinstanceid=row.instance_id,
            created=date(row.created),
            completed=date(row.completed),
        )


@command("queryAsyncJobResult", view=AsyncJobView, key="", group="Job")
async def query_async_job_result(
    call: Call, *, jobid: Annotated[AsyncJob, Param("the job's id", access="operate")]
) -> AsyncJob:
    """Shows how a job stands, and its result once it has ended."""
    return jobid


@command("listAsyncJobs", view=AsyncJobView, group="Job")
async def list_async_jobs(
    call: Call,
    *,
    page: Page,
    scope: AccountScope,
    startdate: Annotated[DateParameter | None, Param("only jobs that began then or later")] = None,
    managementserverid: Annotated[str | None, Param("only jobs that that server does", type="uuid")] = None,
) -> Listed:
    """Lists the jobs that have not ended yet."""
    if managementserverid not in (None, SERVER_ID):
        return Listed([], 0)
    return listed(
        call,
        AsyncJob,
        page=page,
        scope=scope,
        equal={"status": JOB_IN_PROGRESS},
        keep=None if startdate is None else lambda job: job.created >= startdate,
        search=("command",),
    )
