// Deploying an instance from a disk that there is already.

import { RocketOutlined } from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Action } from "../../declaration";

/** Whose a row is, as commands are told. */
export function ownerOf(row: Row | null): Record<string, string> {
  return row?.projectid
    ? { projectid: String(row.projectid) }
    : { account: String(row?.account ?? ""), domainid: String(row?.domainid ?? "") };
}

/** Deploy an instance whose root disk is the row, a volume, or begins as it, a snapshot. */
export function deployFrom(target: "volumeid" | "snapshotid", when: (row: Row) => boolean): Action {
  const zone = (row: Row | null): Record<string, string> => ({ zoneid: String(row?.zoneid ?? "") });
  return {
    command: "deployVirtualMachine",
    name: "deployFrom",
    icon: RocketOutlined,
    on: "row",
    target,
    when,
    // whose the disk is, the instance is, too
    fixed: (row) => ({ ...zone(row), ...ownerOf(row) }),
    without: ["templateid", "volumeid", "snapshotid", "hypervisor"],
    form: ["name", "serviceofferingid", { name: "networkids", filter: (_, row) => zone(row) }],
  };
}
