// Where things are: the addresses of lists and of single rows, and which id of a row leads where.

import { useApis } from "@/api/apis";
import type { Row } from "@/api/client";
import type { Field, Resource } from "./declaration";
import { resource, resources } from "./index";

/** The id of a row, whatever member holds it. */
export function idOf(of: Resource, row: Row): string {
  return String(row[of.id ?? "id"] ?? "");
}

/** What a row is called. */
export function titleOf(of: Resource, row: Row): string {
  const title = of.title?.(row) ?? row.displayname ?? row.name ?? row[of.id ?? "id"];
  return String(title ?? "");
}

/** The address of a row's page. */
export function pathOf(of: Resource, row: Row): string {
  return `/${of.name}/${encodeURIComponent(idOf(of, row))}`;
}

/** Members whose names do not begin with the name of the command that lists what they name. */
const MEMBERS: Record<string, string> = {
  virtualmachineid: "listVirtualMachines",
  vmid: "listVirtualMachines",
  hostid: "listHosts",
  zoneid: "listZones",
  podid: "listPods",
  clusterid: "listClusters",
  storageid: "listStoragePools",
  poolid: "listStoragePools",
  networkid: "listNetworks",
  guestnetworkid: "listNetworks",
  associatednetworkid: "listNetworks",
  vpcid: "listVPCs",
  templateid: "listTemplates",
  isoid: "listIsos",
  serviceofferingid: "listServiceOfferings",
  diskofferingid: "listDiskOfferings",
  networkofferingid: "listNetworkOfferings",
  vpcofferingid: "listVPCOfferings",
  volumeid: "listVolumes",
  snapshotid: "listSnapshots",
  domainid: "listDomains",
  accountid: "listAccounts",
  userid: "listUsers",
  projectid: "listProjects",
  roleid: "listRoles",
  physicalnetworkid: "listPhysicalNetworks",
  groupid: "listInstanceGroups",
  userdataid: "listUserData",
  publicipid: "listPublicIpAddresses",
  ipaddressid: "listPublicIpAddresses",
  aclid: "listNetworkACLLists",
  securitygroupid: "listSecurityGroups",
  affinitygroupid: "listAffinityGroups",
  imagestoreid: "listImageStores",
  s2svpngatewayid: "listVpnGateways",
  s2scustomergatewayid: "listVpnCustomerGateways",
  managementserverid: "listManagementServers",
  asyncjobid: "listAsyncJobs",
};

const byCommand = new Map<string, Resource>();

/** The resource that a list command lists. */
export function resourceListedBy(command: string): Resource | undefined {
  if (byCommand.size === 0) {
    for (const each of resources) {
      if (!byCommand.has(each.list.command)) {
        byCommand.set(each.list.command, each);
      }
    }
  }
  return byCommand.get(command);
}

/** Which resource a member with an id leads to. */
export function resourceOfMember(member: string): Resource | undefined {
  const command = MEMBERS[member];
  return command ? resourceListedBy(command) : undefined;
}

/** The members that name what another member has the id of: zonename and zoneid. */
const NAMES_OF: Record<string, string> = {
  zonename: "zoneid",
  podname: "podid",
  clustername: "clusterid",
  hostname: "hostid",
  templatename: "templateid",
  isoname: "isoid",
  serviceofferingname: "serviceofferingid",
  diskofferingname: "diskofferingid",
  networkofferingname: "networkofferingid",
  vpcofferingname: "vpcofferingid",
  networkname: "networkid",
  associatednetworkname: "associatednetworkid",
  guestnetworkname: "guestnetworkid",
  vpcname: "vpcid",
  vmname: "virtualmachineid",
  virtualmachinename: "virtualmachineid",
  virtualmachinedisplayname: "virtualmachineid",
  vmdisplayname: "virtualmachineid",
  volumename: "volumeid",
  storage: "storageid",
  domain: "domainid",
  domainpath: "domainid",
  project: "projectid",
  group: "groupid",
  rolename: "roleid",
  username: "userid",
  userdataname: "userdataid",
  publicip: "publicipid",
  aclname: "aclid",
};

/** The path to what the field names, where that is a resource which the caller may list and the row has its id. */
export function linkOf(row: Row, field: Field): string | undefined {
  const declared = field.link && resource(field.link.resource);
  const member = field.link?.id ?? NAMES_OF[field.name];
  const target = declared ?? (member ? resourceOfMember(member) : undefined);
  const id = member ? row[member] : undefined;
  if (!target || !useApis().can(target.list.command)) {
    return undefined;
  }
  return typeof id === "string" && id !== "" ? `/${target.name}/${encodeURIComponent(id)}` : undefined;
}
