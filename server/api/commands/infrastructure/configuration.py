"""Settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, NamedTuple, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_groups import GROUPS, OTHERS, PARENTS, Group, place_of
from cloudsim.management.operations.configuration_keys import KEYS, ConfigurationKey
from cloudsim.management.operations.settings import Scope
from cloudsim.model import Account, Cluster, Domain, ImageStore, StoragePool, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Long, View

GROUP = "Configuration"
_KINDS = {"string": "String", "integer": "Number", "number": "Decimal", "boolean": "Boolean"}


class Where(NamedTuple):
    """What a setting is for: everything, or the thing of that id."""

    scope: Scope = "Global"
    id: str = ""


class Setting(NamedTuple):
    """A key, and where its value is looked at."""

    key: ConfigurationKey
    where: Where

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def description(self) -> str:
        return self.key.description

    @property
    def group(self) -> str:
        return place_of(self.name)[0]

    @property
    def subgroup(self) -> str:
        return place_of(self.name)[1]


class ConfigurationView(View):
    """A setting and its value."""

    key: ClassVar = "configuration"

    name: str | None = None
    value: str | None = None
    defaultvalue: str | None = None
    description: str | None = None
    category: str | None = None
    group: str | None = None
    subgroup: str | None = None
    scope: Annotated[str | None, "what the value is for"] = None
    id: Annotated[Long | None, "not given: things are named by UUID here"] = None
    isdynamic: Annotated[bool | None, "whether it takes effect without a restart"] = None
    component: str | None = None
    parent: Annotated[str | None, "the setting that must be true for it to mean anything"] = None
    displaytext: str | None = None
    type: Annotated[str | None, "String, Number, Decimal or Boolean"] = None
    options: Annotated[str | None, "the values that it takes"] = None

    @classmethod
    def of(cls, row: Setting, call: Call) -> Self:
        key = row.key
        text = key.name.replace(".", " ")
        return cls(
            name=key.name,
            value=call.manager.settings.get(key.name, row.where.scope, row.where.id),
            defaultvalue=key.default,
            description=key.description,
            category=key.category,
            group=row.group,
            subgroup=row.subgroup,
            parent=PARENTS.get(key.name),
            scope=row.where.scope.lower(),
            isdynamic=True,
            component="management-server",
            displaytext=text[:1].upper() + text[1:],
            type=_KINDS[key.kind],
            options=",".join(key.choices) or None,
        )


def _where(
    zone: Zone | None,
    cluster: Cluster | None,
    pool: StoragePool | None,
    account: Account | None,
    domain: Domain | None,
    store: ImageStore | None,
) -> Where:
    given: list[Where] = []
    if zone is not None:
        given.append(Where("Zone", zone.id))
    if cluster is not None:
        given.append(Where("Cluster", cluster.id))
    if pool is not None:
        given.append(Where("StoragePool", pool.id))
    if account is not None:
        given.append(Where("Account", account.id))
    if domain is not None:
        given.append(Where("Domain", domain.id))
    if store is not None:
        given.append(Where("ImageStore", store.id))
    if len(given) > 1:
        raise InvalidParameterValue(
            "cannot handle multiple IDs, provide only one ID corresponding to the scope"
        )
    return given[0] if given else Where()


@command("listConfigurations", view=ConfigurationView, roles=ROOT, group=GROUP)
async def list_configurations(
    call: Call,
    *,
    page: Page,
    name: str | None = None,
    category: str | None = None,
    group: str | None = None,
    subgroup: str | None = None,
    parent: str | None = None,
    zoneid: Zone | None = None,
    clusterid: Cluster | None = None,
    storageid: StoragePool | None = None,
    accountid: Account | None = None,
    domainid: Domain | None = None,
    imagestoreuuid: ImageStore | None = None,
) -> Listed:
    """Lists settings: all, or those that a zone, cluster, storage pool, account or domain can have of its own."""
    where = _where(zoneid, clusterid, storageid, accountid, domainid, imagestoreuuid)
    if subgroup is not None and group is None:
        raise InvalidParameterValue("group must be given with subgroup, since subgroups of several groups share names")
    rows = [
        row
        for row in (Setting(KEYS[key], where) for key in sorted(KEYS))
        if (name is None or row.name == name)
        and (category is None or row.key.category.lower() == category.lower())
        and (group is None or row.group.lower() == group.lower())
        and (subgroup is None or row.subgroup.lower() == subgroup.lower())
        and (parent is None or PARENTS.get(row.name) == parent)
        and call.manager.settings.has(row.key, where.scope)
    ]
    return page_of(rows, page, search=("name", "description"))


@command(
    "updateConfiguration", view=ConfigurationView, roles=ROOT, group=GROUP, event="CONFIGURATION.VALUE.EDIT"
)
async def update_configuration(
    call: Call,
    *,
    name: Annotated[str, Param("see listConfigurations")],
    value: Annotated[str | None, Param(length=4096)] = None,
    zoneid: Zone | None = None,
    clusterid: Cluster | None = None,
    storageid: StoragePool | None = None,
    accountid: Account | None = None,
    domainid: Domain | None = None,
    imagestoreuuid: ImageStore | None = None,
) -> Setting:
    """Changes a setting, for everything or for one thing."""
    where = _where(zoneid, clusterid, storageid, accountid, domainid, imagestoreuuid)
    settings = call.manager.settings
    settings.set(name, value or "", where.scope, where.id)
    return Setting(settings.key(name), where)


@command(
    "resetConfiguration",
    view=ConfigurationView,
    roles=ROOT,
    group=GROUP,
    event="CONFIGURATION.VALUE.RESET",
    since="4.16.0",
)
async def reset_configuration(
    call: Call,
    *,
    name: Annotated[str, Param("see listConfigurations")],
    zoneid: Zone | None = None,
    clusterid: Cluster | None = None,
    storageid: StoragePool | None = None,
    accountid: Account | None = None,
    domainid: Domain | None = None,
    imagestoreid: ImageStore | None = None,
) -> Setting:
    """Puts a setting back to its default, or for one thing to the value for everything."""
    where = _where(zoneid, clusterid, storageid, accountid, domainid, imagestoreid)
    settings = call.manager.settings
    settings.reset(name, where.scope, where.id)
    return Setting(settings.key(name), where)


class SubgroupView(View):
    """A part of a group of settings."""

    name: str | None = None
    precedence: Long | None = None


class ConfigurationGroupView(View):
    """A group of settings."""

    key: ClassVar = "configurationgroup"

    name: str | None = None
    description: str | None = None
    precedence: Long | None = None
    subgroup: list[SubgroupView] | None = None

    @classmethod
    def of(cls, row: tuple[int, Group], call: Call) -> Self:
        number, group = row
        subgroups = [*(each for each in group.subgroups if each != OTHERS), OTHERS]
        return cls(
            name=group.name,
            description=group.description,
            precedence=number,
            subgroup=[SubgroupView(name=each, precedence=place) for place, each in enumerate(subgroups, 1)],
        )


@command("listConfigurationGroups", view=ConfigurationGroupView, roles=ROOT, group=GROUP, since="4.18.0")
async def list_configuration_groups(call: Call, *, page: Page, group: str | None = None) -> Listed:
    """Lists the groups that settings are in."""
    rows = [
        (number, each)
        for number, each in enumerate(GROUPS, 1)
        if (group is None or group.lower() == each.name.lower())
        and (not page.keyword or page.keyword.lower() in each.name.lower())
    ]
    return page_of(rows, replace(page, keyword=None))
