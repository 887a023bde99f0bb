// The figures of an experiment as a table: a column for each policy, and how far it is from the first.

import type { Result } from "./calls";

export type FigureKind = "count" | "seconds" | "share" | "number";

export interface SummaryColumn {
  policy: string;
  /** Of how many runs the figures are means. */
  runs: number;
}

export interface SummaryRow {
  name: string;
  kind: FigureKind;
  /** Whether less is better (-1), more is (1), or neither (0). */
  better: -1 | 0 | 1;
  values: (number | null)[];
  /** Relative to the first column's value; null where that is nothing. */
  differences: (number | null)[];
}

/** The figures of a run that are shown, in this order. */
const FIGURES: [string, FigureKind, -1 | 0 | 1][] = [
  ["arrived", "count", 0],
  ["placed", "count", 1],
  ["rejected", "count", -1],
  ["failed", "count", -1],
  ["rejected_share", "share", -1],
  ["rejected_core_hours_share", "share", -1],
  ["deploy_p50_s", "seconds", -1],
  ["deploy_p95_s", "seconds", -1],
  ["deploy_p99_s", "seconds", -1],
  ["instances_average", "number", 0],
  ["instances_peak", "count", 0],
  ["cpu_average_share", "share", 1],
  ["cpu_peak_share", "share", 0],
  ["memory_average_share", "share", 1],
  ["memory_peak_share", "share", 0],
  ["gpu_average_share", "share", 1],
  ["hosts_used", "count", -1],
  ["hosts_empty_average", "number", 1],
  ["host_hours_ratio", "number", -1],
  ["not_empty_average", "number", -1],
  ["empty_share", "share", 1],
  ["cpu_packing_density", "share", 1],
  ["memory_packing_density", "share", 1],
  ["stranded_cpu", "share", -1],
  ["stranded_memory", "share", -1],
  ["fragmentation", "share", -1],
  ["simulated_s", "seconds", 0],
  ["jobs", "count", 0],
  ["messages", "count", 0],
  ["placement_check", "number", 0],
];

/** The names of the figures that have texts. */
export const NAMED = FIGURES.map(([name]) => name);

function mean(values: (number | null | undefined)[]): number | null {
  const known = values.filter((value): value is number => typeof value === "number");
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** The table of these results, policies in the order of their first; figures that nobody has are left out. */
export function summarise(results: Result[]): { columns: SummaryColumn[]; rows: SummaryRow[] } {
  const policies = [...new Set(results.map((each) => each.policy))];
  const groups = policies.map((policy) => results.filter((each) => each.policy === policy));
  const columns = policies.map((policy, index) => ({
    policy,
    runs: groups[index]!.reduce((sum, each) => sum + each.seeds, 0),
  }));
  const others = [...new Set(results.flatMap((each) => Object.keys(each.figures)))]
    .filter(
      (name) =>
        !NAMED.includes(name) &&
        name !== "seed" &&
        name !== "pending" &&
        name !== "hosts" &&
        name !== "faults",
    )
    .sort()
    .map((name): [string, FigureKind, 0] => [name, "number", 0]);
  const rows: SummaryRow[] = [];
  for (const [name, kind, better] of [...FIGURES, ...others]) {
    // a check is of one run: its mean says nothing
    if (name === "placement_check" && groups.some((group) => group.length > 1)) {
      continue;
    }
    const values = groups.map((group) => mean(group.map((each) => each.figures[name])));
    if (values.every((value) => value === null)) {
      continue;
    }
    const first = values[0] ?? null;
    const differences = values.map((value) =>
      value === null || first === null || first === 0 || name === "placement_check"
        ? null
        : value / first - 1,
    );
    rows.push({ name, kind, better, values, differences });
  }
  return { columns, rows };
}
