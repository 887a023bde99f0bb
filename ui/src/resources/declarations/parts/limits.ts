// What an account, a domain or a project may have: setting its limits, and counting anew.

import { SlidersOutlined, SyncOutlined } from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Action } from "../../declaration";

/** Limits of what a row may have: its kinds and numbers, to be set one by one. */
export function limits(of: (row: Row) => Record<string, string>): Action[] {
  return [
    {
      command: "updateResourceLimit",
      icon: SlidersOutlined,
      on: "row",
      target: "",
      fixed: (row) => (row === null ? {} : of(row)),
      form: [
        {
          name: "resourcetype",
          choices: {
            command: "listResourceLimits",
            key: "resourcelimit",
            value: "resourcetype",
            label: "resourcetypename",
          },
        },
        "max",
      ],
    },
    {
      command: "updateResourceCount",
      icon: SyncOutlined,
      on: "row",
      target: "",
      fixed: (row) => (row === null ? {} : of(row)),
      form: [],
      without: ["resourcetype"],
    },
  ];
}
