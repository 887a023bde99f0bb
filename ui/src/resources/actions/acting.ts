// Doing something to rows: which action is being asked for, and what came of it.

import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { useRouter } from "vue-router";
import { useApis } from "@/api/apis";
import { useJobs } from "@/api/jobs";
import type { Parameters, Row } from "@/api/client";
import type { Action, Resource } from "../declaration";
import { actionLabel } from "../labels";
import { pathOf, titleOf } from "../links";

/** An action that was begun: on these rows of this resource; none for one on the list. */
export interface Begun {
  resource: Resource;
  action: Action;
  rows: Row[];
  /** Parameters that the page adds: a list within a network creates in that network. */
  given: Parameters;
  /** The row that the rows are members of. */
  parent: Row | null;
  /** Called whenever something has been changed. */
  changed: () => void;
}

/** What an action answered that is to be seen. */
export interface Told {
  title: string;
  answer: Record<string, unknown>;
  /** Only these members of it. */
  shows?: string[];
}

export const useActing = defineStore("acting", () => {
  const begun = shallowRef<Begun | null>(null);
  const told = shallowRef<Told | null>(null);
  /** Rows on which something is being done just now, by id. */
  const busy = ref(new Set<string>());
  const apis = useApis();
  const jobs = useJobs();
  const router = useRouter();

  /** Begin an action: go to its page, do what it does by itself, or ask by its form. */
  async function begin(
    of: Resource,
    action: Action,
    rows: Row[],
    changed: () => void = () => undefined,
    within: { given?: Parameters; parent?: Row } = {},
  ): Promise<void> {
    const row = rows[0] ?? null;
    if (action.page) {
      await router.push(action.page(row));
    } else if (action.run && row) {
      try {
        await action.run(row);
        changed();
      } catch (error) {
        told.value = { title: actionLabel(action), answer: { errortext: (error as Error).message } };
      }
    } else {
      const takes = new Set(apis.get(action.command)?.params.map((each) => each.name));
      const given = Object.fromEntries(
        Object.entries(within.given ?? {}).filter(([name]) => takes.has(name)),
      );
      begun.value = { resource: of, action, rows, given, parent: within.parent ?? null, changed };
    }
  }

  /** Have it done to one row (or to none). Raises ApiError; `accepted` when the server has taken it. */
  async function perform(
    of: Begun,
    row: Row | null,
    parameters: Parameters,
    accepted: () => void = () => undefined,
  ): Promise<void> {
    const { action, resource } = of;
    const target: Parameters =
      row && action.on === "row" && action.target !== ""
        ? { [action.target ?? "id"]: action.targetValue?.(row) ?? (row[resource.id ?? "id"] as string) }
        : {};
    const id = row ? String(row[resource.id ?? "id"]) : "";
    busy.value.add(id);
    try {
      const result = await jobs.run(
        action.command,
        { ...of.given, ...action.fixed?.(row, of.parent), ...parameters, ...target },
        {
          title: actionLabel(action),
          subject: row ? titleOf(resource, row) : String(parameters.name ?? parameters.displayname ?? ""),
          link: (answer) => (resource.list.within ? "" : linkTo(resource, action, row, answer)),
          accepted: () => {
            accepted();
            of.changed();
          },
        },
      );
      const answer = inner(result);
      if (action.shows?.some((name) => answer[name] !== undefined) || isAnswer(action)) {
        told.value = { title: actionLabel(action), answer, shows: action.shows };
      }
    } finally {
      busy.value.delete(id);
      of.changed();
    }
  }

  return { begun, told, busy, begin, perform };
});

/** Where what an action is about has its page: the row, or what a creation makes. */
function linkTo(of: Resource, action: Action, row: Row | null, answer: Record<string, unknown>): string {
  const made = action.on === "list" && typeof answer.id === "string" ? ({ id: answer.id } as Row) : null;
  const target = row ?? made;
  return target ? pathOf(of, target) : "";
}

/** Commands that are called for their answer. */
function isAnswer(action: Action): boolean {
  return !action.shows && /^(get|run|extract)/.test(action.command);
}

/** The answer without the member that names what kind it is. */
function inner(answer: Record<string, unknown>): Record<string, unknown> {
  const members = Object.values(answer);
  const only = members.length === 1 ? members[0] : undefined;
  return only !== null && typeof only === "object" && !Array.isArray(only)
    ? (only as Record<string, unknown>)
    : answer;
}
