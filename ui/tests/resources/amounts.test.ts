// Amounts, dates and words as people read them.

import { describe, expect, it } from "vitest";
import { amidWords } from "@/resources/labels";
import { amount } from "@/resources/values/amounts";
import { zoneOf } from "@/resources/values/kinds";

describe("an amount of capacity", () => {
  it("reads in the unit of its kind", () => {
    expect(amount(0, 3 * 2 ** 30)).toBe("3 GiB");
    expect(amount(1, 950)).toBe("950 MHz");
    expect(amount(1, 41_600)).toBe("41.6 GHz");
    expect(amount(4, 1234)).toBe("1,234");
  });
});

describe("a label within a sentence", () => {
  it("is written small, but for what is an abbreviation", () => {
    expect(amidWords("Public IP addresses")).toBe("public IP addresses");
    expect(amidWords("DRS plans")).toBe("DRS plans");
    expect(amidWords("VPCs")).toBe("VPCs");
    expect(amidWords("Instances")).toBe("instances");
  });
});

describe("a time", () => {
  it("has the zone in which it is told, and none where it is no time", () => {
    expect(zoneOf("2026-11-22T15:00:00+0000")).toMatch(/^(UTC|GMT|[A-Z]{2,5})([+-]\d+(:\d+)?)?$/);
    expect(zoneOf("not yet")).toBe("");
  });
});
