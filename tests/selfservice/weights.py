"""Which commands random users call, and how often."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

from server.api.command import ADMINS, COMMANDS, EVERYONE
from server.api.commands import load

Kind = Literal["root", "domain", "user"]

OFTEN: dict[str, int] = {
    "deployVirtualMachine": 60,
    "startVirtualMachine": 15,
    "stopVirtualMachine": 12,
    "rebootVirtualMachine": 5,
    "destroyVirtualMachine": 14,
    "recoverVirtualMachine": 8,
    "scaleVirtualMachine": 5,
    "restoreVirtualMachine": 4,
    "createVMSnapshot": 4,
    "assignVirtualMachine": 6,
    "assignVolume": 5,
    "createVolume": 18,
    "attachVolume": 10,
    "detachVolume": 6,
    "resizeVolume": 6,
    "deleteVolume": 5,
    "destroyVolume": 5,
    "createSnapshot": 10,
    "deleteSnapshot": 4,
    "createTemplate": 5,
    "registerTemplate": 5,
    "updateTemplatePermissions": 5,
    "createNetwork": 14,
    "deleteNetwork": 4,
    "associateIpAddress": 12,
    "createFirewallRule": 6,
    "createPortForwardingRule": 6,
    "createLoadBalancerRule": 5,
    "enableStaticNat": 4,
    "createSecurityGroup": 3,
    "createTags": 8,
    "createProject": 8,
    "addAccountToProject": 10,
    "addUserToProject": 4,
    "updateProjectInvitation": 6,
    "deleteProject": 3,
    "createAccount": 10,
    "deleteAccount": 5,
    "createDomain": 6,
    "deleteDomain": 3,
    "moveDomain": 4,
    "updateDomain": 2,
    "createUser": 5,
    "updateResourceLimit": 14,
    "disableAccount": 2,
    "enableAccount": 8,
    "lockAccount": 1,
    "activateProject": 4,
    "suspendProject": 2,
}
"""Relative to 1 for any other command that changes something."""

ROOT_TOO = ("moveDomain", "expungeVirtualMachine", "updateConfiguration")
"""What of the root admin's own commands belongs to self-service."""

LEFT_OUT = frozenset(
    {"login", "logout", "followChanges", "createConsoleEndpoint", "injectFault", "healFault", "updateSimulation", "startWorkload",
     "stopWorkload", "createExperiment", "deleteExperiment", "uploadSslCert", "deleteEvents", "archiveEvents", "executeWebhookDelivery",
     "createWebhook"}
)  # fmt: skip
"""Not asked at random: sessions and streams, the simulation's own, what calls out, and what takes the evidence away."""

GROUPS_LEFT_OUT = frozenset(
    {"Host", "Cluster", "Pod", "Zone", "Experiment", "Simulation", "Configuration", "Trace", "Image Store", "Region", "Guest OS"}
)

ALWAYS_GIVEN: dict[str, tuple[str, ...]] = {
    "deployVirtualMachine": ("templateid", "name", "startvm", "networkids"),
    "createVolume": ("name", "zoneid", "diskofferingid", "size"),
    "resizeVolume": ("size",),
    "createTemplate": ("snapshotid",),
    "registerTemplate": ("zoneid", "ostypeid"),
    "registerIso": ("ostypeid",),
    "associateIpAddress": ("networkid",),
    "createFirewallRule": ("startport", "endport", "cidrlist"),
    "createEgressFirewallRule": ("startport", "endport"),
    "createLoadBalancerRule": ("publicipid",),
    "assignToLoadBalancerRule": ("virtualmachineids",),
    "createAccount": ("accounttype", "domainid"),
    "createUser": ("account", "domainid"),
    "createDomain": ("parentdomainid",),
    "updateResourceLimit": ("domainid", "account", "projectid", "max"),
    "updateResourceCount": ("domainid",),
    "deleteDomain": ("cleanup",),
    "disableAccount": ("id", "account", "domainid"),
    "enableAccount": ("id",),
    "lockAccount": ("account", "domainid"),
    "updateAccount": ("id", "newname"),
    "addAccountToProject": ("account", "projectid"),
    "addUserToProject": ("projectid",),
    "deleteAccountFromProject": ("account", "projectid"),
    "deleteUserFromProject": ("projectid",),
    "updateProjectInvitation": ("projectid", "account", "accept"),
    "createProjectRole": ("projectid",),
    "createProjectRolePermission": ("projectid",),
    "deleteProjectRole": ("projectid",),
    "assignVirtualMachine": ("account", "domainid"),
    "assignVolume": ("accountid",),
    "resetSSHKeyForVirtualMachine": ("keypair",),
    "updateVMAffinityGroup": ("affinitygroupids",),
    "updateVirtualMachine": ("displayname",),
    "createSnapshotPolicy": (),
    "updateTemplatePermissions": ("op", "accounts"),
    "detachVolume": ("id",),
    "updateVolume": ("id", "name"),
    "deleteAffinityGroup": ("id",),
    "deleteSecurityGroup": ("id",),
    "authorizeSecurityGroupIngress": ("securitygroupid", "protocol", "startport", "endport", "cidrlist"),
    "createVPC": ("cidr",),
    "migrateVirtualMachine": ("hostid",),
    "updateConfiguration": ("value",),
}
"""Optional parameters without which the command means nothing."""

NEVER_GIVEN = frozenset(
    {"accountid", "userid", "podid", "clusterid", "ipaddress", "macaddress", "iptonetworklist", "ipv6", "checksum", "customid", "vlan",
     "gateway", "netmask", "startip", "endip", "dns1", "dns2", "userapikey", "usersecretkey", "url", "roleid", "physicalnetworkid",
     "vpcid", "aclid", "deploymentplanner", "keyword", "page", "pagesize", "domainid", "destzoneids", "templatetype", "deployasis",
     "directdownload", "currentpassword", "icmptype", "icmpcode", "publicmtu", "nexthop", "sourcenatipaddress", "boottype", "bootmode",
     "startdate", "enddate", "token", "email", "isportable", "networkofferingid", "miniops", "maxiops", "arch", "password", "group",
     "bootintosetup", "nicmultiqueuenumber", "nicpackedvirtqueuesenabled", "keypairs", "nicid"}
)  # fmt: skip
"""Optional parameters that random values would only make refuse."""


@cache
def weights_of(kind: Kind) -> tuple[list[str], np.ndarray]:
    """The commands of callers of that kind, and how likely each is."""
    load()
    found = []
    for command in COMMANDS.values():
        if command.many or command.name in LEFT_OUT or command.group in GROUPS_LEFT_OUT:
            continue
        reads = command.event is None and not command.job and command.name.startswith(("get", "find", "query"))
        allowed = command.roles == EVERYONE or (kind != "user" and command.roles == ADMINS)
        if not reads and (allowed or (kind == "root" and command.name in ROOT_TOO)):
            found.append(command.name)
    found += [name for name in ROOT_TOO if kind == "root" and name not in found]
    weights = np.array([OFTEN.get(name, 1) for name in found], float)
    return found, weights / weights.sum()
