// The search of the topology's page finds what is typed before the datacenter is there.

import { flushPromises, shallowMount } from "@vue/test-utils";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { messages } from "@/messages";
import { Datacenter } from "@/pages/topology/datacenter";
import { answerOf } from "./datacenters";

const rows = [{ id: "i-1", name: "journey", state: "Running", hostid: "z1p1r0h1" }];
vi.mock("@/api/client", async (original) => ({
  ...(await original<object>()),
  list: async () => ({ rows, count: 1 }),
}));
vi.mock("@/api/apis", () => ({ useApis: () => ({ can: () => true }) }));
vi.resetModules(); // what other tests have loaded knows nothing of these
const { default: SearchBox } = await import("@/pages/topology/SearchBox.vue");

/** Stands for the field with its list. */
const Choices = { props: ["options"], emits: ["search", "update:value"], render: () => null };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());
afterAll(() => vi.resetModules());

it("finds an instance that was looked for before its host was known", async () => {
  const datacenter = new Datacenter();
  const box = shallowMount(SearchBox, {
    props: { datacenter, tick: 0 },
    global: { plugins: [messages], stubs: { AAutoComplete: Choices } },
  });
  const field = box.findComponent(Choices);
  const found = () =>
    (field.props("options") as { options: { label: string }[] }[]).flatMap((group) =>
      group.options.map((each) => each.label),
    );
  field.vm.$emit("update:value", "journey");
  field.vm.$emit("search", "journey");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(found()).toEqual([]);
  datacenter.take(answerOf(1, 1, [2]));
  await box.setProps({ tick: 1 });
  await vi.advanceTimersByTimeAsync(1_000);
  await flushPromises();
  expect(found()).toEqual(["journey"]);
  box.unmount();
});
