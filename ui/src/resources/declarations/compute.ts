// Instances: what the cloud is for.

import {
  CameraOutlined,
  CodeOutlined,
  DesktopOutlined,
  DisconnectOutlined,
  FileTextOutlined,
  FireOutlined,
  HistoryOutlined,
  KeyOutlined,
  LockOutlined,
  RocketOutlined,
  SwapOutlined,
  UndoOutlined,
  VerticalAlignMiddleOutlined,
} from "@ant-design/icons-vue";
import { call, type Row } from "@/api/client";
import type { Field, Resource } from "../declaration";
import { create, is, isNot, reboot, remove, start, stop, update } from "./parts/actions";
import * as column from "./parts/columns";

/** Open the instance's console in a tab of its own: its screen, or its serial line. */
async function openConsole(row: Row, serial: boolean): Promise<void> {
  // before waiting for the answer: a browser lets a tab be opened while one clicks
  const tab = window.open("about:blank", "_blank");
  try {
    const { consoleendpoint } = await call<{ consoleendpoint?: { url?: string } }>("createConsoleEndpoint", {
      virtualmachineid: row.id,
      ...(serial ? { serial } : {}),
    });
    if (tab && consoleendpoint?.url) {
      tab.opener = null;
      tab.location.href = consoleendpoint.url;
    }
  } catch (error) {
    tab?.close();
    throw error;
  }
}

const NIC: Field[] = [
  { name: "networkname", link: { resource: "network", id: "networkid" } },
  { name: "ipaddress" },
  { name: "macaddress" },
  { name: "netmask" },
  { name: "gateway" },
  { name: "isdefault", kind: "boolean" },
  { name: "type" },
];

const alive = isNot("Destroyed", "Expunging", "Error");

const vm: Resource = {
  name: "vm",
  section: "compute",
  icon: DesktopOutlined,
  list: { command: "listVirtualMachines", key: "virtualmachine" },
  owned: true,
  tagged: "UserVm",
  title: (row) => String(row.displayname ?? row.name),
  columns: [
    { name: "name" },
    column.state,
    { name: "ipaddress", value: (row) => row.ipaddress ?? (row.nic as Row[] | undefined)?.[0]?.ipaddress },
    { name: "serviceofferingname", link: { resource: "serviceoffering", id: "serviceofferingid" } },
    column.host,
    column.zone,
    ...column.owner,
    column.created,
    ...column.hidden(
      { name: "displayname" },
      { name: "instancename" },
      { name: "cpunumber" },
      { name: "memory", kind: "mebibytes" },
      { name: "templatename", link: { resource: "template", id: "templateid" } },
      { name: "osdisplayname" },
      { name: "group", link: { resource: "instancegroup", id: "groupid" } },
      column.tags,
    ),
  ],
  filters: [
    {
      name: "state",
      values: ["Running", "Stopped", "Starting", "Stopping", "Migrating", "Destroyed", "Error"],
    },
    { name: "zoneid" },
    { name: "hostid" },
    { name: "serviceofferingid" },
  ],
  details: [
    "name",
    { name: "displayname" },
    "state",
    "id",
    "ipaddress",
    "publicip",
    "serviceofferingname",
    { name: "cpunumber" },
    { name: "cpuspeed", kind: "megahertz" },
    { name: "memory", kind: "mebibytes" },
    "templatename",
    "osdisplayname",
    "hostname",
    "zonename",
    "account",
    "domain",
    "project",
    "group",
    "created",
  ],
  tabs: [
    {
      name: "nics",
      member: "nic",
      fields: NIC,
      parameters: (row) => ({ virtualmachineid: row.id }),
      actions: [
        { command: "addNicToVirtualMachine", on: "list", form: ["networkid", "ipaddress"] },
        {
          command: "updateDefaultNicForVirtualMachine",
          on: "row",
          target: "nicid",
          when: (nic) => nic.isdefault !== true,
        },
        { command: "updateVmNicIp", on: "row", target: "nicid", form: ["ipaddress"] },
        { command: "addIpToNic", on: "row", target: "nicid", form: ["ipaddress"] },
        {
          command: "removeNicFromVirtualMachine",
          on: "row",
          target: "nicid",
          danger: true,
          when: (nic) => nic.isdefault !== true,
        },
      ],
    },
    { name: "volumes", resource: "volume", parameters: (row) => ({ virtualmachineid: row.id }) },
    { name: "snapshots", resource: "vmsnapshot", parameters: (row) => ({ virtualmachineid: row.id }) },
    {
      name: "securityGroups",
      member: "securitygroup",
      fields: [{ name: "name", link: { resource: "securitygroup", id: "id" } }, { name: "description" }],
      when: (row) => Array.isArray(row.securitygroup) && row.securitygroup.length > 0,
    },
    {
      name: "affinityGroups",
      member: "affinitygroup",
      fields: [{ name: "name", link: { resource: "affinitygroup", id: "id" } }, { name: "type" }],
      when: (row) => Array.isArray(row.affinitygroup) && row.affinitygroup.length > 0,
    },
  ],
  actions: [
    create("deployVirtualMachine", undefined, { icon: RocketOutlined, page: () => "/deploy" }),
    {
      command: "createConsoleEndpoint",
      name: "console",
      icon: CodeOutlined,
      on: "row",
      target: "virtualmachineid",
      when: is("Running"),
      run: (row) => openConsole(row, false),
    },
    start("startVirtualMachine"),
    stop("stopVirtualMachine", { form: ["forced"] }),
    reboot("rebootVirtualMachine", { form: ["forced"] }),
    {
      command: "createConsoleEndpoint",
      name: "serialConsole",
      icon: CodeOutlined,
      on: "row",
      target: "virtualmachineid",
      when: is("Running"),
      run: (row) => openConsole(row, true),
    },
    {
      command: "createVMSnapshot",
      icon: CameraOutlined,
      on: "row",
      target: "virtualmachineid",
      when: is("Running", "Stopped"),
      form: ["name", "description", "snapshotmemory"],
    },
    {
      command: "migrateVirtualMachine",
      icon: SwapOutlined,
      on: "row",
      bulk: true,
      target: "virtualmachineid",
      when: is("Running"),
      form: ["hostid", "autoselect"],
    },
    update(
      "updateVirtualMachine",
      ["displayname", "group", "haenable", "isdynamicallyscalable", "deleteprotection"],
      {
        when: alive,
      },
    ),
    {
      command: "scaleVirtualMachine",
      icon: VerticalAlignMiddleOutlined,
      on: "row",
      when: is("Running", "Stopped"),
      form: [{ name: "serviceofferingid", filter: (_, row) => ({ virtualmachineid: row?.id }) }],
    },
    {
      command: "changeServiceForVirtualMachine",
      icon: VerticalAlignMiddleOutlined,
      on: "row",
      when: is("Stopped"),
      form: [{ name: "serviceofferingid", filter: (_, row) => ({ virtualmachineid: row?.id }) }],
    },
    {
      command: "updateVMAffinityGroup",
      icon: DisconnectOutlined,
      on: "row",
      when: is("Stopped"),
      form: ["affinitygroupids"],
      without: ["affinitygroupnames"],
    },
    {
      command: "attachIso",
      icon: FileTextOutlined,
      on: "row",
      target: "virtualmachineid",
      when: (row) => alive(row) && !row.isoid,
      form: [{ name: "id", resource: "iso" }],
    },
    {
      command: "detachIso",
      icon: FileTextOutlined,
      on: "row",
      target: "virtualmachineid",
      when: (row) => alive(row) && Boolean(row.isoid),
    },
    {
      command: "resetPasswordForVirtualMachine",
      icon: LockOutlined,
      on: "row",
      when: (row) => is("Stopped")(row) && row.passwordenabled === true,
      shows: ["password"],
    },
    {
      command: "resetSSHKeyForVirtualMachine",
      icon: KeyOutlined,
      on: "row",
      when: is("Stopped"),
      form: ["keypairs"],
      without: ["keypair"],
      shows: ["password"],
    },
    {
      command: "resetUserDataForVirtualMachine",
      icon: FileTextOutlined,
      on: "row",
      when: is("Stopped"),
      form: ["userdataid", { name: "userdata", base64: true, multiline: true }],
    },
    {
      command: "getVirtualMachineUserData",
      icon: FileTextOutlined,
      on: "row",
      target: "virtualmachineid",
      when: alive,
    },
    {
      command: "restoreVirtualMachine",
      icon: HistoryOutlined,
      on: "row",
      danger: true,
      target: "virtualmachineid",
      when: is("Running", "Stopped"),
      form: ["templateid"],
    },
    {
      command: "unmanageVirtualMachine",
      icon: DisconnectOutlined,
      on: "row",
      danger: true,
      when: is("Running", "Stopped"),
    },
    { command: "recoverVirtualMachine", icon: UndoOutlined, on: "row", bulk: true, when: is("Destroyed") },
    {
      command: "expungeVirtualMachine",
      icon: FireOutlined,
      on: "row",
      bulk: true,
      danger: true,
      when: is("Destroyed"),
    },
    remove("destroyVirtualMachine", { form: ["expunge"], when: isNot("Destroyed", "Expunging") }),
  ],
};

export default [vm] satisfies Resource[];
