// Backups of instances, when more are taken, what is offered of that, and where they are kept.

import {
  CloudServerOutlined,
  FieldTimeOutlined,
  LinkOutlined,
  RocketOutlined,
  RollbackOutlined,
  SafetyCertificateOutlined,
  SaveOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

interface Disk {
  uuid: string;
  type: string;
  size: number;
}

/** The disks of a backup, which the API tells in JSON. */
function disksOf(row: Row | null): Disk[] {
  return typeof row?.volumes === "string" ? (JSON.parse(row.volumes) as Disk[]) : [];
}

const whole = (row: Row): boolean => row.status === "BackedUp";

const backup: Resource = {
  name: "backup",
  section: "storage",
  icon: SaveOutlined,
  list: { command: "listBackups", key: "backup" },
  owned: true,
  columns: [
    column.name,
    { name: "status", kind: "state", width: 120 },
    column.instance,
    { name: "intervaltype" },
    { name: "size", kind: "bytes" },
    column.created,
    { name: "backupofferingname", link: { resource: "backupoffering", id: "backupofferingid" } },
    { name: "zone", link: { resource: "zone", id: "zoneid" } },
    { name: "account" },
    ...column.hidden(
      column.domain,
      column.description,
      { name: "virtualsize", kind: "bytes" },
      { name: "vmbackupofferingremoved", kind: "boolean" },
      { name: "isbackupvmexpunged", kind: "boolean" },
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "virtualmachineid", resource: "vm" },
    { name: "backupofferingid", resource: "backupoffering" },
  ],
  details: [
    "name",
    "description",
    "status",
    "virtualmachinename",
    "size",
    "virtualsize",
    {
      name: "volumes",
      kind: "list",
      value: (row) => disksOf(row).map((disk) => `${disk.type} ${disk.uuid}`),
    },
    "backupofferingname",
    "created",
  ],
  actions: [
    create("createBackup", [
      {
        name: "virtualmachineid",
        resource: "vm",
        required: true,
      },
      "name",
      "description",
    ]),
    {
      command: "restoreBackup",
      icon: RollbackOutlined,
      on: "row",
      danger: true,
      when: (row) => whole(row) && row.isbackupvmexpunged !== true,
      warning: "resources.warnings.restoreBackup",
    },
    {
      command: "restoreVolumeFromBackupAndAttachToVM",
      icon: LinkOutlined,
      on: "row",
      target: "backupid",
      when: whole,
      form: [
        { name: "volumeid", initial: (row) => disksOf(row).at(-1)?.uuid, required: true },
        {
          name: "virtualmachineid",
          resource: "vm",
          filter: (_, row) => ({ zoneid: String(row?.zoneid ?? "") }),
        },
      ],
    },
    {
      command: "createVMFromBackup",
      icon: RocketOutlined,
      on: "row",
      target: "backupid",
      when: whole,
      form: [
        "name",
        { name: "zoneid", resource: "zone", initial: (row) => row?.zoneid as string | undefined },
        "preserveip",
        { name: "startvm", initial: () => true },
      ],
    },
    remove("deleteBackup", { form: [], when: whole }),
  ],
};

const INTERVALS = ["HOURLY", "DAILY", "WEEKLY", "MONTHLY"];
const TIMES: FormField[] = [
  { name: "intervaltype", values: INTERVALS, initial: (row) => String(row?.intervaltype ?? "DAILY") },
  { name: "schedule", initial: (row) => String(row?.schedule ?? "00:02") },
  {
    name: "timezone",
    initial: (row) => String(row?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone),
  },
  { name: "maxbackups", initial: (row) => Number(row?.maxbackups ?? 7) },
];

const schedule: Resource = {
  name: "backupschedule",
  section: "storage",
  icon: FieldTimeOutlined,
  nested: true,
  list: { command: "listBackupSchedule", key: "backupschedule" },
  title: (row) => `${String(row.virtualmachinename ?? "")} ${String(row.intervaltype ?? "")}`.trim(),
  columns: [
    { name: "intervaltype" },
    { name: "schedule" },
    { name: "timezone" },
    { name: "maxbackups", kind: "number" },
    { name: "quiescevm", kind: "boolean" },
    { ...column.instance, hidden: true },
  ],
  actions: [
    create("createBackupSchedule", [{ name: "virtualmachineid", resource: "vm" }, ...TIMES, "quiescevm"]),
    {
      ...update("updateBackupSchedule", [...TIMES, "quiescevm"]),
      target: "virtualmachineid",
      targetValue: (row) => String(row.virtualmachineid),
    },
    remove("deleteBackupSchedule", { without: ["virtualmachineid"] }),
  ],
};

const offering: Resource = {
  name: "backupoffering",
  section: "offerings",
  icon: SafetyCertificateOutlined,
  list: { command: "listBackupOfferings", key: "backupoffering" },
  columns: [
    column.name,
    column.description,
    { name: "provider" },
    { name: "allowuserdrivenbackups", kind: "boolean" },
    column.zone,
    ...column.hidden(
      { name: "externalid" },
      { name: "crosszoneinstancecreation", kind: "boolean" },
      column.created,
    ),
  ],
  filters: [{ name: "zoneid" }],
  tabs: [
    { name: "instances", resource: "vm", parameters: (row) => ({ backupofferingid: row.id }) },
    { name: "backups", resource: "backup", parameters: (row) => ({ backupofferingid: row.id }) },
  ],
  actions: [
    create("importBackupOffering", [
      { name: "zoneid", resource: "zone" },
      {
        name: "externalid",
        choices: {
          command: "listBackupProviderOfferings",
          key: "backupprovideroffering",
          value: "externalid",
          label: "name",
        },
        filter: (values) => ({ zoneid: values.zoneid }),
        when: (values) => Boolean(values.zoneid),
      },
      "name",
      "description",
      { name: "allowuserdrivenbackups", initial: () => true },
    ]),
    update("updateBackupOffering", ["name", "description", "allowuserdrivenbackups"]),
    remove("deleteBackupOffering"),
  ],
};

const repository: Resource = {
  name: "backuprepository",
  section: "infrastructure",
  icon: CloudServerOutlined,
  list: { command: "listBackupRepositories", key: "backuprepository" },
  columns: [
    column.name,
    { name: "type" },
    { name: "address" },
    { name: "capacitybytes", kind: "bytes" },
    { name: "crosszoneinstancecreation", kind: "boolean" },
    column.zone,
    ...column.hidden({ name: "provider" }, { name: "mountopts" }, column.created),
  ],
  filters: [
    { name: "zoneid" },
    { name: "provider", choices: { command: "listBackupProviders", key: "providers", value: "name" } },
  ],
  actions: [
    create("addBackupRepository", [
      { name: "zoneid", resource: "zone" },
      "name",
      { name: "type", values: ["nfs", "filesystem"], initial: () => "nfs" },
      "address",
      "mountopts",
      "capacitybytes",
    ]),
    update("updateBackupRepository", ["name", "address", "mountopts", "crosszoneinstancecreation"]),
    remove("deleteBackupRepository"),
  ],
};

const resources: Resource[] = [backup, schedule, offering, repository];
export default resources;
