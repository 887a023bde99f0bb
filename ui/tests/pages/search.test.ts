// How well a name fits what was typed into the search.

import { describe, expect, it } from "vitest";
import { fit } from "@/pages/search/find";

const best = (typed: string, ...names: string[]) =>
  names.filter((name) => fit(name, typed) !== undefined).sort((a, b) => fit(a, typed)! - fit(b, typed)!);

describe("a name fits", () => {
  it("when every word that was typed is in it, in any case and order", () => {
    expect(fit("Public IP addresses", "addr PUBLIC")).toBeDefined();
    expect(fit("Public IP addresses", "public network")).toBeUndefined();
  });

  it("best where it begins with it, then where a word does, then the shorter", () => {
    expect(best("net", "Guest networks", "Cabinet", "Networks", "Network offerings")).toEqual([
      "Networks",
      "Network offerings",
      "Guest networks",
      "Cabinet",
    ]);
  });
});
