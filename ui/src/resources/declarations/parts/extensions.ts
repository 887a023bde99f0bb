// What extensions do with an instance when somebody asks for it.

import { ThunderboltOutlined } from "@ant-design/icons-vue";
import type { Action } from "../../declaration";

export const runCustomAction: Action = {
  command: "runCustomAction",
  icon: ThunderboltOutlined,
  on: "row",
  target: "resourceid",
  fixed: () => ({ resourcetype: "VirtualMachine" }),
  form: [
    {
      name: "customactionid",
      resource: "customaction",
      filter: (_, row) => ({ resourcetype: "VirtualMachine", resourceid: row?.id }),
    },
    "parameters",
  ],
  shows: ["success", "result"],
};
