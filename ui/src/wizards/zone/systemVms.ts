// The system VMs of a new zone: they come up by themselves once it is enabled, and go before it can be removed.

import { ApiError, list } from "@/api/client";
import { t } from "@/messages";
import { unmake } from "../frame/plan";

const PATIENCE = 10 * 60_000;
const EVERY = 1500;
const KINDS = ["consoleproxy", "secondarystoragevm"];

/** Wait until the zone's console proxy and storage VM are up. Raises ApiError when they do not come in ten minutes. */
export async function waitForSystemVms(zoneId: string): Promise<void> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const { rows } = await list("listSystemVms", "systemvm", { zoneid: zoneId, page: 1, pagesize: 100 });
    const up = rows.filter((row) => row.state === "Running" && row.agentstate === "Up");
    if (KINDS.every((kind) => up.some((row) => row.systemvmtype === kind))) {
      return;
    }
    if (Date.now() > until) {
      const seen = rows.map((row) => `${String(row.name)}: ${String(row.state)}`).join(", ");
      throw new ApiError(t("wizards.zone.errors.systemVms", { seen: seen || "-" }), 0, "listSystemVms");
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

/** Remove the zone's system VMs; it is disabled, so no others come. */
export async function removeSystemVms(zoneId: string): Promise<void> {
  const { rows } = await list("listSystemVms", "systemvm", { zoneid: zoneId, page: 1, pagesize: 100 });
  for (const row of rows) {
    await unmake("destroySystemVm", { id: row.id });
  }
}
