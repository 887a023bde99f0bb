// Rules of addresses and networks: firewall, port forwarding, load balancing, static NAT, access control lists.

import {
  ApiOutlined,
  ForkOutlined,
  GatewayOutlined,
  MedicineBoxOutlined,
  MinusCircleOutlined,
  NodeIndexOutlined,
  OrderedListOutlined,
  PlusCircleOutlined,
  PushpinOutlined,
  SafetyCertificateOutlined,
  SafetyOutlined,
  SendOutlined,
  SortAscendingOutlined,
  UnlockOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Field, FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { hasPorts, protocolFields } from "./parts/rules";

const TCP = ["tcp", "udp"];
const ALGORITHMS = ["roundrobin", "leastconn", "source"];
const INTERNAL_ALGORITHM: FormField = { name: "algorithm", values: ALGORITHMS, initial: () => ALGORITHMS[0] };

const ports: Field[] = [
  { name: "protocol" },
  { name: "startport" },
  { name: "endport" },
  { name: "icmptype", hidden: true },
  { name: "icmpcode", hidden: true },
];

/** "22" or "8000-8080". */
function range(row: Row, from: string, to: string): string {
  const [first, last] = [row[from], row[to]].map((each) => (each === undefined ? "" : String(each)));
  return last && last !== first ? `${first}-${last}` : (first ?? "");
}

const firewallRule: Resource = {
  name: "firewallrule",
  section: "network",
  icon: SafetyOutlined,
  nested: true,
  list: { command: "listFirewallRules", key: "firewallrule" },
  tagged: "FirewallRule",
  title: (row) => `${String(row.protocol)} ${range(row, "startport", "endport")}`.trim(),
  columns: [
    ...ports,
    { name: "cidrlist" },
    column.state,
    { name: "ipaddress", link: { resource: "publicip", id: "ipaddressid" }, hidden: true },
  ],
  actions: [
    create("createFirewallRule", ["ipaddressid", ...protocolFields(["tcp", "udp", "icmp"]), "cidrlist"]),
    update("updateFirewallRule", ["fordisplay"]),
    remove("deleteFirewallRule"),
  ],
};

const egressRule: Resource = {
  name: "egressfirewallrule",
  section: "network",
  icon: SendOutlined,
  nested: true,
  list: { command: "listEgressFirewallRules", key: "firewallrule" },
  title: firewallRule.title,
  columns: [...ports, { name: "cidrlist" }, { name: "destcidrlist" }, column.state],
  actions: [
    create("createEgressFirewallRule", [
      "networkid",
      ...protocolFields(["tcp", "udp", "icmp", "all"]),
      "cidrlist",
      "destcidrlist",
    ]),
    update("updateEgressFirewallRule", ["fordisplay"]),
    remove("deleteEgressFirewallRule"),
  ],
};

const portForwardingRule: Resource = {
  name: "portforwardingrule",
  section: "network",
  icon: ForkOutlined,
  nested: true,
  list: { command: "listPortForwardingRules", key: "portforwardingrule" },
  tagged: "PortForwardingRule",
  title: (row) => `${String(row.protocol)} ${range(row, "publicport", "publicendport")}`,
  columns: [
    { name: "protocol" },
    { name: "publicport", value: (row) => range(row, "publicport", "publicendport") },
    { name: "privateport", value: (row) => range(row, "privateport", "privateendport") },
    column.instance,
    { name: "vmguestip" },
    column.state,
    ...column.hidden(
      { name: "ipaddress", link: { resource: "publicip", id: "ipaddressid" } },
      { name: "cidrlist" },
      column.tags,
    ),
  ],
  actions: [
    create("createPortForwardingRule", [
      "ipaddressid",
      { name: "protocol", values: TCP, initial: () => "tcp" },
      "publicport",
      "publicendport",
      "privateport",
      "privateendport",
      "virtualmachineid",
      "openfirewall",
      "networkid",
    ]),
    update("updatePortForwardingRule", ["privateport", "privateendport", "virtualmachineid", "vmguestip"]),
    remove("deletePortForwardingRule"),
  ],
};

const ipForwardingRule: Resource = {
  name: "ipforwardingrule",
  section: "network",
  icon: NodeIndexOutlined,
  nested: true,
  list: { command: "listIpForwardingRules", key: "ipforwardingrule" },
  title: firewallRule.title,
  columns: [...ports.slice(0, 3), { name: "cidrlist" }, column.instance, column.state],
  actions: [
    create("createIpForwardingRule", [
      "ipaddressid",
      { name: "protocol", values: ["tcp", "udp", "icmp"], initial: () => "tcp" },
      { name: "startport", when: hasPorts },
      { name: "endport", when: hasPorts },
      "openfirewall",
      "cidrlist",
    ]),
    remove("deleteIpForwardingRule"),
  ],
};

const loadBalancerRule: Resource = {
  name: "loadbalancerrule",
  section: "network",
  icon: ApiOutlined,
  nested: true,
  list: { command: "listLoadBalancerRules", key: "loadbalancerrule" },
  tagged: "LoadBalancer",
  columns: [
    column.name,
    { name: "publicport" },
    { name: "privateport" },
    { name: "algorithm" },
    { name: "protocol" },
    column.state,
    ...column.hidden(
      { name: "publicip", link: { resource: "publicip", id: "publicipid" } },
      { name: "cidrlist" },
      column.description,
      column.tags,
    ),
  ],
  tabs: [
    {
      name: "loadBalanced",
      resource: "loadbalancerruleinstance",
      parameters: (row) => ({ id: row.id }),
    },
    { name: "stickiness", resource: "stickinesspolicy", parameters: (row) => ({ lbruleid: row.id }) },
    { name: "healthChecks", resource: "healthcheckpolicy", parameters: (row) => ({ lbruleid: row.id }) },
    { name: "certificates", resource: "sslcert", parameters: (row) => ({ lbruleid: row.id }) },
  ],
  actions: [
    create("createLoadBalancerRule", [
      "publicipid",
      "name",
      "publicport",
      "privateport",
      INTERNAL_ALGORITHM,
      { name: "protocol", values: ["tcp", "udp", "tcp-proxy", "ssl"], initial: () => "tcp" },
      "networkid",
      "cidrlist",
    ]),
    {
      command: "assignToLoadBalancerRule",
      icon: PlusCircleOutlined,
      on: "row",
      form: [
        {
          name: "virtualmachineids",
          resource: "vm",
          filter: (_, row) => (row?.networkid ? { networkid: String(row.networkid) } : {}),
        },
        "vmidipmap",
      ],
    },
    {
      command: "removeFromLoadBalancerRule",
      icon: MinusCircleOutlined,
      on: "row",
      form: [
        {
          name: "virtualmachineids",
          resource: "vm",
          filter: (_, row) => (row?.networkid ? { networkid: String(row.networkid) } : {}),
        },
        "vmidipmap",
      ],
    },
    {
      command: "assignCertToLoadBalancer",
      icon: SafetyCertificateOutlined,
      on: "row",
      target: "lbruleid",
      when: (row) => row.protocol === "ssl",
      form: [{ name: "certid", resource: "sslcert" }, "forced"],
    },
    {
      command: "removeCertFromLoadBalancer",
      icon: UnlockOutlined,
      on: "row",
      danger: true,
      target: "lbruleid",
      when: (row) => row.protocol === "ssl",
    },
    {
      command: "getLoadBalancerSslCertificate",
      icon: SafetyCertificateOutlined,
      on: "row",
      when: (row) => row.protocol === "ssl",
      shows: ["crt", "chain"],
    },
    update("updateLoadBalancerRule", [
      "name",
      "description",
      { name: "algorithm", values: ALGORITHMS },
      { name: "protocol", values: ["tcp", "udp", "tcp-proxy", "ssl"] },
      "cidrlist",
    ]),
    remove("deleteLoadBalancerRule"),
  ],
};

const loadBalancedInstance: Resource = {
  name: "loadbalancerruleinstance",
  section: "network",
  icon: ApiOutlined,
  nested: true,
  list: { command: "listLoadBalancerRuleInstances", key: "loadbalancerruleinstance", within: ["id"] },
  changes: "virtualmachine",
  columns: [
    { name: "name", link: { resource: "vm", id: "id" } },
    column.state,
    { name: "nic.0.ipaddress" },
    column.zone,
  ],
  actions: [],
};

const stickinessPolicy: Resource = {
  name: "stickinesspolicy",
  section: "network",
  icon: PushpinOutlined,
  nested: true,
  list: {
    command: "listLBStickinessPolicies",
    key: "stickinesspolicies",
    within: ["lbruleid"],
    members: "stickinesspolicy",
  },
  columns: [
    column.name,
    { name: "methodname" },
    { name: "params", kind: "map" },
    column.description,
    column.state,
  ],
  actions: [
    create("createLBStickinessPolicy", [
      "lbruleid",
      "name",
      { name: "methodname", values: ["LbCookie", "AppCookie", "SourceBased"] },
      "param",
      "description",
    ]),
    update("updateLBStickinessPolicy", ["fordisplay"]),
    remove("deleteLBStickinessPolicy"),
  ],
};

const healthCheckPolicy: Resource = {
  name: "healthcheckpolicy",
  section: "network",
  icon: MedicineBoxOutlined,
  nested: true,
  list: {
    command: "listLBHealthCheckPolicies",
    key: "healthcheckpolicies",
    within: ["lbruleid"],
    members: "healthcheckpolicy",
  },
  title: (row) => String(row.pingpath ?? row.id),
  columns: [
    { name: "pingpath" },
    { name: "responsetime", kind: "number" },
    { name: "healthcheckinterval", kind: "number" },
    { name: "healthcheckthresshold", kind: "number" },
    { name: "unhealthcheckthresshold", kind: "number" },
    column.state,
  ],
  actions: [
    create("createLBHealthCheckPolicy", [
      "lbruleid",
      "pingpath",
      "responsetimeout",
      "intervaltime",
      "healthythreshold",
      "unhealthythreshold",
      "description",
    ]),
    update("updateLBHealthCheckPolicy", ["fordisplay"]),
    remove("deleteLBHealthCheckPolicy"),
  ],
};

const internalLoadBalancer: Resource = {
  name: "loadbalancer",
  section: "network",
  icon: GatewayOutlined,
  nested: true,
  list: { command: "listLoadBalancers", key: "loadbalancer" },
  columns: [
    column.name,
    { name: "sourceipaddress" },
    { name: "algorithm" },
    ...column.owner,
    ...column.hidden(column.description, column.tags),
  ],
  tabs: [
    { name: "rules", member: "loadbalancerrule" },
    { name: "loadBalanced", member: "loadbalancerinstance" },
  ],
  actions: [
    create("createLoadBalancer", [
      { name: "networkid", resource: "network" },
      "name",
      "sourceport",
      "instanceport",
      INTERNAL_ALGORITHM,
      { name: "scheme", values: ["Internal"], initial: () => "Internal" },
      {
        name: "sourceipaddressnetworkid",
        resource: "network",
        initial: (row) => (row === null ? undefined : row.id),
      },
      "sourceipaddress",
    ]),
    {
      command: "assignToLoadBalancerRule",
      icon: PlusCircleOutlined,
      on: "row",
      form: [
        {
          name: "virtualmachineids",
          resource: "vm",
          filter: (_, row) => ({ networkid: String(row?.networkid ?? "") }),
        },
      ],
    },
    {
      command: "removeFromLoadBalancerRule",
      icon: MinusCircleOutlined,
      on: "row",
      form: [
        {
          name: "virtualmachineids",
          resource: "vm",
          filter: (_, row) => ({ networkid: String(row?.networkid ?? "") }),
        },
      ],
    },
    update("updateLoadBalancer", ["fordisplay"]),
    remove("deleteLoadBalancer"),
  ],
};

const aclList: Resource = {
  name: "networkacllist",
  section: "network",
  icon: OrderedListOutlined,
  nested: true,
  list: { command: "listNetworkACLLists", key: "networkacllist" },
  tagged: "NetworkACLList",
  columns: [column.name, column.description, column.vpc],
  tabs: [
    { name: "aclRules", resource: "networkacl", component: () => import("@/wizards/rules/NetworkAcls.vue") },
  ],
  actions: [
    create("createNetworkACLList", ["vpcid", "name", "description"]),
    update("updateNetworkACLList", ["name", "description"], { when: (row) => Boolean(row.vpcid) }),
    {
      command: "replaceNetworkACLList",
      icon: SafetyOutlined,
      on: "row",
      target: "aclid",
      form: [
        { name: "networkid", filter: (_, row) => (row?.vpcid ? { vpcid: String(row.vpcid) } : {}) },
        {
          name: "gatewayid",
          resource: "privategateway",
          filter: (_, row) => (row?.vpcid ? { vpcid: String(row.vpcid) } : {}),
        },
      ],
    },
    remove("deleteNetworkACLList", { when: (row) => Boolean(row.vpcid) }),
  ],
};

const ACL_FORM: FormField[] = [
  { name: "number" },
  {
    name: "action",
    values: ["allow", "deny"],
    initial: (row) => String(row?.action ?? "allow").toLowerCase(),
  },
  {
    name: "traffictype",
    values: ["ingress", "egress"],
    initial: (row) => String(row?.traffictype ?? "ingress").toLowerCase(),
  },
  ...protocolFields(["tcp", "udp", "icmp", "all"]),
  { name: "cidrlist" },
  { name: "reason" },
];

const aclItem: Resource = {
  name: "networkacl",
  section: "network",
  icon: SafetyOutlined,
  nested: true,
  list: { command: "listNetworkACLs", key: "networkacl" },
  tagged: "NetworkACL",
  title: (row) => `${String(row.number)} ${String(row.action)} ${String(row.protocol)}`,
  columns: [
    { name: "number", kind: "number", width: 80 },
    { name: "action" },
    { name: "traffictype" },
    { name: "protocol" },
    { name: "startport", value: (row) => range(row, "startport", "endport") },
    { name: "cidrlist" },
    column.state,
    ...column.hidden(
      { name: "icmptype" },
      { name: "icmpcode" },
      { name: "reason" },
      { name: "aclname", link: { resource: "networkacllist", id: "aclid" } },
      column.tags,
    ),
  ],
  filters: [
    { name: "traffictype", values: ["ingress", "egress"] },
    { name: "action", values: ["allow", "deny"] },
    { name: "protocol", values: ["tcp", "udp", "icmp", "all"] },
  ],
  actions: [
    create("createNetworkACL", [{ name: "aclid", resource: "networkacllist" }, ...ACL_FORM], {
      without: ["networkid"],
    }),
    update("updateNetworkACLItem", ACL_FORM),
    {
      command: "moveNetworkAclItem",
      icon: SortAscendingOutlined,
      on: "row",
      form: [
        {
          name: "previousaclruleid",
          resource: "networkacl",
          filter: (_, row) => ({ aclid: String(row?.aclid ?? "") }),
        },
        {
          name: "nextaclruleid",
          resource: "networkacl",
          filter: (_, row) => ({ aclid: String(row?.aclid ?? "") }),
        },
      ],
      without: ["aclconsistencyhash"],
    },
    remove("deleteNetworkACL"),
  ],
};

const resources: Resource[] = [
  firewallRule,
  egressRule,
  portForwardingRule,
  ipForwardingRule,
  loadBalancerRule,
  loadBalancedInstance,
  stickinessPolicy,
  healthCheckPolicy,
  internalLoadBalancer,
  aclList,
  aclItem,
];
export default resources;
