// What people and programs are told: comments on things, and webhooks that carry events out.

import {
  CommentOutlined,
  EyeInvisibleOutlined,
  EyeOutlined,
  NotificationOutlined,
  RedoOutlined,
  SendOutlined,
} from "@ant-design/icons-vue";
import type { FormField, Resource } from "../declaration";
import { create, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

const annotation: Resource = {
  name: "annotation",
  section: "operations",
  icon: CommentOutlined,
  nested: true,
  list: { command: "listAnnotations", key: "annotation", within: ["entitytype", "entityid"] },
  title: (row) => String(row.annotation),
  columns: [
    { name: "annotation" },
    { name: "username" },
    { name: "adminsonly", kind: "boolean" },
    column.created,
  ],
  actions: [
    create("addAnnotation", [
      "entitytype",
      "entityid",
      { name: "annotation", multiline: true, required: true },
      "adminsonly",
    ]),
    {
      command: "updateAnnotationVisibility",
      name: "hideAnnotation",
      icon: EyeInvisibleOutlined,
      on: "row",
      fixed: () => ({ adminsonly: true }),
      when: (row) => row.adminsonly !== true,
    },
    {
      command: "updateAnnotationVisibility",
      name: "showAnnotation",
      icon: EyeOutlined,
      on: "row",
      fixed: () => ({ adminsonly: false }),
      when: (row) => row.adminsonly === true,
    },
    remove("removeAnnotation"),
  ],
};

const WEBHOOK: FormField[] = [
  { name: "name" },
  { name: "payloadurl" },
  { name: "description" },
  { name: "scope", values: ["Local", "Domain", "Global"] },
  { name: "state", values: ["Enabled", "Disabled"] },
  { name: "secretkey", secret: true },
  { name: "sslverification" },
];

const webhook: Resource = {
  name: "webhook",
  section: "operations",
  icon: SendOutlined,
  list: { command: "listWebhooks", key: "webhook" },
  owned: true,
  columns: [
    column.name,
    column.state,
    { name: "scope" },
    { name: "payloadurl" },
    ...column.owner,
    column.created,
    ...column.hidden(column.description, { name: "sslverification", kind: "boolean" }),
  ],
  filters: [
    { name: "state", values: ["Enabled", "Disabled"] },
    { name: "scope", values: ["Local", "Domain", "Global"] },
  ],
  details: [
    "name",
    "description",
    "state",
    "scope",
    { name: "payloadurl", kind: "code" },
    "sslverification",
    { name: "secretkey", kind: "secret" },
  ],
  tabs: [{ name: "deliveries", resource: "webhookdelivery", parameters: (row) => ({ webhookid: row.id }) }],
  actions: [
    create("createWebhook", WEBHOOK),
    update("updateWebhook", WEBHOOK),
    {
      command: "executeWebhookDelivery",
      icon: NotificationOutlined,
      on: "row",
      target: "webhookid",
      without: ["id"],
      form: [{ name: "payload", multiline: true }],
      shows: ["response", "success"],
    },
    remove("deleteWebhook"),
  ],
};

const delivery: Resource = {
  name: "webhookdelivery",
  section: "operations",
  icon: SendOutlined,
  nested: true,
  list: { command: "listWebhookDeliveries", key: "webhookdelivery" },
  title: (row) => String(row.eventtype ?? row.id),
  columns: [
    { name: "eventtype" },
    { name: "success", kind: "boolean" },
    { name: "response" },
    { name: "startdate", kind: "date" },
    { name: "enddate", kind: "date" },
  ],
  filters: [
    { name: "eventtype", choices: { command: "listEventTypes", key: "eventtype", value: "name" } },
    { name: "startdate" },
    { name: "enddate" },
  ],
  details: [
    "eventtype",
    "success",
    "startdate",
    "enddate",
    { name: "payload", kind: "code" },
    { name: "headers", kind: "code" },
    { name: "response", kind: "code" },
  ],
  actions: [
    {
      command: "executeWebhookDelivery",
      name: "redeliver",
      icon: RedoOutlined,
      on: "row",
      without: ["webhookid"],
      form: [],
    },
    remove("deleteWebhookDelivery"),
  ],
};

const resources: Resource[] = [annotation, webhook, delivery];
export default resources;
