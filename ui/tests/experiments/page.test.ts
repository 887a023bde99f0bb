// The page of an experiment: the results of what has ended come, though the first answer does not.

import { flushPromises, shallowMount } from "@vue/test-utils";
import { App } from "ant-design-vue";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { messages } from "@/messages";

const results = vi.fn();
const run = { number: 1, policy: "firstfit", seed: 1, state: "Finished", progress: 1 };
const experiment = vi.fn(async () => ({
  id: "e",
  name: "two policies",
  type: "experiment",
  state: "Finished",
  progress: 1,
  run: [run],
}));
vi.mock("@/pages/experiments/calls", () => ({ experiment, results, deleteExperiment: vi.fn() }));
vi.mock("vue-router", () => ({ useRouter: () => ({}) }));
vi.spyOn(App, "useApp").mockReturnValue({ message: { error: vi.fn() } } as unknown as ReturnType<
  typeof App.useApp
>);
vi.resetModules(); // what other tests have loaded knows nothing of these
const { default: ExperimentPage } = await import("@/pages/experiments/ExperimentPage.vue");

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());
afterAll(() => vi.resetModules());

it("asks again for the results of runs that have ended, until it has them, and then no more", async () => {
  const found = { result: [{ ...run, seeds: 1, figures: {}, bycause: {}, file: [] }], scenario: "" };
  const away = new Error("The management server cannot be reached");
  results.mockRejectedValueOnce(away).mockRejectedValueOnce(away);
  results.mockResolvedValue(found);
  const page = shallowMount(ExperimentPage, {
    props: { id: "e" },
    global: { plugins: [messages], renderStubDefaultSlot: true, stubs: { RouterLink: true } },
  });
  await flushPromises();
  expect(page.findComponent({ name: "SummaryTable" }).exists()).toBe(false);
  await vi.advanceTimersByTimeAsync(2_500);
  expect(page.findComponent({ name: "SummaryTable" }).props("results")).toEqual(found.result);
  const asked = [experiment.mock.calls.length, results.mock.calls.length];
  await vi.advanceTimersByTimeAsync(5_000);
  expect([experiment.mock.calls.length, results.mock.calls.length]).toEqual(asked);
  page.unmount();
});
