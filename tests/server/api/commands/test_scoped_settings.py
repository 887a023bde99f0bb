"""Settings of domains and accounts: what has no value of its own, and where it gets one from."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import Api, Client, refused
from tests.server.api.commands.cloud_api import CloudApi

MINIMUM = "password.policy.minimum.length"
PUBLIC = "allow.public.user.templates"


def value(admin: Client, name: str, **where: Any) -> str:
    (row,) = admin("listConfigurations", name=name, **where)["configuration"]
    return str(row["value"])


def switch(admin: Client, name: str, to: bool = True) -> None:
    admin("updateConfiguration", name=name, value=str(to).lower())


def test_a_subdomain_has_its_parents_settings_where_the_cloud_says_so(api: Api, admin: Client) -> None:
    parent = admin("createDomain", name="a")["domain"]["id"]
    child = admin("createDomain", name="b", parentdomainid=parent)["domain"]["id"]
    admin("updateConfiguration", name=MINIMUM, value="9", domainid=parent)
    assert value(admin, MINIMUM, domainid=child) == "0"
    switch(admin, "enable.domain.settings.for.child.domain")
    assert value(admin, MINIMUM, domainid=child) == "9"
    who = {"email": "a@b.c", "firstname": "Ann", "lastname": "E", "accounttype": 0, "username": "ann"}
    assert (
        "9 characters" in refused(431, admin, "createAccount", password="short", domainid=child, **who).text
    )
    admin("updateConfiguration", name=MINIMUM, value="3", domainid=child)
    admin("createAccount", password="short", domainid=child, **who)
    admin("resetConfiguration", name=MINIMUM, domainid=child)
    assert value(admin, MINIMUM, domainid=child) == "9"
    switch(admin, "enable.domain.settings.for.child.domain", False)
    assert value(admin, MINIMUM, domainid=child) == "0"


def test_a_domain_moved_has_the_settings_of_where_it_is(api: Api, admin: Client) -> None:
    switch(admin, "enable.domain.settings.for.child.domain")
    first, second = (admin("createDomain", name=name)["domain"]["id"] for name in "ab")
    child = admin("createDomain", name="c", parentdomainid=first)["domain"]["id"]
    for domain, minimum in ((first, "5"), (second, "7")):
        admin("updateConfiguration", name=MINIMUM, value=minimum, domainid=domain)
    assert value(admin, MINIMUM, domainid=child) == "5"
    admin("moveDomain", domainid=child, parentdomainid=second)
    assert value(admin, MINIMUM, domainid=child) == "7"


def test_an_account_has_its_domains_settings_where_the_cloud_says_so_of_both(api: Api, admin: Client) -> None:
    domain = admin("createDomain", name="a")["domain"]["id"]
    account, _ = api.account("ann", domain=domain)
    error = refused(431, admin, "updateConfiguration", name=PUBLIC, value="false", domainid=domain)
    assert "Domain" in error.text
    assert admin("listConfigurations", name=PUBLIC, domainid=domain) == {}
    switch(admin, "enable.account.settings.for.domain")
    admin("updateConfiguration", name=PUBLIC, value="false", domainid=domain)
    assert (value(admin, PUBLIC, accountid=account["id"]), value(admin, PUBLIC, domainid=domain)) == ("true", "false")
    switch(admin, "enable.domain.settings.for.child.domain")
    assert value(admin, PUBLIC, accountid=account["id"]) == value(admin, PUBLIC, domainid=domain) == "false"
    admin("updateConfiguration", name=PUBLIC, value="true", accountid=account["id"])
    assert value(admin, PUBLIC, accountid=account["id"]) == "true"


def test_a_user_makes_no_template_public_and_expunges_nothing_where_its_account_may_not(
    cloud_api: CloudApi,
) -> None:
    admin, ann = cloud_api.admin, cloud_api.account("ann")
    account = admin("listAccounts", name="ann", listall=True)["account"][0]["id"]
    image = {
        "name": "t", "url": "http://images.example/t.qcow2", "format": "QCOW2", "hypervisor": "Simulator",
        "zoneid": admin("listZones")["zone"][0]["id"],
    }  # fmt: skip
    for name in (PUBLIC, "allow.user.expunge.recover.volume"):
        admin("updateConfiguration", name=name, value="false", accountid=account)
    assert PUBLIC in refused(531, ann, "registerTemplate", ispublic=True, **image).text
    made = ann("registerTemplate", **image)["template"][0]["id"]
    assert PUBLIC in refused(531, ann, "updateTemplatePermissions", id=made, ispublic=True).text
    admin("updateTemplatePermissions", id=made, ispublic=True)
    offering = next(o["id"] for o in admin("listDiskOfferings")["diskoffering"] if not o["iscustomized"])
    volume = ann("createVolume", name="v", diskofferingid=offering, zoneid=image["zoneid"])["volume"]["id"]
    assert "expunge" in refused(531, ann, "destroyVolume", id=volume, expunge=True).text
    ann("destroyVolume", id=volume)
    refused(531, ann, "recoverVolume", id=volume)
    admin("resetConfiguration", name="allow.user.expunge.recover.volume", accountid=account)
    ann("recoverVolume", id=volume)
    ann("destroyVolume", id=volume, expunge=True)
