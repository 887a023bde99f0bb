// A list's rows: what is on its way is shown, however often things change meanwhile.

import { createPinia, setActivePinia } from "pinia";
import { effectScope, ref } from "vue";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Resource } from "@/resources/declaration";
import { initialState } from "@/resources/list/state";

const answers: ((page: unknown) => void)[] = [];
const signals: AbortSignal[] = [];
let change: (changes: null) => void = () => undefined;
vi.mock("@/api/client", async (original) => ({
  ...(await original<object>()),
  list: (_command: string, _key: string, _parameters: object, signal: AbortSignal) =>
    new Promise((resolve, reject) => {
      answers.push(resolve);
      signals.push(signal);
      signal.addEventListener("abort", () => reject(new Error("aborted")));
    }),
}));
vi.mock("@/api/changes", async (original) => ({
  ...(await original<object>()),
  onChanges: (_types: string[], hear: typeof change) => void (change = hear),
}));
vi.resetModules(); // what other tests have loaded knows nothing of these
const { useRows } = await import("@/resources/list/rows");

const THINGS: Resource = {
  name: "thing",
  section: "compute",
  icon: {},
  list: { command: "listThings", key: "thing" },
  columns: [{ name: "name" }],
  actions: [],
};

beforeEach(() => {
  vi.useFakeTimers();
  setActivePinia(createPinia());
  answers.length = signals.length = 0;
});
afterEach(() => vi.useRealTimers());
afterAll(() => vi.resetModules());

it("shows an answer that takes longer than the time between two changes, and then asks once more", async () => {
  const scope = effectScope();
  const shown = scope.run(() => useRows(THINGS, ref(initialState()), ref({})))!;
  for (let second = 0; second < 5; second++) {
    change(null);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(answers.length).toBe(1);
  answers[0]!({ rows: [{ id: "1", name: "slow" }], count: 1 });
  await vi.advanceTimersByTimeAsync(0);
  expect(shown.rows.value.map((row) => row.name)).toEqual(["slow"]);
  expect([answers.length, shown.loading.value]).toEqual([2, true]);
  scope.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([answers.length, signals[1]!.aborted]).toEqual([2, true]);
});
