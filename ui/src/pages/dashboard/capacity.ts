// What the API says of capacity, and how it reads: kinds, units, shares, series.

import { moment } from "@/resources/values/kinds";

export interface Capacity {
  type: number;
  name: string;
  zoneid: string;
  capacitytotal: number;
  capacityused: number;
}

export interface CapacitySample {
  timestamp: string;
  capacityallocated: number;
  capacitytotal: number;
}

export interface CapacitySeries {
  zoneid: string;
  zonename: string;
  type: number;
  stats?: CapacitySample[];
}

export interface InfrastructureSample {
  timestamp: string;
  instances?: Record<string, number>;
  hosts?: Record<string, number>;
  hostfill?: number[];
}

export interface InfrastructureSeries {
  zoneid: string;
  zonename: string;
  stats?: InfrastructureSample[];
}

/** Kinds in the order in which they are shown. */
export const KINDS = [1, 0, 19, 3, 2, 9, 6, 4, 8, 7, 5];

export interface Filled {
  type: number;
  used: number;
  total: number;
}

/** Capacity of several zones as one, by kind; kinds of which there is nothing are left out. */
export function summed(rows: Capacity[]): Filled[] {
  const found = new Map<number, Filled>();
  for (const row of rows) {
    const sum = found.get(row.type) ?? { type: row.type, used: 0, total: 0 };
    sum.used += row.capacityused;
    sum.total += row.capacitytotal;
    found.set(row.type, sum);
  }
  return KINDS.map((type) => found.get(type)).filter((each): each is Filled => !!each && each.total > 0);
}

/** 0 to 1 and more; 0 of nothing. */
export function share(part: { used: number; total: number }): number {
  return part.total > 0 ? part.used / part.total : 0;
}

/** Points of a chart: milliseconds and a value. */
export type Points = [number, number | null][];

/** The share that was taken of a kind, over time, of all series of that kind together, in percent. */
export function shares(series: CapacitySeries[], type: number): Points {
  const sums = new Map<number, { used: number; total: number }>();
  for (const each of series) {
    if (each.type !== type) continue;
    for (const sample of each.stats ?? []) {
      const at = moment(sample.timestamp);
      const sum = sums.get(at) ?? { used: 0, total: 0 };
      sum.used += sample.capacityallocated;
      sum.total += sample.capacitytotal;
      sums.set(at, sum);
    }
  }
  return inOrder(sums, (sum) => (sum.total > 0 ? (100 * sum.used) / sum.total : null));
}

/** How many instances (or hosts) were in each state over time, of all zones together; every state has every time. */
export function counts(series: InfrastructureSeries[], of: "instances" | "hosts"): Map<string, Points> {
  const times = new Map<number, Record<string, number>>();
  const states = new Set<string>();
  for (const each of series) {
    for (const sample of each.stats ?? []) {
      const at = moment(sample.timestamp);
      const sum = times.get(at) ?? {};
      for (const [state, number] of Object.entries(sample[of] ?? {})) {
        sum[state] = (sum[state] ?? 0) + number;
        states.add(state);
      }
      times.set(at, sum);
    }
  }
  const found = new Map<string, Points>();
  for (const state of inRank(states)) {
    found.set(
      state,
      inOrder(times, (sum) => sum[state] ?? 0),
    );
  }
  return found;
}

const RANK = [
  "Running",
  "Up",
  "Starting",
  "Migrating",
  "Stopping",
  "Stopped",
  "Shutdown",
  "Destroyed",
  "Expunging",
];

/** States as people expect them: what runs first, what is wrong last. */
export function inRank(states: Iterable<string>): string[] {
  const rank = (state: string) => (RANK.includes(state) ? RANK.indexOf(state) : RANK.length);
  return [...states].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

function inOrder<T>(values: Map<number, T>, of: (value: T) => number | null): Points {
  return [...values.entries()].sort(([a], [b]) => a - b).map(([at, value]) => [at, of(value)]);
}

/** The last sample of every zone, added up. */
export function latest(series: InfrastructureSeries[]): {
  instances: Record<string, number>;
  hosts: Record<string, number>;
  fill: number[];
  at: number;
} {
  const sum = {
    instances: {} as Record<string, number>,
    hosts: {} as Record<string, number>,
    fill: [] as number[],
    at: 0,
  };
  for (const each of series) {
    const sample = each.stats?.[each.stats.length - 1];
    if (!sample) continue;
    sum.at = Math.max(sum.at, moment(sample.timestamp));
    for (const of of ["instances", "hosts"] as const) {
      for (const [state, number] of Object.entries(sample[of] ?? {})) {
        sum[of][state] = (sum[of][state] ?? 0) + number;
      }
    }
    (sample.hostfill ?? []).forEach((number, tenth) => {
      sum.fill[tenth] = (sum.fill[tenth] ?? 0) + number;
    });
  }
  return sum;
}

export interface Range {
  name: string;
  /** Seconds. */
  span: number;
  /** Seconds between points. */
  grain: number;
}

export const RANGES: Range[] = [
  { name: "hour", span: 3600, grain: 1 },
  { name: "quarter", span: 6 * 3600, grain: 300 },
  { name: "day", span: 24 * 3600, grain: 600 },
  { name: "week", span: 7 * 24 * 3600, grain: 3600 },
];

/** A time as the API reads it. */
export function wireTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "+0000");
}
