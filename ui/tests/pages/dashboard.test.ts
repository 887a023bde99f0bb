// What the dashboards make of the API's answers: sums, shares, series, limits.

import { describe, expect, it } from "vitest";
import {
  counts,
  inRank,
  latest,
  share,
  shares,
  summed,
  wireTime,
  type Capacity,
  type InfrastructureSeries,
} from "@/pages/dashboard/capacity";
import { filled, limitsOf } from "@/pages/dashboard/limits";

const capacity = (type: number, zoneid: string, capacityused: number, capacitytotal: number): Capacity => ({
  type,
  name: "",
  zoneid,
  capacityused,
  capacitytotal,
});
const at = (hour: number) => `2026-11-22T${String(hour).padStart(2, "0")}:00:00+0000`;
const when = (hour: number) => Date.UTC(2026, 10, 22, hour);

describe("capacity", () => {
  it("is added up over zones by kind, CPU first, without what is not there", () => {
    const rows = [
      capacity(0, "a", 1, 4),
      capacity(1, "a", 2, 8),
      capacity(1, "b", 3, 8),
      capacity(19, "b", 0, 0),
    ];
    expect(summed(rows)).toEqual([
      { type: 1, used: 5, total: 16 },
      { type: 0, used: 1, total: 4 },
    ]);
  });

  it("is a share of its total, and nothing of nothing", () => {
    expect(share({ used: 3, total: 4 })).toBe(0.75);
    expect(share({ used: 3, total: 0 })).toBe(0);
  });
});

describe("history", () => {
  it("is the share of all zones together at each time, and nothing where there was nothing", () => {
    const sample = (hour: number, used: number, total: number) => ({
      timestamp: at(hour),
      capacityallocated: used,
      capacitytotal: total,
    });
    const series = [
      { zoneid: "a", zonename: "a", type: 1, stats: [sample(1, 1, 2), sample(2, 2, 2)] },
      { zoneid: "b", zonename: "b", type: 1, stats: [sample(1, 0, 2), sample(0, 0, 0)] },
      { zoneid: "b", zonename: "b", type: 0, stats: [sample(1, 9, 9)] },
    ];
    expect(shares(series, 1)).toEqual([
      [when(0), null],
      [when(1), 25],
      [when(2), 100],
    ]);
  });

  it("counts every state at every time, what runs first", () => {
    const series: InfrastructureSeries[] = [
      {
        zoneid: "a",
        zonename: "a",
        stats: [
          { timestamp: at(1), instances: { Stopped: 1 } },
          { timestamp: at(2), instances: { Running: 3, Stopped: 1 } },
        ],
      },
      { zoneid: "b", zonename: "b", stats: [{ timestamp: at(2), instances: { Running: 1 } }] },
    ];
    const found = counts(series, "instances");
    expect([...found.keys()]).toEqual(["Running", "Stopped"]);
    expect(found.get("Running")).toEqual([
      [when(1), 0],
      [when(2), 4],
    ]);
  });

  it("ends with the last sample of every zone", () => {
    const series: InfrastructureSeries[] = [
      {
        zoneid: "a",
        zonename: "a",
        stats: [
          { timestamp: at(1), hosts: { Up: 9 } },
          { timestamp: at(2), instances: { Running: 3 }, hosts: { Up: 2 }, hostfill: [1, 1] },
        ],
      },
      {
        zoneid: "b",
        zonename: "b",
        stats: [{ timestamp: at(2), hosts: { Up: 1, Alert: 1 }, hostfill: [0, 1] }],
      },
      { zoneid: "c", zonename: "c" },
    ];
    expect(latest(series)).toEqual({
      instances: { Running: 3 },
      hosts: { Up: 3, Alert: 1 },
      fill: [1, 2],
      at: when(2),
    });
  });

  it("puts states in the order that people expect", () => {
    expect(inRank(["Error", "Stopped", "Alert", "Running", "Up"])).toEqual([
      "Running",
      "Up",
      "Stopped",
      "Alert",
      "Error",
    ]);
  });

  it("asks for a time as the API reads it", () => {
    expect(wireTime(when(3) + 500)).toBe("2026-11-22T03:00:00+0000");
  });
});

describe("limits", () => {
  const row = {
    id: "1",
    vmtotal: 3,
    vmlimit: "4",
    memorytotal: 2048,
    memorylimit: "Unlimited",
    cputotal: 0,
    cpulimit: "0",
  };

  it("are those that the account tells of", () => {
    expect(limitsOf(row)).toEqual([
      { name: "vm", used: 3, limit: 4, unit: 0 },
      { name: "cpu", used: 0, limit: 0, unit: 0 },
      { name: "memory", used: 2048, limit: Infinity, unit: 2 ** 20 },
    ]);
  });

  it("are filled by what is used, never more than whole, and without a limit not at all", () => {
    const of = (used: number, limit: number) => filled({ name: "vm", used, limit, unit: 0 });
    expect([of(1, 4), of(9, 4), of(5, Infinity), of(0, 0), of(1, 0)]).toEqual([0.25, 1, 0, 0, 1]);
  });
});
