// Moving an instance to another host: where it may go, the question, the job.

import { ref, shallowRef } from "vue";
import { useApis } from "@/api/apis";
import { list } from "@/api/client";
import { useJobs } from "@/api/jobs";
import { t } from "@/messages";
import type { Instance } from "./instances";

export interface Candidate {
  id: string;
  name: string;
  suitableformigration: boolean;
  requiresStorageMotion?: boolean;
  cpuallocatedpercentage?: string;
  memoryallocatedpercentage?: string;
}

const PAGE = 500;

/** The hosts that reach the instance's disks, those that can take it first. */
export async function candidatesFor(instance: Instance): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (let page = 1; ; page++) {
    const { rows, count } = await list<Candidate>("findHostsForMigration", "host", {
      virtualmachineid: instance.id,
      page,
      pagesize: PAGE,
    });
    found.push(...rows);
    if (rows.length === 0 || found.length >= count) {
      return found;
    }
  }
}

export function useMigrating(
  begun: (instance: Instance, to: string) => void,
  ended: (instance: Instance) => void,
) {
  /** The move that is asked about. */
  const asked = shallowRef<{ instance: Instance; to: Candidate } | null>(null);
  const error = ref("");
  const apis = useApis();
  const jobs = useJobs();

  function may(instance: Instance): boolean {
    const command = instance.kind === "user" ? "migrateVirtualMachine" : "migrateSystemVm";
    return instance.state === "Running" && apis.can(command) && apis.can("findHostsForMigration");
  }

  async function migrate(instance: Instance, to: Candidate): Promise<void> {
    const command =
      instance.kind !== "user"
        ? "migrateSystemVm"
        : to.requiresStorageMotion
          ? "migrateVirtualMachineWithVolume"
          : "migrateVirtualMachine";
    error.value = "";
    try {
      await jobs.run(
        command,
        { virtualmachineid: instance.id, hostid: to.id },
        {
          title: t("topology.migrate"),
          subject: instance.name,
          accepted: () => begun(instance, to.id),
        },
      );
    } catch (reason) {
      error.value = t("topology.notMoved", { name: instance.name, reason: (reason as Error).message });
    } finally {
      ended(instance);
    }
  }

  return { asked, error, may, migrate };
}
