// How simulated times and paces read.

import { expect, test } from "vitest";
import { rateOf } from "@/pages/simulation/clock";
import { clockText, dayText, distance, percent, seconds } from "@/pages/simulation/figures";

test("seconds are shown in the unit that suits them", () => {
  expect([0, 0.25, 45, 90, 5400, 7200, 200_000].map((each) => seconds(each))).toEqual([
    "0 s",
    "0.25 s",
    "45 s",
    "1.5 min",
    "1.5 h",
    "2 h",
    "2.31 d",
  ]);
  expect(seconds(null)).toBe("–");
});

test("marks of an axis of seconds are at round distances, no more of them than asked for", () => {
  for (const most of [0.4, 3, 47, 333, 5000, 70_000, 1e6, 1e8]) {
    expect(most / distance(most, 5)).toBeLessThanOrEqual(5);
  }
  expect(distance(78_000, 5)).toBe(6 * 3600);
});

test("a pace is a rate; what stands still or races has none", () => {
  expect(["pause", "real", "10x", "2.5x", "max"].map(rateOf)).toEqual([0, 1, 10, 2.5, 0]);
});

test("simulated dates are in UTC", () => {
  const time = Date.UTC(2026, 10, 27, 13, 5, 9);
  expect(`${dayText(time)} ${clockText(time)}`).toBe("2026-11-27 13:05:09");
  expect(percent(0.1234)).toBe("12.3 %");
});
