// Network ACLs: the lists of rules that tiers of VPCs have.

import { OrderedListOutlined, SafetyOutlined, SortAscendingOutlined } from "@ant-design/icons-vue";
import type { FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { protocolFields, range } from "./parts/rules";

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

const resources: Resource[] = [aclList, aclItem];
export default resources;
