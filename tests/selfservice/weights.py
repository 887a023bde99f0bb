"""Which commands random users call, how often, and with which of their optional parameters."""

from __future__ import annotations

from functools import cache

import numpy as np

from server.api.command import ADMINS, COMMANDS, EVERYONE
from server.api.commands import load

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
    "createVPC": 4,
    "createNetworkACLList": 3,
    "createVMSchedule": 3,
    "createSnapshotPolicy": 3,
    "addAnnotation": 3,
    "assignVirtualMachineToBackupOffering": 14,
    "createBackup": 24,
    "deleteBackup": 3,
    "restoreBackup": 3,
    "restoreVolumeFromBackupAndAttachToVM": 3,
    "createVMFromBackup": 3,
    "createBackupSchedule": 3,
}
"""Relative to 1 for any other command that changes something."""

AT_ONCE: tuple[str, ...] = (
    "deployVirtualMachine",
    "createVolume",
    "createNetwork",
    "associateIpAddress",
    "createSnapshot",
    "createBackup",
    "startVirtualMachine",
    "destroyVirtualMachine",
    "createTemplate",
    "recoverVirtualMachine",
    "createVMSnapshot",
    "attachVolume",
    "createProject",
)
"""What is asked many times at one instant."""

FURNITURE: tuple[str, ...] = (
    "createSSHKeyPair",
    "registerUserData",
    "createAffinityGroup",
    "createInstanceGroup",
    "createSecurityGroup",
    "createVolume",
    "createNetwork",
    "associateIpAddress",
    "createFirewallRule",
    "addVpnUser",
    "createVpnCustomerGateway",
    "registerTemplate",
    "registerIso",
    "createVPC",
    "deployVirtualMachine",
    "createSnapshotPolicy",
    "createVMSchedule",
    "assignVirtualMachineToBackupOffering",
    "createBackupSchedule",
    "createBackup",
    "addAnnotation",
    "createTags",
    "createProject",
)
"""What everybody is given before all of it is deleted."""

ROOT_TOO = ("moveDomain", "expungeVirtualMachine", "updateConfiguration")
"""What of the root admin's own commands belongs to self-service."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OWN_SAY = _words(
    "addAccountToProject addUserToProject deleteAccountFromProject deleteUserFromProject updateProjectInvitation "
    "updateResourceLimit updateResourceCount createAccount createUser listAccounts updateProject createProject "
    "createProjectRole createProjectRolePermission deleteProjectRole deleteProjectRolePermission updateProjectRole "
    "updateProjectRolePermission lockAccount disableAccount enableAccount deleteDomain assignVirtualMachine assignVolume"
)
"""Commands whose account, domainid and projectid are what they work on, not for whom."""

LEFT_OUT = _words(
    "login logout followChanges createConsoleEndpoint injectFault healFault updateSimulation startWorkload stopWorkload "
    "createExperiment deleteExperiment uploadSslCert deleteEvents archiveEvents executeWebhookDelivery createWebhook "
    "setupUserTwoFactorAuthentication validateUserTwoFactorAuthenticationCode"
)
"""Not asked at random: sessions and streams, the simulation's own, what calls out or locks the callers out, and what
takes the evidence away."""

GROUPS_LEFT_OUT = frozenset(
    ("Host", "Cluster", "Pod", "Zone", "Experiment", "Simulation", "Configuration", "Trace", "Image Store", "Region", "Guest OS")
)

ALWAYS_GIVEN: dict[str, tuple[str, ...]] = {
    "addAccountToProject": ("account", "projectid"),
    "addAnnotation": ("annotation", "entitytype", "entityid"),
    "addUserToProject": ("projectid",),
    "assignToLoadBalancerRule": ("virtualmachineids",),
    "assignVirtualMachine": ("account", "domainid"),
    "assignVolume": ("accountid",),
    "associateIpAddress": ("networkid",),
    "authorizeSecurityGroupIngress": ("securitygroupid", "protocol", "startport", "endport", "cidrlist"),
    "createAccount": ("accounttype", "domainid"),
    "createDomain": ("parentdomainid",),
    "createEgressFirewallRule": ("startport", "endport"),
    "createFirewallRule": ("startport", "endport", "cidrlist"),
    "createLoadBalancerRule": ("publicipid",),
    "createNetworkACL": ("aclid", "startport", "endport"),
    "createNetworkACLList": ("vpcid",),
    "createProjectRole": ("projectid",),
    "createProjectRolePermission": ("projectid",),
    "createTemplate": ("snapshotid",),
    "createUser": ("account", "domainid"),
    "createVPC": ("cidr",),
    "createVolume": ("name", "zoneid", "diskofferingid", "size"),
    "deleteAccountFromProject": ("account", "projectid"),
    "deleteAffinityGroup": ("id",),
    "deleteBackupSchedule": ("id",),
    "deleteDomain": ("cleanup",),
    "deleteProjectRole": ("projectid",),
    "deleteSecurityGroup": ("id",),
    "deleteSnapshotPolicies": ("id",),
    "deleteUserFromProject": ("projectid",),
    "deployVirtualMachine": ("templateid", "name", "startvm", "networkids"),
    "detachVolume": ("id",),
    "disableAccount": ("id",),
    "disassociateIpAddress": ("id",),
    "enableAccount": ("id",),
    "lockAccount": ("account", "domainid"),
    "migrateVirtualMachine": ("hostid",),
    "registerIso": ("ostypeid",),
    "registerTemplate": ("zoneid", "ostypeid"),
    "resetSSHKeyForVirtualMachine": ("keypair",),
    "resizeVolume": ("size",),
    "updateAccount": ("id", "newname"),
    "updateConfiguration": ("value",),
    "updateProjectInvitation": ("projectid", "account", "accept"),
    "updateResourceCount": ("domainid",),
    "updateResourceLimit": ("domainid", "account", "projectid", "max"),
    "updateTemplatePermissions": ("op", "accounts"),
    "updateVMAffinityGroup": ("affinitygroupids",),
    "updateVirtualMachine": ("displayname",),
    "updateVolume": ("id", "name"),
}
"""Optional parameters without which the command means little or nothing."""

NEVER_GIVEN = _words(
    "accountid userid podid clusterid ipaddress macaddress iptonetworklist ipv6 checksum customid vlan gateway netmask startip "
    "endip dns1 dns2 userapikey usersecretkey url roleid physicalnetworkid vpcid aclid deploymentplanner keyword page pagesize "
    "domainid destzoneids templatetype deployasis directdownload currentpassword icmptype icmpcode publicmtu nexthop "
    "sourcenatipaddress boottype bootmode startdate enddate token email regionid networkofferingid miniops maxiops arch "
    "password group bootintosetup nicmultiqueuenumber nicpackedvirtqueuesenabled keypairs nicid"
)
"""Optional parameters that random values would only make refuse."""


@cache
def weights_of(kind: str) -> tuple[list[str], np.ndarray]:
    """The commands of callers of that kind (root, domain or user), and how likely each is."""
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
