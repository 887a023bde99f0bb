// Networks and VPCs: what guests are connected by.

import {
  CloudSyncOutlined,
  PartitionOutlined,
  ReloadOutlined,
  SafetyOutlined,
  SwapOutlined,
  TeamOutlined,
  UserAddOutlined,
  UserDeleteOutlined,
  UndoOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

/** Whether the network (or the VPC) of a row gives a service. */
function gives(service: string): (row: Row) => boolean {
  return (row) =>
    Array.isArray(row.service) && (row.service as { name: string }[]).some((each) => each.name === service);
}

const network: Resource = {
  name: "network",
  section: "network",
  icon: PartitionOutlined,
  commented: "NETWORK",
  list: { command: "listNetworks", key: "network" },
  owned: true,
  tagged: "Network",
  columns: [
    column.name,
    column.state,
    { name: "type" },
    { name: "cidr" },
    { name: "broadcasturi", hidden: true },
    column.vpc,
    column.zone,
    ...column.owner,
    ...column.hidden(
      column.displaytext,
      { name: "gateway" },
      { name: "traffictype" },
      { name: "networkofferingname", link: { resource: "networkoffering", id: "networkofferingid" } },
      { name: "restartrequired", kind: "boolean" },
      column.created,
      column.tags,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "type", values: ["Isolated", "Shared", "L2"] },
    { name: "networkofferingid" },
    { name: "vpcid" },
    { name: "networkfilter", values: ["Account", "Domain", "AccountDomain", "Shared", "All"] },
    { name: "restartrequired", values: ["true", "false"] },
  ],
  details: [
    "name",
    "displaytext",
    "state",
    "type",
    "cidr",
    "gateway",
    "netmask",
    "ip6cidr",
    "ip6gateway",
    { name: "ip6routes", kind: "text", value: (row) => ipv6Routes(row) },
    { name: "networkofferingname", link: { resource: "networkoffering", id: "networkofferingid" } },
    column.vpc,
    { name: "aclname", link: { resource: "networkacllist", id: "aclid" } },
    column.zone,
    { name: "broadcasturi", kind: "code" },
    "networkdomain",
    "dns1",
    "dns2",
  ],
  tabs: [
    { name: "instances", resource: "vm", parameters: (row) => ({ networkid: row.id }) },
    {
      name: "publicIps",
      resource: "publicip",
      parameters: (row) => ({ associatednetworkid: row.id }),
      when: (row) => row.type === "Isolated",
    },
    {
      name: "egressRules",
      resource: "egressfirewallrule",
      component: () => import("@/wizards/rules/EgressRules.vue"),
      when: (row) => row.type === "Isolated" && !row.vpcid && gives("Firewall")(row),
    },
    {
      name: "ipv6Rules",
      resource: "ipv6firewallrule",
      parameters: (row) => ({ networkid: row.id }),
      when: (row) => row.type === "Isolated" && !row.vpcid && Boolean(row.ip6cidr),
    },
    {
      name: "aclRules",
      resource: "networkacl",
      parameters: (row) => ({ aclid: String(row.aclid) }),
      when: (row) => Boolean(row.aclid),
    },
    {
      name: "internalLoadBalancers",
      resource: "loadbalancer",
      parameters: (row) => ({ networkid: row.id }),
      when: (row) => Boolean(row.vpcid) && gives("Lb")(row),
    },
    {
      name: "ipRanges",
      resource: "vlaniprange",
      parameters: (row) => ({ networkid: row.id }),
      when: (row) => row.type === "Shared",
      needs: "listVlanIpRanges",
    },
    {
      name: "routers",
      resource: "router",
      parameters: (row) => ({ networkid: row.id }),
      when: (row) => row.type !== "L2",
      needs: "listRouters",
    },
    {
      name: "permissions",
      resource: "networkpermission",
      parameters: (row) => ({ networkid: row.id }),
      when: (row) => row.acltype === "Account",
    },
    { name: "services", member: "service", fields: [{ name: "name" }, { name: "provider.0.name" }] },
  ],
  actions: [
    create("createNetwork", undefined, { page: () => "/create-network" }),
    update("updateNetwork", ["name", "displaytext", "networkdomain", "networkofferingid", "guestvmcidr"]),
    {
      command: "restartNetwork",
      icon: ReloadOutlined,
      on: "row",
      bulk: true,
      form: ["cleanup", "makeredundant", "livepatch"],
      when: (row) => row.type !== "L2",
    },
    {
      command: "migrateNetwork",
      icon: SwapOutlined,
      on: "row",
      target: "networkid",
      form: ["networkofferingid", "resume"],
      when: (row) => row.type !== "Shared" && !row.vpcid,
    },
    {
      command: "replaceNetworkACLList",
      icon: SafetyOutlined,
      on: "row",
      target: "networkid",
      without: ["gatewayid"],
      form: [
        {
          name: "aclid",
          resource: "networkacllist",
          filter: (_, row) => ({ vpcid: String(row?.vpcid ?? "") }),
        },
      ],
      when: (row) => Boolean(row.vpcid),
    },
    remove("deleteNetwork"),
  ],
};

/** What routers upstream have to be told: the subnet, and the address that leads there. */
function ipv6Routes(row: Row): string | undefined {
  const routes = (row.ip6routes ?? []) as { subnet: string; gateway: string }[];
  return routes.map((each) => `${each.subnet} via ${each.gateway}`).join(", ") || undefined;
}

const networkPermission: Resource = {
  name: "networkpermission",
  section: "network",
  icon: TeamOutlined,
  nested: true,
  id: "accountid",
  list: { command: "listNetworkPermissions", key: "networkpermission", within: ["networkid"], whole: true },
  title: (row) => String(row.account ?? row.project),
  columns: [
    { name: "account" },
    { name: "project", link: { resource: "project", id: "projectid" } },
    column.domain,
  ],
  actions: [
    create("createNetworkPermissions", ["networkid", "accounts", "projectids"], { icon: UserAddOutlined }),
    {
      command: "removeNetworkPermissions",
      icon: UserDeleteOutlined,
      on: "row",
      danger: true,
      target: "networkid",
      targetValue: (row) => String(row.networkid),
      without: ["accounts", "accountids", "projectids"],
      fixed: (row) =>
        row?.projectid ? { projectids: String(row.projectid) } : { accountids: String(row?.accountid ?? "") },
    },
    { command: "resetNetworkPermissions", icon: UndoOutlined, on: "list", danger: true, form: ["networkid"] },
  ],
};

const vpc: Resource = {
  name: "vpc",
  section: "network",
  icon: CloudSyncOutlined,
  commented: "VPC",
  list: { command: "listVPCs", key: "vpc" },
  owned: true,
  tagged: "Vpc",
  columns: [
    column.name,
    column.state,
    { name: "cidr" },
    column.zone,
    ...column.owner,
    ...column.hidden(
      column.displaytext,
      { name: "vpcofferingname", link: { resource: "vpcoffering", id: "vpcofferingid" } },
      { name: "redundantvpcrouter", kind: "boolean" },
      { name: "restartrequired", kind: "boolean" },
      column.created,
      column.tags,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "state", values: ["Enabled", "Inactive"] },
    { name: "vpcofferingid" },
    { name: "restartrequired", values: ["true", "false"] },
  ],
  details: [
    "name",
    "displaytext",
    "state",
    "cidr",
    { name: "vpcofferingname", link: { resource: "vpcoffering", id: "vpcofferingid" } },
    column.zone,
    "networkdomain",
    "redundantvpcrouter",
    "publicmtu",
  ],
  tabs: [
    { name: "tiers", resource: "network", parameters: (row) => ({ vpcid: row.id }) },
    { name: "publicIps", resource: "publicip", parameters: (row) => ({ vpcid: row.id }) },
    { name: "acls", resource: "networkacllist", parameters: (row) => ({ vpcid: row.id }) },
    { name: "privateGateways", resource: "privategateway", parameters: (row) => ({ vpcid: row.id }) },
    { name: "staticRoutes", resource: "staticroute", parameters: (row) => ({ vpcid: row.id }) },
    { name: "vpnGateways", resource: "vpngateway", parameters: (row) => ({ vpcid: row.id }) },
    { name: "vpnConnections", resource: "vpnconnection", parameters: (row) => ({ vpcid: row.id }) },
    { name: "instances", resource: "vm", parameters: (row) => ({ vpcid: row.id }) },
    { name: "routers", resource: "router", parameters: (row) => ({ vpcid: row.id }), needs: "listRouters" },
    { name: "services", member: "service", fields: [{ name: "name" }, { name: "provider.0.name" }] },
  ],
  actions: [
    create("createVPC", ["name", "displaytext", "zoneid", "cidr", "vpcofferingid", "networkdomain", "start"]),
    update("updateVPC", ["name", "displaytext", "publicmtu"]),
    {
      command: "restartVPC",
      icon: ReloadOutlined,
      on: "row",
      bulk: true,
      form: ["cleanup", "makeredundant"],
    },
    {
      command: "migrateVPC",
      icon: SwapOutlined,
      on: "row",
      target: "vpcid",
      form: [
        "vpcofferingid",
        { name: "tiernetworkofferings", columns: ["networkid", "networkofferingid"] },
        "resume",
      ],
    },
    remove("deleteVPC"),
  ],
};

const resources: Resource[] = [network, networkPermission, vpc];
export default resources;
