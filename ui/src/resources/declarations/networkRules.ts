// Rules of addresses and networks: firewall, egress, port forwarding, static NAT.

import { ForkOutlined, NodeIndexOutlined, SafetyOutlined, SendOutlined } from "@ant-design/icons-vue";
import type { Field, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { hasPorts, protocolFields, range } from "./parts/rules";

const TCP = ["tcp", "udp"];

const ports: Field[] = [
  { name: "protocol" },
  { name: "startport" },
  { name: "endport" },
  { name: "icmptype", hidden: true },
  { name: "icmpcode", hidden: true },
];

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

const ipv6FirewallRule: Resource = {
  name: "ipv6firewallrule",
  section: "network",
  icon: SafetyOutlined,
  nested: true,
  list: { command: "listIpv6FirewallRules", key: "ipv6firewallrule" },
  title: firewallRule.title,
  columns: [{ name: "traffictype" }, ...ports, { name: "cidrlist" }, { name: "destcidrlist" }, column.state],
  filters: [{ name: "traffictype", values: ["Ingress", "Egress"] }],
  actions: [
    create("createIpv6FirewallRule", [
      "networkid",
      { name: "traffictype", values: ["Ingress", "Egress"], initial: () => "Ingress" },
      ...protocolFields(["tcp", "udp", "icmp", "all"]),
      "cidrlist",
      "destcidrlist",
    ]),
    update("updateIpv6FirewallRule", [
      ...protocolFields(["tcp", "udp", "icmp", "all"]),
      "cidrlist",
      "fordisplay",
    ]),
    remove("deleteIpv6FirewallRule"),
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

const resources: Resource[] = [
  firewallRule,
  egressRule,
  ipv6FirewallRule,
  portForwardingRule,
  ipForwardingRule,
];
export default resources;
