// Commands that add an entry to a row or take one away: whether one is under way, and what the last one was refused for.

import { ref, type Ref } from "vue";
import type { Parameters } from "@/api/client";
import { useJobs } from "@/api/jobs";
import { t } from "@/messages";

export interface Sending {
  busy: Ref<boolean>;
  refused: Ref<string>;
  /** Whether it is done. `subject` is what the row is called. */
  send: (command: string, parameters: Parameters, subject: string) => Promise<boolean>;
}

/** `done` follows on what was sent. */
export function useSending(done: () => Promise<void> | void): Sending {
  const jobs = useJobs();
  const busy = ref(false);
  const refused = ref("");

  async function send(command: string, parameters: Parameters, subject: string): Promise<boolean> {
    busy.value = true;
    refused.value = "";
    try {
      await jobs.run(command, parameters, { title: t(`engine.${command}`), subject });
      await done();
      return true;
    } catch (error) {
      refused.value = (error as Error).message;
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { busy, refused, send };
}
