'''The public API: CloudStack's, at `/client/api`. One declaration for each command, one view for each entity.

How a command is declared
-------------------------
In a module of `server/api/commands/` (every module there is loaded; nothing else to register):

    from server.api.command import ADMINS, EVERYONE, ROOT, Call, Job, Listed, Success, command
    from server.api.listing import Page, Tags, listed
from server.api.scope import Scope
    from server.api.ownership import Owner
    from server.api.parameters import Date, Long, Param

    @command("updateZone", view=ZoneView, roles=ROOT, group="Zone", event="ZONE.EDIT")
    async def update_zone(
        call: Call,
        *,
        id: Zone,
        name: Annotated[str | None, Param("the new name", length=63)] = None,
        allocationstate: Literal["Enabled", "Disabled"] | None = None,
        details: Mapping[str, str] | None = None,
    ) -> Zone:
        """Changes a zone."""
        return call.manager.zones.update(id.id, name=name, ...)

The keyword parameters are the wire parameters; `server.api.parameters` lists what their annotations may be. No
default = required. `id_` or `type_` may stand for `id` or `type`; `Param(name="domainId")` sets another wire name.
A Row type takes a UUID and gives the row; whether the caller may name it, `cloudsim.management.identity.visibility`
decides (`id` and `ids`: operate; others: use; in list commands: no check, since the scope decides;
`Param(access=...)` overrides). The function's docstring is the command's description.

`call.manager` is the ManagementServer, `call.store` the Store, `call.caller` the Caller. A command does no
work itself: it calls one service, which raises `cloudsim.errors`. What it returns is answered:

    a row, or a View          {"<key>": {...}} with the declared view; key "" answers flat
    a sequence, or Listed     {"count": n, "<key>": [...]}; names beginning with list, or many=True
    None, or Success(text)    {"success": true}
    a Reply                   as it is, such as a stream that goes on (`server.changes`)
    Job(work, instance)       {"jobid": ...}; with job=True. With creates=RowType also {"id": instance.id}

A job checks, and a creating command allocates, before it returns; what is left to do is the `work`:

    @command("deployVirtualMachine", view=VirtualMachineView, job=True, creates=VirtualMachine, event="VM.CREATE")
    async def deploy_virtual_machine(call: Call, *, owner: Owner, zoneid: Zone, ...) -> Job:
        """Starts a new instance."""
        vm = call.manager.vms.allocate(owner, zoneid, ...)
        return Job(lambda: call.manager.vms.start(vm.id), vm)

`work` returns a row (shown in the view, in the job's result) or None (success). `Owner` stands for account,
domainid and projectid. Commands that give an `event` have it recorded; services need not.

How a list command is declared
------------------------------
    @command("listVolumes", view=VolumeView, group="Volume")
    async def list_volumes(
        call: Call, *, page: Page, scope: Scope, id: Volume | None = None, name: str | None = None,
        zoneid: Zone | None = None, tags: Tags | None = None,
    ) -> Listed:
        """Lists volumes."""
        return listed(call, Volume, page=page, scope=scope, ids=None if id is None else [id],
                      equal={"name": name, "zone_id": zoneid and zoneid.id}, tags=tags)

`Page` stands for keyword, page and pagesize; `Scope` for account, domainid, listall, isrecursive and projectid;
`AccountScope` has no projectid. `listed` takes its rows from indexes, counts them all and cuts the page.

How a view is declared
----------------------
    class ZoneView(View):
        """A zone as the API shows it."""

        entity: ClassVar = Zone
        key: ClassVar = "zone"

        id: str | None = None
        name: Annotated[str | None, "what the operator calls it"] = None
        created: Date | None = None                 # server.api.views.Date; a Long is an int that listApis calls long
        nic: list[NicView] | None = None
        crossZones: bool | None = None              # field names are the wire names

        @classmethod
        def of(cls, row: Zone, call: Call) -> Self:
            return cls(id=row.id, name=row.name, created=date(row.created))

None is left out of the answer. `owner(call, account_id)` gives the account, project and domain fields,
`tags(call, id)` the tags; `call.cache` keeps what the rows of one answer share. Keep `of` free of scans: it runs for
500 rows of a page. Field names and types are checked against CloudStack's by `tests/server/api/test_conformance.py`.

How it is tested
----------------
`tests/server/api/api_harness.py` has a cloud without hosts and clients that call it: `api.admin("listDomains")`
answers what is in the envelope, or a job's result; `refused(431, api.admin, "createDomain")` the error. Every command is
compared with CloudStack's facts (`tests/server/api/facts.py` makes the file after a command has been added) and is
given malformed parameters (`test_malformed.py`): a refused call must leave the Store as it was.
'''
