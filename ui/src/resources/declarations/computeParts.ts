// What is part of an instance: its NICs, and the schedules that start and stop it.

import {
  ApiOutlined,
  CheckCircleOutlined,
  FieldTimeOutlined,
  MinusCircleOutlined,
  PlusCircleOutlined,
  SwapOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Field, FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { figures, usage } from "./parts/figures";

const ofInstance = (row: Row | null): Record<string, string> => ({
  virtualmachineid: String(row?.virtualmachineid ?? ""),
});

/** The secondary addresses of a NIC. */
function secondary(row: Row): { id: string; ipaddress: string }[] {
  return Array.isArray(row.secondaryip) ? (row.secondaryip as { id: string; ipaddress: string }[]) : [];
}

const nic: Resource = {
  name: "nic",
  section: "compute",
  icon: ApiOutlined,
  nested: true,
  list: { command: "listNics", key: "nic", one: "nicid", within: ["virtualmachineid"] },
  changes: "virtualmachine",
  title: (row) => String(row.ipaddress ?? row.macaddress),
  columns: [
    column.network,
    { name: "ipaddress" },
    { name: "ip6address" },
    { name: "macaddress", kind: "code" },
    { name: "isdefault", kind: "boolean" },
    {
      name: "secondaryip",
      value: (row) =>
        secondary(row)
          .map((each) => each.ipaddress)
          .join(", "),
    },
    { name: "type" },
    ...column.hidden(
      { name: "netmask" },
      { name: "gateway" },
      { name: "deviceid" },
      { name: "broadcasturi" },
    ),
  ],
  actions: [
    create("addNicToVirtualMachine", ["virtualmachineid", "networkid", "ipaddress"]),
    {
      command: "updateDefaultNicForVirtualMachine",
      icon: CheckCircleOutlined,
      on: "row",
      target: "nicid",
      fixed: ofInstance,
      when: (row) => row.isdefault !== true,
    },
    { command: "updateVmNicIp", icon: SwapOutlined, on: "row", target: "nicid", form: ["ipaddress"] },
    { command: "addIpToNic", icon: PlusCircleOutlined, on: "row", target: "nicid", form: ["ipaddress"] },
    {
      command: "removeIpFromNic",
      icon: MinusCircleOutlined,
      on: "row",
      danger: true,
      targetValue: (row) => secondary(row).at(-1)?.id,
      when: (row) => secondary(row).length > 0,
    },
    remove("removeNicFromVirtualMachine", {
      target: "nicid",
      fixed: ofInstance,
      when: (row) => row.isdefault !== true,
    }),
  ],
};

const SCHEDULE: FormField[] = [
  { name: "schedule", initial: (row) => String(row?.schedule ?? "0 8 * * 1-5") },
  {
    name: "timezone",
    initial: (row) => String(row?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone),
  },
  { name: "description" },
  { name: "startdate" },
  { name: "enddate" },
  { name: "enabled", initial: (row) => row?.enabled !== false },
];

const schedule: Resource = {
  name: "vmschedule",
  section: "compute",
  icon: FieldTimeOutlined,
  nested: true,
  list: { command: "listVMSchedule", key: "vmschedule", within: ["virtualmachineid"] },
  title: (row) => `${String(row.action)} ${String(row.schedule)}`,
  columns: [
    { name: "action" },
    { name: "schedule", kind: "code" },
    { name: "timezone" },
    { name: "enabled", kind: "boolean" },
    { name: "startdate", kind: "date" },
    { name: "enddate", kind: "date" },
    column.description,
  ],
  actions: [
    create("createVMSchedule", [
      "virtualmachineid",
      { name: "action", values: ["START", "STOP", "REBOOT", "FORCE_STOP", "FORCE_REBOOT"] },
      ...SCHEDULE,
    ]),
    update("updateVMSchedule", SCHEDULE),
    remove("deleteVMSchedule", { fixed: ofInstance, without: ["ids"] }),
  ],
};

const MACHINE: Field[] = [
  { name: "cpuused", kind: "share" },
  { name: "memorykbs" },
  { name: "memoryintfreekbs" },
  { name: "diskkbsread" },
  { name: "diskkbswrite" },
  { name: "networkkbsread" },
  { name: "networkkbswrite" },
  ...column.hidden({ name: "diskioread", kind: "number" }, { name: "diskiowrite", kind: "number" }),
];

const resources: Resource[] = [
  nic,
  schedule,
  usage("compute", "vmusage", "listVirtualMachinesUsageHistory", "virtualmachine", MACHINE),
  usage("compute", "systemvmusage", "listSystemVmsUsageHistory", "virtualmachine", MACHINE),
  figures("compute", "vmmetrics", "listVirtualMachinesMetrics", "virtualmachine", [
    { name: "cputotal" },
    { name: "cpuused", kind: "share" },
    { name: "memorytotal" },
    { name: "diskread" },
    { name: "diskwrite" },
    { name: "diskiopstotal", kind: "number" },
    { name: "networkread" },
    { name: "networkwrite" },
  ]),
];
export default resources;
