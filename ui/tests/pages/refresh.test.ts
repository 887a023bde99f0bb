// A card's data is loaded at once, once for many changes, and never twice at a time.

import { effectScope, nextTick, ref } from "vue";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const told: { callback: () => void }[] = [];
vi.mock("@/api/changes", () => ({
  onChanges: (_types: string[], callback: () => void) => void told.push({ callback }),
}));
const { useRefreshed } = await import("@/pages/dashboard/refresh");

beforeEach(() => {
  vi.useFakeTimers();
  told.length = 0;
});
afterEach(() => vi.useRealTimers());

describe("useRefreshed", () => {
  it("loads at once, and once for all changes of a moment", async () => {
    const load = vi.fn(async () => undefined);
    const scope = effectScope();
    const state = scope.run(() => useRefreshed(["vm"], load))!;
    expect(load).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(state.loading.value).toBe(false);
    told[0]!.callback();
    told[0]!.callback();
    await vi.advanceTimersByTimeAsync(1000);
    expect(load).toHaveBeenCalledTimes(2);
    scope.stop();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it("waits for the load that runs, and loads what changed meanwhile afterwards", async () => {
    const ends: (() => void)[] = [];
    const load = vi.fn(() => new Promise<void>((resolve) => ends.push(resolve)));
    const scope = effectScope();
    scope.run(() => useRefreshed(["vm"], load));
    told[0]!.callback();
    await vi.advanceTimersByTimeAsync(1000);
    expect(load).toHaveBeenCalledTimes(1);
    ends[0]!();
    await vi.advanceTimersByTimeAsync(0);
    expect(load).toHaveBeenCalledTimes(2);
    scope.stop();
  });

  it("gives up what is not wanted any more when a source changes, and says what went wrong", async () => {
    const zone = ref("a");
    const signals: AbortSignal[] = [];
    const load = vi.fn(async (signal: AbortSignal) => {
      signals.push(signal);
      if (zone.value === "b") {
        throw new Error("no such zone");
      }
    });
    const scope = effectScope();
    const state = scope.run(() => useRefreshed([], load, [zone]))!;
    await vi.advanceTimersByTimeAsync(0);
    zone.value = "b";
    await nextTick();
    await vi.advanceTimersByTimeAsync(0);
    expect(signals[0]!.aborted).toBe(true);
    expect(signals[1]!.aborted).toBe(false);
    expect(state.error.value).toBe("no such zone");
    scope.stop();
  });
});
