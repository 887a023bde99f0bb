// Running the cloud: events, alerts, jobs, settings, limits, tags, guest systems.

import {
  AlertOutlined,
  CodeOutlined,
  DeleteOutlined,
  FieldTimeOutlined,
  FlagOutlined,
  GlobalOutlined,
  InboxOutlined,
  LaptopOutlined,
  NotificationOutlined,
  RollbackOutlined,
  SettingOutlined,
  SlidersOutlined,
  TagsOutlined,
  ThunderboltOutlined,
} from "@ant-design/icons-vue";
import type { Component } from "vue";
import type { Row } from "@/api/client";
import type { Action, Resource } from "../declaration";
import { words } from "../labels";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { HYPERVISORS } from "./parts/hypervisors";

/** What can carry tags, as the API names it. */
const TAGGED = [
  "UserVm",
  "Template",
  "ISO",
  "Volume",
  "Snapshot",
  "VMSnapshot",
  "SnapshotPolicy",
  "Network",
  "PublicIpAddress",
  "Nic",
  "Project",
  "Account",
  "User",
  "Domain",
  "Zone",
  "Pod",
  "Cluster",
  "Host",
  "Storage",
  "ServiceOffering",
  "DiskOffering",
  "NetworkOffering",
  "AffinityGroup",
  "Vpc",
  "VpcOffering",
  "NetworkACL",
  "NetworkACLList",
  "StaticRoute",
  "PrivateGateway",
  "VpnGateway",
  "VpnCustomerGateway",
  "VpnConnection",
  "FirewallRule",
  "PortForwardingRule",
  "LoadBalancer",
  "SecurityGroup",
  "SecurityGroupRule",
];

const JOB_STATES = ["InProgress", "Succeeded", "Failed", "Cancelled"];

/** Put single ones away, or all that are chosen. */
function byIds(command: string, icon: Component): Action {
  return {
    command,
    icon,
    on: "row",
    bulk: true,
    danger: command.startsWith("delete"),
    target: "ids",
    without: ["type", "startdate", "enddate"],
  };
}

const event: Resource = {
  name: "event",
  section: "operations",
  icon: NotificationOutlined,
  list: { command: "listEvents", key: "event" },
  owned: true,
  title: (row) => String(row.type),
  columns: [
    column.created,
    { name: "level", kind: "state", width: 90 },
    { name: "type" },
    column.state,
    column.description,
    { name: "resourcename" },
    { name: "username" },
    ...column.owner,
    { name: "resourcetype", hidden: true },
  ],
  filters: [
    { name: "type", choices: { command: "listEventTypes", key: "eventtype", value: "name" } },
    { name: "level", values: ["INFO", "WARN", "ERROR"] },
    { name: "state", values: ["Created", "Scheduled", "Started", "Completed"] },
    { name: "startdate" },
    { name: "enddate" },
    { name: "archived", values: ["true", "false"] },
  ],
  actions: [byIds("archiveEvents", InboxOutlined), byIds("deleteEvents", DeleteOutlined)],
};

const alert: Resource = {
  name: "alert",
  section: "operations",
  icon: AlertOutlined,
  list: { command: "listAlerts", key: "alert" },
  columns: [
    { name: "sent", kind: "date" },
    column.name,
    column.description,
    ...column.hidden({ name: "type" }),
  ],
  filters: [
    { name: "type", choices: { command: "listAlertTypes", key: "alert", value: "type", label: "name" } },
  ],
  actions: [
    create("generateAlert", ["name", "description", "type", "zoneid", "podid"]),
    byIds("archiveAlerts", InboxOutlined),
    byIds("deleteAlerts", DeleteOutlined),
  ],
};

const asyncJob: Resource = {
  name: "asyncjob",
  section: "operations",
  icon: ThunderboltOutlined,
  id: "jobid",
  list: { command: "listAsyncJobs", key: "asyncjobs" },
  title: (row) => String(row.cmd).replace(/^.*\./, "").replace(/Cmd$/, ""),
  columns: [
    { name: "cmd", value: (row) => String(row.cmd).replace(/^.*\./, "").replace(/Cmd$/, "") },
    { name: "jobstatus", kind: "state", value: (row) => JOB_STATES[Number(row.jobstatus)] },
    { name: "jobinstancetype" },
    { name: "account" },
    column.created,
    { name: "completed", kind: "date" },
    { name: "jobresultcode", hidden: true },
  ],
  filters: [{ name: "startdate" }],
  actions: [
    { command: "queryAsyncJobResult", icon: CodeOutlined, on: "row", target: "jobid", shows: ["jobresult"] },
    {
      command: "getTrace",
      icon: FieldTimeOutlined,
      on: "row",
      page: (row) => `/trace?jobid=${encodeURIComponent(String(row?.jobid ?? ""))}`,
    },
  ],
};

const configuration: Resource = {
  name: "configuration",
  section: "operations",
  icon: SettingOutlined,
  id: "name",
  list: { command: "listConfigurations", key: "configuration", one: "name" },
  columns: [
    { name: "name" },
    { name: "value" },
    { name: "defaultvalue" },
    column.description,
    { name: "group" },
    ...column.hidden(
      { name: "category" },
      { name: "subgroup" },
      { name: "scope" },
      { name: "type" },
      { name: "isdynamic", kind: "boolean" },
    ),
  ],
  filters: [
    {
      name: "group",
      choices: { command: "listConfigurationGroups", key: "configurationgroup", value: "name" },
    },
  ],
  actions: [
    update("updateConfiguration", ["value"], {
      target: "name",
      targetValue: (row) => String(row.name),
      without: ["zoneid", "clusterid", "storageid", "accountid", "domainid", "imagestoreuuid"],
    }),
    {
      command: "resetConfiguration",
      icon: RollbackOutlined,
      on: "row",
      bulk: true,
      danger: true,
      target: "name",
      targetValue: (row) => String(row.name),
      without: ["zoneid", "clusterid", "storageid", "accountid", "domainid", "imagestoreid"],
      when: (row) => row.value !== row.defaultvalue,
    },
  ],
};

const resourceLimit: Resource = {
  name: "resourcelimit",
  section: "operations",
  icon: SlidersOutlined,
  id: "resourcetype",
  list: { command: "listResourceLimits", key: "resourcelimit", whole: true, one: "resourcetype" },
  title: (row) => words(String(row.resourcetypename)),
  columns: [
    { name: "resourcetypename", value: (row) => words(String(row.resourcetypename)) },
    { name: "tag" },
    { name: "max", value: (row) => (Number(row.max) === -1 ? "Unlimited" : row.max) },
    { name: "account" },
    column.domain,
    { name: "project" },
  ],
  filters: [{ name: "domainid" }, { name: "account" }],
  actions: [
    {
      command: "updateResourceLimit",
      icon: SlidersOutlined,
      on: "row",
      target: "resourcetype",
      targetValue: (row) => String(row.resourcetype),
      fixed: (row) => whoseLimit(row),
      form: ["max"],
    },
    {
      command: "updateResourceCount",
      icon: RollbackOutlined,
      on: "row",
      target: "resourcetype",
      targetValue: (row) => String(row.resourcetype),
      fixed: (row) => whoseLimit(row),
      shows: ["resourcecount"],
    },
  ],
};

function whoseLimit(row: Row | null): Record<string, string> {
  const tag: Record<string, string> = row?.tag ? { tag: String(row.tag) } : {};
  if (row?.projectid) {
    return { projectid: String(row.projectid), ...tag };
  }
  return {
    ...tag,
    ...(row?.account ? { account: String(row.account) } : {}),
    ...(row?.domainid ? { domainid: String(row.domainid) } : {}),
  };
}

const tag: Resource = {
  name: "tag",
  section: "operations",
  icon: TagsOutlined,
  id: "resourceid",
  list: { command: "listTags", key: "tag", one: "resourceid" },
  owned: true,
  title: (row) => `${String(row.key)}=${String(row.value)}`,
  columns: [
    { name: "key" },
    { name: "value" },
    { name: "resourcetype" },
    { name: "resourceid" },
    ...column.owner,
  ],
  filters: [{ name: "resourcetype", values: TAGGED }, { name: "key" }, { name: "value" }],
  actions: [
    create("createTags", [{ name: "resourcetype", values: TAGGED }, "resourceids", "tags"]),
    remove("deleteTags", {
      target: "resourceids",
      targetValue: (row) => String(row.resourceid),
      fixed: (row) => ({
        resourcetype: String(row?.resourcetype ?? ""),
        tags: [{ key: String(row?.key ?? ""), value: String(row?.value ?? "") }],
      }),
    }),
  ],
};

const osType: Resource = {
  name: "ostype",
  section: "operations",
  icon: LaptopOutlined,
  list: { command: "listOsTypes", key: "ostype" },
  title: (row) => String(row.description ?? row.name),
  columns: [
    column.description,
    { name: "oscategoryname", link: { resource: "oscategory", id: "oscategoryid" } },
    { name: "isuserdefined", kind: "boolean" },
    { name: "name", hidden: true },
  ],
  filters: [{ name: "oscategoryid" }],
  actions: [
    create("addGuestOs", ["oscategoryid", "osdisplayname"]),
    update("updateGuestOs", [
      { name: "osdisplayname", initial: (row) => String(row?.description ?? "") },
      "oscategoryid",
    ]),
    remove("removeGuestOs", { when: (row) => row.isuserdefined === true }),
  ],
};

const osCategory: Resource = {
  name: "oscategory",
  section: "operations",
  icon: FlagOutlined,
  list: { command: "listOsCategories", key: "oscategory" },
  columns: [column.name, { name: "isfeatured", kind: "boolean" }],
  filters: [{ name: "isfeatured", values: ["true", "false"] }],
  tabs: [{ name: "guestSystems", resource: "ostype", parameters: (row) => ({ oscategoryid: row.id }) }],
  actions: [
    create("addOsCategory", ["name", "isfeatured"]),
    update("updateOsCategory", ["name", "isfeatured"]),
    remove("deleteOsCategory"),
  ],
};

const hypervisorCapabilities: Resource = {
  name: "hypervisorcapabilities",
  section: "operations",
  icon: CodeOutlined,
  list: { command: "listHypervisorCapabilities", key: "hypervisorCapabilities" },
  title: (row) => `${String(row.hypervisor)} ${String(row.hypervisorversion ?? "")}`.trim(),
  columns: [
    { name: "hypervisor" },
    { name: "hypervisorversion" },
    { name: "maxguestslimit", kind: "number" },
    { name: "maxdatavolumeslimit", kind: "number" },
    { name: "storagemotionenabled", kind: "boolean" },
    { name: "vmsnapshotenabled", kind: "boolean" },
    { name: "securitygroupenabled", kind: "boolean" },
  ],
  filters: [{ name: "hypervisor", choices: HYPERVISORS }],
  actions: [
    update("updateHypervisorCapabilities", [
      "maxdatavolumeslimit",
      "storagemotionenabled",
      "vmsnapshotenabled",
    ]),
  ],
};

const region: Resource = {
  name: "region",
  section: "operations",
  icon: GlobalOutlined,
  list: { command: "listRegions", key: "region" },
  columns: [
    { name: "id" },
    column.name,
    { name: "endpoint" },
    { name: "gslbserviceenabled", kind: "boolean" },
    { name: "portableipserviceenabled", kind: "boolean" },
  ],
  tabs: [
    {
      name: "portableIpRanges",
      resource: "portableiprange",
      parameters: (row) => ({ regionid: row.id }),
      needs: "listPortableIpRanges",
    },
  ],
  actions: [
    create("addRegion", ["id", "name", "endpoint"]),
    update("updateRegion", ["name", "endpoint"]),
    remove("removeRegion"),
  ],
};

const resources: Resource[] = [
  event,
  alert,
  asyncJob,
  configuration,
  resourceLimit,
  tag,
  osType,
  osCategory,
  hypervisorCapabilities,
  region,
];
export default resources;
