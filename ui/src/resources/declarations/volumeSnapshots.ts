// Snapshots of volumes, and the policies that take them by the clock.

import {
  DownloadOutlined,
  FieldTimeOutlined,
  FileImageOutlined,
  HddOutlined,
  RollbackOutlined,
  ScissorOutlined,
} from "@ant-design/icons-vue";
import type { Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { deployFrom } from "./parts/deploying";

const INTERVALS = ["HOURLY", "DAILY", "WEEKLY", "MONTHLY"];

const snapshot: Resource = {
  name: "snapshot",
  section: "storage",
  icon: ScissorOutlined,
  commented: "SNAPSHOT",
  list: { command: "listSnapshots", key: "snapshot" },
  owned: true,
  tagged: "Snapshot",
  columns: [
    column.name,
    column.state,
    { name: "volumename", link: { resource: "volume", id: "volumeid" } },
    { name: "intervaltype" },
    { name: "physicalsize", kind: "bytes" },
    column.created,
    column.zone,
    ...column.owner,
    ...column.hidden(
      { name: "virtualsize", kind: "bytes" },
      { name: "snapshottype" },
      { name: "locationtype" },
      { name: "datastorename" },
      column.tags,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "volumeid" },
    { name: "snapshottype", values: ["MANUAL", "RECURRING"] },
    { name: "intervaltype", values: INTERVALS },
    { name: "locationtype", values: ["PRIMARY", "SECONDARY"] },
  ],
  actions: [
    create("createSnapshot", ["volumeid", "name", "tags"]),
    {
      command: "createTemplate",
      icon: FileImageOutlined,
      on: "row",
      name: "createTemplateFromSnapshot",
      target: "snapshotid",
      without: ["volumeid"],
      when: is("BackedUp"),
      form: ["name", "displaytext", "ostypeid", "ispublic", "isfeatured", "passwordenabled"],
    },
    {
      command: "createVolume",
      icon: HddOutlined,
      on: "row",
      name: "createVolumeFromSnapshot",
      target: "snapshotid",
      when: is("BackedUp"),
      form: ["name", "virtualmachineid"],
    },
    deployFrom("snapshotid", (row) => is("BackedUp")(row) && row.volumetype === "ROOT"),
    {
      command: "revertSnapshot",
      icon: RollbackOutlined,
      on: "row",
      danger: true,
      when: (row) => row.revertable === true,
      warning: "resources.warnings.revertSnapshot",
    },
    {
      command: "extractSnapshot",
      icon: DownloadOutlined,
      on: "row",
      when: is("BackedUp"),
      fixed: (row) => ({ zoneid: String(row?.zoneid ?? "") }),
      shows: ["url"],
    },
    remove("deleteSnapshot"),
  ],
};

const snapshotPolicy: Resource = {
  name: "snapshotpolicy",
  section: "storage",
  icon: FieldTimeOutlined,
  nested: true,
  list: { command: "listSnapshotPolicies", key: "snapshotpolicy" },
  tagged: "SnapshotPolicy",
  title: (row) => `${String(row.volumename ?? "")} ${INTERVALS[Number(row.intervaltype)] ?? ""}`.trim(),
  columns: [
    { name: "intervaltype", value: (row) => INTERVALS[Number(row.intervaltype)] ?? row.intervaltype },
    { name: "schedule" },
    { name: "timezone" },
    { name: "maxsnaps", kind: "number" },
    { name: "volumename", link: { resource: "volume", id: "volumeid" }, hidden: true },
  ],
  actions: [
    create("createSnapshotPolicy", [
      "volumeid",
      { name: "intervaltype", values: INTERVALS, initial: () => "DAILY" },
      { name: "schedule", initial: () => "00:02" },
      { name: "timezone", initial: () => Intl.DateTimeFormat().resolvedOptions().timeZone },
      { name: "maxsnaps", initial: () => 7 },
    ]),
    update("updateSnapshotPolicy", ["fordisplay"]),
    remove("deleteSnapshotPolicies"),
  ],
};

const resources: Resource[] = [snapshot, snapshotPolicy];
export default resources;
