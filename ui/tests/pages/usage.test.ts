// Samples of usage become lines: shares as they are, counters by the seconds between them.

import { expect, it } from "vitest";
import { cpu, memory, rate } from "@/pages/usage/series";

const samples = [
  {
    timestamp: "2026-11-22T03:00:00+0000",
    cpuused: "12.5%",
    memorykbs: 1000,
    memoryintfreekbs: 250,
    diskkbsread: 9,
  },
  { timestamp: "2026-11-22T03:05:00+0000", cpuused: "50%", memorykbs: 0, diskkbsread: 600 },
];
const first = Date.UTC(2026, 10, 22, 3);

it("tells CPU and memory in percent, and nothing of no memory", () => {
  expect(cpu(samples).map(([, value]) => value)).toEqual([12.5, 50]);
  expect(memory(samples)).toEqual([
    [first, 75],
    [first + 300_000, null],
  ]);
});

it("tells what was read in a second since the sample before", () => {
  expect(rate(samples, "diskkbsread")).toEqual([[first + 300_000, 2]]);
  expect(rate(samples.slice(0, 1), "diskkbsread")).toEqual([]);
});
