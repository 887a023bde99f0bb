// Physical networks: what goes over them, who serves on them, and the VLANs and addresses that they have to give.

import {
  ApartmentOutlined,
  AppstoreOutlined,
  CheckCircleOutlined,
  BlockOutlined,
  GlobalOutlined,
  NumberOutlined,
  SwapOutlined,
  UserAddOutlined,
  UserDeleteOutlined,
} from "@ant-design/icons-vue";
import type { Action, Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

const physicalNetwork: Resource = {
  name: "physicalnetwork",
  section: "infrastructure",
  icon: ApartmentOutlined,
  list: { command: "listPhysicalNetworks", key: "physicalnetwork" },
  columns: [
    column.name,
    column.state,
    { name: "isolationmethods" },
    { name: "vlan" },
    column.zone,
    ...column.hidden(
      { name: "broadcastdomainrange" },
      { name: "networkspeed" },
      { name: "tags", kind: "list" },
    ),
  ],
  filters: [{ name: "zoneid" }],
  tabs: [
    { name: "trafficTypes", resource: "traffictype", parameters: (row) => ({ physicalnetworkid: row.id }) },
    {
      name: "providers",
      resource: "networkserviceprovider",
      parameters: (row) => ({ physicalnetworkid: row.id }),
    },
    { name: "ipRanges", resource: "vlaniprange", parameters: (row) => ({ physicalnetworkid: row.id }) },
    { name: "guestVlans", resource: "guestvlan", parameters: (row) => ({ physicalnetworkid: row.id }) },
    {
      name: "dedicatedVlans",
      resource: "dedicatedguestvlanrange",
      parameters: (row) => ({ physicalnetworkid: row.id }),
    },
    { name: "networks", resource: "network", parameters: (row) => ({ physicalnetworkid: row.id }) },
  ],
  actions: [
    create("createPhysicalNetwork", [
      "zoneid",
      "name",
      {
        name: "isolationmethods",
        choices: { command: "listNetworkIsolationMethods", key: "isolationmethod", value: "name" },
      },
      "vlan",
      "tags",
    ]),
    update("updatePhysicalNetwork", ["vlan", "networkspeed", "tags"], { without: ["state"] }),
    {
      command: "updatePhysicalNetwork",
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      form: [],
      fixed: () => ({ state: "Enabled" }),
      when: is("Disabled"),
    },
    {
      command: "updatePhysicalNetwork",
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      danger: true,
      form: [],
      fixed: () => ({ state: "Disabled" }),
      when: is("Enabled"),
    },
    remove("deletePhysicalNetwork"),
  ],
};

const trafficType: Resource = {
  name: "traffictype",
  section: "infrastructure",
  icon: SwapOutlined,
  nested: true,
  list: { command: "listTrafficTypes", key: "traffictype", within: ["physicalnetworkid"] },
  title: (row) => String(row.traffictype),
  columns: [{ name: "traffictype" }, { name: "kvmnetworklabel" }],
  actions: [
    create("addTrafficType", [
      "physicalnetworkid",
      {
        name: "traffictype",
        choices: {
          command: "listTrafficTypeImplementors",
          key: "traffictypeimplementorresponse",
          value: "traffictype",
        },
      },
      "kvmnetworklabel",
    ]),
    update("updateTrafficType", ["kvmnetworklabel"]),
    remove("deleteTrafficType"),
  ],
};

const provider: Resource = {
  name: "networkserviceprovider",
  section: "infrastructure",
  icon: AppstoreOutlined,
  nested: true,
  list: {
    command: "listNetworkServiceProviders",
    key: "networkserviceprovider",
    within: ["physicalnetworkid"],
  },
  columns: [column.name, column.state, { name: "servicelist", kind: "list" }],
  filters: [{ name: "state", values: ["Enabled", "Disabled", "Shutdown"] }],
  actions: [
    create("addNetworkServiceProvider", ["physicalnetworkid", "name", "servicelist"]),
    {
      command: "updateNetworkServiceProvider",
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      form: [],
      fixed: () => ({ state: "Enabled" }),
      when: (row) => row.state !== "Enabled",
    },
    {
      command: "updateNetworkServiceProvider",
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      danger: true,
      form: [],
      fixed: () => ({ state: "Disabled" }),
      when: is("Enabled"),
    },
    update("updateNetworkServiceProvider", ["servicelist"], { without: ["state"] }),
    {
      command: "createVirtualRouterElement",
      on: "row",
      target: "nspid",
      when: (row) => /Router/.test(String(row.name)),
      form: [{ name: "providertype", values: ["VirtualRouter", "VPCVirtualRouter"] }],
    },
    {
      command: "createInternalLoadBalancerElement",
      on: "row",
      target: "nspid",
      when: (row) => row.name === "InternalLbVm",
    },
    remove("deleteNetworkServiceProvider", { bulk: false }),
  ],
};

/** What deploys the routers, or the internal load balancers, of a provider. */
function element(name: string, kind: string, lists: string, configure: string): Resource {
  const toggle = (verb: "enable" | "disable", enabled: boolean): Action => ({
    command: configure,
    name: verb,
    icon: enabled ? CheckCircleOutlined : BlockOutlined,
    on: "row",
    danger: !enabled,
    form: [],
    fixed: () => ({ enabled }),
    when: (row) => row.enabled !== enabled,
  });
  return {
    name,
    section: "infrastructure",
    icon: AppstoreOutlined,
    list: { command: lists, key: kind },
    title: (row) => String(row.id),
    columns: [{ name: "id" }, { name: "enabled", kind: "boolean" }, { name: "nspid" }],
    filters: [{ name: "enabled", values: ["true", "false"] }],
    actions: [toggle("enable", true), toggle("disable", false)],
  };
}

const routerElement = element(
  "virtualrouterelement",
  "virtualrouterelement",
  "listVirtualRouterElements",
  "configureVirtualRouterElement",
);
const balancerElement = element(
  "internalloadbalancerelement",
  "internalloadbalancerelement",
  "listInternalLoadBalancerElements",
  "configureInternalLoadBalancerElement",
);

const IPV6 = ["startipv6", "endipv6", "ip6gateway", "ip6cidr"].map((name) => ({ name }));

const ipRange: Resource = {
  name: "vlaniprange",
  section: "infrastructure",
  icon: GlobalOutlined,
  list: { command: "listVlanIpRanges", key: "vlaniprange" },
  title: (row) =>
    row.startip ? `${String(row.startip)} - ${String(row.endip)}` : String(row.ip6cidr ?? row.description),
  columns: [
    { name: "startip" },
    { name: "endip" },
    { name: "gateway" },
    { name: "netmask" },
    { name: "ip6cidr" },
    { name: "vlan" },
    { name: "forvirtualnetwork", kind: "boolean" },
    { name: "forsystemvms", kind: "boolean" },
    { name: "account" },
    ...column.hidden(column.pod, column.domain, { name: "description" }, ...IPV6.slice(0, 3)),
  ],
  filters: [
    { name: "zoneid" },
    { name: "podid" },
    { name: "networkid" },
    { name: "forvirtualnetwork", values: ["true", "false"] },
  ],
  tabs: [
    {
      name: "publicIps",
      resource: "publicip",
      parameters: (row) => ({ vlanid: row.id, allocatedonly: false }),
    },
  ],
  actions: [
    create("createVlanIpRange", [
      "zoneid",
      "physicalnetworkid",
      "podid",
      "networkid",
      { name: "forvirtualnetwork", initial: () => true },
      "vlan",
      "gateway",
      "netmask",
      "startip",
      "endip",
      ...IPV6,
    ]),
    update("updateVlanIpRange", ["startip", "endip", "gateway", "netmask", "forsystemvms", ...IPV6]),
    {
      command: "dedicatePublicIpRange",
      icon: UserAddOutlined,
      on: "row",
      form: ["domainid", "account"],
      when: (row) => row.forvirtualnetwork === true && row.account === "system",
    },
    {
      command: "releasePublicIpRange",
      icon: UserDeleteOutlined,
      on: "row",
      danger: true,
      when: (row) => row.forvirtualnetwork === true && row.account !== "system",
    },
    remove("deleteVlanIpRange"),
  ],
};

const portableIpRange: Resource = {
  name: "portableiprange",
  section: "infrastructure",
  icon: GlobalOutlined,
  nested: true,
  list: { command: "listPortableIpRanges", key: "portableiprange" },
  title: (row) => `${String(row.startip)} - ${String(row.endip)}`,
  columns: [
    { name: "startip" },
    { name: "endip" },
    { name: "gateway" },
    { name: "netmask" },
    { name: "vlan" },
    ...column.hidden({ name: "regionid" }),
  ],
  tabs: [
    {
      name: "publicIps",
      member: "portableipaddress",
      fields: [
        { name: "ipaddress" },
        column.state,
        { name: "networkid", link: { resource: "network", id: "networkid" } },
        { name: "vpcid", link: { resource: "vpc", id: "vpcid" } },
        { name: "allocated", kind: "date" },
      ],
    },
  ],
  actions: [
    create("createPortableIpRange", ["regionid", "vlan", "gateway", "netmask", "startip", "endip"]),
    remove("deletePortableIpRange"),
  ],
};

const ipv6Prefix: Resource = {
  name: "guestnetworkipv6prefix",
  section: "infrastructure",
  icon: GlobalOutlined,
  list: { command: "listGuestNetworkIpv6Prefixes", key: "guestnetworkipv6prefix" },
  title: (row) => String(row.prefix),
  columns: [
    { name: "prefix" },
    { name: "usedsubnets", kind: "number" },
    { name: "availablesubnets", kind: "number" },
    { name: "totalsubnets", kind: "number" },
    ...column.hidden({ name: "zoneid", link: { resource: "zone", id: "zoneid" } }, column.created),
  ],
  filters: [{ name: "zoneid" }],
  actions: [
    create("createGuestNetworkIpv6Prefix", ["zoneid", "prefix"]),
    remove("deleteGuestNetworkIpv6Prefix"),
  ],
};

const guestVlan: Resource = {
  name: "guestvlan",
  section: "infrastructure",
  icon: NumberOutlined,
  list: { command: "listGuestVlans", key: "guestvlan" },
  title: (row) => String(row.vlan),
  columns: [
    { name: "vlan" },
    { name: "allocationstate", kind: "state" },
    { name: "isdedicated", kind: "boolean" },
    { name: "taken", kind: "date" },
    { name: "physicalnetworkname", link: { resource: "physicalnetwork", id: "physicalnetworkid" } },
    column.zone,
    { name: "account" },
  ],
  filters: [
    { name: "zoneid" },
    { name: "physicalnetworkid" },
    { name: "allocatedonly", values: ["true", "false"] },
  ],
  tabs: [{ name: "networks", member: "network" }],
  actions: [],
};

const dedicatedVlans: Resource = {
  name: "dedicatedguestvlanrange",
  section: "infrastructure",
  icon: NumberOutlined,
  nested: true,
  list: { command: "listDedicatedGuestVlanRanges", key: "dedicatedguestvlanrange" },
  title: (row) => String(row.guestvlanrange),
  columns: [{ name: "guestvlanrange" }, { name: "account" }, column.domain, { name: "project" }],
  actions: [
    create("dedicateGuestVlanRange", ["physicalnetworkid", "vlanrange", "domainid", "account", "projectid"], {
      icon: UserAddOutlined,
    }),
    remove("releaseDedicatedGuestVlanRange", { icon: UserDeleteOutlined }),
  ],
};

const resources: Resource[] = [
  physicalNetwork,
  trafficType,
  provider,
  routerElement,
  balancerElement,
  ipRange,
  portableIpRange,
  ipv6Prefix,
  guestVlan,
  dedicatedVlans,
];
export default resources;
