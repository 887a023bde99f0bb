// How networks are reached, and who may: public addresses, security groups, certificates.

import {
  GlobalOutlined,
  HourglassOutlined,
  LinkOutlined,
  LoginOutlined,
  LogoutOutlined,
  NodeIndexOutlined,
  PushpinOutlined,
  SafetyCertificateOutlined,
  SafetyOutlined,
  SwapOutlined,
  DisconnectOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Field, FormField, Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { hasPorts, isIcmp } from "./parts/rules";

/** Whether an address may carry rules: it belongs to a network or a VPC, and is no static NAT's. */
const carriesRules = (row: Row): boolean =>
  Boolean(row.associatednetworkid ?? row.vpcid) && row.isstaticnat !== true;

const text = (row: Row | null, name: string): string | undefined => row?.[name] as string | undefined;

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
    ...column.hidden(
      { name: "isportable", kind: "boolean" },
      { name: "allocated", kind: "date" },
      { name: "vlanname" },
      column.tags,
    ),
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
    create("associateIpAddress", ["zoneid", "networkid", "vpcid", "ipaddress", "isportable"]),
    update("updateIpAddress", ["fordisplay"]),
    { command: "reserveIpAddress", icon: PushpinOutlined, on: "row", when: is("Free"), form: [] },
    { command: "releaseIpAddress", icon: DisconnectOutlined, on: "row", when: is("Reserved"), danger: true },
    {
      command: "enableStaticNat",
      icon: NodeIndexOutlined,
      on: "row",
      target: "ipaddressid",
      form: [
        {
          name: "networkid",
          filter: (_, row) => (row?.vpcid ? { vpcid: text(row, "vpcid") } : { zoneid: text(row, "zoneid") }),
          // an address that belongs to a network already is for that network's instances
          when: (_, row) => !row?.associatednetworkid,
        },
        {
          name: "virtualmachineid",
          filter: (values, row) => ({
            zoneid: text(row, "zoneid"),
            vpcid: text(row, "vpcid"),
            networkid: text(row, "associatednetworkid") ?? values.networkid,
          }),
        },
        "vmguestip",
      ],
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

const quarantinedIp: Resource = {
  name: "quarantinedip",
  section: "network",
  icon: HourglassOutlined,
  list: { command: "listQuarantinedIps", key: "quarantinedip", whole: true },
  title: (row) => String(row.ipaddress),
  columns: [
    { name: "ipaddress" },
    { name: "previousownername", link: { resource: "account", id: "previousownerid" } },
    { name: "created", kind: "date" },
    { name: "enddate", kind: "date" },
    ...column.hidden(
      { name: "removed", kind: "date" },
      { name: "removalreason" },
      { name: "removeraccountid" },
    ),
  ],
  filters: [
    { name: "showinactive", values: ["true", "false"] },
    { name: "showremoved", values: ["true", "false"] },
  ],
  actions: [
    update("updateQuarantinedIp", ["enddate"]),
    {
      command: "removeQuarantinedIp",
      icon: DisconnectOutlined,
      on: "row",
      danger: true,
      when: (row) => !row.removed,
      form: ["removalreason"],
    },
  ],
};

const resources: Resource[] = [publicIp, quarantinedIp, securityGroup, sslCertificate];
export default resources;
