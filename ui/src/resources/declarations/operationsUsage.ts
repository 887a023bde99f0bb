// What accounts used, in the records that bills are written from: a tab of accounts, domains and projects.

import { ClearOutlined, FileDoneOutlined } from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Resource } from "../declaration";
import * as column from "./parts/columns";

const DAY = 86_400_000;

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The description without the ids in it, which the record has as members, too. */
function described(row: Row): string {
  return String(row.description ?? "").replace(/ \([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)/g, "");
}

const record: Resource = {
  name: "usagerecord",
  section: "operations",
  icon: FileDoneOutlined,
  nested: true,
  list: {
    command: "listUsageRecords",
    key: "usagerecord",
    within: ["accountid"],
    // from a month ago on, until one asks for another time; a simulated cloud's clock may be ahead of the browser's
    parameters: () => ({ startdate: day(Date.now() - 31 * DAY), enddate: "9999-12-31" }),
  },
  title: described,
  columns: [
    { name: "startdate", kind: "date" },
    { name: "enddate", kind: "date" },
    { name: "description", value: described },
    { name: "usage" },
    { name: "account" },
    ...column.hidden(
      { name: "domain" },
      { name: "project" },
      { name: "usagetype" },
      { name: "usageid" },
      { name: "size", kind: "bytes" },
      { name: "virtualsize", kind: "bytes" },
      { name: "zoneid" },
    ),
  ],
  filters: [
    { name: "startdate" },
    { name: "enddate" },
    {
      name: "type",
      choices: { command: "listUsageTypes", key: "usagetype", value: "id", label: "description" },
    },
  ],
  actions: [
    {
      command: "generateUsageRecords",
      icon: FileDoneOutlined,
      on: "list",
      form: ["enddate"],
      without: ["domainid", "startdate"],
    },
    { command: "removeRawUsageRecords", icon: ClearOutlined, on: "list", form: ["interval"], danger: true },
  ],
};

export default [record];
