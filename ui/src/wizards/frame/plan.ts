// The calls that a wizard ends with, one after another: what was done, where it stopped and why, going on from there,
// or removing again what was made.

import { computed, ref, type ComputedRef, type Ref } from "vue";
import { ApiError, call, type Parameters, type Row } from "@/api/client";
import { useJobs } from "@/api/jobs";

/** What tasks have made, by the task's name. */
export type Made = Record<string, Row>;

export interface Task {
  /** Unique in its plan. */
  name: string;
  /** What is done, as shown. */
  title: string;
  /** The wizard's step to go back to when it fails. */
  step: string;
  /**
   * Do it; what it answers is kept under the task's name. `note` tells how far it is, `leave` of something that is
   * there although the task may fail. Raises ApiError.
   */
  run: (made: Made, note: (text: string) => void, leave: (row: Row) => void) => Promise<Row | void>;
  /** Remove what it made. */
  undo?: (row: Row) => Promise<unknown>;
  /** Neighbours of the same group are done at once, a few at a time. */
  group?: string;
  /** What it was told: where that is another later on, it is done again. Absent: what is done stays as it is. */
  told?: string;
}

export interface TaskState {
  task: Task;
  state: "waiting" | "running" | "done" | "failed" | "removed";
  error: string;
  /** How far it is. */
  note: string;
  /** Something of it is there that can be removed. */
  left: boolean;
}

export interface Plan {
  tasks: Ref<TaskState[]>;
  made: Made;
  state: Ref<"idle" | "running" | "failed" | "done" | "removing" | "removed">;
  doneCount: ComputedRef<number>;
  /**
   * Do the tasks that are not done. A task that was done under its name before is not done again, unless it is told
   * something else now: then what it made is removed, with all that was made after it. Whether all are done.
   */
  run: (tasks: Task[]) => Promise<boolean>;
  /** Remove what was made, the last first. Whether all of it is gone. */
  remove: () => Promise<boolean>;
  reset: () => void;
}

const AT_ONCE = 6;

export function usePlan(): Plan {
  const tasks = ref<TaskState[]>([]) as Ref<TaskState[]>;
  const state = ref<Plan["state"]["value"]>("idle");
  const made: Made = {};
  const doneCount = computed(() => tasks.value.filter((each) => each.state === "done").length);

  function keep(entry: TaskState, row: Row): void {
    made[entry.task.name] = row;
    entry.left = entry.task.undo !== undefined;
  }

  async function one(entry: TaskState): Promise<boolean> {
    try {
      await removeOf(entry);
      Object.assign(entry, { state: "running", error: "", note: "" });
      const row = await entry.task.run(
        made,
        (text) => (entry.note = text),
        (row) => keep(entry, row),
      );
      if (row) {
        keep(entry, row);
      }
      entry.state = "done";
      return true;
    } catch (error) {
      Object.assign(entry, { state: "failed", error: textOf(error) });
      return false;
    }
  }

  /** Remove what there is of a task. */
  async function removeOf(entry: TaskState): Promise<void> {
    const row = made[entry.task.name];
    if (row !== undefined && entry.left) {
      await entry.task.undo!(row);
    }
    delete made[entry.task.name];
    entry.left = false;
  }

  /** Remove what there is of tasks, the last first. Whether all of it is gone; the state says so where it is not. */
  async function removeAll(entries: TaskState[]): Promise<boolean> {
    state.value = "removing";
    for (const entry of [...entries].reverse()) {
      try {
        await removeOf(entry);
      } catch (error) {
        entry.error = textOf(error);
        state.value = "failed";
        return false;
      }
      if (entry.state === "done") {
        Object.assign(entry, { state: "removed", error: "" });
      }
    }
    return true;
  }

  async function run(wanted: Task[]): Promise<boolean> {
    const now = new Map(wanted.map((task) => [task.name, task]));
    const changed = (entry: TaskState): boolean =>
      entry.state === "done" &&
      entry.task.told !== undefined &&
      now.get(entry.task.name)?.told !== entry.task.told;
    const from = tasks.value.findIndex((entry) => changed(entry) && entry.left);
    const stale = tasks.value.filter(
      (entry, index) =>
        (from >= 0 && index >= from) || (entry.state === "failed" && !now.has(entry.task.name)),
    );
    if (!(await removeAll(stale))) {
      return false;
    }
    const before = new Map(tasks.value.map((entry) => [entry.task.name, entry]));
    tasks.value = wanted.map((task) => {
      const known = before.get(task.name);
      return known?.state === "done" && !changed(known)
        ? known
        : { task, state: "waiting", error: "", note: "", left: known?.left ?? false };
    });
    state.value = "running";
    for (const group of groupsOf(tasks.value)) {
      const waiting = group.filter((each) => each.state !== "done");
      const results: boolean[] = [];
      const worker = async (): Promise<void> => {
        for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
          results.push(await one(entry));
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, worker));
      if (results.includes(false)) {
        state.value = "failed";
        return false;
      }
    }
    state.value = "done";
    return true;
  }

  async function remove(): Promise<boolean> {
    const gone = await removeAll(tasks.value);
    if (gone) {
      state.value = "removed";
    }
    return gone;
  }

  function reset(): void {
    tasks.value = [];
    state.value = "idle";
    for (const name of Object.keys(made)) {
      delete made[name];
    }
  }

  return { tasks, made, state, doneCount, run, remove, reset };
}

/** Neighbours that are done at once. */
function groupsOf(entries: TaskState[]): TaskState[][] {
  const groups: TaskState[][] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (last && entry.task.group !== undefined && last[0]!.task.group === entry.task.group) {
      last.push(entry);
    } else {
      groups.push([entry]);
    }
  }
  return groups;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Call a command, wait for its job where it is one, and answer the row that it made or changed. Raises ApiError. */
export async function make(command: string, parameters: Parameters): Promise<Row> {
  const answer = await call(command, parameters);
  const result = typeof answer.jobid === "string" ? await useJobs().follow(answer.jobid) : answer;
  const row = Object.values(result).find((value) => typeof value === "object" && value !== null);
  const first = Array.isArray(row) ? (row[0] as Row) : (row as Row | undefined);
  if (first === undefined && result.success === undefined) {
    throw new ApiError(`${command} answered nothing`, 0, command);
  }
  return first ?? { ...result, id: "" };
}

/** Call a command that removes something, and wait until it is done. */
export async function unmake(command: string, parameters: Parameters): Promise<void> {
  const answer = await call(command, parameters);
  if (typeof answer.jobid === "string") {
    await useJobs().follow(answer.jobid);
  }
}
