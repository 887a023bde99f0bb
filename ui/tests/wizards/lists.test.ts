// The rows of a list that is asked anew when its parameters change.

import { effectScope, ref } from "vue";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";

const answers: ((page: unknown) => void)[] = [];
vi.mock("@/api/client", async (original) => ({
  ...(await original<object>()),
  list: () => new Promise((resolve) => answers.push(resolve)),
}));
vi.resetModules(); // what other tests have loaded knows nothing of these
const { useRows } = await import("@/wizards/frame/lists");

beforeEach(() => {
  vi.useFakeTimers();
  answers.length = 0;
});
afterEach(() => vi.useRealTimers());
afterAll(() => vi.resetModules());

it("waits for nothing, and takes nothing, once it cannot be asked any more", async () => {
  const zone = ref<string | null>("z-1");
  const scope = effectScope();
  const rows = scope.run(() =>
    useRows("listTemplates", "template", () => (zone.value === null ? null : { zoneid: zone.value })),
  )!;
  await vi.advanceTimersByTimeAsync(1_000);
  expect([answers.length, rows.busy.value]).toEqual([1, true]);
  zone.value = null;
  await vi.advanceTimersByTimeAsync(1_000);
  answers[0]!({ rows: [{ id: "t-1" }], count: 1 });
  await vi.advanceTimersByTimeAsync(0);
  expect([rows.busy.value, rows.rows.value]).toEqual([false, []]);
  scope.stop();
});
