// Extensions: programs of the operator's that see to instances, and the actions that they offer beside.

import {
  ApiOutlined,
  DisconnectOutlined,
  LinkOutlined,
  PictureOutlined,
  PlayCircleOutlined,
} from "@ant-design/icons-vue";
import type { FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

const CLUSTERS: FormField = { name: "resourceid", resource: "cluster", required: true };
const onCluster = { target: "extensionid", fixed: () => ({ resourcetype: "Cluster" }) };

const extension: Resource = {
  name: "extension",
  section: "infrastructure",
  icon: ApiOutlined,
  list: { command: "listExtensions", key: "extension" },
  columns: [
    column.name,
    column.state,
    { name: "type" },
    { name: "pathready", kind: "boolean" },
    { name: "path" },
    ...column.hidden(column.description, column.created),
  ],
  details: [
    "name",
    "description",
    "type",
    "state",
    "pathready",
    { name: "path", kind: "code" },
    { name: "details", kind: "map" },
  ],
  tabs: [
    {
      name: "customActions",
      resource: "customaction",
      parameters: (row) => ({ extensionid: row.id }),
    },
    {
      name: "clusters",
      member: "resources",
      fields: [
        { name: "name", link: { resource: "cluster", id: "id" } },
        { name: "type" },
        { name: "details", kind: "map" },
        column.created,
      ],
    },
  ],
  actions: [
    create("createExtension", [
      "name",
      "type",
      "description",
      "path",
      "orchestratorrequirespreparevm",
      "details",
    ]),
    update("updateExtension", ["description", "state", "details"]),
    {
      command: "registerExtension",
      icon: LinkOutlined,
      on: "row",
      form: [CLUSTERS, "details"],
      ...onCluster,
    },
    {
      command: "unregisterExtension",
      icon: DisconnectOutlined,
      on: "row",
      danger: true,
      form: [CLUSTERS],
      when: (row) => Array.isArray(row.resources) && row.resources.length > 0,
      ...onCluster,
    },
    {
      command: "registerTemplate",
      name: "registerExternalTemplate",
      icon: PictureOutlined,
      on: "row",
      target: "extensionid",
      fixed: () => ({ hypervisor: "External", format: "EXTERNAL" }),
      form: ["name", "displaytext", "url", "ostypeid", "ispublic", "externaldetails"],
      without: ["checksum", "directdownload", "deployasis", "templatetype"],
    },
    remove("deleteExtension", { form: ["cleanup"] }),
  ],
};

const ACTION: FormField[] = [
  { name: "description" },
  { name: "resourcetype" },
  { name: "allowedroletypes" },
  {
    name: "parameters",
    columns: ["name", "type", "required", "validationformat", "valueoptions"],
  },
  { name: "successmessage" },
  { name: "errormessage" },
  { name: "timeout" },
  { name: "enabled" },
  { name: "details" },
];

const action: Resource = {
  name: "customaction",
  section: "infrastructure",
  icon: PlayCircleOutlined,
  list: { command: "listCustomActions", key: "extensioncustomaction" },
  columns: [
    column.name,
    { name: "extensionname", link: { resource: "extension", id: "extensionid" }, needs: "listExtensions" },
    { name: "resourcetype" },
    { name: "enabled", kind: "boolean" },
    column.description,
    ...column.hidden({ name: "timeout" }, { name: "allowedroletypes", kind: "list" }, column.created),
  ],
  filters: [
    { name: "extensionid", resource: "extension" },
    { name: "enabled", values: ["true", "false"] },
  ],
  tabs: [
    {
      name: "parameters",
      member: "parameters",
      fields: [
        column.name,
        { name: "type" },
        { name: "required", kind: "boolean" },
        { name: "validationformat" },
        { name: "valueoptions", kind: "list" },
      ],
      when: (row) => Array.isArray(row.parameters),
    },
  ],
  actions: [
    create("addCustomAction", [{ name: "extensionid", resource: "extension" }, "name", ...ACTION]),
    update("updateCustomAction", ACTION),
    remove("deleteCustomAction"),
  ],
};

const resources: Resource[] = [extension, action];
export default resources;
