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

test("what a failed task left behind goes before it is tried again", async () => {
  const log: string[] = [];
  const plan = usePlan();
  const fails = task("vm", log, {
    run: (_made, _note, leave) => {
      leave({ id: "the one in Error" });
      return Promise.reject(new Error("no capacity"));
    },
  });
  await plan.run([fails]);
  expect(plan.tasks.value.map((each) => [each.state, each.left])).toEqual([["failed", true]]);
  expect(await plan.run([task("vm", log)])).toBe(true);
  expect(log).toEqual(["remove the one in Error", "make vm"]);
});

test("what a failed task left behind goes with all that was made", async () => {
  const log: string[] = [];
  const plan = usePlan();
  const fails = task("two", log, {
    run: (_made, _note, leave) => {
      leave({ id: "the one in Error" });
      return Promise.reject(new Error("no capacity"));
    },
  });
  await plan.run([task("one", log), fails]);
  expect(await plan.remove()).toBe(true);
  expect(log).toEqual(["make one", "remove the one in Error", "remove id of one"]);
  expect(plan.tasks.value.some((each) => each.left)).toBe(false);
});

test("what is told something else is made anew, with all that came after it, and the rest stays", async () => {
  const log: string[] = [];
  const plan = usePlan();
  const all = (subnet: string): Task[] => [
    task("zone", log, { told: "zone" }),
    task("pod", log, { told: subnet }),
    task("cluster", log, { told: "cluster" }),
  ];
  const fails = task("host", log, { run: () => Promise.reject(new Error("no agent")) });
  await plan.run([...all("10.0.0.0"), fails]);
  log.length = 0;
  expect(await plan.run([...all("10.9.0.0"), task("host", log)])).toBe(true);
  expect(log).toEqual(["remove id of cluster", "remove id of pod", "make pod", "make cluster", "make host"]);
});

test("what only changes something is done again by itself when it is told something else", async () => {
  const log: string[] = [];
  const plan = usePlan();
  const enable = (vlans: string): Task => task("enable", log, { told: vlans, undo: undefined });
  const fails = task("host", log, { run: () => Promise.reject(new Error("no agent")) });
  await plan.run([enable("100"), task("pod", log), fails]);
  log.length = 0;
  await plan.run([enable("200"), task("pod", log), task("host", log)]);
  expect(log).toEqual(["make enable", "make host"]);
});
