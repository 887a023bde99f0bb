// What zones keep disks and images on, and how much room they have left: primary storage, image stores, capacity.

import {
  BlockOutlined,
  CheckCircleOutlined,
  DatabaseOutlined,
  DeploymentUnitOutlined,
  HddOutlined,
  ImportOutlined,
  ToolOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Resource } from "../declaration";
import { words } from "../labels";
import { amount } from "../values/amounts";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { HYPERVISORS } from "./parts/hypervisors";

const storagePool: Resource = {
  name: "storagepool",
  section: "infrastructure",
  icon: DatabaseOutlined,
  commented: "PRIMARY_STORAGE",
  list: { command: "listStoragePools", key: "storagepool" },
  tagged: "Storage",
  columns: [
    column.name,
    column.state,
    { name: "scope" },
    { name: "type" },
    { name: "disksizetotal", kind: "bytes" },
    { name: "disksizeused", kind: "bytes" },
    { name: "disksizeallocated", kind: "bytes" },
    column.cluster,
    column.zone,
    ...column.hidden(
      column.pod,
      { name: "ipaddress" },
      { name: "path" },
      { name: "tags", kind: "list" },
      column.created,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "podid" },
    { name: "clusterid" },
    { name: "scope", values: ["ZONE", "CLUSTER", "HOST"] },
    {
      name: "status",
      values: ["Up", "Disabled", "Maintenance", "PrepareForMaintenance", "ErrorInMaintenance"],
    },
  ],
  tabs: [
    {
      name: "figures",
      resource: "storagepoolmetrics",
      parameters: (row) => ({ id: row.id }),
      needs: "listStoragePoolsMetrics",
    },
    { name: "volumes", resource: "volume", parameters: (row) => ({ storageid: row.id }) },
    { name: "instances", resource: "vm", parameters: (row) => ({ storageid: row.id }) },
    { name: "systemVms", resource: "systemvm", parameters: (row) => ({ storageid: row.id }) },
    { name: "files", resource: "storagepoolobject", parameters: (row) => ({ id: row.id }) },
    { name: "toTakeIn", resource: "importablevolume", parameters: (row) => ({ storageid: row.id }) },
  ],
  actions: [
    create("createStoragePool", [
      "zoneid",
      { name: "scope", values: ["zone", "cluster", "host"], initial: () => "cluster" },
      { name: "podid", when: (values) => values.scope !== "zone" },
      { name: "clusterid", when: (values) => values.scope !== "zone" },
      { name: "hypervisor", choices: HYPERVISORS, when: (values) => values.scope === "zone" },
      "name",
      "url",
      {
        name: "provider",
        choices: {
          command: "listStorageProviders",
          key: "dataStoreProvider",
          value: "name",
          parameters: { type: "primary" },
        },
      },
      "tags",
    ]),
    update("updateStoragePool", ["name", "tags", "capacitybytes", "capacityiops"]),
    {
      command: "updateStoragePool",
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      form: [],
      fixed: () => ({ enabled: true }),
      when: is("Disabled"),
    },
    {
      command: "updateStoragePool",
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      danger: true,
      form: [],
      fixed: () => ({ enabled: false }),
      when: is("Up"),
    },
    { command: "enableStorageMaintenance", icon: ToolOutlined, on: "row", danger: true, when: is("Up") },
    {
      command: "cancelStorageMaintenance",
      icon: CheckCircleOutlined,
      on: "row",
      when: is("Maintenance", "PrepareForMaintenance", "ErrorInMaintenance"),
    },
    remove("deleteStoragePool", { form: ["forced"] }),
  ],
};

const imageStore: Resource = {
  name: "imagestore",
  section: "infrastructure",
  icon: HddOutlined,
  commented: "SECONDARY_STORAGE",
  list: { command: "listImageStores", key: "imagestore" },
  columns: [
    column.name,
    { name: "url" },
    { name: "protocol" },
    { name: "providername" },
    { name: "scope" },
    { name: "readonly", kind: "boolean" },
    { name: "disksizetotal", kind: "bytes" },
    { name: "disksizeused", kind: "bytes" },
    column.zone,
  ],
  filters: [{ name: "zoneid" }, { name: "readonly", values: ["true", "false"] }],
  tabs: [
    {
      name: "templates",
      resource: "template",
      parameters: (row) => ({ imagestoreid: row.id, templatefilter: "all" }),
    },
    { name: "isos", resource: "iso", parameters: (row) => ({ imagestoreid: row.id, isofilter: "all" }) },
    { name: "snapshots", resource: "snapshot", parameters: (row) => ({ imagestoreid: row.id }) },
    { name: "files", resource: "imagestoreobject", parameters: (row) => ({ id: row.id }) },
  ],
  actions: [
    create("addImageStore", [
      "name",
      {
        name: "provider",
        choices: {
          command: "listStorageProviders",
          key: "dataStoreProvider",
          value: "name",
          parameters: { type: "image" },
        },
        initial: () => "NFS",
      },
      "url",
      "zoneid",
      "details",
    ]),
    create("addSecondaryStorage", ["url", "zoneid"], { icon: ImportOutlined }),
    update("updateImageStore", ["name", "readonly", "capacitybytes"]),
    remove("deleteImageStore"),
  ],
};

/** Of what it is the capacity: "Storage allocated", which the API writes STORAGE_ALLOCATED. */
const nameOfKind = (row: Row): string => words(String(row.name));

const capacity: Resource = {
  name: "capacity",
  section: "infrastructure",
  icon: DeploymentUnitOutlined,
  id: "type",
  list: { command: "listCapacity", key: "capacity", whole: true },
  title: nameOfKind,
  columns: [
    { name: "name", value: nameOfKind },
    column.zone,
    column.pod,
    column.cluster,
    ...["capacityallocated", "capacityused", "capacitytotal"].map((name) => ({
      name,
      value: (row: Row) => amount(Number(row.type), Number(row[name] ?? 0)),
    })),
    { name: "percentused", kind: "share" },
  ],
  filters: [
    { name: "zoneid" },
    { name: "podid" },
    { name: "clusterid" },
    { name: "sortby", values: ["usage"] },
  ],
  actions: [],
};

const resources: Resource[] = [storagePool, imageStore, capacity];
export default resources;
