// Volumes: the disks of instances.

import {
  ColumnHeightOutlined,
  DownloadOutlined,
  FileImageOutlined,
  HddOutlined,
  LinkOutlined,
  ScissorOutlined,
  SwapOutlined,
  UndoOutlined,
  UploadOutlined,
  DisconnectOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Resource } from "../declaration";
import { create, is, isNot, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { deployFrom, ownerOf } from "./parts/deploying";
import { figures, usage } from "./parts/figures";

const attached = (row: Row): boolean => Boolean(row.virtualmachineid);
const isData = (row: Row): boolean => row.type === "DATADISK";

const volume: Resource = {
  name: "volume",
  section: "storage",
  icon: HddOutlined,
  commented: "VOLUME",
  list: { command: "listVolumes", key: "volume" },
  owned: true,
  tagged: "Volume",
  columns: [
    { name: "name" },
    column.state,
    { name: "type" },
    { name: "size", kind: "bytes" },
    { name: "vmname", link: { resource: "vm", id: "virtualmachineid" } },
    { name: "storage", link: { resource: "storagepool", id: "storageid" }, needs: "listStoragePools" },
    column.zone,
    ...column.owner,
    ...column.hidden(
      { name: "diskofferingname", link: { resource: "diskoffering", id: "diskofferingid" } },
      { name: "provisioningtype" },
      { name: "deviceid" },
      column.created,
      column.tags,
    ),
  ],
  filters: [
    { name: "type", values: ["ROOT", "DATADISK"] },
    {
      name: "state",
      values: ["Allocated", "Ready", "Creating", "Migrating", "Destroy", "Expunged", "Uploaded"],
    },
    { name: "zoneid" },
    { name: "virtualmachineid" },
  ],
  details: [
    "name",
    "state",
    "id",
    "type",
    "size",
    "vmname",
    "diskofferingname",
    "storage",
    "zonename",
    "account",
    "created",
  ],
  tabs: [
    { name: "snapshots", resource: "snapshot", parameters: (row) => ({ volumeid: row.id }) },
    { name: "snapshotPolicies", resource: "snapshotpolicy", parameters: (row) => ({ volumeid: row.id }) },
    {
      name: "figures",
      resource: "volumemetrics",
      parameters: (row) => ({ id: row.id }),
      needs: "listVolumesMetrics",
    },
    {
      name: "usage",
      resource: "volumeusage",
      parameters: (row) => ({ id: row.id }),
      needs: "listVolumesUsageHistory",
    },
  ],
  actions: [
    create("createVolume", ["name", "zoneid", { name: "diskofferingid", resource: "diskoffering" }, "size"]),
    { command: "uploadVolume", icon: UploadOutlined, on: "list" },
    {
      command: "attachVolume",
      icon: LinkOutlined,
      on: "row",
      when: (row) => isData(row) && !attached(row) && isNot("Destroy", "Expunged", "Expunging")(row),
      form: [
        {
          name: "virtualmachineid",
          resource: "vm",
          // an instance that a volume is attached to belongs to whom the volume belongs to
          filter: (_, row) => ({ zoneid: String(row?.zoneid ?? ""), ...ownerOf(row) }),
        },
      ],
    },
    {
      command: "detachVolume",
      icon: DisconnectOutlined,
      on: "row",
      bulk: true,
      when: (row) => isData(row) && attached(row),
      without: ["virtualmachineid", "deviceid"],
    },
    {
      command: "createSnapshot",
      icon: ScissorOutlined,
      on: "row",
      bulk: true,
      target: "volumeid",
      when: is("Ready"),
      form: ["name"],
    },
    {
      command: "resizeVolume",
      icon: ColumnHeightOutlined,
      on: "row",
      when: is("Ready", "Allocated"),
      form: ["size", { name: "diskofferingid", resource: "diskoffering" }, "shrinkok"],
    },
    {
      command: "migrateVolume",
      icon: SwapOutlined,
      on: "row",
      target: "volumeid",
      when: is("Ready"),
      form: [
        {
          name: "storageid",
          choices: {
            command: "findStoragePoolsForMigration",
            key: "storagepool",
            value: "id",
            label: "name",
          },
          filter: (_, row) => ({ id: row?.id }),
        },
      ],
    },
    deployFrom("volumeid", (row) => is("Ready")(row) && !attached(row)),
    {
      command: "createTemplate",
      name: "createTemplateFromVolume",
      icon: FileImageOutlined,
      on: "row",
      target: "volumeid",
      without: ["snapshotid"],
      when: (row) => is("Ready")(row) && row.vmstate !== "Running",
      form: ["name", "displaytext", "ostypeid", "ispublic", "isfeatured", "passwordenabled"],
    },
    {
      command: "extractVolume",
      icon: DownloadOutlined,
      on: "row",
      when: (row) => is("Ready")(row) && row.vmstate !== "Running",
      fixed: (row) => ({ zoneid: String(row?.zoneid ?? ""), mode: "HTTP_DOWNLOAD" }),
      without: ["url"],
      shows: ["url"],
    },
    update("updateVolume", ["name", "deleteprotection"]),
    { command: "recoverVolume", icon: UndoOutlined, on: "row", bulk: true, when: is("Destroy") },
    remove("destroyVolume", {
      form: ["expunge"],
      when: (row) => isData(row) && !attached(row) && isNot("Destroy", "Expunged")(row),
    }),
    remove("deleteVolume", { when: (row) => isData(row) && !attached(row) }),
  ],
};

export default [
  volume,
  figures("storage", "volumemetrics", "listVolumesMetrics", "volume", [
    { name: "sizegb" },
    { name: "diskkbsread" },
    { name: "diskkbswrite" },
    { name: "diskioread", kind: "number" },
    { name: "diskiowrite", kind: "number" },
    { name: "diskiopstotal", kind: "number" },
  ]),
  usage("storage", "volumeusage", "listVolumesUsageHistory", "volume", [
    { name: "diskkbsread" },
    { name: "diskkbswrite" },
    { name: "diskioread", kind: "number" },
    { name: "diskiowrite", kind: "number" },
    { name: "diskiopstotal", kind: "number" },
  ]),
] satisfies Resource[];
