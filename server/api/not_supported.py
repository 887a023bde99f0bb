"""Parameters of CloudStack's commands that this cloud does not have: named, with why, and refused when they are given.

To ignore one would be to do something else than was asked for. `false` and nothing at all ask for nothing and pass, and so
does what only decorates an answer (`PASSED`). A parameter that neither CloudStack's command nor ours has is
ignored, as CloudStack does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cloudsim.errors import InvalidParameterValue

PASSED = frozenset({"showicon"})
"""Without any effect here, and asked for by clients that do not care."""
_ASKS_NOTHING = frozenset({"", "false"})

ABSENT: dict[str, dict[str, str]] = {
    "the cloud gives the ids": {
        "customid": (
            "moveNetworkAclItem updateEgressFirewallRule updateFirewallRule updateIpv6FirewallRule "
            "updateLBHealthCheckPolicy updateLBStickinessPolicy updateLoadBalancer updateLoadBalancerRule "
            "updateNetwork updateNetworkACLItem updateNetworkACLList updatePortForwardingRule updateRemoteAccessVpn "
            "updateSecurityGroup updateSnapshotPolicy updateVPC updateVirtualMachine updateVolume updateVpnConnection "
            "updateVpnGateway"
        ),
    },
    "nothing has a picture of its own": {
        "showicon": (
            "listAccounts listDomainChildren listDomains listIsos listNetworks listOsCategories listProjects "
            "listTemplates listUsers listVPCs listVirtualMachines listVirtualMachinesMetrics listZones "
            "listZonesMetrics"
        ),
    },
    "every host reaches the pools of its cluster and zone": {
        "storageaccessgroup": (
            "listClusters listClustersMetrics listHosts listHostsMetrics listPods listStoragePools "
            "listStoragePoolsMetrics listZones listZonesMetrics"
        ),
        "storageaccessgroups": "addCluster addHost createPod createStoragePool createZone",
    },
    "IPv6 guests ask the router's IPv4 resolver": {
        "ip6dns1": "createNetwork createVPC createZone updateNetwork updateZone",
        "ip6dns2": "createNetwork createVPC createZone updateNetwork updateZone",
    },
    "hosts are full when their capacity is": {
        "maxguestslimit": "updateHypervisorCapabilities",
    },
    "it does not depend on the hypervisor": {
        "maxhostspercluster": "updateHypervisorCapabilities",
        "securitygroupenabled": "updateHypervisorCapabilities",
    },
    "there are no network appliances": {
        "isvnf": "listOsCategories listTemplates listVirtualMachines listVirtualMachinesMetrics",
    },
    "there are no Kubernetes nodes": {
        "forcks": "getUploadParamsForTemplate listTemplates registerTemplate updateTemplate",
    },
    "there are no scaling groups": {
        "autoscalevmgroupid": "listVirtualMachines listVirtualMachinesMetrics",
    },
    "routers speak no BGP": {
        "asnumber": "createNetwork createVPC",
        "bgppeerids": "createNetwork createVPC",
        "networkmode": "createVPCOffering",
        "routingmode": "createNetworkOffering createVPCOffering",
        "specifyasnumber": "createNetworkOffering createVPCOffering",
    },
    "it is another vendor's product": {
        "fornsx": "createVPCOffering",
        "forprovider": "listPublicIpAddresses",
        "guestvswitchname": "addCluster",
        "guestvswitchtype": "addCluster",
        "hypervisorsnapshotreserve": "createDiskOffering createServiceOffering",
        "isolationmethod": "addTrafficType",
        "istagarule": "createStoragePool updateStoragePool",
        "nicnetworklist": "createVMFromBackup deployVirtualMachine",
        "nsxsupportlb": "createNetworkOffering createVPCOffering",
        "nsxsupportsinternallb": "createNetworkOffering",
        "ovm3cluster": "addCluster",
        "ovm3pool": "addCluster",
        "ovm3vip": "addCluster",
        "properties": "createVMFromBackup deployVirtualMachine",
        "publicvswitchname": "addCluster",
        "publicvswitchtype": "addCluster",
        "storagecustomstats": "listStoragePools listStoragePoolsMetrics",
        "storagepolicy": "createDiskOffering createServiceOffering",
        "tungstenvirtualrouteruuid": "createNetwork",
        "usestoragereplication": "createSnapshot createSnapshotPolicy",
        "vsmipaddress": "addCluster",
        "vsmpassword": "addCluster",
        "vsmusername": "addCluster",
    },
    "there are no private VLANs": {
        "isolatedpvlan": "createNetwork",
        "isolatedpvlantype": "createNetwork",
    },
    "the agents of a cluster's hosts add it, not its URL and password": {
        "password": "addCluster",
        "url": "addCluster",
        "username": "addCluster",
    },
    "hosts take no configuration beyond what the API describes": {
        "extraconfig": "createVMFromBackup deployVirtualMachine updateVirtualMachine",
    },
    "an upgrade is a new router": {
        "livepatch": "restartVPC",
    },
    "GPUs show no screens": {
        "gpudisplay": "createServiceOffering",
    },
    "machines boot without their setup": {
        "bootintosetup": "rebootVirtualMachine startVirtualMachine",
    },
    "networks are not joined": {
        "associatednetworkid": "createNetwork createPrivateGateway listNetworks",
    },
    "networks have the subnet that they are given": {
        "changecidr": "updateNetwork",
        "cidrsize": "createNetwork createVPC",
    },
    "routers of shared networks have no IPv6 address of their own": {
        "routeripv6": "createNetwork",
    },
    "routers are told at once": {
        "updateinsequence": "updateNetwork",
    },
    "routers serve names by themselves": {
        "userouteripresolver": "createVPC",
    },
    "an offering's services name their providers": {
        "provider": "createNetworkOffering createVPCOffering",
    },
    "snapshots are not copied to other zones and pools": {
        "storageids": "createSnapshot createSnapshotPolicy",
        "zoneids": "createSnapshot createSnapshotPolicy",
    },
    "a snapshot's copy is part of taking it": {
        "asyncbackup": "createSnapshot",
    },
    "appliances with several disks or networks of their own are not taken apart": {
        "datadiskofferinglist": "createVMFromBackup deployVirtualMachine",
    },
    "routers, instances and volumes keep the names, paths and pools that the cloud gives them": {
        "chaininfo": "updateVolume",
        "instancename": "updateVirtualMachine",
        "path": "updateVolume",
        "state": "updateVolume",
        "storageid": "updateVolume",
    },
    "an instance is unmanaged on the host where it is": {
        "hostid": "unmanageVirtualMachine",
    },
    "volumes of running instances are moved together with these, by migrateVirtualMachineWithVolume": {
        "livemigrate": "migrateVolume",
    },
    "routers come from system VM templates alone": {
        "isrouting": "getUploadParamsForTemplate registerTemplate updateIso updateTemplate",
    },
    "templates are made from volumes and snapshots": {
        "url": "createTemplate",
        "virtualmachineid": "createTemplate",
    },
    "an ISO's file is an ISO": {
        "format": "updateIso",
    },
    "cards of GPUs have no vendor's numbers": {
        "deviceid": "listGpuCards",
        "vendorid": "listGpuCards",
        "vendorname": "listGpuCards",
    },
    "there is nothing left of what is expunged": {
        "purgeresources": "createServiceOffering updateServiceOffering",
    },
    "it has no details": {
        "details": "addGuestOs createDiskOffering updateGuestOs",
    },
    "there is one management server": {
        "peers": "listManagementServers listManagementServersMetrics",
        "system": "listManagementServersMetrics",
    },
    "a VLAN belongs to a network, and traffic to a physical network's label": {
        "vlan": "addTrafficType",
    },
    "a provider serves its own physical network": {
        "destinationphysicalnetworkid": "addNetworkServiceProvider",
    },
    "certificates' revocation is looked up by clients": {
        "enabledrevocationcheck": "uploadSslCert",
    },
    "a private gateway is what its VPC's offering and its address say": {
        "networkofferingid": "createPrivateGateway",
    },
    "a delivery is sent to its webhook, as it was": {
        "payloadurl": "executeWebhookDelivery",
        "secretkey": "executeWebhookDelivery",
        "sslverification": "executeWebhookDelivery",
    },
    "force makes no difference": {
        "forced": "updateNetwork",
    },
    "limits have no ids": {
        "id": "listResourceLimits",
    },
    "physical networks belong to zones": {
        "domainid": "createPhysicalNetwork",
    },
}
"""Why -> parameter -> the commands that CloudStack has it on, all of which are here without it."""


def _by_command() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for why, parameters in ABSENT.items():
        for parameter, commands in parameters.items():
            for command in commands.split():
                found.setdefault(command, {})[parameter] = why
    return found


BY_COMMAND: Mapping[str, Mapping[str, str]] = _by_command()
"""Command -> parameter, in small letters -> why it is not supported."""


def check(command: str, fields: Mapping[str, str], maps: Iterable[str]) -> None:
    """Raise InvalidParameterValue if a request, its plain parameters and the names of its maps, has one that is absent."""
    absent = BY_COMMAND.get(command)
    if absent is None:
        return
    for name in absent.keys() & fields.keys():
        if name not in PASSED and fields[name].lower() not in _ASKS_NOTHING:
            raise _refusal(command, name, absent[name])
    for name in absent.keys() & set(maps):
        raise _refusal(command, name, absent[name])


def _refusal(command: str, name: str, why: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Unable to execute API command {command.lower()}: parameter {name} is not supported, as {why}"
    )
