// What can be chosen: sizes of instances, of system VMs and of disks, kinds of networks and VPCs.

import {
  ApartmentOutlined,
  AppstoreOutlined,
  BlockOutlined,
  CheckCircleOutlined,
  CloudSyncOutlined,
  ControlOutlined,
  HddOutlined,
} from "@ant-design/icons-vue";
import type { Value } from "@/api/client";
import type { Action, FormField, Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

type Values = Record<string, Value>;

const STORAGE_TYPES = ["shared", "local"];
const PROVISIONING = ["thin", "sparse", "fat"];
const CACHE_MODES = ["none", "writeback", "writethrough"];
const STATES = ["Active", "Inactive"];
const PLANNERS = { command: "listDeploymentPlanners", key: "deploymentPlanner", value: "name" };
const OFFERED = ["Enabled", "Disabled"];

/** Offer it, or no longer, by an ordinary update. */
function offer(command: string, on: string, off: string): Action[] {
  return [
    {
      command,
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      bulk: true,
      form: [],
      fixed: () => ({ state: on }),
      when: (row) => row.state !== on,
    },
    {
      command,
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      bulk: true,
      danger: true,
      form: [],
      fixed: () => ({ state: off }),
      when: is(on),
    },
  ];
}

const fixedSize = (values: Values): boolean => values.customized !== true;
const customSize = (values: Values): boolean => values.customized === true;

const computeForm: FormField[] = [
  { name: "name" },
  { name: "displaytext" },
  { name: "customized" },
  { name: "cpunumber", when: fixedSize },
  { name: "cpuspeed" },
  { name: "memory", when: fixedSize },
  { name: "mincpunumber", when: customSize },
  { name: "maxcpunumber", when: customSize },
  { name: "minmemory", when: customSize },
  { name: "maxmemory", when: customSize },
  { name: "offerha" },
  { name: "dynamicscalingenabled" },
  { name: "hosttags" },
  { name: "tags" },
  { name: "storagetype", values: STORAGE_TYPES, initial: () => "shared" },
  { name: "provisioningtype", values: PROVISIONING, initial: () => "thin" },
  { name: "rootdisksize" },
  { name: "deploymentplanner", choices: PLANNERS },
];

const UPDATE = ["name", "displaytext", "hosttags", "storagetags"];

const computeColumns = [
  column.name,
  column.state,
  { name: "cpunumber", kind: "number" },
  { name: "cpuspeed", kind: "megahertz" },
  { name: "memory", kind: "mebibytes" },
] satisfies Resource["columns"];

const serviceOffering: Resource = {
  name: "serviceoffering",
  section: "offerings",
  icon: AppstoreOutlined,
  commented: "SERVICE_OFFERING",
  list: { command: "listServiceOfferings", key: "serviceoffering" },
  tagged: "ServiceOffering",
  columns: [
    ...computeColumns,
    { name: "iscustomized", kind: "boolean" },
    { name: "offerha", kind: "boolean" },
    { name: "hosttags" },
    { name: "storagetags" },
    ...column.hidden(
      column.displaytext,
      { name: "storagetype" },
      { name: "provisioningtype" },
      { name: "deploymentplanner" },
      { name: "rootdisksize", kind: "gibibytes" },
      { name: "gpucount", kind: "number" },
      { name: "domain" },
      { name: "zone" },
      column.created,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "state", values: STATES },
    { name: "storagetype", values: STORAGE_TYPES },
    { name: "gpuenabled", values: ["true", "false"] },
  ],
  tabs: [{ name: "instances", resource: "vm", parameters: (row) => ({ serviceofferingid: row.id }) }],
  actions: [
    create("createServiceOffering", computeForm, { without: ["issystem", "systemvmtype"] }),
    update("updateServiceOffering", UPDATE, { without: ["state"] }),
    ...offer("updateServiceOffering", "Active", "Inactive"),
    remove("deleteServiceOffering"),
  ],
};

const systemOffering: Resource = {
  name: "systemoffering",
  section: "offerings",
  icon: ControlOutlined,
  list: {
    command: "listServiceOfferings",
    key: "serviceoffering",
    parameters: () => ({ issystem: true }),
    needs: "createServiceOffering",
  },
  columns: [
    ...computeColumns,
    { name: "systemvmtype" },
    { name: "defaultuse", kind: "boolean" },
    { name: "networkrate", kind: "number" },
    ...column.hidden(column.displaytext, { name: "storagetype" }, { name: "hosttags" }, column.created),
  ],
  filters: [
    {
      name: "systemvmtype",
      values: ["domainrouter", "consoleproxy", "secondarystoragevm", "internalloadbalancervm"],
    },
  ],
  tabs: [],
  actions: [
    create(
      "createServiceOffering",
      [
        {
          name: "systemvmtype",
          values: ["domainrouter", "consoleproxy", "secondarystoragevm", "internalloadbalancervm"],
        },
        ...computeForm.filter((each) => !/custom|min|max|offerha|scaling/.test(each.name)),
      ],
      { name: "createSystemOffering", fixed: () => ({ issystem: true }), without: ["customized"] },
    ),
    update("updateServiceOffering", UPDATE, { without: ["state"] }),
    remove("deleteServiceOffering"),
  ],
};

const diskOffering: Resource = {
  name: "diskoffering",
  section: "offerings",
  icon: HddOutlined,
  commented: "DISK_OFFERING",
  list: { command: "listDiskOfferings", key: "diskoffering" },
  tagged: "DiskOffering",
  columns: [
    column.name,
    column.state,
    { name: "disksize", kind: "gibibytes", value: (row) => row.disksize || undefined },
    { name: "iscustomized", kind: "boolean" },
    { name: "storagetype" },
    { name: "provisioningtype" },
    { name: "tags" },
    ...column.hidden(
      column.displaytext,
      { name: "iscustomizediops", kind: "boolean" },
      { name: "miniops", kind: "number" },
      { name: "maxiops", kind: "number" },
      { name: "diskBytesReadRate", kind: "bytes" },
      { name: "diskBytesWriteRate", kind: "bytes" },
      { name: "diskIopsReadRate", kind: "number" },
      { name: "diskIopsWriteRate", kind: "number" },
      { name: "cacheMode" },
      { name: "encrypt", kind: "boolean" },
      column.created,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "state", values: STATES },
    { name: "storagetype", values: STORAGE_TYPES },
    { name: "encrypt", values: ["true", "false"] },
  ],
  tabs: [{ name: "volumes", resource: "volume", parameters: (row) => ({ diskofferingid: row.id }) }],
  actions: [
    create("createDiskOffering", [
      "name",
      "displaytext",
      "customized",
      { name: "disksize", when: fixedSize },
      { name: "storagetype", values: STORAGE_TYPES, initial: () => "shared" },
      { name: "provisioningtype", values: PROVISIONING, initial: () => "thin" },
      { name: "cachemode", values: CACHE_MODES },
      "tags",
      "bytesreadrate",
      "byteswriterate",
      "iopsreadrate",
      "iopswriterate",
    ]),
    update(
      "updateDiskOffering",
      ["name", "displaytext", "tags", { name: "cachemode", values: CACHE_MODES }],
      {
        without: ["state"],
      },
    ),
    ...offer("updateDiskOffering", "Active", "Inactive"),
    remove("deleteDiskOffering"),
  ],
};

const SERVICES = { command: "listSupportedNetworkServices", key: "networkservice", value: "name" };

const networkOffering: Resource = {
  name: "networkoffering",
  section: "offerings",
  icon: ApartmentOutlined,
  commented: "NETWORK_OFFERING",
  list: { command: "listNetworkOfferings", key: "networkoffering" },
  tagged: "NetworkOffering",
  columns: [
    column.name,
    column.state,
    { name: "guestiptype" },
    { name: "traffictype" },
    { name: "forvpc", kind: "boolean" },
    { name: "specifyvlan", kind: "boolean" },
    ...column.hidden(
      column.displaytext,
      { name: "availability" },
      { name: "isdefault", kind: "boolean" },
      { name: "conservemode", kind: "boolean" },
      { name: "egressdefaultpolicy", kind: "boolean" },
      { name: "networkrate", kind: "number" },
      { name: "tags" },
      column.created,
    ),
  ],
  filters: [
    { name: "state", values: OFFERED },
    { name: "guestiptype", values: ["Isolated", "Shared", "L2"] },
    { name: "traffictype", values: ["Guest", "Public", "Management", "Storage", "Control"] },
    { name: "availability", values: ["Required", "Optional"] },
    { name: "forvpc", values: ["true", "false"] },
    { name: "supportedservices", choices: SERVICES },
    { name: "zoneid" },
  ],
  tabs: [
    { name: "services", member: "service", fields: [{ name: "name" }, { name: "provider.0.name" }] },
    { name: "networks", resource: "network", parameters: (row) => ({ networkofferingid: row.id }) },
  ],
  actions: [
    create("createNetworkOffering", [
      "name",
      "displaytext",
      { name: "guestiptype", values: ["Isolated", "Shared", "L2"], initial: () => "Isolated" },
      { name: "traffictype", values: ["Guest"], initial: () => "Guest" },
      { name: "internetprotocol", values: ["IPv4", "DualStack"], initial: () => "IPv4" },
      "forvpc",
      { name: "supportedservices", choices: SERVICES },
      "serviceproviderlist",
      "servicecapabilitylist",
      "specifyvlan",
      "specifyipranges",
      "ispersistent",
      "conservemode",
      "egressdefaultpolicy",
      { name: "availability", values: ["Optional", "Required"] },
      "networkrate",
      { name: "serviceofferingid", resource: "systemoffering" },
      { name: "enable", initial: () => true },
    ]),
    update(
      "updateNetworkOffering",
      ["name", "displaytext", { name: "availability", values: ["Optional", "Required"] }, "tags"],
      { without: ["state"] },
    ),
    ...offer("updateNetworkOffering", "Enabled", "Disabled"),
    remove("deleteNetworkOffering", { when: (row) => row.isdefault !== true }),
  ],
};

const vpcOffering: Resource = {
  name: "vpcoffering",
  section: "offerings",
  icon: CloudSyncOutlined,
  list: { command: "listVPCOfferings", key: "vpcoffering" },
  tagged: "VpcOffering",
  columns: [
    column.name,
    column.state,
    { name: "isdefault", kind: "boolean" },
    column.displaytext,
    ...column.hidden({ name: "domain" }, { name: "zone" }, column.created),
  ],
  filters: [
    { name: "state", values: OFFERED },
    { name: "isdefault", values: ["true", "false"] },
    { name: "zoneid" },
  ],
  tabs: [
    { name: "services", member: "service", fields: [{ name: "name" }, { name: "provider.0.name" }] },
    { name: "vpcs", resource: "vpc", parameters: (row) => ({ vpcofferingid: row.id }) },
  ],
  actions: [
    create("createVPCOffering", [
      "name",
      "displaytext",
      { name: "supportedservices", choices: SERVICES },
      "serviceproviderlist",
      { name: "internetprotocol", values: ["IPv4", "DualStack"], initial: () => "IPv4" },
      { name: "serviceofferingid", resource: "systemoffering" },
      { name: "enable", initial: () => true },
    ]),
    update("updateVPCOffering", ["name", "displaytext"], { without: ["state"] }),
    ...offer("updateVPCOffering", "Enabled", "Disabled"),
    remove("deleteVPCOffering", { when: (row) => row.isdefault !== true }),
  ],
};

const resources: Resource[] = [serviceOffering, systemOffering, diskOffering, networkOffering, vpcOffering];
export default resources;
