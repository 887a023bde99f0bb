// Load balancing: rules on public addresses with their instances and policies, and balancers inside VPCs.

import {
  ApiOutlined,
  GatewayOutlined,
  MedicineBoxOutlined,
  MinusCircleOutlined,
  PlusCircleOutlined,
  PushpinOutlined,
  SafetyCertificateOutlined,
  UnlockOutlined,
} from "@ant-design/icons-vue";
import type { FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

const ALGORITHMS = ["roundrobin", "leastconn", "source"];

const INTERNAL_ALGORITHM: FormField = { name: "algorithm", values: ALGORITHMS, initial: () => ALGORITHMS[0] };

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

const resources: Resource[] = [
  loadBalancerRule,
  loadBalancedInstance,
  stickinessPolicy,
  healthCheckPolicy,
  internalLoadBalancer,
];
export default resources;
