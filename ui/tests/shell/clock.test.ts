// How long things took, in words.

import { expect, it } from "vitest";
import { durationText } from "@/shell/clock";

it("tells a duration as a person would", () => {
  expect([400, 9_940, 12_300, 59_600, 200_000, 7_500_000, -5].map(durationText)).toEqual([
    "0.4 s",
    "9.9 s",
    "12 s",
    "1 min 0 s",
    "3 min 20 s",
    "2 h 5 min",
    "0.0 s",
  ]);
});
