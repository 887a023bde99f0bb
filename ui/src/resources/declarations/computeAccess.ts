// What instances are made with and grouped by: snapshots of instances, groups, keys, user data, affinity.

import {
  CameraOutlined,
  CodeOutlined,
  FileTextOutlined,
  GroupOutlined,
  ImportOutlined,
  KeyOutlined,
  LinkOutlined,
  RollbackOutlined,
  SwapOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

/** Commands that name a thing of an account by its name are told whose it is. */
function owned(row: Row | null): Record<string, string> {
  if (row === null) {
    return {};
  }
  return row.projectid
    ? { projectid: String(row.projectid) }
    : { account: String(row.account), domainid: String(row.domainid) };
}

const vmSnapshot: Resource = {
  name: "vmsnapshot",
  section: "compute",
  icon: CameraOutlined,
  commented: "VM_SNAPSHOT",
  list: { command: "listVMSnapshot", key: "vmSnapshot", one: "vmsnapshotid" },
  changes: "vmsnapshot",
  owned: true,
  tagged: "VMSnapshot",
  title: (row) => String(row.displayname ?? row.name),
  columns: [
    { name: "displayname" },
    column.state,
    { name: "type" },
    { name: "current", kind: "boolean" },
    { name: "parentName" },
    column.instance,
    column.created,
    ...column.owner,
    ...column.hidden(column.zone, column.name, column.description),
  ],
  filters: [
    { name: "state", values: ["Allocated", "Creating", "Ready", "Reverting", "Expunging", "Error"] },
    { name: "virtualmachineid" },
  ],
  details: [
    "displayname",
    "state",
    "type",
    "current",
    "parentName",
    column.instance,
    "description",
    "created",
  ],
  actions: [
    create("createVMSnapshot", ["virtualmachineid", "name", "description", "snapshotmemory", "quiescevm"]),
    {
      command: "revertToVMSnapshot",
      icon: RollbackOutlined,
      on: "row",
      target: "vmsnapshotid",
      when: is("Ready"),
      danger: true,
      warning: "resources.warnings.revertToVMSnapshot",
    },
    remove("deleteVMSnapshot", { target: "vmsnapshotid" }),
  ],
};

const instanceGroup: Resource = {
  name: "instancegroup",
  section: "compute",
  icon: GroupOutlined,
  commented: "INSTANCE_GROUP",
  list: { command: "listInstanceGroups", key: "instancegroup" },
  owned: true,
  columns: [column.name, column.created, ...column.owner],
  tabs: [{ name: "instances", resource: "vm", parameters: (row) => ({ groupid: row.id }) }],
  actions: [
    create("createInstanceGroup"),
    update("updateInstanceGroup", ["name"]),
    remove("deleteInstanceGroup"),
  ],
};

const keyPair: Resource = {
  name: "sshkeypair",
  section: "compute",
  icon: KeyOutlined,
  commented: "SSH_KEYPAIR",
  list: { command: "listSSHKeyPairs", key: "sshkeypair" },
  owned: true,
  columns: [column.name, { name: "fingerprint", kind: "code" }, ...column.owner],
  tabs: [{ name: "instances", resource: "vm", parameters: (row) => ({ keypair: String(row.name) }) }],
  actions: [
    create("createSSHKeyPair", ["name"], { shows: ["privatekey"] }),
    create("registerSSHKeyPair", ["name", { name: "publickey", multiline: true }], { icon: ImportOutlined }),
    remove("deleteSSHKeyPair", { target: "name", targetValue: (row) => String(row.name), fixed: owned }),
  ],
};

const userData: Resource = {
  name: "userdata",
  section: "compute",
  icon: FileTextOutlined,
  commented: "USER_DATA",
  list: { command: "listUserData", key: "userdata" },
  owned: true,
  columns: [column.name, { name: "params" }, ...column.owner],
  details: ["name", "id", "params", { name: "userdata", kind: "base64" }],
  tabs: [{ name: "instances", resource: "vm", parameters: (row) => ({ userdataid: row.id }) }],
  actions: [
    create("registerUserData", ["name", { name: "userdata", multiline: true, base64: true }, "params"]),
    {
      command: "linkUserDataToTemplate",
      icon: LinkOutlined,
      on: "row",
      target: "userdataid",
      form: [
        { name: "templateid", resource: "template" },
        { name: "isoid", resource: "iso" },
        { name: "userdatapolicy", values: ["ALLOWOVERRIDE", "APPEND", "DENYOVERRIDE"] },
      ],
    },
    remove("deleteUserData"),
  ],
};

const affinityGroup: Resource = {
  name: "affinitygroup",
  section: "compute",
  icon: SwapOutlined,
  list: { command: "listAffinityGroups", key: "affinitygroup" },
  owned: true,
  tagged: "AffinityGroup",
  columns: [column.name, { name: "type" }, column.description, ...column.owner],
  filters: [
    { name: "type", choices: { command: "listAffinityGroupTypes", key: "affinityGroupType", value: "type" } },
  ],
  tabs: [{ name: "instances", resource: "vm", parameters: (row) => ({ affinitygroupid: row.id }) }],
  actions: [
    create("createAffinityGroup", [
      "name",
      {
        name: "type",
        choices: { command: "listAffinityGroupTypes", key: "affinityGroupType", value: "type" },
        initial: () => "host anti-affinity",
      },
      "description",
    ]),
    remove("deleteAffinityGroup"),
  ],
};

const unmanagedInstance: Resource = {
  name: "unmanagedinstance",
  section: "compute",
  icon: ImportOutlined,
  nested: true,
  id: "name",
  list: { command: "listUnmanagedInstances", key: "unmanagedinstance", one: "name", within: ["clusterid"] },
  columns: [
    column.name,
    { name: "powerstate", kind: "state" },
    { name: "cpunumber", kind: "number" },
    { name: "memory", kind: "mebibytes" },
    { name: "osdisplayname" },
    column.host,
    ...column.hidden(column.cluster, { name: "hypervisorversion" }),
  ],
  tabs: [
    { name: "disks", member: "disk" },
    { name: "nics", member: "nic" },
  ],
  actions: [
    {
      command: "importUnmanagedInstance",
      icon: ImportOutlined,
      on: "row",
      target: "name",
      targetValue: (row) => String(row.name),
      fixed: (row) => ({ clusterid: String(row?.clusterid ?? "") }),
      form: ["serviceofferingid", "displayname", "templateid", "nicnetworklist", "datadiskofferinglist"],
    },
  ],
};

const consoleSession: Resource = {
  name: "consolesession",
  section: "compute",
  icon: CodeOutlined,
  nested: true,
  list: { command: "listConsoleSessions", key: "consolesession" },
  title: (row) => String(row.virtualmachinename ?? row.id),
  columns: [
    column.created,
    column.instance,
    { name: "user" },
    { name: "account" },
    column.host,
    { name: "clientaddress" },
    { name: "acquired", kind: "date" },
    { name: "removed", kind: "date" },
    ...column.hidden({ name: "consoleendpointcreatoraddress" }, column.domain),
  ],
  filters: [
    { name: "activeonly", values: ["true"] },
    { name: "acquired", values: ["true", "false"] },
  ],
  actions: [],
};

const resources: Resource[] = [
  vmSnapshot,
  instanceGroup,
  keyPair,
  userData,
  affinityGroup,
  unmanagedInstance,
  consoleSession,
];
export default resources;
