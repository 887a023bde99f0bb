// Networks and addresses: what guests are connected by.

import {
  CloudSyncOutlined,
  GlobalOutlined,
  LinkOutlined,
  LoginOutlined,
  LogoutOutlined,
  NodeIndexOutlined,
  PartitionOutlined,
  PushpinOutlined,
  ReloadOutlined,
  SafetyCertificateOutlined,
  SafetyOutlined,
  SwapOutlined,
  TeamOutlined,
  UserAddOutlined,
  UserDeleteOutlined,
  UndoOutlined,
  DisconnectOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Field, FormField, Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { hasPorts, isIcmp } from "./parts/rules";

/** Whether the network (or the VPC) of a row gives a service. */
function gives(service: string): (row: Row) => boolean {
  return (row) =>
    Array.isArray(row.service) && (row.service as { name: string }[]).some((each) => each.name === service);
}

/** Whether an address may carry rules: it belongs to a network or a VPC, and is no static NAT's. */
const carriesRules = (row: Row): boolean =>
  Boolean(row.associatednetworkid ?? row.vpcid) && row.isstaticnat !== true;

const SECURITY_GROUP_RULE: Field[] = [
  { name: "protocol" },
  { name: "startport" },
  { name: "endport" },
  { name: "icmptype" },
  { name: "icmpcode" },
  { name: "cidr" },
  { name: "securitygroupname" },
  { name: "account" },
];

const SECURITY_GROUP_FORM: FormField[] = [
  { name: "protocol", values: ["tcp", "udp", "icmp", "all"], initial: () => "tcp" },
  { name: "startport", when: hasPorts },
  { name: "endport", when: hasPorts },
  { name: "icmptype", when: isIcmp },
  { name: "icmpcode", when: isIcmp },
  { name: "cidrlist" },
  { name: "usersecuritygrouplist" },
];

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
    remove("deleteVPC"),
  ],
};

const publicIp: Resource = {
  name: "publicip",
  section: "network",
  icon: GlobalOutlined,
  commented: "PUBLIC_IP_ADDRESS",
  list: { command: "listPublicIpAddresses", key: "publicipaddress" },
  owned: true,
  tagged: "PublicIpAddress",
  title: (row) => String(row.ipaddress),
  columns: [
    { name: "ipaddress" },
    column.state,
    { name: "issourcenat", kind: "boolean" },
    { name: "isstaticnat", kind: "boolean" },
    { name: "associatednetworkname", link: { resource: "network", id: "associatednetworkid" } },
    column.vpc,
    column.instance,
    column.zone,
    ...column.owner,
    ...column.hidden({ name: "allocated", kind: "date" }, { name: "vlanname" }, column.tags),
  ],
  filters: [
    { name: "zoneid" },
    { name: "state", values: ["Allocated", "Allocating", "Releasing", "Reserved", "Free"] },
    { name: "associatednetworkid", resource: "network" },
    { name: "vpcid" },
    { name: "issourcenat", values: ["true", "false"] },
    { name: "isstaticnat", values: ["true", "false"] },
    { name: "allocatedonly", values: ["true", "false"] },
  ],
  tabs: [
    {
      name: "firewall",
      resource: "firewallrule",
      component: () => import("@/wizards/rules/FirewallRules.vue"),
      when: (row) => Boolean(row.associatednetworkid) && !row.vpcid,
    },
    {
      name: "portForwarding",
      resource: "portforwardingrule",
      component: () => import("@/wizards/rules/PortForwardingRules.vue"),
      when: carriesRules,
    },
    {
      name: "loadBalancing",
      resource: "loadbalancerrule",
      component: () => import("@/wizards/rules/LoadBalancerRules.vue"),
      when: carriesRules,
    },
    {
      name: "staticNatRules",
      resource: "ipforwardingrule",
      parameters: (row) => ({ ipaddressid: row.id }),
      when: (row) => row.isstaticnat === true,
    },
    {
      name: "remoteAccessVpn",
      resource: "remoteaccessvpn",
      parameters: (row) => ({ publicipid: row.id }),
      when: (row) => row.issourcenat === true,
    },
    {
      name: "vpnUsers",
      resource: "vpnuser",
      parameters: () => ({}),
      when: (row) => row.issourcenat === true,
    },
  ],
  actions: [
    create("associateIpAddress", ["zoneid", "networkid", "vpcid", "ipaddress"]),
    update("updateIpAddress", ["fordisplay"]),
    { command: "reserveIpAddress", icon: PushpinOutlined, on: "row", when: is("Free"), form: [] },
    { command: "releaseIpAddress", icon: DisconnectOutlined, on: "row", when: is("Reserved"), danger: true },
    {
      command: "enableStaticNat",
      icon: NodeIndexOutlined,
      on: "row",
      target: "ipaddressid",
      form: ["virtualmachineid", "vmguestip"],
      when: (row) => is("Allocated")(row) && row.isstaticnat !== true && row.issourcenat !== true,
    },
    {
      command: "disableStaticNat",
      icon: SwapOutlined,
      on: "row",
      danger: true,
      target: "ipaddressid",
      when: (row) => row.isstaticnat === true,
    },
    remove("disassociateIpAddress", {
      icon: DisconnectOutlined,
      when: (row) => is("Allocated")(row) && row.issourcenat !== true,
      without: ["ipaddress"],
    }),
  ],
};

const securityGroup: Resource = {
  name: "securitygroup",
  section: "network",
  icon: SafetyOutlined,
  list: { command: "listSecurityGroups", key: "securitygroup" },
  owned: true,
  tagged: "SecurityGroup",
  columns: [
    column.name,
    column.description,
    { name: "virtualmachinecount", kind: "number" },
    ...column.owner,
    column.tags,
  ],
  details: ["name", "description", "virtualmachinecount"],
  tabs: [
    { name: "rules", component: () => import("@/wizards/rules/SecurityGroupRules.vue") },
    {
      name: "ingressRules",
      member: "ingressrule",
      fields: SECURITY_GROUP_RULE,
      actions: [
        remove("revokeSecurityGroupIngress", { bulk: false, targetValue: (row) => String(row.ruleid) }),
      ],
    },
    {
      name: "egressRules",
      member: "egressrule",
      fields: SECURITY_GROUP_RULE,
      actions: [
        remove("revokeSecurityGroupEgress", { bulk: false, targetValue: (row) => String(row.ruleid) }),
      ],
    },
    { name: "instances", resource: "vm", parameters: (row) => ({ securitygroupid: row.id }) },
  ],
  actions: [
    create("createSecurityGroup", ["name", "description"]),
    update("updateSecurityGroup", ["name"]),
    {
      command: "authorizeSecurityGroupIngress",
      icon: LoginOutlined,
      on: "row",
      target: "securitygroupid",
      form: SECURITY_GROUP_FORM,
      without: ["securitygroupname"],
    },
    {
      command: "authorizeSecurityGroupEgress",
      icon: LogoutOutlined,
      on: "row",
      target: "securitygroupid",
      form: SECURITY_GROUP_FORM,
      without: ["securitygroupname"],
    },
    remove("deleteSecurityGroup", { when: (row) => row.name !== "default", without: ["name"] }),
  ],
};

const sslCertificate: Resource = {
  name: "sslcert",
  section: "network",
  icon: SafetyCertificateOutlined,
  list: { command: "listSslCerts", key: "sslcert", one: "certid", whole: true },
  owned: true,
  columns: [column.name, { name: "fingerprint", kind: "code" }, ...column.owner],
  details: [
    "name",
    "id",
    { name: "fingerprint", kind: "code" },
    { name: "certificate", kind: "code" },
    { name: "certchain", kind: "code" },
    { name: "loadbalancerrulelist", kind: "list" },
  ],
  actions: [
    create("uploadSslCert", [
      "name",
      { name: "certificate", multiline: true },
      { name: "privatekey", multiline: true, secret: true },
      { name: "certchain", multiline: true },
      { name: "password", secret: true },
    ]),
    {
      command: "assignCertToLoadBalancer",
      icon: LinkOutlined,
      on: "row",
      target: "certid",
      form: [{ name: "lbruleid", resource: "loadbalancerrule" }],
    },
    remove("deleteSslCert"),
  ],
};

const resources: Resource[] = [network, networkPermission, vpc, publicIp, securityGroup, sslCertificate];
export default resources;
