"""What random calls give where a parameter's declaration does not say what it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudsim.model import (
    Account,
    Backup,
    Domain,
    GuestOs,
    Host,
    Network,
    NetworkOffering,
    Nic,
    Project,
    ProjectInvitation,
    ProjectMember,
    PublicIp,
    ServiceOffering,
    SshKeyPair,
    Template,
    User,
    VirtualMachine,
    Volume,
    Vpc,
    Zone,
)
from cloudsim.store import Row
from tests.selfservice.picking import Picker

Make = Callable[[Picker, Account], Any]
"""(picker, whose things the call is about) -> the value; a row stands for its id, and is among what the call names."""

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkAm8eyFVfrMkVBPNfPMgqmxKnZPs0NoyaHWqdyMrYj"


def _domain_of(p: Picker, owner: Account) -> Any:
    return p.table(Domain)[owner.domain_id]


def _member(p: Picker, owner: Account) -> Any:
    """The name of an account that could be a project's member."""
    return p.account(owner).name


def _username(p: Picker, owner: Account) -> Any:
    return p.one(u for u in p.table(User) if u.domain_id == owner.domain_id).username


def _project(p: Picker, owner: Account) -> Any:
    table = p.table(Project)
    if owner.project_id in table:
        return table[owner.project_id]
    mine = [table[m.project_id] for m in p.table(ProjectMember) if m.account_id == owner.id]
    return p.one(mine) if mine and not p.often(0.1) else p.one(table)


def _invited(p: Picker, owner: Account) -> Any:
    invitations = p.table(ProjectInvitation)
    mine = [i for i in invitations if i.account_id == owner.id]
    return p.table(Project)[p.one(mine or list(invitations)).project_id]


def _key_pair(p: Picker, owner: Account) -> Any:
    return p.one(p.table(SshKeyPair).where("account_id", owner.id)).name


def _secondary_ip(p: Picker, owner: Account) -> Any:
    nics = [nic for nic in p.table(Nic) if nic.secondary_ips and p.oracle.owner(nic) == owner]
    return p.one(p.one(nics).secondary_ips)[0]


def _static_nat(p: Picker, owner: Account) -> Any:
    return p.one(ip for ip in p.table(PublicIp).where("account_id", owner.id) if ip.static_nat_vm_id is not None)


def _networks(p: Picker, owner: Account) -> Any:
    """Up to two of the owner's networks; None where it has none."""
    return [network.id for network in p.table(Network).where("account_id", owner.id)][:2] or None


def _loose_volume(p: Picker, owner: Account) -> Any:
    return p.one(v for v in p.table(Volume).where("account_id", owner.id) if v.vm_id is None)


def _in_state(row_type: type[Row], state: str) -> Make:
    return lambda p, owner: p.one(row for row in p.table(row_type).where("account_id", owner.id) if row.state == state)


def _instance(p: Picker, owner: Account, *, covered: bool) -> Any:
    """An instance with a backup offering, or without one."""
    vms = p.table(VirtualMachine).where("account_id", owner.id)
    return p.one(vm for vm in vms if (vm.backup_offering_id is not None) == covered)


def _backed_up(p: Picker, owner: Account) -> Any:
    """The id of what was a volume when it was backed up."""
    return p.one(p.one(p.table(Backup).where("account_id", owner.id)).volumes).id


def _iso(p: Picker, owner: Account) -> Any:
    return p.one(t for t in p.table(Template).where("account_id", owner.id) if t.format == "ISO")


def _annotated(p: Picker, owner: Account) -> Any:
    return p.owned(VirtualMachine, owner)


def _above(p: Picker, owner: Account) -> Any:
    return p.one(p.table(Domain))


SPECIAL: dict[type[Row], Make] = {
    Domain: lambda p, o: p.domain(o),
    Account: lambda p, o: p.account(o),
    Project: _project,
    ServiceOffering: lambda p, o: p.offering(ServiceOffering),
    NetworkOffering: lambda p, o: p.network_offering(),
    Template: lambda p, o: p.template(o),
    Zone: lambda p, o: p.cloud.zone,
    GuestOs: lambda p, o: next(iter(p.table(GuestOs))),
    Host: lambda p, o: p.one(p.table(Host)),
}
"""How things of some kinds are picked, which are not the owner's own."""

VALUES: dict[str, Make] = {
    "username": lambda p, o: p.fresh("user"),
    "password": lambda p, o: "Secret-123",
    "email": lambda p, o: f"{p.fresh('mail')}@example.org",
    "timezone": lambda p, o: "UTC",
    "networkdomain": lambda p, o: "cs.example.org",
    "cidrlist": lambda p, o: p.one((["0.0.0.0/0"], ["10.0.0.0/8"], ["192.0.2.0/24", "198.51.100.0/24"])),
    "protocol": lambda p, o: p.one(("tcp", "udp", "tcp")),
    "startport": lambda p, o: p.number(1, 60),
    "endport": lambda p, o: p.number(60, 70),
    "publicport": lambda p, o: p.number(1, 40),
    "privateport": lambda p, o: p.number(1, 40),
    "size": lambda p, o: p.number(1, 6),
    "rootdisksize": lambda p, o: p.number(1, 5),
    "userdata": lambda p, o: "IyEvYmluL3NoCg==",
    "publickey": lambda p, o: f"{PUBLIC_KEY} {p.fresh('key')}",
    "max": lambda p, o: p.one((-1, 0, 1, 2, 3, 5, 8, 12, 30)),
    "resourcetype": lambda p, o: p.number(0, 13),
    "tags": lambda p, o: {p.one(("env", "role", "team")): p.one(("a", "b"))},
    "hypervisor": lambda p, o: "Simulator",
    "format": lambda p, o: "VHD",
    "url": lambda p, o: f"http://images.example.org/{p.fresh('image')}.vhd?size={p.number(1, 3)}g",
    "name": lambda p, o: p.fresh("name"),
    "maxsnaps": lambda p, o: p.number(1, 3),
    "maxbackups": lambda p, o: p.number(0, 3),
    "algorithm": lambda p, o: "roundrobin",
    "payloadurl": lambda p, o: "http://hooks.example.org/in",
    "startvm": lambda p, o: p.often(0.7),
    "acltype": lambda p, o: p.one(("Account", "Account", "Domain")),
    "lock": lambda p, o: p.often(0.5),
    "mode": lambda p, o: "HTTP_DOWNLOAD",
    "ikepolicy": lambda p, o: "aes128-sha1;modp1536",
    "esppolicy": lambda p, o: "aes128-sha1",
    "ipsecpsk": lambda p, o: "key-of-both-ends",
}
"""By the parameter's name."""

BY_COMMAND: dict[tuple[str, str], Make] = {
    ("addAccountToProject", "account"): _member,
    ("addAnnotation", "entityid"): _annotated,
    ("addAnnotation", "entitytype"): lambda p, o: "VM",
    ("addUserToProject", "username"): _username,
    ("assignVirtualMachine", "account"): _member,
    ("assignVirtualMachine", "domainid"): _domain_of,
    ("assignVolume", "accountid"): lambda p, o: p.account(o),
    ("attachIso", "id"): _iso,
    ("attachVolume", "id"): _loose_volume,
    ("createAccount", "accounttype"): lambda p, o: p.one((0, 0, 2)),
    ("createAccount", "domainid"): lambda p, o: p.domain(o),
    ("assignVirtualMachineToBackupOffering", "virtualmachineid"): lambda p, o: _instance(p, o, covered=False),
    ("createBackup", "virtualmachineid"): lambda p, o: _instance(p, o, covered=True),
    ("createBackupSchedule", "virtualmachineid"): lambda p, o: _instance(p, o, covered=True),
    ("createBackupSchedule", "intervaltype"): lambda p, o: "HOURLY",
    ("createBackupSchedule", "schedule"): lambda p, o: str(p.number(0, 59)),
    ("createAffinityGroup", "type"): lambda p, o: p.one(("host affinity", "host anti-affinity")),
    ("createIpForwardingRule", "ipaddressid"): _static_nat,
    ("createNetworkACLList", "vpcid"): lambda p, o: p.owned(Vpc, o),
    ("createProject", "account"): lambda p, o: None,
    ("createProject", "domainid"): lambda p, o: None,
    ("createProjectRolePermission", "rule"): lambda p, o: p.one(("list*", "deploy*", "create*", "*")),
    ("createSnapshotPolicy", "intervaltype"): lambda p, o: "HOURLY",
    ("createSnapshotPolicy", "schedule"): lambda p, o: str(p.number(0, 59)),
    ("createTags", "resourceids"): lambda p, o: [],
    ("createTags", "resourcetype"): lambda p, o: "",
    ("createUser", "account"): _member,
    ("createUser", "domainid"): _domain_of,
    ("createUser", "username"): lambda p, o: p.fresh("login"),
    ("createVMSchedule", "action"): lambda p, o: p.one(("START", "STOP", "REBOOT", "FORCE_STOP")),
    ("createVMSchedule", "schedule"): lambda p, o: f"{p.number(0, 59)} * * * *",
    ("createVPC", "cidr"): lambda p, o: "10.20.0.0/16",
    ("createVolume", "diskofferingid"): lambda p, o: p.disk_offering(),
    ("createVpnCustomerGateway", "cidrlist"): lambda p, o: "172.30.0.0/16",
    ("createVpnCustomerGateway", "gateway"): lambda p, o: f"198.51.100.{p.number(1, 250)}",
    ("deleteAccountFromProject", "account"): _member,
    ("deleteSSHKeyPair", "name"): _key_pair,
    ("deleteTags", "resourceids"): lambda p, o: [],
    ("deleteTags", "resourcetype"): lambda p, o: "",
    ("deployVirtualMachine", "diskofferingid"): lambda p, o: p.disk_offering(),
    ("deployVirtualMachine", "keypair"): _key_pair,
    ("deployVirtualMachine", "name"): lambda p, o: p.fresh("vm"),
    ("deployVirtualMachine", "networkids"): _networks,
    ("lockAccount", "account"): _member,
    ("lockAccount", "domainid"): _domain_of,
    ("moveDomain", "parentdomainid"): _above,
    ("recoverVirtualMachine", "id"): _in_state(VirtualMachine, "Destroyed"),
    ("recoverVolume", "id"): _in_state(Volume, "Destroy"),
    ("registerIso", "url"): lambda p, o: f"http://images.example.org/{p.fresh('iso')}.iso?size=1g",
    ("removeIpFromNic", "id"): _secondary_ip,
    ("resetSSHKeyForVirtualMachine", "keypair"): _key_pair,
    ("resizeVolume", "diskofferingid"): lambda p, o: p.disk_offering(),
    ("restoreVolumeFromBackupAndAttachToVM", "volumeid"): _backed_up,
    ("updateBackupSchedule", "intervaltype"): lambda p, o: "HOURLY",
    ("updateBackupSchedule", "schedule"): lambda p, o: str(p.number(0, 59)),
    ("updateConfiguration", "name"): lambda p, o: "project.invite.required",
    ("updateConfiguration", "value"): lambda p, o: p.one(("true", "false")),
    ("updateProject", "account"): _member,
    ("updateProjectInvitation", "accept"): lambda p, o: p.often(0.7),
    ("updateProjectInvitation", "account"): lambda p, o: o.name,
    ("updateProjectInvitation", "projectid"): _invited,
    ("updateResourceCount", "domainid"): _domain_of,
    ("updateResourceLimit", "account"): lambda p, o: o.name if o.project_id is None and p.often(0.7) else None,
    ("updateResourceLimit", "domainid"): _domain_of,
    ("updateResourceLimit", "tag"): lambda p, o: p.one(("gold", "ssd")) if p.often(0.5) else None,
    ("updateResourceLimit", "projectid"): lambda p, o: p.table(Project).get(o.project_id),
}
"""By command and parameter, where the name alone does not tell."""
