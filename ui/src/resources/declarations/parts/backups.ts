// What can be done with an instance about its backups, and where they are seen.

import { SafetyCertificateOutlined, SaveOutlined, StopOutlined } from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Action, Tab } from "../../declaration";
import { is } from "./actions";

const covered = (row: Row): boolean => Boolean(row.backupofferingid);
const settled = is("Running", "Stopped");

export const backupActions: Action[] = [
  {
    command: "assignVirtualMachineToBackupOffering",
    icon: SafetyCertificateOutlined,
    on: "row",
    bulk: true,
    target: "virtualmachineid",
    when: (row) => settled(row) && !covered(row),
    form: [
      {
        name: "backupofferingid",
        resource: "backupoffering",
        filter: (_, row) => ({ zoneid: row?.zoneid as string | undefined }),
      },
    ],
  },
  {
    command: "createBackup",
    icon: SaveOutlined,
    on: "row",
    bulk: true,
    target: "virtualmachineid",
    when: (row) => settled(row) && covered(row),
    form: ["name", "description", "quiescevm"],
  },
  {
    command: "removeVirtualMachineFromBackupOffering",
    icon: StopOutlined,
    on: "row",
    danger: true,
    target: "virtualmachineid",
    when: covered,
    form: [],
    warning: "resources.warnings.removeBackupOffering",
  },
];

const ofInstance = (row: Row) => ({ virtualmachineid: row.id });

export const backupTabs: Tab[] = [
  { name: "backups", resource: "backup", parameters: ofInstance, when: covered },
  { name: "backupSchedules", resource: "backupschedule", parameters: ofInstance, when: covered },
];
