// Whether a place takes new instances: zones, pods, clusters.

import { BlockOutlined, CheckCircleOutlined } from "@ant-design/icons-vue";
import type { Action } from "../../declaration";

export const ALLOCATION = ["Enabled", "Disabled"];
export const allocation = { name: "allocationstate", kind: "state", width: 120 } as const;

/** Enable or disable with an ordinary update. */
export function allocate(command: string): Action[] {
  return [
    {
      command,
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      bulk: true,
      form: [],
      fixed: () => ({ allocationstate: "Enabled" }),
      when: (row) => row.allocationstate === "Disabled",
    },
    {
      command,
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      bulk: true,
      danger: true,
      form: [],
      fixed: () => ({ allocationstate: "Disabled" }),
      when: (row) => row.allocationstate === "Enabled",
    },
  ];
}
