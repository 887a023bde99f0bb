// What lies on storage, as hosts find it there, and the GPUs that hosts have.

import {
  CloudDownloadOutlined,
  FileOutlined,
  ImportOutlined,
  PartitionOutlined,
  ThunderboltOutlined,
} from "@ant-design/icons-vue";
import type { Field, Resource } from "../declaration";
import * as column from "./parts/columns";

const FILE: Field[] = [
  { name: "name" },
  { name: "isdirectory", kind: "boolean" },
  { name: "size", kind: "bytes" },
  { name: "format" },
  { name: "templatename", link: { resource: "template", id: "templateid" } },
  { name: "volumename", link: { resource: "volume", id: "volumeid" } },
  { name: "lastupdated", kind: "date" },
];

const imageStoreObject: Resource = {
  name: "imagestoreobject",
  section: "infrastructure",
  icon: FileOutlined,
  nested: true,
  list: { command: "listImageStoreObjects", key: "datastoreobject", within: ["id"] },
  id: "name",
  columns: [...FILE, { name: "snapshotname", link: { resource: "snapshot", id: "snapshotid" } }],
  filters: [{ name: "path" }],
  actions: [],
};

const storagePoolObject: Resource = {
  name: "storagepoolobject",
  section: "infrastructure",
  icon: FileOutlined,
  nested: true,
  list: { command: "listStoragePoolObjects", key: "datastoreobject", within: ["id"] },
  id: "name",
  columns: FILE,
  filters: [{ name: "path" }],
  actions: [],
};

const importableVolume: Resource = {
  name: "importablevolume",
  section: "infrastructure",
  icon: CloudDownloadOutlined,
  nested: true,
  list: { command: "listVolumesForImport", key: "volumesforimport", within: ["storageid"] },
  id: "path",
  columns: [
    { name: "name" },
    { name: "path" },
    { name: "format" },
    { name: "virtualsize", kind: "bytes" },
    { name: "size", kind: "bytes" },
  ],
  filters: [{ name: "path" }],
  actions: [
    {
      command: "importVolume",
      icon: ImportOutlined,
      on: "row",
      target: "path",
      targetValue: (row) => String(row.path),
      fixed: (row) => ({ storageid: String(row?.storageid ?? "") }),
      form: ["name", { name: "diskofferingid", resource: "diskoffering" }, "account", "domainid"],
    },
  ],
};

const gpuCard: Resource = {
  name: "gpucard",
  section: "infrastructure",
  icon: ThunderboltOutlined,
  list: { command: "listGpuCards", key: "gpucard" },
  columns: [{ name: "name" }, { name: "devicename" }],
  filters: [{ name: "activeonly", values: ["true", "false"] }],
  tabs: [
    { name: "gpus", resource: "gpudevice", parameters: (row) => ({ gpucardid: row.id }) },
    { name: "gpuProfiles", resource: "vgpuprofile", parameters: (row) => ({ gpucardid: row.id }) },
  ],
  actions: [],
};

const gpuDevice: Resource = {
  name: "gpudevice",
  section: "infrastructure",
  icon: ThunderboltOutlined,
  nested: true,
  list: { command: "listGpuDevices", key: "gpudevice" },
  columns: [
    { name: "gpucardname", link: { resource: "gpucard", id: "gpucardid" } },
    { name: "busaddress" },
    column.state,
    { name: "hostname", link: { resource: "host", id: "hostid" } },
    { name: "virtualmachinename", link: { resource: "vm", id: "virtualmachineid" } },
  ],
  actions: [],
};

const vgpuProfile: Resource = {
  name: "vgpuprofile",
  section: "infrastructure",
  icon: PartitionOutlined,
  nested: true,
  list: { command: "listVgpuProfiles", key: "vgpuprofile" },
  columns: [{ name: "name" }, { name: "description" }, { name: "maxvgpuperphysicalgpu" }],
  actions: [],
};

export default [
  imageStoreObject,
  storagePoolObject,
  importableVolume,
  gpuCard,
  gpuDevice,
  vgpuProfile,
] satisfies Resource[];
