// Lists with figures for a dashboard, as tabs of what they are of: the commands list...Metrics and list...UsageHistory.

import { FundOutlined } from "@ant-design/icons-vue";
import type { Field, Resource, Section } from "../../declaration";
import * as column from "./columns";

/** The figures of one row, asked for by its id. */
export function figures(
  section: Section,
  name: string,
  command: string,
  key: string,
  columns: Field[],
): Resource {
  return {
    name,
    section,
    icon: FundOutlined,
    nested: true,
    list: { command, key, within: ["id"] },
    changes: key,
    columns: [{ name: "name" }, column.state, ...columns],
    actions: [],
  };
}

/** What a thing used, sample by sample. */
export function usage(
  section: Section,
  name: string,
  command: string,
  key: string,
  columns: Field[],
): Resource {
  return {
    name,
    section,
    icon: FundOutlined,
    nested: true,
    id: "timestamp",
    list: { command, key, within: ["id"], members: "stats", whole: true },
    changes: "none",
    title: (row) => String(row.timestamp),
    columns: [{ name: "timestamp", kind: "date" }, ...columns],
    filters: [{ name: "startdate" }, { name: "enddate" }],
    actions: [],
  };
}
