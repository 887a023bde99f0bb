// The calls at a wizard's end.
import { expect, test } from "vitest";
import type { Row } from "@/api/client";
import { usePlan, type Task } from "@/wizards/frame/plan";

function task(name: string, log: string[], more: Partial<Task> = {}): Task {
  return {
    name,
    title: name,
    step: "one",
    run: async (): Promise<Row> => {
      log.push(`make ${name}`);
      return { id: `id of ${name}` };
    },
    undo: async (row) => log.push(`remove ${row.id}`),
    ...more,
  };
}

test("tasks run in order and each finds what those before it made", async () => {
  const log: string[] = [];
  const plan = usePlan();
  const last = task("cluster", log, { run: async (made) => void log.push(`in ${made.pod!.id}`) });
  expect(await plan.run([task("zone", log), task("pod", log), last])).toBe(true);
  expect(log).toEqual(["make zone", "make pod", "in id of pod"]);
  expect(plan.state.value).toBe("done");
});

test("it stops at the first that fails, says why, and goes on from there without doing the others again", async () => {
  const log: string[] = [];
  const plan = usePlan();
  const fails = task("pod", log, { run: () => Promise.reject(new Error("the subnet is taken")) });
  expect(await plan.run([task("zone", log), fails, task("cluster", log)])).toBe(false);
  expect(plan.tasks.value.map((each) => each.state)).toEqual(["done", "failed", "waiting"]);
  expect(plan.tasks.value[1]!.error).toBe("the subnet is taken");
  expect(await plan.run([task("zone", log), task("pod", log), task("cluster", log)])).toBe(true);
  expect(log).toEqual(["make zone", "make pod", "make cluster"]);
});

test("what was made is removed, the last first", async () => {
  const log: string[] = [];
  const plan = usePlan();
  await plan.run([task("zone", log), task("note", log, { undo: undefined }), task("pod", log)]);
  log.length = 0;
  expect(await plan.remove()).toBe(true);
  expect(log).toEqual(["remove id of pod", "remove id of zone"]);
  expect(plan.made.zone).toBeUndefined();
});

test("a group is done to its end although one of it fails, and nothing after it", async () => {
  const log: string[] = [];
  const plan = usePlan();
  const hosts = [1, 2, 3].map((n) => task(`host ${n}`, log, { group: "hosts" }));
  hosts[1]!.run = () => Promise.reject(new Error("no agent"));
  expect(await plan.run([...hosts, task("storage", log)])).toBe(false);
  expect(plan.tasks.value.map((each) => each.state)).toEqual(["done", "failed", "done", "waiting"]);
});
