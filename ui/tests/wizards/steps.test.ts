// The steps of a wizard: one goes on when the step is right, and when what it proposes is there.

import { expect, it } from "vitest";
import { ref } from "vue";
import { useSteps, type Errors } from "@/wizards/frame/steps";

it("one does not go on, and is not told that something is wrong, while a proposal is on its way", () => {
  const zone = ref("");
  const steps = useSteps([
    {
      name: "zone",
      title: "Zone",
      busy: () => zone.value === "",
      check: (): Errors => (zone.value ? {} : { zone: "choose one" }),
    },
    { name: "name", title: "Name", check: () => ({}) },
  ]);
  expect(steps.busy.value).toBe(true);
  steps.next();
  expect([steps.current.value, steps.errors.value]).toEqual(["zone", {}]);
  zone.value = "z-1";
  expect(steps.next()).toBe(true);
  expect([steps.current.value, steps.busy.value]).toEqual(["name", false]);
});
