"""Network offerings through the API."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


def providers(**by: str) -> dict[str, str]:
    """serviceproviderlist, as clients spell it."""
    spelled = {}
    for number, (service, provider) in enumerate(by.items()):
        spelled[f"serviceproviderlist[{number}].service"] = service
        spelled[f"serviceproviderlist[{number}].provider"] = provider
    return spelled


def capabilities(*chosen: tuple[str, str, str]) -> dict[str, str]:
    """servicecapabilitylist, as clients spell it."""
    spelled = {}
    for number, entry in enumerate(chosen):
        for name, value in zip(("service", "capabilitytype", "capabilityvalue"), entry, strict=True):
            spelled[f"servicecapabilitylist[{number}].{name}"] = value
    return spelled


def isolated(name: str, **more: Any) -> dict[str, Any]:
    services = {"Dhcp": "VirtualRouter", "SourceNat": "VirtualRouter", "Lb": "VirtualRouter"}
    asked = {
        "name": name,
        "displaytext": name,
        "guestiptype": "Isolated",
        "traffictype": "GUEST",
        "supportedservices": ",".join(services),
        **providers(**services),
    }
    return {**asked, **more}


def test_an_offering_tells_what_was_chosen(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    chosen = capabilities(("SourceNat", "SupportedSourceNatTypes", "peraccount"), ("Lb", "SupportedLbIsolation", "dedicated"))
    more = {
        "egressdefaultpolicy": True,
        "conservemode": False,
        "ispersistent": True,
        "maxconnections": 100,
        "networkrate": 200,
        "tags": "fast",
        "zoneid": cloud_api.zone,
        "details[0].promiscuousMode": "true",
        "enable": True,
    }
    made = admin("createNetworkOffering", **isolated("full", **chosen, **more))["networkoffering"]
    assert made["state"] == "Enabled" and made["egressdefaultpolicy"] and made["ispersistent"]
    assert (made["conservemode"], made["maxconnections"], made["networkrate"]) == (False, 100, 200)
    assert (made["tags"], made["zoneid"], made["details"]) == ("fast", cloud_api.zone, {"promiscuousMode": "true"})
    services = {each["name"]: each for each in made["service"]}
    assert {"Firewall", "Gateway"} <= set(services)
    told = {each["name"]: each["value"] for each in services["SourceNat"]["capability"]}
    assert told["SupportedSourceNatTypes"] == "peraccount" and told["RedundantRouter"] == "false"

    changed = admin("updateNetworkOffering", id=made["id"], tags="slow", zoneid="all", maxconnections=7)
    assert (changed["networkoffering"]["tags"], changed["networkoffering"]["maxconnections"]) == ("slow", 7)
    assert "zoneid" not in changed["networkoffering"]


def test_what_is_not_supported_is_said(cloud_api: CloudApi) -> None:
    for more, text in (
        (capabilities(("SourceNat", "RedundantRouter", "true")), "RedundantRouter"),
        (capabilities(("Lb", "SupportedLbIsolation", "shared")), "dedicated"),
        ({"internetprotocol": "DualStack"}, "IPv6 is not enabled"),
        ({"networkmode": "ROUTED"}, "not supported"),
        ({"fornsx": True}, "not supported"),
        ({"serviceproviderlist[0].service": "Dhcp"}, "service and a provider"),
    ):
        asked = isolated("never", **more)
        if "serviceproviderlist[0].service" in more:
            del asked["serviceproviderlist[0].provider"]
        assert text in refused(431, cloud_api.admin, "createNetworkOffering", **asked).text
    assert cloud_api.admin("listNetworkOfferings", name="never") == {}


def test_who_is_shown_which(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    domain = admin("createDomain", name="sales")["domain"]["id"]
    admin("createNetworkOffering", **isolated("ours", domainid=domain, tags="fast,cheap"))
    ann = cloud_api.account("ann")

    def names(call: Any = admin, **asked: Any) -> list[str]:
        return [o["name"] for o in call("listNetworkOfferings", **asked).get("networkoffering", [])]

    assert names(name="ours") == ["ours"] and names(ann, name="ours") == []
    assert names(tags="cheap") == ["ours"] and names(istagged=True) == ["ours"]
    assert "ours" in names(domainid=domain) and "ours" not in names(istagged=False)
    root = admin("listDomains", name="ROOT")["domain"][0]["id"]
    assert "ours" not in names(domainid=root, keyword="ours")
    assert "ours" in names(supportedservices="Lb,SourceNat", keyword="ours", sourcenatsupported=True)
    assert names(routingmode="Static") == []
    admin("updateNetworkOffering", id=admin("listNetworkOfferings", name="ours")["networkoffering"][0]["id"], domainid="public")
    assert names(ann, name="ours") == ["ours"]


def test_a_network_is_shown_the_offerings_that_it_could_change_to(cloud_api: CloudApi) -> None:
    admin, network = cloud_api.admin, cloud_api.network()
    admin("createNetworkOffering", **isolated("open", enable=True))
    admin("createNetworkOffering", **isolated("closed"))
    offerings = admin("listNetworkOfferings", networkid=network["id"])["networkoffering"]
    assert {o["guestiptype"] for o in offerings} == {"Isolated"} and not any(o["forvpc"] for o in offerings)
    names = {o["name"] for o in offerings}
    assert "open" in names and not names & {"closed", network["networkofferingname"]}
    for offering in offerings:
        admin("updateNetwork", id=network["id"], networkofferingid=offering["id"])


def test_an_offering_for_a_domain_is_for_those_below_and_for_no_other_domains_networks(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    parent = admin("createDomain", name="parent")["domain"]["id"]
    child = admin("createDomain", name="child", parentdomainid=parent)["domain"]["id"]
    other = admin("createDomain", name="other")["domain"]["id"]
    made = admin("createNetworkOffering", **isolated("theirs"), domainid=f"{child},{parent}", enable=True)
    offering = made["networkoffering"]
    assert offering["domainid"] == parent
    changed = admin("updateNetworkOffering", id=offering["id"], domainid=f"{parent},{child},{other}")
    assert changed["networkoffering"]["domainid"] == f"{parent},{other}"
    admin("updateNetworkOffering", id=offering["id"], domainid=parent)
    asked = {"name": "net", "displaytext": "net", "zoneid": cloud_api.zone, "networkofferingid": offering["id"]}
    for domain in (child, other):
        cloud_api.account(domain[:8], domainid=domain)
    refused(531, admin, "createNetwork", **asked, account=other[:8], domainid=other)
    made = admin("createNetwork", **asked, account=child[:8], domainid=child)
    assert made["network"]["domainid"] == child


def test_an_offering_whose_provider_is_the_vpcs_router_is_for_tiers_without_saying_so(cloud_api: CloudApi) -> None:
    services = {"Dhcp": "VpcVirtualRouter", "SourceNat": "VpcVirtualRouter", "NetworkACL": "VpcVirtualRouter"}
    asked = isolated("tier", supportedservices=",".join(services), **providers(**services))
    made = cloud_api.admin("createNetworkOffering", **asked)["networkoffering"]
    assert made["forvpc"] is True
    refused(431, cloud_api.admin, "createNetworkOffering", **{**asked, "name": "other"}, forvpc=False)
    assert cloud_api.admin("createNetworkOffering", **isolated("plain"))["networkoffering"]["forvpc"] is False
