// Machines that serve the cloud: system VMs, virtual routers, internal load balancers, management servers.

import {
  ApiOutlined,
  CheckCircleOutlined,
  CloudServerOutlined,
  CodeOutlined,
  ColumnHeightOutlined,
  ControlOutlined,
  HeartOutlined,
  MedicineBoxOutlined,
  PoweroffOutlined,
  RocketOutlined,
  SwapOutlined,
  UpCircleOutlined,
} from "@ant-design/icons-vue";
import type { Action, Field, Resource } from "../declaration";
import { is, isNot, reboot, remove, start, stop } from "./parts/actions";
import { openConsole } from "./parts/console";
import * as column from "./parts/columns";

const STATES = ["Starting", "Running", "Stopping", "Stopped", "Migrating", "Destroyed", "Expunging", "Error"];

const consoleAction: Action = {
  command: "createConsoleEndpoint",
  icon: CodeOutlined,
  on: "row",
  when: is("Running"),
  run: openConsole,
};

const diagnose: Action = {
  command: "runDiagnostics",
  icon: MedicineBoxOutlined,
  on: "row",
  target: "targetid",
  when: is("Running"),
  form: [
    { name: "type", values: ["ping", "traceroute", "arping"], initial: () => "ping" },
    "ipaddress",
    "params",
  ],
  shows: ["stdout", "stderr", "exitcode"],
};

const addresses: Field[] = [{ name: "publicip" }, { name: "privateip" }];

const systemVm: Resource = {
  name: "systemvm",
  section: "infrastructure",
  icon: CloudServerOutlined,
  commented: "SYSTEM_VM",
  list: { command: "listSystemVms", key: "systemvm" },
  columns: [
    column.name,
    column.state,
    { name: "agentstate", kind: "state" },
    { name: "systemvmtype" },
    ...addresses,
    column.host,
    column.zone,
    ...column.hidden(
      column.pod,
      { name: "version" },
      { name: "activeviewersessions", kind: "number" },
      { name: "serviceofferingname", link: { resource: "systemoffering", id: "serviceofferingid" } },
      column.created,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "systemvmtype", values: ["consoleproxy", "secondarystoragevm"] },
    { name: "state", values: STATES },
    { name: "podid" },
    { name: "hostid" },
  ],
  details: [
    "name",
    "state",
    "agentstate",
    "systemvmtype",
    ...addresses,
    column.host,
    column.pod,
    column.zone,
  ],
  tabs: [
    {
      name: "usage",
      resource: "systemvmusage",
      component: () => import("@/pages/usage/UsageTab.vue"),
      needs: "listSystemVmsUsageHistory",
    },
  ],
  actions: [
    start("startSystemVm"),
    stop("stopSystemVm", { form: ["forced"] }),
    reboot("rebootSystemVm", { form: ["forced"] }),
    consoleAction,
    {
      command: "migrateSystemVm",
      icon: SwapOutlined,
      on: "row",
      target: "virtualmachineid",
      when: is("Running"),
      form: [
        {
          name: "hostid",
          resource: "host",
          filter: (_, row) => ({ virtualmachineid: String(row?.id ?? "") }),
        },
        "autoselect",
      ],
    },
    {
      command: "scaleSystemVm",
      icon: ColumnHeightOutlined,
      on: "row",
      form: [{ name: "serviceofferingid", resource: "systemoffering" }],
    },
    {
      command: "changeServiceForSystemVm",
      icon: ColumnHeightOutlined,
      on: "row",
      when: is("Stopped"),
      form: [{ name: "serviceofferingid", resource: "systemoffering" }],
    },
    diagnose,
    remove("destroySystemVm", { warning: "resources.warnings.destroySystemVm" }),
  ],
};

const routerColumns: Field[] = [
  column.name,
  column.state,
  { name: "publicip" },
  { name: "guestipaddress" },
  { name: "guestnetworkname", link: { resource: "network", id: "guestnetworkid" } },
  column.vpc,
  column.host,
  column.zone,
  { name: "account" },
  ...column.hidden(
    { name: "role" },
    { name: "redundantstate", kind: "state" },
    { name: "version" },
    { name: "requiresupgrade", kind: "boolean" },
    { name: "healthchecksfailed", kind: "boolean" },
    { name: "serviceofferingname", link: { resource: "systemoffering", id: "serviceofferingid" } },
    column.created,
  ),
];

const router: Resource = {
  name: "router",
  section: "infrastructure",
  icon: ApiOutlined,
  commented: "VR",
  list: { command: "listRouters", key: "router" },
  columns: routerColumns,
  filters: [
    { name: "zoneid" },
    { name: "state", values: STATES },
    { name: "podid" },
    { name: "clusterid" },
    { name: "hostid" },
    { name: "networkid" },
    { name: "vpcid" },
    { name: "forvpc", values: ["true", "false"] },
    { name: "healthchecksfailed", values: ["true", "false"] },
  ],
  details: [
    "name",
    "state",
    "publicip",
    "guestipaddress",
    { name: "guestnetworkname", link: { resource: "network", id: "guestnetworkid" } },
    column.vpc,
    column.host,
    column.zone,
    "isredundantrouter",
    "redundantstate",
    "version",
  ],
  tabs: [
    {
      name: "nics",
      member: "nic",
      fields: [
        { name: "networkname" },
        { name: "traffictype" },
        { name: "ipaddress" },
        { name: "netmask" },
        { name: "gateway" },
        { name: "macaddress" },
        { name: "broadcasturi" },
      ],
    },
  ],
  actions: [
    start("startRouter"),
    stop("stopRouter", { form: ["forced"] }),
    reboot("rebootRouter", { form: ["forced"] }),
    consoleAction,
    {
      command: "getRouterHealthCheckResults",
      icon: HeartOutlined,
      on: "row",
      target: "routerid",
      form: ["performfreshchecks"],
      when: is("Running"),
      shows: ["healthchecks"],
    },
    diagnose,
    {
      command: "changeServiceForRouter",
      icon: ColumnHeightOutlined,
      on: "row",
      when: is("Stopped"),
      form: [{ name: "serviceofferingid", resource: "systemoffering" }],
    },
    {
      command: "upgradeRouterTemplate",
      icon: UpCircleOutlined,
      on: "row",
      bulk: true,
      without: ["zoneid", "podid", "clusterid", "account", "domainid"],
      when: (row) => row.requiresupgrade === true,
    },
    remove("destroyRouter", { when: isNot("Destroyed", "Expunging") }),
  ],
};

const internalLoadBalancerVm: Resource = {
  name: "internalloadbalancervm",
  section: "infrastructure",
  icon: RocketOutlined,
  list: { command: "listInternalLoadBalancerVMs", key: "internalloadbalancervm" },
  columns: routerColumns.filter((each) => each.name !== "publicip"),
  filters: [{ name: "zoneid" }, { name: "state", values: STATES }, { name: "networkid" }, { name: "vpcid" }],
  actions: [
    start("startInternalLoadBalancerVM"),
    stop("stopInternalLoadBalancerVM", { form: ["forced"] }),
    consoleAction,
  ],
};

const managementServer: Resource = {
  name: "managementserver",
  section: "infrastructure",
  icon: ControlOutlined,
  list: { command: "listManagementServers", key: "managementserver", whole: true },
  columns: [
    column.name,
    column.state,
    { name: "version" },
    { name: "agentscount", kind: "number" },
    { name: "pendingjobscount", kind: "number" },
  ],
  tabs: [
    {
      name: "figures",
      resource: "managementservermetrics",
      parameters: (row) => ({ id: row.id }),
      needs: "listManagementServersMetrics",
    },
  ],
  actions: [
    {
      command: "prepareForShutdown",
      icon: PoweroffOutlined,
      on: "row",
      danger: true,
      target: "managementserverid",
      form: [],
      when: is("Up"),
    },
    {
      command: "cancelShutdown",
      icon: CheckCircleOutlined,
      on: "row",
      target: "managementserverid",
      form: [],
      when: isNot("Up"),
    },
  ],
};

const resources: Resource[] = [systemVm, router, internalLoadBalancerVm, managementServer];
export default resources;
