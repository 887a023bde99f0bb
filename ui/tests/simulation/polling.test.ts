// What is asked again and again, and the clock that is asked and set.

import { createPinia, setActivePinia } from "pinia";
import { effectScope } from "vue";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const answers: ((answer: unknown) => void)[] = [];
const later = () => new Promise((resolve) => answers.push(resolve));
vi.mock("@/pages/simulation/calls", async (original) => ({
  ...(await original<object>()),
  simulation: later,
  setPace: later,
}));
vi.resetModules(); // what other tests have loaded knows nothing of these
const { useClock } = await import("@/pages/simulation/clock");
const { usePolling } = await import("@/pages/simulation/polling");

beforeEach(() => {
  vi.useFakeTimers();
  answers.length = 0;
  setActivePinia(createPinia());
});
afterEach(() => vi.useRealTimers());
afterAll(() => vi.resetModules());

describe("usePolling", () => {
  it("loads one at a time, and once for everybody who asks meanwhile", async () => {
    const ends: (() => void)[] = [];
    let atOnce = 0;
    let most = 0;
    const scope = effectScope();
    const { refresh } = scope.run(() =>
      usePolling(async () => {
        most = Math.max(most, ++atOnce);
        await new Promise<void>((resolve) => ends.push(resolve));
        atOnce -= 1;
      }),
    )!;
    const all = [refresh(), refresh()];
    for (let number = 0; number < 3; number++) {
      ends[number]!();
      await vi.advanceTimersByTimeAsync(0);
    }
    await Promise.all(all);
    scope.stop();
    expect([ends.length, most]).toEqual([3, 1]);
  });
});

describe("the clock", () => {
  it("is not told of the pace before by an answer that comes after the pace was set", async () => {
    const clock = useClock();
    const asked = clock.refresh();
    const set = clock.set("max");
    answers[1]!({ state: "Running", pace: "max", currentpace: "max" });
    await set;
    answers[0]!({ state: "Running", pace: "real", currentpace: "real" });
    await asked;
    expect(clock.pace).toBe("max");
  });
});
