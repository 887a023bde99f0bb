// The table of an experiment's figures.

import { expect, test } from "vitest";
import type { Result } from "@/pages/experiments/calls";
import { summarise } from "@/pages/experiments/summary";

function result(policy: string, figures: Record<string, number | null>, seeds = 1): Result {
  return { number: 1, policy, seeds, figures, bycause: {}, file: [] };
}

test("a column for each policy, in the order of their first run, with how far it is from the first", () => {
  const { columns, rows } = summarise([
    result("first-fit", { placed: 100, rejected: 10 }),
    result("worst-fit", { placed: 90, rejected: 20 }),
  ]);
  expect(columns).toEqual([
    { policy: "first-fit", runs: 1 },
    { policy: "worst-fit", runs: 1 },
  ]);
  const placed = rows.find((row) => row.name === "placed")!;
  expect(placed.values).toEqual([100, 90]);
  expect(placed.differences[1]).toBeCloseTo(-0.1);
  expect(placed.better).toBe(1);
  expect(rows.find((row) => row.name === "rejected")!.differences[1]).toBeCloseTo(1);
});

test("runs of several seeds become their mean, and their checks nothing", () => {
  const { columns, rows } = summarise([
    result("first-fit", { placed: 100, placement_check: 5 }),
    result("first-fit", { placed: 110, placement_check: 7 }),
  ]);
  expect(columns).toEqual([{ policy: "first-fit", runs: 2 }]);
  expect(rows.map((row) => [row.name, row.values])).toEqual([["placed", [105]]]);
});

test("a figure that nobody has is left out, and of one that a policy lacks there is no difference", () => {
  const { rows } = summarise([
    result("a", { placed: 5, gpu_average_share: null }),
    result("b", { placed: null, gpu_average_share: null }),
  ]);
  expect(rows.map((row) => row.name)).toEqual(["placed"]);
  expect(rows[0]!.differences).toEqual([0, null]);
});

test("figures without a text come last, by name", () => {
  const { rows } = summarise([result("a", { zeta: 1, alpha: 2, placed: 3, seed: 4 })]);
  expect(rows.map((row) => row.name)).toEqual(["placed", "alpha", "zeta"]);
});
