// What an instance used, as lines of a chart: from the samples of listVirtualMachinesUsageHistory.

import { moment } from "@/resources/values/kinds";
import type { Points } from "@/pages/dashboard/capacity";

export interface Usage {
  timestamp: string;
  cpuused?: string;
  memorykbs?: number;
  memoryintfreekbs?: number;
  diskkbsread?: number;
  diskkbswrite?: number;
  networkkbsread?: number;
  networkkbswrite?: number;
}

export type Counter = "diskkbsread" | "diskkbswrite" | "networkkbsread" | "networkkbswrite";

/** CPU in percent of its vCPUs. */
export function cpu(samples: Usage[]): Points {
  return samples.map((sample) => [moment(sample.timestamp), Number.parseFloat(sample.cpuused ?? "0")]);
}

/** Memory in percent of what it has. */
export function memory(samples: Usage[]): Points {
  return samples.map((sample) => {
    const all = sample.memorykbs ?? 0;
    return [moment(sample.timestamp), all > 0 ? (100 * (all - (sample.memoryintfreekbs ?? 0))) / all : null];
  });
}

/** KiB in a second: what a sample counts was done since the one before, so the first one tells nothing. */
export function rate(samples: Usage[], counter: Counter): Points {
  return samples.slice(1).map((sample, at) => {
    const seconds = (moment(sample.timestamp) - moment(samples[at]!.timestamp)) / 1000;
    return [moment(sample.timestamp), seconds > 0 ? (sample[counter] ?? 0) / seconds : null];
  });
}
