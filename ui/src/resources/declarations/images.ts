// Templates and ISOs: what instances are made from, and what they boot.

import {
  CopyOutlined,
  DownloadOutlined,
  FileImageOutlined,
  LinkOutlined,
  SaveOutlined,
  TeamOutlined,
} from "@ant-design/icons-vue";
import type { Action, Field, FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { HYPERVISORS } from "./parts/hypervisors";

const FILTERS = ["featured", "self", "selfexecutable", "sharedexecutable", "executable", "community", "all"];
const ARCHITECTURES = ["x86_64", "aarch64"];

const columns: Field[] = [
  column.name,
  { name: "isready", kind: "boolean", width: 90 },
  { name: "status" },
  { name: "ostypename", link: { resource: "ostype", id: "ostypeid" } },
  { name: "size", kind: "bytes" },
  column.zone,
  ...column.owner,
  ...column.hidden(
    column.displaytext,
    { name: "format" },
    { name: "hypervisor" },
    { name: "arch" },
    { name: "physicalsize", kind: "bytes" },
    { name: "ispublic", kind: "boolean" },
    { name: "isfeatured", kind: "boolean" },
    { name: "isextractable", kind: "boolean" },
    { name: "crossZones", kind: "boolean" },
    column.created,
    column.tags,
  ),
];

const details: (string | Field)[] = [
  "name",
  "displaytext",
  "isready",
  "status",
  { name: "ostypename", link: { resource: "ostype", id: "ostypeid" } },
  "format",
  "hypervisor",
  "arch",
  { name: "size", kind: "bytes" },
  { name: "physicalsize", kind: "bytes" },
  column.zone,
  { name: "url", kind: "code" },
  { name: "checksum", kind: "code" },
];

/** Who may use it: everybody, or single accounts and projects. */
function permissions(change: string, show: string): Action[] {
  const form: FormField[] = [
    { name: "op", values: ["add", "remove", "reset"] },
    { name: "accounts" },
    { name: "projectids", resource: "project" },
    { name: "ispublic" },
    { name: "isfeatured" },
    { name: "isextractable" },
  ];
  return [
    { command: change, icon: TeamOutlined, on: "row", form },
    { command: show, icon: TeamOutlined, on: "row", shows: ["account", "projectids", "ispublic"] },
  ];
}

const template: Resource = {
  name: "template",
  section: "images",
  icon: FileImageOutlined,
  commented: "TEMPLATE",
  list: {
    command: "listTemplates",
    key: "template",
    parameters: () => ({ templatefilter: "executable", showunique: true }),
  },
  owned: true,
  tagged: "Template",
  columns: [
    ...columns,
    { name: "templatetype", hidden: true },
    { name: "passwordenabled", kind: "boolean", hidden: true },
  ],
  filters: [
    { name: "templatefilter", values: FILTERS },
    { name: "zoneid" },
    { name: "hypervisor", choices: HYPERVISORS },
    { name: "arch", values: ARCHITECTURES },
    { name: "templatetype", values: ["USER", "SYSTEM", "BUILTIN", "ROUTING"] },
    { name: "oscategoryid" },
    { name: "isready", values: ["true", "false"] },
  ],
  details: [...details, "templatetype"],
  tabs: [{ name: "instances", resource: "vm", parameters: (row) => ({ templateid: row.id }) }],
  actions: [
    create("registerTemplate", undefined, { page: () => "/register-template" }),
    create("getUploadParamsForTemplate", undefined, { page: () => "/register-template" }),
    update("updateTemplate", [
      "name",
      "displaytext",
      "ostypeid",
      { name: "arch", values: ARCHITECTURES },
      "passwordenabled",
      "sshkeyenabled",
      "isdynamicallyscalable",
    ]),
    ...permissions("updateTemplatePermissions", "listTemplatePermissions"),
    {
      command: "linkUserDataToTemplate",
      icon: LinkOutlined,
      on: "row",
      target: "templateid",
      without: ["isoid"],
      form: [
        { name: "userdataid", resource: "userdata" },
        { name: "userdatapolicy", values: ["ALLOWOVERRIDE", "APPEND", "DENYOVERRIDE"] },
      ],
    },
    {
      command: "copyTemplate",
      icon: CopyOutlined,
      on: "row",
      form: ["destzoneids"],
      fixed: (row) => ({ sourcezoneid: String(row?.zoneid ?? "") }),
      when: (row) => row.isready === true && row.crossZones !== true,
    },
    {
      command: "extractTemplate",
      icon: DownloadOutlined,
      on: "row",
      fixed: (row) => ({ mode: "HTTP_DOWNLOAD", zoneid: String(row?.zoneid ?? "") }),
      shows: ["url"],
      when: (row) => row.isready === true,
    },
    remove("deleteTemplate", { form: ["zoneid", "forced"] }),
  ],
};

const iso: Resource = {
  name: "iso",
  section: "images",
  icon: SaveOutlined,
  commented: "ISO",
  list: {
    command: "listIsos",
    key: "iso",
    parameters: () => ({ isofilter: "executable", showunique: true }),
  },
  owned: true,
  tagged: "ISO",
  columns: [...columns.filter((each) => each.name !== "hypervisor"), { name: "bootable", kind: "boolean" }],
  filters: [
    { name: "isofilter", values: FILTERS },
    { name: "zoneid" },
    { name: "arch", values: ARCHITECTURES },
    { name: "bootable", values: ["true", "false"] },
    { name: "oscategoryid" },
    { name: "isready", values: ["true", "false"] },
  ],
  details,
  tabs: [{ name: "instances", resource: "vm", parameters: (row) => ({ isoid: row.id }) }],
  actions: [
    create("registerIso", undefined, { page: () => "/register-template?kind=iso" }),
    create("getUploadParamsForIso", undefined, { page: () => "/register-template?kind=iso" }),
    update("updateIso", [
      "name",
      "displaytext",
      "ostypeid",
      { name: "arch", values: ARCHITECTURES },
      "bootable",
    ]),
    ...permissions("updateIsoPermissions", "listIsoPermissions"),
    {
      command: "attachIso",
      icon: LinkOutlined,
      on: "row",
      form: ["virtualmachineid", "forced"],
      when: (row) => row.isready === true,
    },
    {
      command: "copyIso",
      icon: CopyOutlined,
      on: "row",
      form: ["destzoneids"],
      fixed: (row) => ({ sourcezoneid: String(row?.zoneid ?? "") }),
      when: (row) => row.isready === true && row.crossZones !== true,
    },
    {
      command: "extractIso",
      icon: DownloadOutlined,
      on: "row",
      fixed: (row) => ({ mode: "HTTP_DOWNLOAD", zoneid: String(row?.zoneid ?? "") }),
      shows: ["url"],
      when: (row) => row.isready === true,
    },
    remove("deleteIso", { form: ["zoneid"] }),
  ],
};

const resources: Resource[] = [template, iso];
export default resources;
